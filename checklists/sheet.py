"""A checklist laid out for reading in one language: what a terminal, a page and paper show of it.

A text that is missing in the language is there in English and says so; nothing falls back unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from checklists.checks.words import texts
from checklists.condition_words import in_words
from checklists.model import Analyte, Checklist, Item, Limits, Text

Sheet = dict[str, Any]

# Languages under the names that their readers know them by; others go by their code.
NAMES = {
    "en": "English",
    "id": "Bahasa Indonesia",
    "km": "ខ្មែរ",
    "lo": "ລາວ",
    "ms": "Bahasa Melayu",
    "my": "မြန်မာ",
    "th": "ไทย",
    "vi": "Tiếng Việt",
}


def sheet(checklist: Checklist, language: str = "en", tables: Sequence[Limits] = ()) -> Sheet:
    """The checklist as JSON, each text in `language` as `{"text": …, "fallback": true or false}`.

    `missing` is the number of texts that fall back, out of `texts`; `told` are the sentences that
    stand above the sheet. With `tables`, each analyte shows what their limits are.
    """
    every = [text for _, text in texts(checklist)]
    lay = _Laying(language, tables)
    laid: Sheet = {
        "id": checklist.id,
        "version": checklist.version,
        "digest": checklist.digest,
        "title": lay.text(checklist.title),
        "language": language,
        "language_name": NAMES.get(language, language),
        "languages": list(checklist.languages),
        "draft": language in checklist.drafts,
        "texts": len(every),
        "missing": sum(not text.get(language)[1] for text in every),
        "tables": [
            {"jurisdiction": one.jurisdiction, "version": one.version, "caution": one.caution}
            for one in tables
        ],
        "sections": [
            {
                "id": section.id,
                "title": lay.text(section.title),
                "items": [lay.item(item) for item in section.items],
            }
            for section in checklist.sections
        ],
        "observed": [
            {
                "what": seen.what,
                "label": lay.text(seen.label),
                "type": seen.type,
                "unit": seen.unit,
                "instances": [
                    {"id": name, "label": lay.text(label)}
                    for name, label in (seen.instances or {}).items()
                ],
            }
            for seen in checklist.observed
        ],
    }
    return laid | {"told": _told(laid)}


def _told(laid: Mapping[str, Any]) -> list[str]:
    name, code = laid["language_name"], laid["language"]
    shown = name if name == code else f"{name} ({code})"
    lines = []
    if laid["draft"]:
        lines.append(f"Draft: no native speaker has reviewed the texts in {shown}.")
    if laid["missing"]:
        lines.append(
            f"{laid['missing']} of {laid['texts']} texts are missing in {shown}: they are shown in "
            "English, each marked [en]."
        )
    for table in laid["tables"]:
        caution = f" ({table['caution']})" if table["caution"] else ""
        lines.append(f"Limits: {table['jurisdiction']} {table['version']}{caution}.")
    return lines


def as_text(laid: Mapping[str, Any]) -> Iterator[str]:
    """The sheet as plain lines, for a terminal."""
    yield f"{_said(laid['title'])}  ({laid['id']} {laid['version']})"
    yield f"digest {laid['digest']}"
    yield from laid["told"]
    for section in laid["sections"]:
        yield ""
        yield f"== {_said(section['title'])}"
        for item in section["items"]:
            yield from _item_lines(item)
    if laid["observed"]:
        yield ""
        yield "== Recorded and never scored"
    for seen in laid["observed"]:
        unit = f", {seen['unit']}" if seen["unit"] else ""
        yield f"{seen['what']}  {_said(seen['label'])}  ({seen['type']}{unit})"
        yield from (f"    {one['id']}: {_said(one['label'])}" for one in seen["instances"])


def _item_lines(item: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{item['id']}  {item['pillar']}, {item['severity']} (weight {item['weight']})"
    yield f"  {_said(item['question'])}"
    if item["when"]:
        yield f"  asked when: {item['when']}"
    if item["instances"]:
        each = item["instances"]
        yield f"  once for each: {_said(each['label'])} (at least {each['at_least']})"
    for field, name in (("look_at", "look at"), ("mistakes", "mistakes")):
        if item[field]:
            yield f"  {name}: {_said(item[field])}"
    yield from (f"  [ ] {one['level']}: {_said(one['text'])}" for one in item["levels"])
    for one in item["analytes"]:
        yield f"  [ ] {one['id']}: {_said(one['label'])}, {one['unit']}; {'; '.join(one['limits'])}"
    for one in item["evidence"]:
        hint = f": {_said(one['hint'])}" if one["hint"] else ""
        yield f"  proof, weight {one['weight']}: {_many(one)}{hint}"
    if item["clauses"]:
        yield f"  clauses: {', '.join(item['clauses'])}"


def _many(piece: Mapping[str, Any]) -> str:
    return f"{piece['kind']} × {piece['at_least']}" if piece["at_least"] > 1 else piece["kind"]


def _said(text: Mapping[str, Any]) -> str:
    return f"[en] {text['text']}" if text["fallback"] else text["text"]


class _Laying:
    """Texts in one language, and analytes with the limits of some tables."""

    def __init__(self, language: str, tables: Sequence[Limits]) -> None:
        self._language = language
        self._tables = tables

    def text(self, text: Text) -> dict[str, Any]:
        found, there = text.get(self._language)
        return {"text": found, "fallback": not there}

    def item(self, item: Item) -> dict[str, Any]:
        return {
            "id": item.id,
            "pillar": item.pillar,
            "severity": item.severity,
            "weight": item.weight,
            "scale": item.scale,
            "question": self.text(item.question),
            "look_at": self._optional(item.look_at),
            "mistakes": self._optional(item.mistakes),
            "when": in_words(item.condition) if item.condition else None,
            "instances": item.instances
            and {
                "label": self.text(item.instances.label),
                "at_least": item.instances.at_least,
            },
            "levels": [
                {"level": level, "text": self.text(text)} for level, text in item.levels.items()
            ],
            "analytes": [
                {
                    "id": one.id,
                    "label": self.text(one.label),
                    "unit": one.unit,
                    "limits": self._limits(one),
                }
                for one in item.analytes
            ],
            "evidence": [
                {
                    "kind": piece.kind,
                    "weight": piece.weight,
                    "at_least": piece.at_least,
                    "hint": self._optional(piece.hint),
                }
                for piece in item.pieces
            ],
            "clauses": [one.ref if one.verified else f"{one.ref}*" for one in item.clauses],
        }

    def _optional(self, text: Text | None) -> dict[str, Any] | None:
        return None if text is None else self.text(text)

    def _limits(self, analyte: Analyte) -> list[str]:
        if analyte.limit_from is None:
            return [f"tolerance {_span(analyte.lower, analyte.upper, analyte.unit)}"]
        if not self._tables:
            return [f"limit {analyte.limit_from} of the jurisdiction"]
        found = []
        for table in self._tables:
            row = table.limits.get(analyte.limit_from)
            said = _span(row.lower, row.upper, row.unit) if row else f"no {analyte.limit_from}"
            found.append(f"{table.jurisdiction}: {said}")
        return found


def _span(lower: Decimal | None, upper: Decimal | None, unit: str) -> str:
    if lower is not None and upper is not None:
        return f"{lower} to {upper} {unit}"
    return f"at most {upper} {unit}" if lower is None else f"at least {lower} {unit}"
