"""A checklist laid out for reading in one language: what a terminal, a page and paper show of it.

A text that is missing in the language is there in English and says so; nothing falls back unseen.
The sheet's own words, such as headings, are in the language too, as far as it has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checklists.checks.words import texts
from checklists.condition_words import in_words
from checklists.model import Analyte, Checklist, Item, Limit, Limits, Text
from checklists.sheet_words import Find, Said, Words, braces, english_words

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
    stand above the sheet. With `tables`, each analyte shows what their limits are. What the sheet
    says of its own, in `words` and beside what it is about, is `{"words": …, "lang": …}`.
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
                "type_words": lay.words.say(f"type-{seen.type}"),
                "unit": seen.unit,
                "instances": [
                    {"id": name, "label": lay.text(label)}
                    for name, label in (seen.instances or {}).items()
                ],
            }
            for seen in checklist.observed
        ],
        "words": {
            key: lay.words.say(key) for key, text in english_words().items() if not braces(text)
        },
    }
    return laid | {"told": _told(laid, lay.words)}


def _told(laid: Mapping[str, Any], words: Words) -> list[Said]:
    name, code = laid["language_name"], laid["language"]
    shown = name if name == code else f"{name} ({code})"
    lines = []
    if laid["draft"]:
        lines.append(words.say("told-draft", language=shown))
    elif words.draft:
        lines.append(words.say("told-draft-words", language=shown))
    if laid["missing"]:
        lines.append(
            words.say("told-missing", missing=laid["missing"], texts=laid["texts"], language=shown)
        )
    for table in laid["tables"]:
        key = "told-limits" + {"": "", "fictional": "-fictional"}.get(
            table["caution"], "-unverified"
        )
        lines.append(words.say(key, jurisdiction=table["jurisdiction"], version=table["version"]))
    return lines


def as_text(laid: Mapping[str, Any]) -> Iterator[str]:
    """The sheet as plain lines, for a terminal."""
    words = {key: said(one, laid) for key, one in laid["words"].items()}
    yield f"{_text(laid['title'])}  ({laid['id']} {laid['version']})"
    yield f"{words['digest']} {laid['digest']}"
    yield from told(laid)
    for section in laid["sections"]:
        yield ""
        yield f"== {_text(section['title'])}"
        for item in section["items"]:
            yield from _item_lines(item, laid, words)
    if laid["observed"]:
        yield ""
        yield f"== {words['recorded']}"
    for seen in laid["observed"]:
        unit = f", {seen['unit']}" if seen["unit"] else ""
        kind = said(seen["type_words"], laid)
        yield f"{seen['what']}  {_text(seen['label'])}  ({kind}{unit})"
        yield from (f"    {one['id']}: {_text(one['label'])}" for one in seen["instances"])


def told(laid: Mapping[str, Any]) -> list[str]:
    """The sentences above the sheet, as lines."""
    return [said(one, laid) for one in laid["told"]]


def said(one: Said, laid: Mapping[str, Any]) -> str:
    """The sheet's own words, marked where they are in another language than the sheet."""
    return one["words"] if one["lang"] == laid["language"] else f"[{one['lang']}] {one['words']}"


def _item_lines(
    item: Mapping[str, Any], laid: Mapping[str, Any], words: Mapping[str, str]
) -> Iterator[str]:
    def own(one: Said) -> str:
        return said(one, laid)

    pillar, severity, weight = (own(item["words"][one]) for one in ("pillar", "severity", "weight"))
    yield ""
    yield f"{item['id']}  {pillar}, {severity} ({weight})"
    yield f"  {_text(item['question'])}"
    if item["when"]:
        yield f"  {words['asked-when']}: {own(item['words']['when'])}"
    if item["instances"]:
        each = item["instances"]
        yield f"  {words['once-for-each']}: {_text(each['label'])} ({own(each['words'])})"
    for field, name in (("look_at", "look-at"), ("mistakes", "mistakes")):
        if item[field]:
            yield f"  {words[name]}: {_text(item[field])}"
    for one in item["levels"]:
        yield f"  [ ] {words['level-' + one['level']]}: {_text(one['text'])}"
    for one in item["analytes"]:
        limits = "; ".join(map(own, one["limits"]))
        yield f"  [ ] {one['id']}: {_text(one['label'])}, {one['unit']}; {limits}"
    for one in item["evidence"]:
        many = f" × {one['at_least']}" if one["at_least"] > 1 else ""
        hint = f": {_text(one['hint'])}" if one["hint"] else ""
        kind = words["kind-" + one["kind"]]
        yield f"  {words['proof']}, {own(one['words'])}: {kind}{many}{hint}"
    if item["clauses"]:
        yield f"  {words['clauses']}: {', '.join(item['clauses'])}"


def _text(text: Mapping[str, Any]) -> str:
    return f"[en] {text['text']}" if text["fallback"] else str(text["text"])


class _Laying:
    """Texts in one language, and analytes with the limits of some tables."""

    def __init__(self, language: str, tables: Sequence[Limits]) -> None:
        self._language = language
        self._tables = tables
        self.words = Words(language)

    def text(self, text: Text) -> dict[str, Any]:
        found, there = text.get(self._language)
        return {"text": found, "fallback": not there}

    def item(self, item: Item) -> dict[str, Any]:
        condition = item.condition
        return {
            "id": item.id,
            "pillar": item.pillar,
            "severity": item.severity,
            "weight": item.weight,
            "scale": item.scale,
            "words": {
                "pillar": self.words.say(f"pillar-{item.pillar}"),
                "severity": self.words.say(f"severity-{item.severity}"),
                "weight": self.words.say("weight", weight=item.weight),
                "when": condition and self.words.phrase(lambda find: in_words(condition, find)),
            },
            "question": self.text(item.question),
            "look_at": self._optional(item.look_at),
            "mistakes": self._optional(item.mistakes),
            "when": in_words(condition) if condition else None,
            "instances": item.instances
            and {
                "label": self.text(item.instances.label),
                "at_least": item.instances.at_least,
                "words": self.words.say("at-least", count=item.instances.at_least),
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
                    "words": self.words.say("weight", weight=piece.weight),
                    "hint": self._optional(piece.hint),
                }
                for piece in item.pieces
            ],
            "clauses": [one.ref if one.verified else f"{one.ref}*" for one in item.clauses],
        }

    def _optional(self, text: Text | None) -> dict[str, Any] | None:
        return None if text is None else self.text(text)

    def _limits(self, analyte: Analyte) -> list[Said]:
        row = analyte.limit_from
        if row is None:
            return [
                self.words.phrase(lambda find: find("tolerance").format(span=_span(analyte, find)))
            ]
        if not self._tables:
            return [self.words.say("limit-of", row=row)]
        return [self._in_table(table, row) for table in self._tables]

    def _in_table(self, table: Limits, row: str) -> Said:
        limit = table.limits.get(row)

        def make(find: Find) -> str:
            span = find("no-limit").format(row=row) if limit is None else _span(limit, find)
            return find("limit-in").format(jurisdiction=table.jurisdiction, span=span)

        return self.words.phrase(make)


def _span(one: Analyte | Limit, find: Find) -> str:
    key = "span-lower" if one.upper is None else "span-upper" if one.lower is None else "span"
    return find(key).format(lower=one.lower, upper=one.upper, unit=one.unit)
