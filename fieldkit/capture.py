"""Recording an inspection: what an auditor says -> entries in this device's logs (L5).

Every function writes one transaction, after everything in it has been checked.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checklists.answering import check_second, read_answer, read_observation
from checklists.discrepancies.days import day_in
from checklists.model import Checklist, Item
from fieldkit.authors import attributed_records
from fieldkit.fixes import fix_value
from fieldkit.glance import glance
from fieldkit.library import Library
from fieldkit.store import Identity, Store, put_notes
from sync.inspection import OUTCOMES, About, Fix, Inspection
from sync.inspection_reader import read_inspection
from sync.log import DEVICE_LOG, check_instance
from sync.merge import State, merge
from sync.nearest import nearest
from sync.problems import problem


@dataclass(frozen=True, slots=True)
class Recorder:
    """All that recording needs: where to, by whom, from which checklists, and the time (UTC ms)."""

    store: Store
    library: Library
    identity: Identity
    now: int


@dataclass(frozen=True, slots=True)
class Extras:
    """What may accompany an answer or an observation."""

    note: str = ""
    evidence: Sequence[str] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The inspection that is current now, and whether it was begun just now."""

    inspection: str
    facility: Mapping[str, Any]
    checklist: Checklist
    new: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stands at a path now, and whether an entry was needed for it."""

    path: str
    value: Mapping[str, Any]
    new: bool


# -- which inspection -----------------------------------------------------------------------------


def which_inspection(store: Store, given: str | None) -> str:
    """The inspection meant: by the beginning of its id, else the current one, else the only one.

    Raises `inspection-unknown`, `inspection-which` and `inspection-none`.
    """
    current = store.note("current")
    if given is None and current is not None and store.has_inspection(current):
        return current
    known = store.inspections()
    if given is not None:
        found = [i for i in known if i.startswith(given.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            raise problem("inspection-which", nearest=", ".join(found))
        gone = [i for i in store.sealed() if i.startswith(given.lower())]
        if gone:
            raise problem("inspection-sealed", inspection=gone[0])
        raise problem("inspection-unknown", inspection=given, nearest=nearest(given, known))
    if len(known) > 1:
        raise problem("inspection-which", nearest=", ".join(known))
    if not known:
        raise problem("inspection-none")
    return known[0]


def load_inspection(store: Store, inspection: str) -> Inspection:
    """An inspection as everything on this device makes it."""
    return read_inspection(inspection, load_state(store, inspection))


def load_state(store: Store, inspection: str) -> State:
    """What stands at each path of an inspection, with everything on this device."""
    return merge(attributed_records(store, inspection))


def about_of(inspection: Inspection) -> About:
    """What the inspection is about; of several values the latest.

    Raises `inspection-unconfirmed` where no entry that counts says it.
    """
    if not inspection.about.heads:
        raise problem("inspection-unconfirmed", inspection=inspection.id)
    return inspection.about.heads[0]


def checklist_of(store: Store, library: Library, inspection: str) -> Checklist:
    """The checklist an inspection is on: where that version did not come down, such as one that a
    colleague moved to, the one that it was on before.

    Raises `checklist-unknown`, and `inspection-unconfirmed` where no entry that counts names it.
    """
    abouts = store.abouts(inspection)
    if not abouts and store.waiting(inspection):
        raise problem("inspection-unconfirmed", inspection=inspection)
    said = (one.value.get("checklist") for one in abouts if isinstance(one.value, dict))
    digests = [one for one in said if isinstance(one, str)]
    if not digests:
        raise problem("checklist-unknown", checklist="of this inspection")
    return library.checklist(next((one for one in digests if library.text(one)), digests[0]))


# -- recording ------------------------------------------------------------------------------------


def start(
    recorder: Recorder,
    facility_id: str,
    *,
    purpose: str = "",
    fix: Fix | None = None,
    mode: str = "live",
    new: bool = False,
) -> Started:
    """Begin an inspection, or go on with the one of this facility that is not signed yet; that
    may be a colleague's that is shared (S5).

    Raises `facility-unknown` and `checklist-unknown`.
    """
    facility = recorder.library.facility(facility_id)
    begun = None if new else _unsigned(recorder.store, facility_id, mode)
    if begun is not None:
        note_opened(recorder, begun, facility_id)
        recorder.store.set_notes(current=begun)
        checklist = checklist_of(recorder.store, recorder.library, begun)
        return Started(begun, facility, checklist, new=False)
    day = day_in(str(facility.get("country", "")), recorder.now)
    text = recorder.library.applying("checklist", facility, day)
    if text is None:
        raise problem("checklist-unknown", checklist=facility.get("checklist", "?"))
    checklist = recorder.library.checklist(text.digest)
    inspection = str(uuid.uuid4())
    about = {
        "facility": facility_id,
        "checklist": text.digest,
        "purpose": purpose or _assigned_purpose(recorder.library, facility_id),
        "mode": mode,
        "fix": fix_value(fix),
    }
    with recorder.store.writing(recorder.identity, recorder.now, "the inspection") as log:
        log.append(DEVICE_LOG, f"device/opened/{inspection}", {"facility": facility_id})
        log.append(inspection, "about", lean_value(about))
        put_notes(log.tx, {"current": inspection})
    return Started(inspection, facility, checklist, new=True)


def note_opened(recorder: Recorder, inspection: str, facility: str) -> None:
    """Note in the device's own log that it records on an inspection, once (L2)."""
    with recorder.store.writing(recorder.identity, recorder.now, "the inspection") as log:
        if log.standing(DEVICE_LOG, f"device/opened/{inspection}") is None:
            log.append(DEVICE_LOG, f"device/opened/{inspection}", {"facility": facility})


