"""Facilities graded: every visit merged, held against what was declared, and scored.

All of it is computed by pure calls from what is stored and from the date that the grading names,
so that deleting and rebuilding gives the same bytes. Training is never part of it (rule 11).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from checklists.conflict.around import Surroundings
from checklists.discrepancies.case import Case
from checklists.discrepancies.days import day_in
from checklists.discrepancies.declaration import Declaration, in_force, read_declaration
from checklists.scoring import (
    inputs_digest,
    inputs_to_json,
    score,
    score_bytes,
    texts_left_out,
    visit_of,
)
from checklists.scoring.document import canonical
from checklists.scoring.inputs import ScoreInputs, Visit
from server.context import Context
from server.services.casework import Filed, Judged, case_of, judge, uses_of
from server.services.conflict_around import surroundings
from server.services.inspections import Loaded, load_inspection
from server.services.standards import Standard, standard_for
from server.services.urgent import hazards_held, refresh
from server.store import aside, assessments, declarations, facilities, flags, gradings
from server.store.aside import AsideRow
from server.store.assessments import AssessmentRow
from server.store.facilities import Facility
from server.store.gradings import Grading
from server.store.logs import inspections_at
from server.store.transaction import Tx
from sync.problems import problem

__all__ = ["Assessed", "Loaded", "assess_facility", "compute", "keep", "load_inspection"]

LIVE = "live"
Shared = frozenset[tuple[str, str, str]]  # file, the other visit, its facility


@dataclass(frozen=True, slots=True)
class Assessed:
    """What one run made of a facility; empty where it is not listed or lacks a published standard.

    `grading` is the asking that it answers; `shared` are the photographs that other visits
    submitted too; `hazards` are the inspections in which one is told of.
    """

    grading: Grading
    assessments: tuple[AssessmentRow, ...] = ()
    flags: tuple[flags.FlagRow, ...] = ()
    shared: Shared = frozenset()
    aside: tuple[AsideRow, ...] = ()
    hazards: tuple[str, ...] = ()


def assess_facility(ctx: Context, facility_id: str) -> Assessed | None:
    """Judge and score all visits of a facility and the facility itself, and store the result.

    None when it was never asked for. Raises the problems of stored documents that were damaged.
    """
    assessed = compute(ctx, facility_id)
    if assessed is not None:
        keep(ctx, assessed)
    return assessed


def compute(ctx: Context, facility_id: str) -> Assessed | None:
    """The assessment of a facility from one moment of the database; nothing is stored."""
    with ctx.db.read() as tx:
        grading = gradings.find(tx, facility_id)
        return None if grading is None else _assess(tx, grading)


def case_of_inspection(tx: Tx, inspection_id: str) -> Case:
    """What the rules read of an inspection when its facility is graded. Raises `not-found`."""
    loaded = load_inspection(tx, inspection_id)
    there = None if loaded is None else loaded.facility
    facility = None if there is None else facilities.get(tx, there)
    grading = None if facility is None else gradings.find(tx, facility.id)
    if loaded is None or facility is None or grading is None:
        raise problem("not-found")
    standard = standard_for(tx, facility, [grading.as_of])
    if standard is None:
        raise problem("not-found")
    filed = _filed(tx, facility.id)
    return case_of(tx, facility, loaded, filed, standard.settings, uses_of(tx, loaded))


def keep(ctx: Context, assessed: Assessed) -> bool:
    """Store an assessment in one write; False when a later asking was answered meanwhile.

    The facility stays marked when it was asked for again since.
    """
    return ctx.db.write(partial(_store, assessed=assessed, now=ctx.now()))


def _assess(tx: Tx, grading: Grading) -> Assessed:
    facility = facilities.get(tx, grading.facility)
    standard = None if facility is None else standard_for(tx, facility, [grading.as_of])
    if facility is None:
        return Assessed(grading)
    visits = _visits(tx, facility.id)
    waiting = tuple(_aside(facility.id, loaded) for _, loaded in visits)
    told = tuple(loaded.id for _, loaded in visits if hazards_held(tx, loaded))
    if standard is None:
        return Assessed(grading, aside=waiting, hazards=told)
    filed = _filed(tx, facility.id)
    judged = [
        judge(tx, facility, loaded, filed, standard.settings)
        for mode, loaded in visits
        if mode == LIVE and loaded.counted  # else every entry of it was set aside (S9)
    ]
    rows = [_of_inspection(tx, facility, standard, grading.as_of, one) for one in judged]
    shared = frozenset((u.sha256, u.inspection, u.facility) for one in judged for u in one.uses)
    rows.append(_of_facility(tx, facility, standard, grading.as_of, filed, judged, shared))
    found = tuple(row for one in judged for row in one.rows)
    return Assessed(grading, tuple(rows), found, shared, waiting, told)


def _visits(tx: Tx, facility_id: str) -> list[tuple[str | None, Loaded]]:
    """Every inspection of a facility, training included, with its mode."""
    loaded = [(row.mode, load_inspection(tx, row.id)) for row in inspections_at(tx, facility_id)]
    return [(mode, one) for mode, one in loaded if one is not None]


def _aside(facility: str, loaded: Loaded) -> AsideRow:
    """What of an inspection waits for a ruling, was not understood, or came carried."""
    open_ones = [one for one in loaded.aside if one.open]
    late = sum(1 for one in open_ones for r in one.records if r.seq in one.late)
    return AsideRow(
        loaded.id,
        facility,
        sum(len(one.records) for one in open_ones) - late,
        late,
        len(loaded.current.unread),
        sum(one.entries for one in loaded.adopted),
        sum(one.unsigned for one in loaded.adopted),
    )


def _filed(tx: Tx, facility_id: str) -> list[Filed]:
    filings = declarations.of_facility(tx, facility_id)
    bodies = declarations.bodies(tx, facility_id)
    return [
        Filed(read_declaration(json.loads(body)), filing.received_at)
        for filing, body in zip(filings, bodies, strict=True)
    ]


# -- scores ---------------------------------------------------------------------------------------


def _of_inspection(
    tx: Tx, facility: Facility, standard: Standard, as_of: str, judged: Judged
) -> AssessmentRow:
    abouts = judged.loaded.inspection.about.heads
    days = day_in(facility.country, visited_at(judged.loaded)), as_of
    named = standard_for(tx, facility, days, abouts[0].checklist if abouts else "")
    inputs = _inputs(
        named or standard,
        "inspection",
        judged.loaded.id,
        as_of,
        [judged],
        judged.declaration,
        judged.around,
    )
    read = _read([judged], judged.declaration, standard)
    findings = judged.findings_bytes()
    return _row(facility.id, inputs, named or standard, read, findings)


def _of_facility(
    tx: Tx,
    facility: Facility,
    standard: Standard,
    as_of: str,
    filed: Sequence[Filed],
    judged: Sequence[Judged],
    shared: Shared,
) -> AssessmentRow:
    """The facility's own score: over signed visits alone."""
    signed = [one for one in judged if one.loaded.signed is not None]
    declared = in_force([one.declaration for one in filed], date.fromisoformat(as_of))
    around = surroundings(tx, facility, declared, date.fromisoformat(as_of), standard.settings)
    inputs = _inputs(standard, "facility", facility.id, as_of, signed, declared, around)
    findings = canonical(
        [
            {"kind": "shared", "sha256": sha256, "inspection": inspection, "facility": other}
            for sha256, inspection, other in sorted(shared)
        ]
    )
    return _row(facility.id, inputs, standard, _read(signed, declared, standard), findings)


