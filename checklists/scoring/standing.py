"""What one answer is worth by itself, and the worst of several (scoring rules 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from checklists.model import Item, Limits
from checklists.scoring.bands import BandedReading, judge_readings
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What one place says. Values are thousandths; `value` is the answer's, `effective` what the
    evidence leaves of it; `low` and `high` are its bounds. `auditors` have found the same value.

    `adjudicate`: auditors disagree so far that somebody else has to decide (rule 5). `fell`: a
    favourable answer whose evidence is under a quarter. `claims` is how many visits
    claimed something better since an earlier adverse answer that stands again behind them.
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
    base = Standing(NOT_OBSERVED, answers=(answer,), visit=visit, auditors=(answer.auditor,))
    if answer.special is not None:
        return _special(item, answer, base)
    proof = prove(item.pieces, answer.evidence, judge.dating)
    base = replace(base, proof=proof)
    if item.scale == "readings" and answer.readings:
        judged = judge_readings(item.analytes, answer.readings, judge.limits)
        base = replace(base, readings=judged.rows, instrument=judged.measured)
        if judged.value is None:
            return replace(base, status=CLAIMED, why="no reading can be used")
        if judged.value >= FAVOURABLE and judged.missing:
            why = f"no usable reading of {', '.join(judged.missing)}"
            return replace(base, status=CLAIMED, why=why, value=judged.value)
        return _weighed(base, judged.value, proof)
    if answer.level is None:
        return replace(base, status=CLAIMED, why="readings were given where a level is asked")
    value = LEVEL_VALUE[answer.level]
    if item.scale == "readings" and value >= FAVOURABLE:
        return replace(base, status=CLAIMED, why="a level was given without readings", value=value)
    return _weighed(base, value, proof)


def combine(parts: Sequence[Standing]) -> Standing:
    """The worst of several standings: what counts where all of them speak at once.

    A proven adverse answer counts even beside claims; a favourable one, however little its evidence
    allows, only where every claim is proven. An unproven adverse answer governs where it is lower
    than every adverse one that is proven. So less evidence never lets anything count that did not.
    """
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


def _special(item: Item, answer: GivenAnswer, base: Standing) -> Standing:
    if answer.special == "refused":
        why = "access was refused"
        return replace(base, status=REFUSED, why=why, value=0, effective=0, high=0)
    if answer.special == "not-observed":
        return replace(base, why=answer.reason or "not observed")
    if not answer.reason.strip():
        return replace(base, why="not applicable needs a reason; it counts as not observed")
    if item.severity == "critical" and answer.second in (None, "", answer.auditor):
        why = "not applicable at a critical item needs a second person; it counts as not observed"
        return replace(base, why=why)
    return replace(base, status=NOT_APPLICABLE, why=answer.reason)


def _weighed(base: Standing, value: int, proof: Proof) -> Standing:
    allowance = proof.allowance
    if allowance is not None:
        effective = min(value, allowance)
        why = "" if effective == value else "the evidence allows no more"
        return replace(
            base,
            status=COUNTED,
            why=why,
            value=value,
            effective=effective,
            low=effective,
            high=effective,
        )
    if value >= FAVOURABLE:
        why = "too little evidence; it counts as not observed"
        return replace(base, status=CLAIMED, why=why, value=value, fell=True)
    why = "adverse with too little evidence; the grade waits for evidence or a ruling"
    return replace(base, status=UNPROVEN, why=why, value=value, high=0)


def worst_first(standing: Standing) -> tuple[int, int]:
    return effective_of(standing), value_of(standing)


def effective_of(standing: Standing) -> int:
    return standing.effective if standing.effective is not None else 0


def value_of(standing: Standing) -> int:
    return standing.value if standing.value is not None else 0


def also(first: str, second: str) -> str:
    return f"{first}; {second}" if second else first
