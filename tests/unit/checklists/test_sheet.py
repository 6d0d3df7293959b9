"""A checklist laid out for reading: every text is there, and none falls back unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from checklists import published
from checklists.checks.words import texts
from checklists.draft import blank_draft
from checklists.load import load_checklist, load_limits
from checklists.model import Checklist
from checklists.sheet import as_text, sheet, told

BLANK = blank_draft("my-checklist", "My checklist").decode()
TITLE = 'title: {en: "Papers"}'


def blank(*pairs: tuple[str, str]) -> Checklist:
    text = BLANK
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return load_checklist(text.encode(), "x.yaml")


def shown(node: Any) -> Iterator[dict[str, Any]]:
    """Every text of a sheet, in order."""
    if isinstance(node, dict):
        if "fallback" in node:
            yield node
        else:
            for value in node.values():
                yield from shown(value)
    elif isinstance(node, list):
        for value in node:
            yield from shown(value)


@pytest.mark.parametrize("language", ["en", "ms", "my", "th"])
def test_every_text_of_a_checklist_is_shown_and_says_whether_it_fell_back(language: str) -> None:
    checklist = load_checklist(published.checklist_bytes("residue-storage"), "x")
    laid = sheet(checklist, language)
    wanted = [text.get(language) for _, text in texts(checklist)]
    assert sorted((t["text"], not t["fallback"]) for t in shown(laid)) == sorted(wanted)
    assert laid["missing"] == sum(not there for _, there in wanted)
    assert (laid["missing"] > 0) == (language in ("my", "th"))
    lines = list(as_text(laid))
    assert sum(line.count("[en] ") for line in lines) == laid["missing"]
    for text, _ in wanted:
        assert any(text in line for line in lines), text


def test_above_the_sheet_stands_what_is_a_draft_and_what_falls_back() -> None:
    given = blank(
        ("languages: [en]", "languages: [en, ms]\ndrafts: [ms]"),
        (TITLE, 'title: {en: "Papers", ms: "Surat"}'),
    )
    laid = sheet(given, "ms")
    every = len(list(texts(given)))
    assert told(laid) == [
        "Draf: belum ada penutur asli yang menyemak teks dalam Bahasa Melayu (ms).",
        f"{every - 1} daripada {every} teks tiada dalam Bahasa Melayu (ms): teks itu ditunjukkan "
        "dalam bahasa Inggeris, setiap satu bertanda [en].",
    ]
    assert told(sheet(given)) == []
    # A language without words of its own is told in English, and each sentence says so.
    given = blank(("languages: [en]", "languages: [en, lo]\ndrafts: [lo]"))
    assert told(sheet(given, "lo")) == [
        "[en] Draft: no native speaker has reviewed the texts in ລາວ (lo).",
        f"[en] {every} of {every} texts are missing in ລາວ (lo): they are shown in "
        "English, each marked [en].",
    ]
    lines = list(as_text(laid))
    assert "== Surat" in lines
    assert "== [en] Water" in lines


def test_limits_are_shown_as_each_table_has_them_with_what_they_are_worth() -> None:
    tables = [load_limits(published.limits_bytes(name), name) for name in ("example", "my")]
    laid = sheet(blank(), "en", tables)
    assert told(laid) == [
        f"Limits: example {tables[0].version} (fictional).",
        f"Limits: my {tables[1].version} (not verified against the law).",
    ]
    arsenic = laid["sections"][1]["items"][0]["analytes"][1]
    limits = [one["words"] for one in arsenic["limits"]]
    assert limits == ["example: at most 0.010 mg/L", "my: no surface-water/As"]
    assert sheet(blank())["sections"][1]["items"][0]["analytes"][1]["limits"] == [
        {"words": "limit surface-water/As of the jurisdiction", "lang": "en"}
    ]


def test_a_tolerance_of_the_items_own_and_how_often_it_is_asked_are_shown() -> None:
    given = blank(
        ("unit: mg/L, limit-from: surface-water/As", "unit: mg/L, lower: 1, upper: 2.50"),
        ('instances: {label: {en: "Outfall"}, at-least: 1}', 'instances: {label: {en: "Out"}}'),
    )
    lines = list(as_text(sheet(given)))
    assert "  [ ] As: Arsenic, mg/L; tolerance 1 to 2.50 mg/L" in lines
    assert "  once for each: Out (at least 1)" in lines
    assert "  asked when: operating/discharge is yes" in lines
    assert "  proof, weight 1: photo × 2: The log where it lies, and a page." in lines