def _inputs(
    standard: Standard,
    scope: str,
    subject: str,
    as_of: str,
    judged: Sequence[Judged],
    declared: Declaration | None,
    around: Surroundings | None,
) -> ScoreInputs:
    ordered = sorted(judged, key=lambda one: (visited_at(one.loaded), one.loaded.id))
    return ScoreInputs(
        scope=scope,
        subject=subject,
        checklist=standard.checklist,
        profile=standard.profile,
        limits=standard.limits,
        as_of=as_of,
        visits=tuple(_visit(one) for one in ordered),
        flags=tuple(fact for one in ordered for fact in one.flag_facts()),
        processes=() if declared is None else declared.processes,
        observed=_observed(ordered),
        exposure=None if around is None else around.exposure(),
    )


def _visit(judged: Judged) -> Visit:
    loaded = judged.loaded
    # Protocol L5: the creator's first entry fixes the mode; what a later one says changes nothing.
    about = replace(loaded.inspection.about, heads=(), earlier=())
    fixed = replace(loaded.inspection, about=about)
    visit = visit_of(fixed, judged.evidence_state, visited_at(loaded))
    return replace(visit, signed=loaded.signed is not None)


def visited_at(loaded: Loaded) -> int:
    """When the visit began by the clock of the device that began it, UTC milliseconds."""
    begun = loaded.inspection.begun
    return loaded.first_seen_at if begun is None else begun.written.at


