"""A merged inspection -> a visit as scoring takes it (rules 2, 3 and 11; protocol L6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from checklists.scoring.inputs import EvidenceFact, GivenAnswer, Visit
from checklists.scoring.rulings import fitting
from sync.inspection import Answer, Evidence, Inspection, Slot
from sync.problems import problem

ADVERSE_LEVELS = ("partially", "does-not-meet")
_NO_GRADE = ("refused-at-the-gate", "unsafe-and-left", "evacuated")


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """What the side that scores knows of one piece of evidence beyond what its entry says."""

    held: bool
    signed: bool = True
    flagged: tuple[str, ...] = ()
    rejected: str = ""
    expires: str = ""


def visit_of(
    inspection: Inspection, evidence_state: Callable[[Evidence], EvidenceState], at: int
) -> Visit:
    """The visit that an inspection records; `at` is its time in UTC milliseconds.

    Values side by side all go in, marked as a conflict. Of what was replaced, adverse answers go in
    too, and the last words of those who disagree, both marked. Of officers' rulings those go in
    that apply. Raises the problem `training-not-scored` for a training inspection (rule 11).
    """
    abouts = (*inspection.about.heads, *inspection.about.earlier)
    if any(about.mode == "training" for about in abouts):
        raise problem("training-not-scored", inspection=inspection.id)
    supporting = _Supporting(inspection, evidence_state)
    answers: list[GivenAnswer] = []
    for slot in inspection.answers.values():
        answers.extend(_slot_answers(slot, supporting))
    unread = tuple(sorted(place for place, slot in inspection.answers.items() if slot.unread))
    others = tuple(p for p in inspection.conflicts if not p.startswith("answers/"))
    outcome = _outcome(inspection)
    return Visit(
        inspection.id,
        at,
        outcome,
        tuple(answers),
        unread,
        side_by_side=others,
        rulings=fitting(inspection, answers, unread),
    )


class _Supporting:
    """Which evidence supports which answer, indexed once for the whole inspection."""

    def __init__(
        self, inspection: Inspection, evidence_state: Callable[[Evidence], EvidenceState]
    ) -> None:
        self._by_digest: dict[str, list[EvidenceFact]] = {}
        self._by_place: dict[str, list[EvidenceFact]] = {}
        for slot in inspection.evidence.values():
            for evidence in slot.heads:
                fact = _fact(evidence, evidence_state(evidence))
                self._by_digest.setdefault(evidence.sha256, []).append(fact)
                for place in evidence.items:
                    self._by_place.setdefault(place, []).append(fact)

    def of(self, item: str, instance: str, digests: Iterable[str]) -> tuple[EvidenceFact, ...]:
        found = [fact for digest in digests for fact in self._by_digest.get(digest, ())]
        for place in {f"{item}/{instance}", f"{item}/-"}:
            found.extend(self._by_place.get(place, ()))
        return tuple(sorted(set(found), key=lambda f: (f.made_at, f.sha256, f.kind, f.signed)))


def _slot_answers(slot: Slot[Answer], supporting: _Supporting) -> Iterable[GivenAnswer]:
    # As in Inspection.evidence_for, what one of several heads names supports them all.
    words = (*slot.heads, *slot.overruled)
    named = [digest for word in words for digest in word.evidence]
    for head in slot.heads:
        yield _given(head, supporting, named, slot.conflict)
    last_words = {word.written.h for word in slot.overruled}
    for earlier in slot.earlier:
        overruled = earlier.written.h in last_words
        if overruled or _may_be_adverse(earlier):
            digests = named if overruled else earlier.evidence
            given = _given(earlier, supporting, digests, False)
            yield replace(given, replaced=True, overruled=overruled)


def _given(
    answer: Answer, supporting: _Supporting, digests: Iterable[str], conflict: bool
) -> GivenAnswer:
    return GivenAnswer(
        item=answer.item,
        instance=answer.instance,
        level=answer.level,
        special=answer.special,
        readings=answer.readings,
        reason=answer.reason,
        second=answer.second,
        evidence=supporting.of(answer.item, answer.instance, digests),
        auditor=answer.written.by,
        at=answer.written.at,
        entry=answer.written.h,
        conflict=conflict,
        signed=answer.written.signed,
    )


def _may_be_adverse(answer: Answer) -> bool:
    """Readings are adverse only against their limits, which scoring knows; so they go along."""
    return bool(answer.level in ADVERSE_LEVELS or answer.special == "refused" or answer.readings)


def _fact(evidence: Evidence, state: EvidenceState) -> EvidenceFact:
    made_at = evidence.taken_at if evidence.taken_at is not None else evidence.written.at
    return EvidenceFact(
        sha256=evidence.sha256,
        kind=evidence.kind,
        made_at=made_at,
        held=state.held,
        signed=state.signed,
        flagged=tuple(sorted(state.flagged)),
        rejected=state.rejected,
        expires=state.expires,
    )


def _outcome(inspection: Inspection) -> str:
    """The outcome; among several side by side, one that carries no grade."""
    heads = [head.outcome for head in inspection.outcome.heads]
    return next((one for one in heads if one in _NO_GRADE), heads[0] if heads else "")