def answer(
    recorder: Recorder,
    inspection: str,
    item_id: str,
    values: Sequence[str],
    *,
    instance: str | None = None,
    reason: str = "",
    second: str = "",
    extras: Extras = Extras(),
) -> Recorded:
    """Answer an item; the same answer again changes nothing.

    Raises `item-unknown`, `level-unknown`, `reading-malformed`, `instance-malformed`,
    `answer-incomplete`, `evidence-unknown` and `evidence-which`.
    """
    checklist = checklist_of(recorder.store, recorder.library, inspection)
    item = find_item(checklist, item_id)
    value = read_answer(item, values)
    place = find_instance(item, instance)
    if place == "-" and item.instances is not None and "special" not in value:
        label = str(item.instances.label)
        raise problem(
            "answer-incomplete",
            item=item.id,
            what=f"which one it is about ({label})",
            hint="Add --instance with its name, such as --instance well-1.",
        )
    own = (recorder.identity.person, recorder.identity.person_name)
    check_second(item, value.get("special"), reason, second, own)
    evidence = find_evidence(recorder.store, inspection, extras.evidence)
    value |= {"reason": reason, "second": second, "note": extras.note, "evidence": evidence}
    value |= {"fix": fix_value(extras.fix), "checklist": checklist.digest}
    return record(recorder, inspection, f"answers/{item.id}/{place}", value, "the answer")


def observe(recorder: Recorder, inspection: str, what: str, value: str, extras: Extras) -> Recorded:
    """Record something seen, unscored: `what` is a name, or name/instance such as
    operating/warm-kiln.

    Raises `observation-unknown`, `level-unknown`, `instance-malformed` and evidence's problems.
    """
    checklist = checklist_of(recorder.store, recorder.library, inspection)
    name, _, instance = what.partition("/")
    known = checklist.observation(name)
    if known is None or (known.instances and instance not in known.instances):
        names = [f"{o.what}/{i}" for o in checklist.observed for i in (o.instances or ("…",))]
        raise problem("observation-unknown", what=what, nearest=nearest(what, names))
    place = _instance(name, instance or "-")
    entry = {
        **read_observation(known, what, value),
        "unit": known.unit,
        "note": extras.note,
        "evidence": find_evidence(recorder.store, inspection, extras.evidence),
        "fix": fix_value(extras.fix),
    }
    return record(recorder, inspection, f"observed/{name}/{place}", entry, "the observation")