def _observed(judged: Sequence[Judged]) -> dict[str, str]:
    """What was last observed at each place; contradicting values leave it unknown."""
    found: dict[str, str] = {}
    for one in judged:
        for (what, instance), slot in one.loaded.inspection.observed.items():
            values = {head.value for head in slot.heads}
            found.pop(f"{what}/{instance}", None)
            if len(values) == 1 and not slot.unread:
                found[f"{what}/{instance}"] = values.pop()
    return found


def _read(
    judged: Sequence[Judged], declared: Declaration | None, standard: Standard
) -> dict[str, Any]:
    """The digests of what else was read: log heads, declarations, thresholds, findings."""
    return {
        "logs": sorted(
            [log.device, log.inspection, log.seq, log.h.hex()]
            for one in judged
            for log in one.loaded.logs
        ),
        "declared": None if declared is None else declared.digest,
        "declarations": {
            one.loaded.id: None if one.declaration is None else one.declaration.digest
            for one in judged
        },
        "rules": standard.settings["digest"],
    }


def _row(
    facility: str, inputs: ScoreInputs, standard: Standard, read: dict[str, Any], findings: bytes
) -> AssessmentRow:
    document = inputs_to_json(
        inputs, standard.checklist_bytes, standard.limits_bytes, standard.profile_bytes
    )
    document["read"] = read
    result = score(inputs, inputs_digest(document))
    return AssessmentRow(
        inputs.scope,
        inputs.subject,
        facility,
        inputs.as_of,
        result.grading.grade,
        result.grading.state,
        score_bytes(result),
        canonical(texts_left_out(document)),
        findings,
    )


# -- storing --------------------------------------------------------------------------------------


def _store(tx: Tx, *, assessed: Assessed, now: int) -> bool:
    facility = assessed.grading.facility
    newest = gradings.find(tx, facility)
    if newest is None or (newest.asked_at != assessed.grading.asked_at and not newest.stale):
        return False
    before = _shared_before(tx, facility)
    assessments.replace(tx, facility, assessed.assessments)
    aside.replace(tx, facility, assessed.aside)
    flags.replace(tx, facility, assessed.flags)
    for inspection in assessed.hazards:
        refresh(tx, inspection)  # with what came to count, or no longer does, by a ruling (S9)
    gradings.done(tx, assessed.grading)
    # A photograph used twice is a finding at both places, so the other one is judged again.
    others = {other for _, _, other in before ^ assessed.shared}
    gradings.mark_again(tx, others - {facility}, now)
    return True


def _shared_before(tx: Tx, facility: str) -> Shared:
    row = assessments.find(tx, "facility", facility)
    findings = [] if row is None else json.loads(row.findings)
    return frozenset((f["sha256"], f["inspection"], f["facility"]) for f in findings)
