"""The translations that come with the program: whole, and with the numbers of the English."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from checklists import published
from checklists.fields import MAX_TEXT
from checklists.load import load_checklist
from checklists.model import Item
from checklists.translations import Translation, english_texts, lay_over, places

PARTS = (
    "general",
    "conflict",
    "in-situ-leaching",
    "hard-rock",
    "cracking",
    "separation",
    "residue-storage",
    "metal-making",
    "magnet-making",
    "recycling",
    "logistics",
    "observations",
)
# What a leaching mine in a place of conflict is asked.
FOR_LEACHING = ("general", "conflict", "in-situ-leaching", "observations")
# The parts that are promised whole, by language; others may be begun.
WHOLE: dict[str, tuple[str, ...]] = {
    "id": PARTS,
    "ms": PARTS,
    "my": FOR_LEACHING,
    "th": FOR_LEACHING,
    "vi": FOR_LEACHING,
}
# How many items of the library have their question and all their levels in a language.
ITEMS = {"id": 80, "ms": 80, "my": 42, "th": 42, "vi": 42}
BEGUN = {"GEN", "ISL", "CON"}
# What is written the same in any language with these letters.
THE_SAME = {"pH", "Uranium"}
# Texts whose numbers differ from the English ones for a reason, with that reason.
OTHER_NUMBERS: dict[tuple[str, tuple[str, ...]], str] = {}

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|[%²³⁶]")
_ALL = published.translations()
each = pytest.mark.parametrize(
    "translation", _ALL, ids=[f"{one.language}-{one.part}" for one in _ALL]
)


def _numbers(text: str) -> Counter[str]:
    """How often each number and sign stands in the text; a decimal comma is read as a point."""
    return Counter(found.replace(",", ".") for found in _NUMBER.findall(text))


def _english(part: str) -> dict[tuple[str, ...], str]:
    return english_texts(published.part(part))


def test_every_part_is_known_here() -> None:
    assert {name for r in published.names() for name in published.recipe(r).parts} == set(PARTS)


@pytest.mark.parametrize(
    ("language", "part"), [(lang, part) for lang, parts in WHOLE.items() for part in parts]
)
def test_a_language_that_is_promised_fills_every_place(language: str, part: str) -> None:
    filled = {
        path for one in _ALL if (one.language, one.part) == (language, part) for path in one.texts
    }
    missing = [path for path in places(published.part(part)) if path not in filled]
    assert missing == []


def _asked_in(item: Item, language: str) -> bool:
    return all(text.get(language)[1] for text in (item.question, *item.levels.values()))


@pytest.mark.parametrize("language", WHOLE)
def test_the_questions_and_levels_that_are_promised_are_counted(language: str) -> None:
    chain = load_checklist(published.checklist_bytes("rare-earth-chain"), "x")
    items = [item for _, item in chain.items()]
    asked = {item.id for item in items if _asked_in(item, language)}
    assert len(items) == 80
    assert len(asked) == ITEMS[language]
    assert {i.id for i in items if i.id.partition("-")[0] in BEGUN} <= asked


@pytest.mark.parametrize("name", published.names())
def test_titles_of_checklists_and_sections_are_there_in_every_language(name: str) -> None:
    checklist = load_checklist(published.checklist_bytes(name), name)
    assert set(checklist.drafts) == set(WHOLE)
    for title in (checklist.title, *(section.title for section in checklist.sections)):
        assert set(title.by_language) == {"en", *WHOLE}, title
        assert list(title.by_language.values()).count(str(title)) == 1, title


@each
def test_a_translation_is_laid_over_without_a_fault(translation: Translation) -> None:
    assert translation.file == f"translations/{translation.language}/{translation.part}.yaml"
    done = lay_over(published.part(translation.part), translation)
    assert translation.language in done.languages


@each
def test_each_id_has_the_mark_of_the_english_it_was_made_from(translation: Translation) -> None:
    assert set(translation.of) == {path[0] for path in translation.texts}


@each
def test_the_numbers_are_those_of_the_english(translation: Translation) -> None:
    english = _english(translation.part)
    other = {
        "/".join(path): (text.text, english[path])
        for path, text in translation.texts.items()
        if _numbers(text.text) != _numbers(english[path])
        and (translation.language, path) not in OTHER_NUMBERS
    }
    assert other == {}


@each
def test_no_text_is_left_in_english_or_too_long(translation: Translation) -> None:
    english = _english(translation.part)
    for path, text in translation.texts.items():
        assert text.text != english[path] or text.text in THE_SAME, path
        assert 0 < len(text.text) <= MAX_TEXT, path


@each
def test_no_two_levels_of_an_item_read_the_same(translation: Translation) -> None:
    levels = Counter(
        (path[0], text.text) for path, text in translation.texts.items() if "levels" in path
    )
    assert [found for found, times in levels.items() if times > 1] == []
