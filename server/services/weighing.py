"""What a decision would make of a grade (scoring rule 10): worked out in memory, nothing is stored.

The decision is applied to the inspection as it was assessed, and scored by the same functions. No
rule runs again: flags are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from checklists.scoring import EvidenceState, Score, score, visit_of
from checklists.scoring.exact import rounded
from checklists.scoring.inputs import EvidenceFact, RuledOut, ScoreInputs, Visit
from server.services.basis import Basis
from server.services.ruling_out import Unproven
from sync.conflicts import Conflict, Side, kept_value
from sync.entry import Entry
from sync.inspection import Answer, Evidence, Inspection, Observed, Outcome, Slot
from sync.inspection_reader import Value, read_value

T = TypeVar("T")

MOST = 24  # choices that are worked out for one page
MOST_FILES = 24_000  # that are looked at for it, each once a choice


@dataclass(frozen=True, slots=True)
class Stand:
    """A grade as it is told in one line; numbers as decimal strings, None where there is none."""

    grade: str | None
    state: str
    raw: str | None
    capped: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A grade before and after a decision."""

    before: Stand
    after: Stand


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a decision would change: at the inspection, and at its facility where it counts."""

    inspection: Change
    facility: Change | None


@dataclass(frozen=True, slots=True)
class WeighedView:
    """By chain hash what keeping a value would change, by code what a ruling would; `left` is how
    many choices were not worked out, because there are so many.
    """

    kept: Mapping[str, Weighed]
    ruled: Mapping[str, Weighed]
    left: int = 0


class Scales:
    """An inspection as it was assessed, on which decisions are tried; `by` is who would decide."""

    def __init__(self, basis: Basis, inspection: Inspection, by: str, now: int) -> None:
        self.basis, self.inspection, self.by, self.now = basis, inspection, by, now
        whole = basis.facility
        self._own = _stand(score(basis.inspection))
        self._whole = None if whole is None else _stand(score(whole))

    def keeping(self, conflict: Conflict, side: Side) -> Weighed | None:
        """If that value were kept; None where that cannot be said: what the inspection is about, a
        value that cannot be read, one's own word among those that disagree.
        """
        value = kept_value(side)
        if value is None or self.by in {one.by for one in conflict.sides}:
            return None
        entry = _entry(self, conflict, value)
        read = read_value(entry)
        decided = None if read is None else _decided(self.inspection, conflict, read)
        if decided is None:
            return None
        about = replace(decided.about, heads=(), earlier=())
        live = replace(decided, about=about)
        visit = visit_of(live, _states(self.basis), self.basis.visit.at)
        visit = replace(visit, signed=self.basis.visit.signed)
        seen = read if isinstance(read, Observed) else None
        return self._with(visit, seen)

    def ruling(self, place: Unproven) -> Weighed:
        """If that place were ruled out."""
        ruling = RuledOut(
            place.item, place.instance, place.heads, place.evidence, "", self.by, self.now, ""
        )
        visit = self.basis.visit
        return self._with(replace(visit, rulings=(*visit.rulings, ruling)), None)

    def _with(self, visit: Visit, seen: Observed | None) -> Weighed:
        own, whole = self.basis.inspection, self.basis.facility
        before = own.observed or {}
        after = Change(self._own, _stand(score(_after(own, visit, seen, before))))
        if whole is None or self._whole is None:
            return Weighed(after, None)
        return Weighed(
            after, Change(self._whole, _stand(score(_after(whole, visit, seen, before))))
        )


def weighed_view(
    scales: Scales, conflicts: Iterable[Conflict], places: Iterable[Unproven]
) -> WeighedView:
    """The choices of a page, as many as can be worked out while somebody waits for it."""
    choices = [(one, side) for one in conflicts for side in one.sides]
    asked = list(places)
    ruled = {one.code: scales.ruling(one) for one in asked[:MOST]}
    files = max(1, len(scales.inspection.evidence))
    room = min(MOST - len(ruled), MOST_FILES // files)
    tried = [(s.record.h, scales.keeping(one, s)) for one, s in choices[:room]]
    kept = {h: found for h, found in tried if found is not None}
    left = max(0, len(choices) - room) + len(asked) - len(ruled)
    return WeighedView(kept, ruled, left)


def _entry(scales: Scales, conflict: Conflict, value: dict[str, Any]) -> Entry:
    """The entry that an officer's decision would be."""
    return Entry(
        device="",
        inspection=scales.inspection.id,
        seq=1,
        h="",
        at=scales.now,
        by=scales.by,
        path=conflict.path,
        value=value,
        replaces=conflict.heads,
        signed=False,
    )


def _decided(inspection: Inspection, conflict: Conflict, value: Value) -> Inspection | None:
    """The inspection with that value where the conflict is; None where it is of another kind."""
    open_ones = tuple(path for path in inspection.conflicts if path != conflict.path)
    left = replace(inspection, conflicts=open_ones)
    _, _, rest = conflict.path.partition("/")
    first, _, second = rest.partition("/")
    place = (first, second)
    if isinstance(value, Answer):
        answers = inspection.answers
        return replace(left, answers={**answers, place: _over(answers.get(place), value)})
    if isinstance(value, Observed):
        observed = inspection.observed
        return replace(left, observed={**observed, place: _over(observed.get(place), value)})
    if isinstance(value, Evidence):
        evidence = inspection.evidence
        return replace(left, evidence={**evidence, place: _over(evidence.get(place), value)})
    if isinstance(value, Outcome):
        return replace(left, outcome=_over(inspection.outcome, value))
    return None


def _over(slot: Slot[T] | None, value: T) -> Slot[T]:
    """The slot where one value replaced all that stood there, and nobody is overruled by it."""
    before: Slot[T] = Slot(()) if slot is None else slot
    return Slot((value,), (*before.heads, *before.earlier))


def _states(basis: Basis) -> Callable[[Evidence], EvidenceState]:
    """What was known of each file when it was assessed."""
    known: dict[str, EvidenceFact] = {
        fact.sha256: fact for answer in basis.visit.answers for fact in answer.evidence
    }

    def state(evidence: Evidence) -> EvidenceState:
        fact = known.get(evidence.sha256)
        if fact is None:  # it supported no answer, so it supports none now
            return EvidenceState(False, evidence.written.signed)
        return EvidenceState(
            fact.held, evidence.written.signed, fact.flagged, fact.rejected, fact.expires
        )

    return state


def _after(
    inputs: ScoreInputs, visit: Visit, seen: Observed | None, before: Mapping[str, str]
) -> ScoreInputs:
    """The inputs with the visit as decided; `before` is what was observed at it until then."""
    visits = tuple(visit if one.inspection == visit.inspection else one for one in inputs.visits)
    observed = inputs.observed
    if seen is not None:
        place = f"{seen.what}/{seen.instance}"
        # What a later visit observed stays; where several stood side by side, nothing was known.
        if (observed or {}).get(place) == before.get(place):
            observed = {**(observed or {}), place: seen.value}
    return replace(inputs, visits=visits, observed=observed)


def _stand(found: Score) -> Stand:
    raw, grading = found.facility.raw, found.grading
    return Stand(
        grading.grade,
        grading.state,
        None if raw is None else rounded(raw),
        None if grading.capped is None else rounded(grading.capped),
    )
