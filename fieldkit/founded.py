"""Whether the inputs of a score say what the logs that came with them say (scoring rule 10).

A score that is computed again from its own inputs proves its arithmetic alone. Here the visit is
made from the verified logs once more and held against the inputs, so that an answer, an auditor or
a file that is in one of them only is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checklists.scoring import EvidenceState, visit_of, visit_to_json
from checklists.scoring.inputs import EvidenceFact, ScoreInputs, Visit
from sync.adopted import expand
from sync.entry import Record, attributed
from sync.inspection import Evidence, Inspection
from sync.inspection_reader import read_inspection
from sync.log import read_line
from sync.merge import merge
from sync.ranges import Ranges, holds, together

State = Callable[[Evidence], EvidenceState]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a device is, by the server's word. `account` is a log of the server's own (S9)."""

    public_key: bytes
    person: str
    account: bool = False


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """One device's log of the inspection: (position, line, chain hash) of the lines that count, and
    the positions of those of which the export says that they do not (S9).
    """

    device: str
    rows: tuple[tuple[int, bytes, bytes], ...]
    aside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an export proves: its logs, whose they are, and the files it or the server holds."""

    inspection: str
    logs: tuple[VerifiedLog, ...]
    owners: Mapping[str, Owner]
    held: frozenset[str]

    def owner_of(self, device: str) -> tuple[bytes, str] | None:
        owner = self.owners.get(device)
        return None if owner is None else (owner.public_key, owner.person)


def visit_in(inspection: Inspection, state: State) -> Visit:
    """The visit that an inspection's logs record, begun when it was first said what it is about."""
    about = inspection.about
    at = min(one.written.at for one in (*about.heads, *about.earlier))
    signed = any(slot.heads for slot in inspection.sign_offs.values())
    return replace(visit_of(inspection, state, at), signed=signed)


def observed_in(inspection: Inspection) -> dict[str, str]:
    """What was observed, by "what/instance", as conditions read it."""
    return {
        f"{what}/{instance}": slot.value.value
        for (what, instance), slot in sorted(inspection.observed.items())
        if slot.value is not None
    }


def inspection_of(ground: Ground) -> Inspection:
    """The inspection as the logs of an export say it, merged once more."""
    return read_inspection(ground.inspection, merge(_records(ground)))


def signed_for(ground: Ground, inspection: Inspection) -> int:
    """How many of the lines that are left out as set aside a sign-off covers as counting (L7)."""
    covered: dict[str, Ranges] = {}
    for slot in inspection.sign_offs.values():
        for log in (log for head in slot.heads for log in head.logs):
            covered[log.device] = together(covered.get(log.device, ()), log.covered)
    return sum(holds(covered.get(log.device, ()), seq) for log in ground.logs for seq in log.aside)


def both_sides(
    inputs: ScoreInputs, ground: Ground, inspection: Inspection
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the inputs say of the visit, and what the logs say, to be compared member by member.

    What no log tells is taken as the inputs have it: open flags on a file, that it was rejected,
    when it expires. Raises `training-not-scored`.
    """
    given = {
        "scope": inputs.scope,
        "subject": inputs.subject,
        "checklist": inputs.checklist.digest,
        "observed": dict(inputs.observed or {}),
        "visits": {visit.inspection: _by_place(visit) for visit in inputs.visits},
    }
    said: dict[str, Any] = {"scope": "inspection", "subject": ground.inspection}
    if inspection.about.heads:
        visit = visit_in(inspection, _state(inputs, ground.held))
        said |= {
            "checklist": inspection.about.heads[0].checklist,
            "observed": observed_in(inspection),
            "visits": {visit.inspection: _by_place(visit)},
        }
    return given, said


def _records(ground: Ground) -> list[Record]:
    """As on the device: in the order of devices, carried lines with them, each by its person."""
    read = [
        read_line(line, log.device, ground.inspection, seq, h.hex())
        for log in sorted(ground.logs, key=lambda one: one.device)
        for seq, line, h in log.rows
    ]
    return [
        record
        if (owner := ground.owners.get(record.device)) is None
        else attributed(record, owner.person, signed=not owner.account)
        for record in expand(read, ground.owner_of)
    ]


def _state(inputs: ScoreInputs, held: frozenset[str]) -> State:
    known: dict[str, EvidenceFact] = {}
    for visit in inputs.visits:
        for answer in visit.answers:
            known |= {fact.sha256: fact for fact in answer.evidence}

    def state(evidence: Evidence) -> EvidenceState:
        found = EvidenceState(evidence.sha256 in held, signed=evidence.written.signed)
        fact = known.get(evidence.sha256)
        if fact is None:
            return found
        return replace(found, flagged=fact.flagged, rejected=fact.rejected, expires=fact.expires)

    return state


def _by_place(visit: Visit) -> dict[str, Any]:
    """A visit as a document whose answers and files have names, so that one that is changed is told
    by its own, and not by where it happens to stand in a list.
    """
    document = visit_to_json(visit)
    answers = {}
    for answer in document["answers"]:
        place = f"{answer['item']}/{answer['instance']} ({answer['entry'][:12]})"
        files = {f"{fact['sha256']} {fact['kind']}": fact for fact in answer["evidence"]}
        answers[place] = answer | {"evidence": files}
    rulings = {f"{one['item']}/{one['instance']}": one for one in document.get("rulings", ())}
    return document | {"answers": answers} | ({"rulings": rulings} if rulings else {})