def set_outcome(
    recorder: Recorder, inspection: str, outcome: str, note: str = "", fix: Fix | None = None
) -> Recorded:
    """Record how the visit ended; raises `outcome-unknown`."""
    if outcome not in OUTCOMES:
        near = nearest(outcome, OUTCOMES, len(OUTCOMES))
        raise problem("outcome-unknown", outcome=outcome, nearest=near)
    value = {"outcome": outcome, "note": note, "fix": fix_value(fix)}
    return record(recorder, inspection, "outcome", value, "the outcome")


# -- finding what is meant ------------------------------------------------------------------------


def find_item(checklist: Checklist, item_id: str) -> Item:
    """An item by its id, in any case of letters; raises `item-unknown` with the nearest."""
    by_folded = {item.id.casefold(): item for _, item in checklist.items()}
    item = by_folded.get(item_id.casefold())
    if item is None:
        near = nearest(item_id, [i.id for i in by_folded.values()])
        raise problem("item-unknown", item=item_id, nearest=near)
    return item


def find_instance(item: Item, instance: str | None) -> str:
    """The instance part of a path: the given name, or `-`; raises `instance-malformed`."""
    if instance not in (None, "-") and item.instances is None:
        why = "this item is asked once for the whole site"
        raise problem("instance-malformed", instance=instance, item=item.id, why=why)
    return _instance(item.id, instance or "-")


def find_evidence(store: Store, inspection: str, prefixes: Sequence[str]) -> list[str]:
    """Digests of the inspection's evidence by how they begin, each once, in the order given.

    Raises `evidence-unknown` and `evidence-which`.
    """
    if not prefixes:
        return []
    known = {sha256 for sha256, _ in glance(store, inspection).inspection.evidence}
    found: dict[str, None] = {}
    for prefix in prefixes:
        fitting = sorted(d for d in known if d.startswith(prefix.lower()) and len(prefix) >= 4)
        if not fitting:
            raise problem("evidence-unknown", sha256=prefix)
        if len(fitting) > 1:
            raise problem("evidence-which", sha256=prefix, count=len(fitting))
        found[fitting[0]] = None
    return list(found)


# -- inside ---------------------------------------------------------------------------------------


def record(
    recorder: Recorder, inspection: str, path: str, value: Mapping[str, Any], what: str
) -> Recorded:
    """Append this value unless it stands there already; members that say nothing are left out."""
    lean = lean_value(value)
    with recorder.store.writing(recorder.identity, recorder.now, what) as log:
        # L6: what nobody has looked at is not replaced on the way past.
        state = log.standing(inspection, path)
        if state is not None and state.conflict:
            raise problem("conflict-here", what=short_name(path))
        new = log.append_new(inspection, path, lean)
    return Recorded(path, lean, new)


def lean_value(value: Mapping[str, Any]) -> dict[str, Any]:
    """Members that say nothing are left out: every byte travels."""
    return {key: member for key, member in value.items() if member not in (None, "", [])}


def short_name(path: str) -> str:
    """A path as an auditor names it: `GEN-G1`, `ISL-E2/well-1`, `operating/warm-kiln`."""
    return path.partition("/")[2].removesuffix("/-") or path


def _instance(item: str, instance: str) -> str:
    why = check_instance(instance)
    if why is not None:
        raise problem("instance-malformed", instance=instance, item=item, why=why)
    return instance


def _assigned_purpose(library: Library, facility: str) -> str:
    found = {
        str(a.get("purpose", ""))
        for a in library.documents("assignment")
        if a.get("facility") == facility
    }
    return found.pop() if len(found) == 1 else ""


def _unsigned(store: Store, facility: str, mode: str) -> str | None:
    """The latest inspection of a facility that is not signed yet: by nobody, or only by others
    while this device recorded on it.
    """
    own = store.identity().device
    for inspection in reversed(store.inspections()):
        about = store.about(inspection)
        value = about.value if about is not None else None
        if not isinstance(value, dict) or value.get("facility") != facility:
            continue
        if value.get("mode") != mode:
            continue
        read = glance(store, inspection).inspection
        signed = {device for device, slot in read.sign_offs.items() if slot.heads}
        if not signed or (
            own not in signed and any(device == own for device, _, _ in store.heads(inspection))
        ):
            return inspection
    return None
