"""One item's outcome over all its places (scoring rules 1 to 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from checklists.conditions import Context, applies, items_named
from checklists.model import Item, Limits, Section
from checklists.scoring.bands import bound_of, judge_readings
from checklists.scoring.exact import VALUE_LEVEL
from checklists.scoring.inputs import RuledOut, ScoreInputs
from checklists.scoring.places import History, stand
from checklists.scoring.standing import (
    CLAIMED,
    COUNTED,
    NOT_APPLICABLE,
    NOT_OBSERVED,
    REFUSED,
    UNPROVEN,
    UNREAD,
    Judge,
    Standing,
    combine,
)

UNANSWERED = "unanswered"
NO_LIMIT = "no-limit"
DOES_NOT_APPLY = "does-not-apply"
APPLICABLE = frozenset((COUNTED, REFUSED, NOT_OBSERVED, UNANSWERED, UNPROVEN))
ANSWERED = frozenset((COUNTED, REFUSED))
UNSEEN = frozenset((NOT_OBSERVED, UNANSWERED))
FELL = 300  # thousandths: what a favourable answer without evidence counts for the grade
_NONE = Fraction(0)
_BEHIND = "what was claimed since an earlier adverse answer has too little evidence"

Places = Mapping[str, History]


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How an item enters the score. Values and bounds are thousandths; `variance` is the square
    of sigma in thousandths. `deciding` is the place that settled it, None where nobody answered.
    `for_grade` is the value that an item counting as not observed has for the grade alone.
    `ruled_out` are the rulings without which it would wait for evidence.
    """

    section: Section
    item: Item
    status: str
    why: str
    effective: int | None
    low: int
    high: int
    variance: Fraction
    deciding: Standing | None
    places: tuple[tuple[str, Standing], ...]
    gaps: tuple[str, ...]
    for_grade: int | None = None
    ruled_out: tuple[RuledOut, ...] = ()

    @property
    def conflict(self) -> bool:
        return any(standing.conflict for _, standing in self.places)

    @property
    def adjudicate(self) -> bool:
        return any(standing.adjudicate for _, standing in self.places)

    @property
    def unread(self) -> bool:
        return any(standing.status == UNREAD for _, standing in self.places)

    @property
    def applicable(self) -> bool:
        return self.status in APPLICABLE

    @property
    def answered(self) -> bool:
        return self.status in ANSWERED


def judge_items(
    inputs: ScoreInputs, judge: Judge, places: Mapping[str, Places]
) -> Iterator[ItemOutcome]:
    """The outcome of every item of the checklist, in its order."""
    context = _context(inputs, places)
    for section, item in inputs.checklist.items():
        gaps: tuple[str, ...] = ()
        if item.analytes:
            gaps = tuple(a.id for a in item.analytes if bound_of(a, inputs.limits) is None)
        if applies(item.condition, context) is False:
            yield _absent(section, item, DOES_NOT_APPLY, "its condition does not hold here", ())
        elif item.scale == "readings" and len(gaps) == len(item.analytes):
            yield _absent(section, item, NO_LIMIT, "no legal limit for anything it reads", gaps)
        else:
            yield _outcome(inputs, judge, section, item, places.get(item.id, {}), gaps)


def _outcome(
    inputs: ScoreInputs,
    judge: Judge,
    section: Section,
    item: Item,
    places: Places,
    gaps: tuple[str, ...],
) -> ItemOutcome:
    standings = tuple((name, stand(judge, item, places[name])) for name in sorted(places))
    if not standings:
        return _absent(section, item, UNANSWERED, "no answer", gaps)
    said = [standing for _, standing in standings]
    status, why, deciding = _decided(item, said)
    ruled: tuple[RuledOut, ...] = ()
    if status == UNPROVEN and any(h.ruling for history in places.values() for h in history):
        # Only then: what a proven finding governs anyway is no matter of evidence that is missing.
        before, standings = (
            standings,
            tuple((name, stand(judge, item, places[name], ruled=True)) for name in sorted(places)),
        )
        ruled = _rulings_that_took(places, before, standings)
        said = [standing for _, standing in standings]
        status, why, deciding = _decided(item, said)
    low, high = _bounds(status, said)
    effective = deciding.effective if status in ANSWERED else None
    for_grade = _for_grade(said) if status in UNSEEN else None
    variance = _NONE
    if status == COUNTED and not deciding.instrument:
        variance = _variance(inputs, deciding)
    return ItemOutcome(
        section,
        item,
        status,
        why,
        effective,
        low,
        high,
        variance,
        deciding,
        standings,
        gaps,
        for_grade,
        ruled,
    )


def _rulings_that_took(
    places: Places,
    before: Sequence[tuple[str, Standing]],
    after: Sequence[tuple[str, Standing]],
) -> tuple[RuledOut, ...]:
    """The rulings at the places that stand otherwise with them than without."""
    changed = [name for (name, was), (_, now) in zip(before, after, strict=True) if was != now]
    return tuple(h.ruling for name in changed for h in places[name] if h.ruling is not None)


