"""Conflicts as an officer sees them: every value with who, when and where, and what may end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checklists.model import Checklist, Item
from server.services.inspections import Loaded
from sync.conflicts import Conflict, Side
from sync.entry import Entry
from sync.inspection import LEVELS, OUTCOMES, SIGNS, SPECIALS, Answer, Fix


@dataclass(frozen=True, slots=True)
class SideView:
    """One of the values; `text` says it in words where it is not an answer, `named` is another
    person than the device's whom the entry names, `signed` whether it was signed at the source.
    """

    h: str
    answer: Answer | None
    text: str
    note: str
    why: str
    person: str
    named: str
    device: str
    at: int
    fix: Fix | None
    signed: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict: `levels` are the words another value may have, `words` whether it is typed."""

    path: str
    code: str
    name: str
    question: str
    item: Item | None
    sides: tuple[SideView, ...]
    levels: tuple[str, ...]
    typed: str
    critical: bool


def conflict_view(conflict: Conflict, checklist: Checklist | None, loaded: Loaded) -> ConflictView:
    """A conflict in the words of its checklist."""
    family, _, rest = conflict.path.partition("/")
    first, _, instance = rest.partition("/")
    item = checklist.item(first) if checklist is not None and family == "answers" else None
    levels, typed = _another(family, first, item, checklist)
    return ConflictView(
        conflict.path,
        conflict.code,
        rest.removesuffix("/-") or family,
        _question(family, first, instance, item, checklist),
        item,
        tuple(_side(side, loaded) for side in conflict.sides),
        levels,
        typed,
        item is not None and item.severity == "critical",
    )


def _question(
    family: str, first: str, instance: str, item: Item | None, checklist: Checklist | None
) -> str:
    if item is not None:
        return str(item.question)
    if family == "observed" and checklist is not None:
        seen = checklist.observation(first)
        return first if seen is None else str((seen.instances or {}).get(instance, seen.label))
    known = {
        "about": "What the inspection is about",
        "outcome": "How the visit ended",
        "evidence": f"What is said of the file {first[:12]}",
    }
    return known.get(family, family)


def _another(
    family: str, first: str, item: Item | None, checklist: Checklist | None
) -> tuple[tuple[str, ...], str]:
    """The words to choose from, and what may be typed instead of them."""
    if family == "outcome":
        return OUTCOMES, ""
    if item is not None:
        levels: tuple[str, ...] = LEVELS if item.scale == "levels" else ()
        levels = ("met", "not-met") if item.scale == "met-or-not" else levels
        analytes = " ".join(f"{a.id}=… {a.unit}" for a in item.analytes)
        return (*levels, *SPECIALS), analytes if item.scale == "readings" else ""
    seen = checklist.observation(first) if checklist is not None and family == "observed" else None
    if seen is None:
        return (), ""
    return (SIGNS, "") if seen.type == "sign" else ((), seen.unit or "a number")


def _side(side: Side, loaded: Loaded) -> SideView:
    record = side.record
    value = record.value if isinstance(record, Entry) else None
    said = value if isinstance(value, dict) else {}
    signed = not isinstance(record, Entry) or (
        record.signed and (record.adopted is None or record.adopted.signed)
    )
    owner = next((log.person for log in loaded.logs if log.device == record.device), side.by)
    named = record.named if isinstance(record, Entry) else ""
    return SideView(
        record.h,
        side.value if isinstance(side.value, Answer) else None,
        "" if side.why else _words(said),
        str(said.get("note", "")),
        side.why,
        loaded.people.get(owner, owner),
        loaded.people.get(named, named),
        loaded.devices.get(record.device, record.device),
        record.at,
        side.fix,
        signed,
        not side.why and bool(said),
    )


def _words(said: dict[str, Any]) -> str:
    for key in ("outcome", "value", "facility", "name", "media_type", "text"):
        if key in said:
            more = [said.get(k) for k in ("unit", "mode", "purpose", "kind")]
            items = said.get("items", ())
            if "facility" in said:
                more.append(f"checklist {str(said.get('checklist'))[:12]}")
            more += [str(i).removesuffix("/-") for i in items if isinstance(items, list)]
            return ", ".join([str(said[key]), *(str(one) for one in more if one)])
    return ""
