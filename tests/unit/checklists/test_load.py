"""The loader: every fault with file, line and remedy, and never another exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists import published
from checklists.compose import read_recipe
from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Checklist, Condition
from checklists.sheet_words import english_words, read_words
from checklists.translations import read_translation
from sync.problems import Problem

SMALL = """\
format: tapak-checklist/1
id: pond-check
version: "1"
title: {en: "Ponds"}
languages: [en, ms]
sections:
  - id: ponds
    title: {en: "Ponds", ms: "Kolam"}
    when: {process: [in-situ-leach]}
    items:
      - id: PND-E1
        pillar: environment
        severity: critical
        scale: levels
        question: {en: "no"}
        levels:
          fully: {en: "Freeboard 0.5 m."}
          substantially: {en: "Freeboard 0.4 m."}
          partially: {en: "Freeboard 0.3 m."}
          does-not-meet: {en: "Less."}
        evidence:
          - {kind: photo, weight: 2, at-least: 2, hint: {en: "Wide."}}
        instances: {label: {en: "Pond"}, at-least: 1}
        clauses: [{ref: I4.1, verified: false}]
      - id: PND-E2
        pillar: environment
        severity: major
        scale: readings
        question: {en: "Arsenic?"}
        evidence:
          - {kind: sample, weight: 1}
        analytes:
          - {id: As, label: {en: "Arsenic"}, unit: mg/L, limit-from: surface-water/As}
          - {id: loss, label: {en: "Loss"}, unit: "%", upper: 10, exact: true}
        when: {answer: PND-E1, is: [fully, refused]}
      - id: PND-S3
        pillar: social
        severity: minor
        scale: met-or-not
        question: {en: "Fenced?"}
        levels:
          fully: {en: "All round."}
          does-not-meet: {en: "Not all round."}
        evidence:
          - {kind: track, weight: 1}
        when:
          not: {observed: operating/discharge, is: [no]}
observed:
  - what: operating
    label: {en: "Signs"}
    type: sign
    instances:
      discharge: {en: "Discharge", ms: "Pelepasan"}
  - {what: headcount, label: {en: "People"}, type: number, unit: people}
