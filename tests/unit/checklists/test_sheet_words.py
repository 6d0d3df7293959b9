"""The sheet's own words: every language has every one, with the same in braces, or says English."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

import server
from checklists import published
from checklists.condition_words import in_words
from checklists.conditions import PROCESSES
from checklists.load import load_checklist
from checklists.model import PIECE_KINDS, PILLARS, SEVERITIES, Condition
from checklists.sheet import NAMES, sheet
from checklists.sheet_words import (
    Catalogue,
    Words,
    braces,
    catalogue,
    english_words,
    languages,
    read_words,
)
from sync.inspection import LEVELS, SIGNS, SPECIALS
from sync.problems import Problem

ENGLISH = english_words()
TEMPLATES = Path(server.__file__).parent / "checklist" / "templates"
# What the sheet looks up by the name of a level, a kind and so on.
NAMED = {
    "pillar": PILLARS,
    "severity": SEVERITIES,
    "level": LEVELS,
    "special": SPECIALS,
    "kind": PIECE_KINDS,
    "type": ("sign", "number"),
    "sign": SIGNS,
    "process": PROCESSES,
}
# Words that are written the same as in English.
THE_SAME = {"limit-in", "kind-photo", "process-logistics"}
HEAD = "format: tapak-words/1\nlanguage: ms\nreviewed: false\nwords:\n"


def of(language: str) -> Catalogue:
    found = catalogue(language)
    assert found is not None
    return found


def test_each_language_of_the_library_has_words_and_all_but_english_are_drafts() -> None:
    library = load_checklist(published.checklist_bytes("rare-earth-chain"), "x").languages
    assert languages() == sorted(library)
    assert {one for one in languages() if not of(one).reviewed} == set(library) - {"en"}
    assert set(languages()) <= set(NAMES)
    assert catalogue("lo") is None
    assert catalogue("../parts/general") is None


@pytest.mark.parametrize("language", languages())
def test_every_word_is_there_in_order_with_the_same_in_braces(language: str) -> None:
    found = of(language)
    assert found.language == language
    assert list(found.words) == list(ENGLISH)
    for key, text in found.words.items():
        assert braces(text) == braces(ENGLISH[key]), key
        assert text == text.strip() != "", key
    if language != "en":
        same = {key for key, text in found.words.items() if text == ENGLISH[key]}
        assert same <= THE_SAME


def test_every_name_has_a_word_and_there_is_no_word_that_nothing_says() -> None:
    named = {f"{kind}-{one}" for kind, names in NAMED.items() for one in names}
    assert named <= set(ENGLISH)
    said = "".join(
        file.read_text(encoding="utf-8")
        for file in (
            TEMPLATES / "sheet.html",
            TEMPLATES / "sheet.typ",
            Path(str(files("checklists") / "sheet.py")),
            Path(str(files("checklists") / "condition_words.py")),
        )
    )
    quoted = set(re.findall(r'"([a-z][a-z-]*)"', said)) | {"sections"}
    ends = {"told-limits-fictional", "told-limits-unverified"}
    assert set(ENGLISH) - named - ends <= quoted


def test_a_condition_is_said_in_the_words_of_the_language() -> None:
    signs = Condition("observed", subject="operating/discharge", values=("yes", "unsure"))
    level = Condition("answer", subject="ISL-E1", values=("does-not-meet", "refused"))
    both = Condition("all", args=(signs, Condition("not", args=(level,))))
    assert in_words(both, of("vi").words.__getitem__) == (
        "operating/discharge là có hoặc không chắc và "
        "không phải (ISL-E1 là không đạt hoặc bị từ chối)"
    )
    declared = Condition("process", values=("in-situ-leach", "cracking"))
    said = in_words(declared, of("ms").words.__getitem__)
    assert said == "kemudahan mengisytiharkan larut resap in-situ atau peretakan"


@pytest.mark.parametrize("language", languages())
def test_a_sheet_of_the_library_says_nothing_of_its_own_in_another_language(language: str) -> None:
    name = "rare-earth-chain"  # it has every item
    laid = sheet(load_checklist(published.checklist_bytes(name), name), language)

    def spoken(node: object) -> set[str]:
        if isinstance(node, dict):
            if set(node) == {"words", "lang"}:
                return {str(node["lang"])}
            return set().union(*map(spoken, node.values()))
        return set().union(*map(spoken, node)) if isinstance(node, list) else set()

    assert spoken(laid) == {language}


def test_a_word_that_is_missing_is_english_and_so_is_the_phrase_it_is_part_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = of("ms")
    words = {key: text for key, text in whole.words.items() if key not in ("or", "weight")}
    some = Catalogue("ms", True, words)
    monkeypatch.setattr(
        "checklists.sheet_words.catalogue", {"en": of("en"), "ms": some, "vi": of("vi")}.get
    )
    own = Words("ms")
    assert own.say("look-at") == {"words": "lihat", "lang": "ms"}
    assert own.say("weight", weight=5) == {"words": "weight 5", "lang": "en"}
    seen = Condition("observed", subject="a/b", values=("yes", "no"))
    phrase = own.phrase(lambda find: in_words(seen, find))
    assert phrase == {"words": "a/b is yes or no", "lang": "en"}
    assert (own.draft, Words("vi").draft, Words("lo").draft) == (False, True, False)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (HEAD + '  loook-at: "lihat"\n', 5, 'no word "loook-at". Write "look-at"?'),
        (HEAD + '  weight: "pemberat {wait}"\n', 5, "Keep each as it is: {weight}."),
        (HEAD + '  weight: "pemberat {weight"\n', 5, "Keep each as it is: {weight}."),
        (HEAD + '  look-at: "lihat {weight}"\n', 5, "Write no braces."),
        (HEAD + '  look-at: ""\n', 5, "look-at is empty."),
        (HEAD + '  look-at: "a"\n  look-at: "b"\n', 6, "look-at"),
        (HEAD.replace("false", "true") + '  look-at: "lihat"\n', 3, "says nothing about its"),
        (HEAD.replace("words/1", "words/2") + '  look-at: "lihat"\n', 1, "tapak-words/1"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(text: str, line: int, told: str) -> None:
    with pytest.raises(Problem) as caught:
        read_words(text.encode(), "ms.yaml", ENGLISH)
    assert caught.value.code == "checklist-malformed"
    (fault,) = caught.value.detail["faults"]
    assert (fault["file"], fault["line"]) == ("ms.yaml", line)
    assert told in f"{fault['message']} {fault['remedy']}"
