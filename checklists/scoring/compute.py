"""Inputs -> score: which items apply, what stands, what it is worth, what it adds up to."""

from __future__ import annotations

from checklists.scoring.aggregate import by_pillar, facility_of
from checklists.scoring.document import Score
from checklists.scoring.evidence import dating_of
from checklists.scoring.grades import counts, grade_of
from checklists.scoring.inputs import ScoreInputs
from checklists.scoring.items import judge_items
from checklists.scoring.places import histories
from checklists.scoring.standing import Judge


def score(inputs: ScoreInputs, inputs_sha256: str | None = None) -> Score:
    """The score of these inputs, exact, whatever order visits, answers and evidence came in.

    `inputs_sha256` is the digest of the exported inputs, where there is one; the score names it.
    Raises ValueError unless `as_of` is a date (YYYY-MM-DD).
    """
    visits = tuple(sorted(inputs.visits, key=lambda v: (v.at, v.inspection)))
    kept = [visit for visit in visits if counts(visit)]
    newest = kept[-1].inspection if kept else ""
    judge = Judge(inputs.limits, dating_of(inputs))
    outcomes = tuple(judge_items(inputs, judge, histories(kept)))
    pillars = by_pillar(outcomes)
    facility = facility_of(pillars, inputs.profile.pillar_weights)
    grading = grade_of(facility, pillars, outcomes, inputs.flags, visits)
    digests: dict[str, str | None] = {
        "checklist": inputs.checklist.digest,
        "profile": inputs.profile.digest,
        "limits": inputs.limits.digest if inputs.limits is not None else None,
    }
    if inputs_sha256 is not None:
        digests["inputs"] = inputs_sha256
    return Score(
        scope=inputs.scope,
        subject=inputs.subject,
        as_of=inputs.as_of,
        outcomes=outcomes,
        pillars=pillars,
        pillar_weights=inputs.profile.pillar_weights,
        facility=facility,
        grading=grading,
        visits=visits,
        newest=newest,
        digests=digests,
    )
