"""What stands at one place of an item (a well, a pond, or `-`), over all visits that count.

The newest answer stands; "not observed" and favourable answers without evidence never displace an
earlier adverse one (scoring rules 2 to 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from checklists.model import Item, Limits
from checklists.scoring.bands import BandedReading, judge_readings
from checklists.scoring.evidence import Dating, Proof, prove
from checklists.scoring.exact import FAVOURABLE, LEVEL_VALUE
from checklists.scoring.inputs import GivenAnswer, Visit

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

    `fell`: a favourable answer whose evidence is under a quarter. `claims` is how many visits
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

    @property
    def adverse(self) -> bool:
        """Whether it is (or, unread, may be) a finding that nothing unobserved displaces."""
        if self.status == COUNTED:
            return self.value is not None and self.value < FAVOURABLE
        return self.status in (REFUSED, UNPROVEN, UNREAD)


@dataclass(frozen=True, slots=True)
class VisitAnswers:
    """What one visit says at one place: what stands there, and what was replaced, latest first."""

    visit: str
    heads: tuple[GivenAnswer, ...]
    replaced: tuple[GivenAnswer, ...]
    unread: bool = False


History = Sequence[VisitAnswers]  # of one place, newest visit first


@dataclass(frozen=True, slots=True)
class Judge:
    """What is needed to judge any answer: limits and dates."""

    limits: Limits | None
    dating: Dating


def histories(visits: Iterable[Visit]) -> dict[str, dict[str, list[VisitAnswers]]]:
    """Item -> instance -> what each visit says there, newest first, whatever order they came in."""
    found: dict[str, dict[str, list[VisitAnswers]]] = {}
    newest_first = sorted(visits, key=lambda v: (v.at, v.inspection), reverse=True)
    for visit in newest_first:
        places: dict[tuple[str, str], list[GivenAnswer]] = {p: [] for p in visit.unread}
        for answer in visit.answers:
            places.setdefault((answer.item, answer.instance), []).append(answer)
        unread = frozenset(visit.unread)
        for (item, instance), answers in places.items():
            answers.sort(key=lambda a: (a.at, a.entry), reverse=True)
            here = VisitAnswers(
                visit.inspection,
                tuple(a for a in answers if not a.replaced),
                tuple(a for a in answers if a.replaced),
                (item, instance) in unread,
            )
            found.setdefault(item, {}).setdefault(instance, []).append(here)
    return found


def stand(judge: Judge, item: Item, history: History) -> Standing:
    """What stands at a place, walking from the newest visit to the oldest."""
    silent: Standing | None = None
    claims = 0
    for index, here in enumerate(history):
        latest = _visit_standing(judge, item, here)
        if silent is None and latest.status not in (CLAIMED, NOT_OBSERVED):
            return _corroborated(judge, item, latest, history[index + 1 :])
        claimed = silent is not None and silent.status == CLAIMED
        if latest.adverse or (latest.status not in (CLAIMED, NOT_OBSERVED) and not claimed):
            found = _corroborated(judge, item, latest, history[index + 1 :])
            return _behind(found, claims)
        if latest.status not in (CLAIMED, NOT_OBSERVED):
            break  # claimed now, favourable before: it was visited, so nothing carries over
        if latest.status == CLAIMED or silent is None:
            silent = latest if not claimed else silent
        claims += latest.status == CLAIMED
        for answer in here.replaced:
            earlier = judge_answer(judge, item, answer, here.visit)
            if earlier.adverse:
                why = "an earlier adverse answer of this visit, which nothing observed has replaced"
                return _behind(replace(earlier, why=_also(why, earlier.why)), claims)
    return silent or Standing(NOT_OBSERVED, "no answer")


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
    counted = sorted((p for p in parts if p.status == COUNTED), key=_worst_first)
    adverse = bool(counted) and counted[0].adverse
    worst = _effective(counted[0]) if adverse else 1001
    unproven = sorted((p for p in parts if p.status == UNPROVEN), key=_value)
    if unproven and _value(unproven[0]) < worst:
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


def _visit_standing(judge: Judge, item: Item, here: VisitAnswers) -> Standing:
    parts = [judge_answer(judge, item, a, here.visit) for a in here.heads]
    if here.unread:
        why = "an entry here needs a newer version to be read"
        parts.append(Standing(UNREAD, why, visit=here.visit))
    if not parts:
        return Standing(NOT_OBSERVED, "no answer", visit=here.visit)
    if len(parts) == 1 and not parts[0].answers:
        return parts[0]
    if len(parts) == 1 and not here.heads[0].conflict:
        return parts[0]
    worst = combine(parts)
    same = {a for p in parts if p.value == worst.value for a in p.auditors}
    return replace(
        worst,
        why=_also("several answers stand side by side, the lowest counts", worst.why),
        low=min(p.low for p in parts),
        high=max(p.high for p in parts),
        answers=here.heads,
        auditors=tuple(sorted(same)),
        conflict=True,
        fell=worst.status == CLAIMED and any(p.fell for p in parts),
    )


def _corroborated(judge: Judge, item: Item, found: Standing, older: History) -> Standing:
    """Add the auditors who found the same value before, as far back as nobody found another."""
    if found.status != COUNTED:
        return found
    auditors = set(found.auditors)
    for here in older:
        before = _visit_standing(judge, item, here)
        if before.status == NOT_OBSERVED:
            continue
        if before.status != COUNTED or before.value != found.value:
            break
        auditors.update(before.auditors)
    return replace(found, auditors=tuple(sorted(auditors)))


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


def _behind(found: Standing, claims: int) -> Standing:
    return replace(found, claims=claims) if found.status in (COUNTED, REFUSED) else found


def _worst_first(standing: Standing) -> tuple[int, int]:
    return _effective(standing), _value(standing)


def _effective(standing: Standing) -> int:
    return standing.effective if standing.effective is not None else 0


def _value(standing: Standing) -> int:
    return standing.value if standing.value is not None else 0


def _also(first: str, second: str) -> str:
    return f"{first}; {second}" if second else first