def _decided(item: Item, standings: list[Standing]) -> tuple[str, str, Standing]:
    """The item's status, why, and the place that settles it.

    An earlier adverse answer behind a claim counts where the item would count if the claim were
    proven. Otherwise hiding the claim's evidence would let the item count as seen.
    """
    hoped = [_hoped(s) for s in standings]
    settled = combine(hoped)
    status, why = _status(item, settled, hoped)
    if status in ANSWERED:
        deciding = combine(standings)
        return deciding.status, deciding.why, deciding
    return status, why, standings[hoped.index(settled)]


def _hoped(standing: Standing) -> Standing:
    """The place as it would be were the newest claim proven; earlier claims stay claims."""
    if standing.claims == 0:
        return standing
    if standing.claims == 1:
        return replace(standing, status=COUNTED, value=1000, effective=1000)
    return replace(standing, status=CLAIMED, why=_BEHIND)


def _for_grade(standings: list[Standing]) -> int | None:
    """The lowest that hidden evidence may stand for: 0.3, or the adverse answer behind it."""
    values = [s.effective for s in standings if s.claims and s.effective is not None]
    values += [FELL] if any(s.fell for s in standings) else []
    return min(values, default=None)


def _status(item: Item, deciding: Standing, standings: list[Standing]) -> tuple[str, str]:
    """The item's status and why; a good value needs as many instances as the item asks for."""
    if deciding.status == UNREAD:
        return UNANSWERED, deciding.why
    if deciding.status == CLAIMED:
        return NOT_OBSERVED, deciding.why
    if deciding.status == NOT_OBSERVED:
        return (NOT_OBSERVED if deciding.answers else UNANSWERED), deciding.why
    if item.instances is not None and deciding.status == COUNTED and not deciding.adverse:
        wanted, counted = item.instances.at_least, sum(s.status == COUNTED for s in standings)
        if counted < wanted:
            why = f"{counted} of at least {wanted} instances; it counts as not observed"
            return NOT_OBSERVED, why
    return deciding.status, deciding.why


def _bounds(status: str, standings: list[Standing]) -> tuple[int, int]:
    """Bounds of the item: it is as good as its worst place, at best and at worst."""
    if status in (REFUSED, UNPROVEN):
        # Rule 3 fixes an unproven adverse answer at 0; only a rival answer beside it widens that.
        high = [s.high for s in standings if s.status == status]
        return 0, min(high)
    if status != COUNTED:
        return 0, 1000
    if len(standings) == 1:
        return standings[0].low, standings[0].high
    counted = [s for s in standings if s.status == COUNTED]
    # A place whose evidence is not there may be as bad as any, so hiding it raises no bound.
    hidden = [s for s in standings if s.status in (CLAIMED, UNPROVEN)]
    return min(s.low for s in (*counted, *hidden)), min(s.high for s in counted)


def _variance(inputs: ScoreInputs, deciding: Standing) -> Fraction:
    """sigma² of the mean of independent auditors: the sum of their sigma² over their number²."""
    own = inputs.sigmas or {}
    squares = sum(
        own.get(auditor, inputs.profile.sigma_thousandths) ** 2 for auditor in deciding.auditors
    )
    return _share(squares, max(1, len(deciding.auditors)) ** 2)


@lru_cache(maxsize=1024)
def _share(squares: int, count: int) -> Fraction:
    return Fraction(squares, count)


def _absent(
    section: Section, item: Item, status: str, why: str, gaps: tuple[str, ...]
) -> ItemOutcome:
    return ItemOutcome(section, item, status, why, None, 0, 1000, _NONE, None, (), gaps)


# -- what conditions look at ----------------------------------------------------------------------


def _context(inputs: ScoreInputs, places: Mapping[str, Places]) -> Context:
    """Conditions read answers as recorded, before evidence; earlier ones where none is newer."""
    asked = {s for _, item in inputs.checklist.items() for s in items_named(item.condition)}
    answers: dict[str, tuple[str, ...]] = {}
    for _, item in inputs.checklist.items():
        if item.id in asked:
            given = (
                _recorded(item, history, inputs.limits)
                for history in places.get(item.id, {}).values()
            )
            answers[item.id] = tuple(sorted({one for group in given for one in group}))
    return Context(
        answers=answers,
        observed=inputs.observed or {},
        processes=inputs.processes,
        exposure=inputs.exposure,
    )


def _recorded(item: Item, history: History, limits: Limits | None) -> tuple[str, ...]:
    fallback: tuple[str, ...] = ()
    for here in history:
        given: list[str] = []
        for answer in here.heads:
            if answer.readings:
                value = judge_readings(item.analytes, answer.readings, limits).value
                given.extend([] if value is None else [VALUE_LEVEL[value]])
            else:
                given.append(answer.level or answer.special or NOT_OBSERVED)
        if any(one != NOT_OBSERVED for one in given):
            return tuple(given)
        fallback = fallback or tuple(given)
    return fallback


__all__ = [
    "ANSWERED",
    "APPLICABLE",
    "COUNTED",
    "DOES_NOT_APPLY",
    "NOT_APPLICABLE",
    "NOT_OBSERVED",
    "NO_LIMIT",
    "REFUSED",
    "UNANSWERED",
    "UNPROVEN",
    "ItemOutcome",
    "judge_items",
]
