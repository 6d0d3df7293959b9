"""What one answer is worth by itself, and the worst of several (scoring rules 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from checklists.model import Item, Limits
from checklists.scoring.bands import BandedReading, JudgedReadings, judge_readings
from checklists.scoring.evidence import Dating, Proof, prove
from checklists.scoring.exact import FAVOURABLE, LEVEL_VALUE
from checklists.scoring.inputs import GivenAnswer

COUNTED = "counted"
NOT_OBSERVED = "not-observed"
NOT_APPLICABLE = "not-applicable"
REFUSED = "refused"
UNPROVEN = "adverse-unproven"
UNREAD = "unread"
CLAIMED = "claimed"  # favourable, but counting as not observed

_TOO_LITTLE = "too little evidence; it counts as not observed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What one place says. Values are thousandths; `value` is the answer's, `effective` what the
    evidence leaves of it; `low` and `high` are its bounds. `auditors` have found the same value.

    `adjudicate`: auditors disagree so far that somebody else has to decide (rule 5). `fell`: a
    favourable answer whose evidence is under a quarter. `claims` is how many visits claimed
    something better since, or beside, an adverse answer that stands again behind them.
    """

    status: str
    why: str = ""
    value: int | None = None
    effective: int | None = None
    low: int = 0
    high: int = 1000
    instrument: bool = False
    auditors: tuple[str, ...] = ()
    proof: Proof | None = None
    readings: tuple[BandedReading, ...] = ()
    answers: tuple[GivenAnswer, ...] = ()
    visit: str = ""
    conflict: bool = False
    fell: bool = False
    claims: int = 0
    adjudicate: bool = False

    @property
    def adverse(self) -> bool:
        """Whether it is (or, unread, may be) a finding that nothing unobserved displaces."""
        if self.status == COUNTED:
            return self.value is not None and self.value < FAVOURABLE
        return self.status in (REFUSED, UNPROVEN, UNREAD)


@dataclass(frozen=True, slots=True)
class Judge:
    """What is needed to judge any answer: limits and dates."""

    limits: Limits | None
    dating: Dating


def judge_answer(judge: Judge, item: Item, answer: GivenAnswer, visit: str) -> Standing:
    """What one answer is worth by itself (scoring rules 1 to 4)."""
    given, by = (answer,), (answer.auditor,)
    if answer.special == "refused":
        why = "access was refused"
        return Standing(REFUSED, why, 0, 0, 0, 0, answers=given, visit=visit, auditors=by)
    if answer.special is not None:
        status, why = _special(item, answer)
        return Standing(status, why, answers=given, visit=visit, auditors=by)
    proof = prove(item.pieces, answer.evidence, judge.dating)
    judged = None
    if item.scale == "readings" and answer.readings:
        judged = judge_readings(item.analytes, answer.readings, judge.limits)
    allowance = proof.allowance
    status, why, value = _worth(item, answer, judged, allowance)
    effective, low, high = None, 0, 1000
    if status == COUNTED and value is not None and allowance is not None:
        effective = low = high = min(value, allowance)
    elif status == UNPROVEN:
        high = 0
    return Standing(
        status,
        why,
        value,
        effective,
        low,
        high,
        instrument=judged is not None and judged.measured,
        auditors=by,
        proof=proof,
        readings=() if judged is None else judged.rows,
        answers=given,
        visit=visit,
        fell=why == _TOO_LITTLE,
    )


def ruled_out(standing: Standing, reason: str) -> Standing:
    """An unproven adverse answer that an officer ruled out: it counts as not observed (rule 3)."""
    why = f"ruled out for want of evidence: {reason.rstrip('.')}"
    return replace(standing, status=NOT_OBSERVED, why=why, low=0, high=1000)


def combine(parts: Sequence[Standing]) -> Standing:
    """The worst of several standings: what counts where all of them speak at once.

    A proven adverse answer counts even beside claims; a favourable one, however little its evidence
    allows, only where every claim is proven. An unproven adverse answer governs where it is lower
    than every adverse one that is proven. So less evidence never lets anything count that did not.
    """
    if len(parts) == 1:
        return parts[0]
    refused = [p for p in parts if p.status == REFUSED]
    if refused:
        return refused[0]
    unread = [p for p in parts if p.status == UNREAD]
    counted = sorted((p for p in parts if p.status == COUNTED), key=worst_first)
    adverse = bool(counted) and counted[0].adverse
    worst = effective_of(counted[0]) if adverse else 1001
    unproven = sorted((p for p in parts if p.status == UNPROVEN), key=value_of)
    if unproven and value_of(unproven[0]) < worst:
        return unproven[0]
    if unread:
        return unread[0]
    claimed = [p for p in parts if p.status == CLAIMED]
    if counted and (adverse or not claimed):
        return counted[0]
    if claimed:
        return claimed[0]
    silent = [p for p in parts if p.status == NOT_OBSERVED]
    return silent[0] if silent else parts[0]


def _special(item: Item, answer: GivenAnswer) -> tuple[str, str]:
    """What "not observed" and "not applicable" come to, and why."""
    if answer.special == "not-observed":
        return NOT_OBSERVED, answer.reason or "not observed"
    if not answer.reason.strip():
        return NOT_OBSERVED, "not applicable needs a reason; it counts as not observed"
    if item.severity == "critical" and answer.second in (None, "", answer.auditor):
        why = "not applicable at a critical item needs a second person; it counts as not observed"
        return NOT_OBSERVED, why
    return NOT_APPLICABLE, answer.reason


def _worth(
    item: Item, answer: GivenAnswer, judged: JudgedReadings | None, allowance: int | None
) -> tuple[str, str, int | None]:
    """Status, why, and value of a level or of readings."""
    if judged is not None:
        if judged.value is None:
            return CLAIMED, "no reading can be used", None
        if judged.value >= FAVOURABLE and judged.missing:
            why = f"no usable reading of {', '.join(judged.missing)}"
            return CLAIMED, why, judged.value
        return _weighed(judged.value, allowance)
    if answer.level is None:
        return CLAIMED, "readings were given where a level is asked", None
    value = LEVEL_VALUE[answer.level]
    if item.scale == "readings" and value >= FAVOURABLE:
        return CLAIMED, "a level was given without readings", value
    return _weighed(value, allowance)


def _weighed(value: int, allowance: int | None) -> tuple[str, str, int]:
    if allowance is not None:
        return COUNTED, "" if value <= allowance else "the evidence allows no more", value
    if value >= FAVOURABLE:
        return CLAIMED, _TOO_LITTLE, value
    why = "adverse with too little evidence; the grade waits for evidence or a ruling"
    return UNPROVEN, why, value


def worst_first(standing: Standing) -> tuple[int, int]:
    return effective_of(standing), value_of(standing)


def effective_of(standing: Standing) -> int:
    return standing.effective if standing.effective is not None else 0


def value_of(standing: Standing) -> int:
    return standing.value if standing.value is not None else 0


def also(first: str, second: str) -> str:
    return f"{first}; {second}" if second else first
