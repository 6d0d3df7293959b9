"""Two versions of a checklist, or of a limits table, held against each other: what was changed.

`asks_again` says of a changed item whether an answer to the old one still answers the new one; what
an item weighs or has to be proved by may change without that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from checklists.condition_words import in_words
from checklists.model import (
    Analyte,
    Checklist,
    Instances,
    Item,
    Limit,
    Limits,
    ObservedItem,
    Piece,
    Text,
)

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
# What an answer was given to. Tolerances and labels of what is read are not among it, and a
# translation that changes says the same in other words.
_ASKED = re.compile(r"question|scale|levels/[^/]+|analytes/[^/]+(/unit)?|instances|type|unit")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that changed: its name (`levels/fully`), in which language where it is a text, and
    what stood there before and stands there now, None where nothing did.
    """

    field: str
    before: str | None
    after: str | None
    language: str = ""

    @property
    def asked(self) -> bool:
        """Whether it changes what is asked, and not how it is proved, weighed or translated."""
        return self.language in ("", "en") and _ASKED.fullmatch(self.field) is not None

    def to_json(self) -> dict[str, str | None]:
        """The change as JSON values; `language` only where there is one."""
        said: dict[str, str | None] = {"field": self.field}
        if self.language:
            said["language"] = self.language
        return said | {"before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Part:
    """An item, observation, section or limit that was added, removed or changed."""

    id: str
    how: str
    label: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def asks_again(self) -> bool:
        """Whether answers that were given before have to be looked at again."""
        return self.how == CHANGED and any(one.asked for one in self.changes)

    def to_json(self) -> dict[str, Any]:
        """The part as JSON values."""
        said: dict[str, Any] = {"id": self.id, "how": self.how, "label": self.label}
        if self.how == CHANGED:
            said["asks_again"] = self.asks_again
            said["changes"] = [one.to_json() for one in self.changes]
        return said


@dataclass(frozen=True, slots=True)
class Version:
    """Which version it is: the document's name, its version, and the digest of its bytes."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs between two versions; every tuple is empty where nothing does.

    `limits` has rows for two limits tables only; `head` is what stands above items and rows.
    """

    before: Version
    after: Version
    head: tuple[Change, ...] = ()
    sections: tuple[Part, ...] = ()
    items: tuple[Part, ...] = ()
    observed: tuple[Part, ...] = ()
    limits: tuple[Part, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything that is read from the two differs; comments are not."""
        return bool(self.head or self.sections or self.items or self.observed or self.limits)

    def to_json(self) -> dict[str, Any]:
        """The differences as JSON values."""
        names = ("sections", "items", "observed", "limits")
        return {
            **{
                name: {"name": one.name, "version": one.version, "digest": one.digest}
                for name, one in (("before", self.before), ("after", self.after))
            },
            "head": [one.to_json() for one in self.head],
            **{name: [one.to_json() for one in getattr(self, name)] for name in names},
        }


def compare(before: Checklist, after: Checklist) -> Differences:
    """What `after` adds, removes and changes, each list in the order of the newer checklist with
    what was removed behind.
    """
    sections_before = {one.id: one for one in before.sections}
    sections_after = {one.id: one for one in after.sections}
    items_before = {item.id: (section.id, item) for section, item in before.items()}
    items_after = {item.id: (section.id, item) for section, item in after.items()}
    return Differences(
        Version(before.id, before.version, before.digest),
        Version(after.id, after.version, after.digest),
        (
            *_plain("id", before.id, after.id),
            *_plain("version", before.version, after.version),
            *_text("title", before.title, after.title),
            *_plain("languages", ", ".join(before.languages), ", ".join(after.languages)),
            *_plain("drafts", ", ".join(before.drafts), ", ".join(after.drafts)),
        ),
        _parts(
            sections_before,
            sections_after,
            lambda one: str(one.title),
            lambda old, new: _text("title", old.title, new.title),
        ),
        _parts(
            items_before,
            items_after,
            lambda placed: str(placed[1].question),
            lambda old, new: [*_plain("section", old[0], new[0]), *item_changes(old[1], new[1])],
        ),
        _parts(
            {one.what: one for one in before.observed},
            {one.what: one for one in after.observed},
            lambda one: str(one.label),
            _observation_changes,
        ),
    )


def compare_limits(before: Limits, after: Limits) -> Differences:
    """The same for two limits tables."""
    return Differences(
        Version(before.jurisdiction, before.version, before.digest),
        Version(after.jurisdiction, after.version, after.digest),
        (
            *_plain("jurisdiction", before.jurisdiction, after.jurisdiction),
            *_plain("version", before.version, after.version),
            *_plain("title", before.title, after.title),
            *_plain("fictional", _truth(before.fictional), _truth(after.fictional)),
            *_plain("verified", _truth(before.verified), _truth(after.verified)),
        ),
        limits=_parts(before.limits, after.limits, lambda one: one.unit, _limit_changes),
    )


def item_changes(old: Item, new: Item) -> list[Change]:
    """Every field in which two versions of one item differ."""
    return [
        *_text("question", old.question, new.question),
        *_plain("pillar", old.pillar, new.pillar),
        *_plain("severity", old.severity, new.severity),
        *_plain("weight", str(old.weight), str(new.weight)),
        *_plain("scale", old.scale, new.scale),
        *_text("look-at", old.look_at, new.look_at),
        *_text("mistakes", old.mistakes, new.mistakes),
        *_each("levels", old.levels, new.levels, _text),
        *_pieces(old.pieces, new.pieces),
        *_analytes(old.analytes, new.analytes),
        *_instances(old.instances, new.instances),
        *_plain("when", _when(old), _when(new)),
        *_plain("clauses", _clauses(old), _clauses(new)),
    ]


def asks_the_same(old: Item, new: Item) -> bool:
    """Whether an answer to the one is an answer to the other."""
    return not any(change.asked for change in item_changes(old, new))


# -- parts ----------------------------------------------------------------------------------------


def _parts(before: Mapping[str, Any], after: Mapping[str, Any], label: Any, differ: Any) -> Any:
    found: list[Part] = []
    for name, new in after.items():
        if name not in before:
            found.append(Part(name, ADDED, label(new)))
            continue
        changes = tuple(differ(before[name], new))
        if changes:
            found.append(Part(name, CHANGED, label(new), changes))
    found += [Part(name, REMOVED, label(old)) for name, old in before.items() if name not in after]
    return tuple(found)


def _observation_changes(old: ObservedItem, new: ObservedItem) -> list[Change]:
    return [
        *_text("label", old.label, new.label),
        *_plain("type", old.type, new.type),
        *_plain("unit", old.unit or None, new.unit or None),
        *_each("instances", old.instances or {}, new.instances or {}, _text),
    ]


def _limit_changes(old: Limit, new: Limit) -> list[Change]:
    return [
        *_plain("upper", _number(old.upper), _number(new.upper)),
        *_plain("lower", _number(old.lower), _number(new.lower)),
        *_plain("unit", old.unit, new.unit),
        *_plain("source", old.source, new.source),
        *_plain("date", old.date, new.date),
    ]


# -- fields of an item ----------------------------------------------------------------------------


def _pieces(old: Iterable[Piece], new: Iterable[Piece]) -> Iterator[Change]:
    def differ(field: str, one: Piece | None, other: Piece | None) -> Iterator[Change]:
        if one is None or other is None:
            yield Change(field, _asked_for(one), _asked_for(other))
            return
        yield from _plain(f"{field}/weight", str(one.weight), str(other.weight))
        yield from _plain(f"{field}/at-least", str(one.at_least), str(other.at_least))
        yield from _text(f"{field}/hint", one.hint, other.hint)

    yield from _each("evidence", {p.kind: p for p in old}, {p.kind: p for p in new}, differ)


def _analytes(old: Iterable[Analyte], new: Iterable[Analyte]) -> Iterator[Change]:
    def differ(field: str, one: Analyte | None, other: Analyte | None) -> Iterator[Change]:
        if one is None or other is None:
            yield Change(field, _limit(one), _limit(other))
            return
        yield from _text(f"{field}/label", one.label, other.label)
        yield from _plain(f"{field}/unit", one.unit, other.unit)
        yield from _plain(f"{field}/limit-from", one.limit_from, other.limit_from)
        yield from _plain(f"{field}/upper", _number(one.upper), _number(other.upper))
        yield from _plain(f"{field}/lower", _number(one.lower), _number(other.lower))
        yield from _plain(f"{field}/exact", _truth(one.exact), _truth(other.exact))

    yield from _each("analytes", {a.id: a for a in old}, {a.id: a for a in new}, differ)


def _instances(old: Instances | None, new: Instances | None) -> Iterator[Change]:
    if old is None or new is None:
        labels = (None if one is None else str(one.label) for one in (old, new))
        yield from _plain("instances", *labels)
        return
    yield from _text("instances/label", old.label, new.label)
    # How many are asked for says when a good value counts, not what is asked at each.
    yield from _plain("at-least", str(old.at_least), str(new.at_least))


def _each(field: str, old: Mapping[str, Any], new: Mapping[str, Any], differ: Any) -> Any:
    for name in (*new, *(one for one in old if one not in new)):
        yield from differ(f"{field}/{name}", old.get(name), new.get(name))


def _text(field: str, old: Text | None, new: Text | None) -> Iterator[Change]:
    before = {} if old is None else old.by_language
    after = {} if new is None else new.by_language
    for code in (*after, *(one for one in before if one not in after)):
        if before.get(code) != after.get(code):
            yield Change(field, before.get(code), after.get(code), code)


def _plain(field: str, old: str | None, new: str | None) -> Iterator[Change]:
    if old != new:
        yield Change(field, old, new)


def _asked_for(piece: Piece | None) -> str | None:
    return None if piece is None else f"weight {piece.weight}, at least {piece.at_least}"


def _limit(analyte: Analyte | None) -> str | None:
    if analyte is None:
        return None
    if analyte.limit_from is not None:
        return f"{analyte.unit}, limit from {analyte.limit_from}"
    ends = ((name, getattr(analyte, name)) for name in ("lower", "upper"))
    return ", ".join([analyte.unit, *(f"{name} {end}" for name, end in ends if end is not None)])


def _when(item: Item) -> str | None:
    return None if item.condition is None else in_words(item.condition)


def _clauses(item: Item) -> str | None:
    said = (f"{one.ref} ({one.source if one.verified else 'unverified'})" for one in item.clauses)
    return ", ".join(said) or None


def _number(value: object) -> str | None:
    return None if value is None else str(value)


def _truth(value: bool) -> str:
    return "true" if value else "false"