"""


def load(text: str) -> Checklist:
    return load_checklist(text.encode(), "small.yaml")


def faults_of(text: str | bytes) -> list[dict[str, object]]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(Problem) as caught:
        load_checklist(data, "small.yaml")
    assert caught.value.code == "checklist-malformed"
    found = caught.value.detail["faults"]
    assert caught.value.detail["count"] == len(found)
    first = found[0]
    assert caught.value.detail["first"] == (
        f"small.yaml:{first['line']}: {first['message']} {first['remedy']}"
    )
    for fault in found:
        assert fault["file"] == "small.yaml"
        assert fault["line"] >= 1
        assert fault["message"].endswith(".")
        assert fault["remedy"]
    return list(found)


# -- what is read ---------------------------------------------------------------------------------


def test_a_sound_file_becomes_the_values_it_says() -> None:
    checklist = load(SMALL)
    pond, arsenic, fence = (item for _, item in checklist.items())
    assert checklist.languages == ("en", "ms")
    assert list(pond.levels) == ["fully", "substantially", "partially", "does-not-meet"]
    assert (pond.pieces[0].kind, pond.pieces[0].weight, pond.pieces[0].at_least) == ("photo", 2, 2)
    assert pond.instances is not None
    assert pond.clauses[0].verified is False
    assert [a.limit_from for a in arsenic.analytes] == ["surface-water/As", None]
    assert arsenic.analytes[1].upper == Decimal(10)
    assert [a.exact for a in arsenic.analytes] == [False, True]
    assert list(fence.levels) == ["fully", "does-not-meet"]
    assert checklist.observation("headcount").unit == "people"  # type: ignore[union-attr]


def test_the_word_no_stays_the_word_no() -> None:
    item = load(SMALL).item("PND-E1")
    assert item is not None
    assert str(item.question) == "no"


def test_a_sections_condition_holds_for_its_items_together_with_their_own() -> None:
    checklist = load(SMALL)
    process = Condition("process", values=("in-situ-leach",))
    pond, arsenic, _ = (item for _, item in checklist.items())
    assert pond.condition == process
    assert arsenic.condition == Condition(
        "all",
        args=(process, Condition("answer", subject="PND-E1", values=("fully", "refused"))),
    )


def test_the_digest_is_of_the_very_bytes() -> None:
    assert load(SMALL).digest != load(SMALL + "# a comment\n").digest


def test_a_text_falls_back_to_english_and_says_so() -> None:
    section = load(SMALL).sections[0]
    assert section.title.get("ms") == ("Kolam", True)
    assert section.title.get("id") == ("Ponds", False)


def test_line_ends_of_windows_and_a_byte_order_mark_are_no_fault() -> None:
    data = b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode()
    windows = load_checklist(data, "small.yaml")
    assert windows.sections == load(SMALL).sections


# -- what is refused, one fault at a time ---------------------------------------------------------

ONE_FAULT = [
    # old, new, line, message, remedy
    ("tapak-checklist/1", "tapak-checklist/9", 1, '"tapak-checklist/9"', "tapak-checklist/1"),
    ("id: pond-check", "id: Pond Check", 2, "right form", "small letters"),
    ('version: "1"', "version:", 3, "version is empty", "after the colon"),
    ('title: {en: "Ponds"}\nl', "title: Ponds\nl", 4, "without a language", '{en: "Ponds"}'),
    ('title: {en: "Ponds"}\nl', 'title: {ms: "K"}\nl', 4, "lacks its English text", "en: …"),
    ("[en, ms]", "[ms]", 5, "languages lacks en", "Add en"),
    ("[en, ms]", "[en, ms, ms]", 5, "ms stands twice", "Keep one"),
    ("[en, ms]", "en", 5, "not a list", '"- "'),
    ('ms: "Kolam"', 'mz: "Kolam"', 8, '"mz", which languages does not list', "en, ms"),
    ("[in-situ-leach]", "[in-situ-leech]", 9, '"in-situ-leech"', "in-situ-leach"),
    ("[in-situ-leach]", "[]", 9, "empty list", "at least one"),
    ("id: PND-E1", "id: pnd e1", 11, "right form", "ISL-E1"),
    ("id: PND-E2", "id: PND-E1", 25, "PND-E1 stands twice; first on line 11", "another id"),
    ("pillar: environment\n", "pillar: enviroment\n", 12, '"enviroment"', "environment"),
    ("pillar: environment\n", "pillar: social\n", 12, "letter E", "E for environment"),
    ("severity: critical", "severity: critcal", 13, '"critcal" is not known', '"critical"'),
    ("severity: critical", "severty: critical", 13, 'no field "severty"', '"severity"'),
    (
        "severity: critical",
        "severity: critical\n        severty: major",
        14,
        'no field "severty"',
        "Use one of",
    ),
    ("        severity: critical\n", "", 11, "lacks the field severity", "severity"),
    ("scale: levels", "scale: level", 14, '"level" is not known', '"levels"'),
    ('question: {en: "no"}', 'question: {en: ""}', 15, "is empty", "after the colon"),
    ('question: {en: "no"}', "question: [no]", 15, "not a mapping", "name: value"),
    ("          partially: {en:", "          partly: {en:", 19, '"partly"', '"partially"'),
    ('{en: "Freeboard 0.4 m."}', '{en: "Freeboard 0.5 m."}', 18, "same as fully", "count"),
    ("kind: photo", "kind: foto", 22, '"foto" is not known', '"photo"'),
    ("weight: 2", "weight: 0", 22, '"0" does not fit', "from 1 to 100"),
    ("weight: 2", "weight: 1.5", 22, '"1.5" does not fit', "whole number"),
    ("weight: 2, ", "", 22, "lacks the field weight", "weight"),
    (
        "          - {kind: sample, weight: 1}\n",
        "          - {kind: sample, weight: 1}\n          - {kind: sample, weight: 2}\n",
        32,
        "kind sample twice",
        "at-least",
    ),
    ("verified: false", "verified: no", 24, '"no" is not known', "true, false"),
    ("verified: false", "verified: true", 24, "without a source", "verified: false"),
    (
        "        analytes:\n"
        '          - {id: As, label: {en: "Arsenic"}, unit: mg/L, limit-from: surface-water/As}\n'
        '          - {id: loss, label: {en: "Loss"}, unit: "%", upper: 10, exact: true}\n',
        "",
        25,
        "names no analytes",
        "analytes",
    ),
    (
        "limit-from: surface-water/As",
        "limit-form: surface-water/As",
        33,
        "limit-form",
        "limit-from",
    ),
    (", limit-from: surface-water/As", "", 33, "nothing about its limit", "tolerance"),
    ("limit-from: surface-water/As", "limit-from: As", 33, "right form", "surface-water/As"),
    ("upper: 10,", "upper: 10, limit-from: a/b,", 34, "limit of its own and one", "Delete"),
    ("upper: 10,", "upper: ten,", 34, '"ten" is not a decimal', "digits"),
    ("id: loss", "id: AS", 34, "analyte AS twice", "Rename"),
    ("answer: PND-E1", "answer: PND-E9", 35, '"PND-E9", which is not in this file', '"PND-'),
    ("answer: PND-E1", "answer: PND-E2", 35, "depends on itself: PND-E2 needs PND-E2", "Take"),
    ("answer: PND-E1, is", "anser: PND-E1, is", 35, 'no test "anser"', '"answer"'),
    ("[fully, refused]", "[fuly, refused]", 35, '"fuly" is not known', '"fully"'),
    ("[fully, refused]", "[fully, fully]", 35, "stands twice", "Keep one"),
    ("answer: PND-E1, is: [fully", "answer: PND-S3, is: [partially", 35, "met or not", "fully"),
    ("operating/discharge", "operating/dischrge", 47, '"dischrge"', "operating/discharge"),
    ("operating/discharge", "opearting/discharge", 47, '"opearting"', "operating/discharge"),
    ("operating/discharge", "operating", 47, "does not name an observation", "what/instance"),
    ("operating/discharge", "headcount/all", 47, "headcount is a number", "item"),
    ("is: [no]", "is: [nope]", 47, '"nope" is not known', '"no"'),
    ("type: sign", "type: signal", 51, '"signal" is not known', '"sign"'),
    ("discharge: {en", "a/b: {en", 53, "slash", "Rename"),
    ("what: headcount", "what: operating", 54, "stands twice", "rename"),
    (", unit: people", "", 54, "without a unit", "unit"),
]


@pytest.mark.parametrize(("old", "new", "line", "message", "remedy"), ONE_FAULT)
def test_each_fault_is_named_with_its_line_and_a_remedy(
    old: str, new: str, line: int, message: str, remedy: str
) -> None:
    assert old in SMALL
    named = [
        f
        for f in faults_of(SMALL.replace(old, new, 1))
        if f["line"] == line and message in str(f["message"]) and remedy in str(f["remedy"])
    ]
    assert len(named) == 1


# Here another fault follows: what a condition names is gone under that name.
FOLLOWED = {"id: pnd e1", "a/b: {en"}


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old, new, *_ in ONE_FAULT if new not in FOLLOWED]
)
def test_one_mistake_gives_one_fault(old: str, new: str) -> None:
    assert len(faults_of(SMALL.replace(old, new, 1))) == 1


def test_every_fault_of_a_file_is_named_in_the_order_of_its_lines() -> None:
    text = (
        SMALL.replace("severity: critical", "severity: critcal")
        .replace("kind: photo", "kind: foto")
        .replace("answer: PND-E1", "answer: PND-E9")
        .replace("type: sign", "type: signal")
        .replace("unit: people", "units: people")
    )
    assert [f["line"] for f in faults_of(text)] == [13, 22, 35, 51, 54]


def test_a_circle_of_conditions_is_one_fault_that_names_the_circle() -> None:
    text = SMALL.replace(
        "        evidence:\n          - {kind: photo",
        "        when: {answer: PND-S3, is: [fully]}\n        evidence:\n          - {kind: photo",
    ).replace(
        "not: {observed: operating/discharge, is: [no]}",
        "any: [{not: {answer: PND-E2, is: [refused]}}]",
    )
    found = faults_of(text)
    assert len(found) == 1
    assert "PND-E1 needs PND-S3 needs PND-E2 needs PND-E1" in str(found[0]["message"])


def test_many_items_that_lean_on_one_another_without_a_circle_load() -> None:
    head, tail = SMALL.split("observed:\n", 1)
    block = head[head.index("      - id: PND-E1") : head.index("      - id: PND-E2")]
    items = []
    for n in range(60):
        when = ", ".join(f"{{answer: Q-E{m}, is: [fully]}}" for m in range(max(0, n - 3), n))
        one = block.replace("PND-E1", f"Q-E{n}")
        items.append(one + (f"        when: {{any: [{when}]}}\n" if when else ""))
    checklist = load(head + "".join(items) + "observed:\n" + tail)
    assert len(list(checklist.items())) == 63


def test_tabs_are_named_on_every_line_that_has_one() -> None:
    text = SMALL.replace("id: pond-check", "id:\tpond-check").replace("    items:", "\titems:")
    assert [f["line"] for f in faults_of(text)] == [2, 10]


# -- whatever comes, a load or the named problem --------------------------------------------------


def _load_or_fault(data: bytes) -> bool:
    try:
        load_checklist(data, "x.yaml")
    except Problem as exc:
        assert exc.code == "checklist-malformed"
        return False
    return True


LOADERS = {
    "library": (load_checklist, published.checklist_bytes("rare-earth-site")),
    "limits": (load_limits, published.limits_bytes("example")),
    "profiles": (load_profile, published.profile_bytes("default")),
}


def _mistyped(line: str, n: int) -> str:
    """The line with one character replaced; which one depends on its number."""
    if not line.strip():
        return line + ":"
    at = len(line) - len(line.lstrip()) + n % len(line.strip())
    return line[:at] + ":{[-'x&*\t"[n % 9] + line[at + 1 :]


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("change", ["deleted", "doubled", "mistyped"])
def test_a_line_deleted_doubled_or_mistyped_loads_or_is_a_named_fault(
    kind: str, change: str
) -> None:
    loader, data = LOADERS[kind]
    lines = data.decode().split("\n")
    # A composed checklist is long and much alike; `make fuzz` tries every line of its parts.
    step = 29 if kind == "library" else 1
    refused = 0
    for n in range(0, len(lines), step):
        new = {
            "deleted": [],
            "doubled": [lines[n]] * 2,
            "mistyped": [_mistyped(lines[n], n)],
        }[change]
        try:
            loader("\n".join([*lines[:n], *new, *lines[n + 1 :]]).encode(), "x.yaml")
        except Problem as exc:
            assert exc.code == "checklist-malformed"
            assert all(f["line"] <= len(lines) + 2 for f in exc.detail["faults"])
            refused += 1
    assert refused > 0


@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_a_named_fault(data: bytes) -> None:
    assert not _load_or_fault(data)


@given(st.data())
def test_a_piece_put_anywhere_loads_or_is_a_named_fault(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SMALL)))
    piece = data.draw(
        st.one_of(
            st.sampled_from(
                ["- ", ": ", "{", "}", "[", "]", '"', "'", "|", ">", "&a ", "*a", "!", "%", "? "]
            ),
            st.text(max_size=5),
        )
    )
    cut = data.draw(st.integers(0, 40))
    _load_or_fault((SMALL[:at] + piece + SMALL[at + cut :]).encode("utf-8", "surrogatepass"))


# -- the page that describes it -------------------------------------------------------------------


def test_the_examples_of_the_format_page_load() -> None:
    page = Path(__file__).parents[3] / "docs" / "checklist-format.md"
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    loaders: dict[str, Callable[[bytes, str], object]] = {
        "checklist": load_checklist,
        "recipe": read_recipe,
        "translation": read_translation,
        "words": lambda data, name: read_words(data, name, english_words()),
        "limits": load_limits,
        "profile": load_profile,
    }
    kinds = []
    for block in blocks:
        kind = block.split("\n", 1)[0].removeprefix("format: tapak-").removesuffix("/1")
        loaders[kind](block.encode(), "docs/checklist-format.md")
        kinds.append(kind)
    assert kinds == list(loaders)


def test_the_fault_that_the_format_page_shows_is_the_one_that_is_raised() -> None:
    page = Path(__file__).parents[3] / "docs" / "checklist-format.md"
    text = page.read_text(encoding="utf-8")
    example = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
    with pytest.raises(Problem) as caught:
        load_checklist(example.replace(": critical", ": critcal").encode(), "pond-check.yaml")
    assert f"\n{caught.value.detail['first']}\n" in text
