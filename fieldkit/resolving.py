"""Conflicts on this device: what stands side by side, in words, and the entry that ends it (L6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from checklists.deciding import Words, decided_value
from checklists.model import Checklist
from fieldkit.capture import (
    Extras,
    Recorder,
    checklist_of,
    find_evidence,
    short_name,
)
from fieldkit.fixes import fix_value
from fieldkit.glance import glance
from fieldkit.library import Library
from fieldkit.store import Store
from sync.conflicts import Conflict, Side, conflict_at, kept_value
from sync.nearest import nearest
from sync.problems import problem

_WHOLE = {"about": "What the inspection is about", "outcome": "How the visit ended"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A conflict and how it is spoken of: `name` as it is typed, `question` as it was asked."""

    conflict: Conflict
    name: str
    question: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """How a conflict is to end: the number of the value to keep, or another value in words."""

    keep: int | None = None
    values: Sequence[str] = ()
    why: str = ""
    reason: str = ""
    second: str = ""
    extras: Extras = field(default_factory=Extras)


# -- what stands side by side ---------------------------------------------------------------------


def conflicts_here(store: Store, library: Library, inspection: str) -> list[Listed]:
    """The conflicts of an inspection, in path order."""
    return listed_conflicts(store, library, inspection, glance(store, inspection).conflicts)


def listed_conflicts(
    store: Store, library: Library, inspection: str, found: Sequence[Conflict]
) -> list[Listed]:
    """Conflicts of an inspection, in the order given, as they are spoken of."""
    checklist = checklist_of(store, library, inspection) if found else None
    return [_listed(one, checklist) for one in found]


def find_conflict(listed: Sequence[Listed], what: str, instance: str | None = None) -> Listed:
    """The conflict that is meant: by path, by item and instance, by a file's first digits.

    Raises `conflict-unknown` and `conflict-which`.
    """
    wanted = f"{what}/{instance}" if instance else what
    folded = wanted.casefold()
    exact = [one for one in listed if folded in (one.name.casefold(), one.conflict.path.casefold())]
    found = exact or [one for one in listed if _begins(one, folded)]
    names = [one.name for one in found or listed]
    if len(found) == 1:
        return found[0]
    if found:
        raise problem("conflict-which", what=what, nearest=", ".join(names))
    raise problem("conflict-unknown", what=wanted, nearest=nearest(wanted, names, len(names)))


def _begins(one: Listed, folded: str) -> bool:
    name = one.name.casefold()
    is_file = one.conflict.family == "evidence" and len(folded) >= 4
    return name.startswith(f"{folded}/") or (is_file and name.startswith(folded))


def _listed(conflict: Conflict, checklist: Checklist | None) -> Listed:
    family, _, rest = conflict.path.partition("/")
    name = short_name(conflict.path)
    if family in _WHOLE:
        return Listed(conflict, name, _WHOLE[family])
    first, _, instance = rest.partition("/")
    if family == "answers":
        item = checklist.item(first) if checklist is not None else None
        asked = str(item.question) if item is not None else ""
        return Listed(conflict, name, asked, "" if instance == "-" else instance)
    if family == "observed":
        seen = checklist.observation(first) if checklist is not None else None
        asked = first if seen is None else str((seen.instances or {}).get(instance, seen.label))
        return Listed(conflict, name, f"Seen: {asked}", "" if instance == "-" else instance)
    if family == "evidence":
        return Listed(conflict, name, f"What is said of the file {first[:12]}")
    return Listed(conflict, name, conflict.path)


# -- ending it ------------------------------------------------------------------------------------


def resolve(
    recorder: Recorder, inspection: str, listed: Listed, seen: str, decision: Decision
) -> dict[str, Any]:
    """Write the entry that replaces all values at a path; the value that stands there now.

    It names exactly the values that `seen` stands for. Raises `conflict-moved` where others stand
    there, `conflict-side`, `conflict-unread`, `conflict-keep-only`, and the problems of an answer.
    """
    path = listed.conflict.path
    with recorder.store.writing(recorder.identity, recorder.now, "the decision") as log:
        now = conflict_at(log.standing(inspection, path))
        if now is None or now.code != seen:
            raise problem("conflict-moved", what=listed.name)
        if any(side.why for side in now.sides):
            raise problem("conflict-unread", what=listed.name)
        if decision.keep is not None:
            value = _kept(now, listed.name, decision)
        else:
            value = _given(recorder, inspection, now, decision)
        log.append(inspection, path, value, replaces=now.heads)
    return value


def _kept(conflict: Conflict, name: str, decision: Decision) -> dict[str, Any]:
    number, count = decision.keep or 0, len(conflict.sides)
    if not 1 <= number <= count:
        raise problem("conflict-side", n=number, what=name, count=count)
    value = kept_value(conflict.sides[number - 1], decision.why)
    if value is None:
        raise problem("conflict-unread", what=name)
    return value


def _given(
    recorder: Recorder, inspection: str, conflict: Conflict, decision: Decision
) -> dict[str, Any]:
    extras = decision.extras
    words = Words(
        decision.values,
        decision.why,
        extras.note,
        decision.reason,
        decision.second,
        (recorder.identity.person, recorder.identity.person_name),
        find_evidence(recorder.store, inspection, extras.evidence),
        fix_value(extras.fix),
    )
    checklist = checklist_of(recorder.store, recorder.library, inspection)
    return decided_value(conflict, checklist, words)


# -- in words -------------------------------------------------------------------------------------


def value_words(value: Any) -> str:
    """What a recorded value says, in one line; its note and place are told beside it."""
    if not isinstance(value, dict):
        return str(value)
    if "readings" in value:
        return ", ".join(_reading(one) for one in value["readings"])
    for key in ("level", "special", "outcome"):
        if key in value:
            reason = f" ({value['reason']})" if value.get("reason") else ""
            return f"{value[key]}{reason}"
    if "value" in value:
        return f"{value['value']} {value.get('unit', '')}".strip()
    if "facility" in value:
        said = (value[k] for k in ("facility", "mode", "purpose") if value.get(k))
        return ", ".join(str(one) for one in said)
    if "media_type" in value:
        items = " ".join(str(i).removesuffix("/-") for i in value.get("items", ()))
        return f"{value.get('kind')} {value.get('name', '')}, {items or 'no item'}".strip()
    return str(value.get("text", value))


def _reading(one: dict[str, Any]) -> str:
    spread = f" ± {one['u']}" if "u" in one else ""
    return f"{one['analyte']} {one['value']}{spread} {one.get('unit', '')}".rstrip()


def side_words(side: Side) -> str:
    """What one side says, or that it cannot be read."""
    if side.why:
        return f"needs a newer version to be read ({side.why})"
    return value_words(getattr(side.record, "value", None))
