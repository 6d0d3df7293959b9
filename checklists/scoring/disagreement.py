"""Several auditors at one place of one visit: the lower median, the extremes, and whether they
disagree so far that somebody who is none of them has to adjudicate (scoring rule 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from checklists.model import Item
from checklists.scoring.exact import LEVEL_VALUE
from checklists.scoring.inputs import GivenAnswer, RuledOut
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
    also,
    combine,
    effective_of,
    judge_answer,
    ruled_out,
    value_of,
)

_RANK = {value: rank for rank, value in enumerate(sorted(LEVEL_VALUE.values()))}
_FAR_APART = 2  # levels
_SAID = frozenset((COUNTED, REFUSED, UNPROVEN, CLAIMED))
_SIDE_BY_SIDE = "several answers stand side by side, the lower median of their auditors counts"
_OVERRULED = (
    "an auditor who disagreed replaced the other's answer, the lower median of their last words"
    " counts"
)


class VisitAnswers(NamedTuple):
    """What one visit says at one place: what stands there, and what was replaced, latest first.

    `overruled` are those of the replaced that are still their auditors' last words; `ruling`
    is an officer's about all of it.
    """

    visit: str
    heads: tuple[GivenAnswer, ...]
    replaced: tuple[GivenAnswer, ...]
    unread: bool = False
    overruled: tuple[GivenAnswer, ...] = ()
    ruling: RuledOut | None = None


def word(
    judge: Judge, item: Item, answer: GivenAnswer, here: VisitAnswers, ruled: bool
) -> Standing:
    """What one answer of a visit is worth; with `ruled`, an unproven adverse one that an officer
    ruled out counts as not observed (rule 3).
    """
    found = judge_answer(judge, item, answer, here.visit)
    if ruled and here.ruling is not None and found.status == UNPROVEN:
        return ruled_out(found, here.ruling.reason)
    return found


def at_visit(judge: Judge, item: Item, here: VisitAnswers, ruled: bool = False) -> Standing:
    """What one visit says at one place; with `ruled`, without what an officer ruled out there, if
    it is what stands in the way: dropped from under a proven word, it would move the median.

    An answer that replaced those of colleagues whom its author disagreed with is a word among
    theirs: the lower median counts, so that no better answer lowers anything. Where they are far
    apart, that is for a third person to settle.
    """
    found = _at_visit(judge, item, here, False)
    if not ruled or here.ruling is None or found.status != UNPROVEN:
        return found
    return _at_visit(judge, item, here, True)


def _at_visit(judge: Judge, item: Item, here: VisitAnswers, ruled: bool) -> Standing:
    heads = here.heads
    if len(heads) == 1 and not (here.unread or here.overruled or heads[0].conflict):
        return word(judge, item, heads[0], here, ruled)
    if not heads:
        status = UNREAD if here.unread else NOT_OBSERVED
        why = "an entry here needs a newer version to be read" if here.unread else "no answer"
        return Standing(status, why, visit=here.visit)
    words = (*heads, *here.overruled)
    own = _each_auditor(judge, item, here, words, ruled)
    # That somebody lacks evidence settles nothing between those who disagree.
    given = _each_auditor(judge, item, here, words, False) if ruled else own
    asked = asks_to_adjudicate(item, given)
    side_by_side = len(heads) > 1 or here.unread or heads[0].conflict
    if here.unread:
        worst = combine([*own, Standing(UNREAD, "an entry here needs a newer version to be read")])
    else:
        worst = lower_median(own)
    parts = [*own, Standing(UNREAD)] if here.unread else own
    differ = side_by_side or len({(p.status, p.value) for p in own}) > 1
    mark = _SIDE_BY_SIDE if side_by_side else _OVERRULED
    return replace(
        worst,
        why=also(mark, worst.why) if differ else worst.why,
        low=min(p.low for p in parts),
        high=max(p.high for p in parts),
        answers=words,
        visit=here.visit,
        auditors=_who_found(worst.value, own),
        conflict=side_by_side,
        fell=worst.status == CLAIMED and any(p.fell for p in own),
        adjudicate=asked,
    )


def _each_auditor(
    judge: Judge, item: Item, here: VisitAnswers, words: Sequence[GivenAnswer], ruled: bool
) -> list[Standing]:
    """What each auditor says, in the order of their ids."""
    said = [(a.auditor, word(judge, item, a, here, ruled)) for a in words]
    auditors = sorted({auditor for auditor, _ in said})
    return [combine([s for by, s in said if by == auditor]) for auditor in auditors]


def asks_to_adjudicate(item: Item, own: Sequence[Standing]) -> bool:
    """Whether what auditors said is two levels apart, or differs at all at a critical item.

    By the answers, before evidence. That an item does not apply differs from every value.
    """
    given = [p for p in own if p.status in _SAID]
    ranks = [_RANK[p.value] for p in given if p.value is not None]
    if ranks and any(p.status == NOT_APPLICABLE for p in own):
        return True
    apart = max(ranks, default=0) - min(ranks, default=0)
    return apart >= (1 if item.severity == "critical" else _FAR_APART)


def lower_median(own: Sequence[Standing]) -> Standing:
    """The lower median of what auditors said, each once; a refusal is a zero.

    Each has a place in it, proven or not: adverse answers by value, then favourable ones without
    evidence, then by what evidence allows. So where the middle lies, and whether it is adverse, is
    the same however much evidence is hidden, and hiding raises nothing:

    - an adverse answer below the middle that is not proven governs;
    - where the middle is adverse, an answer of the same value that is proven counts;
    - where it falls on a claim, the adverse answer next below stands behind it, if there is one.
    """
    said = [p for p in own if p.status in _SAID]
    if not said:
        return combine(own)
    adverse = sorted((p for p in said if p.adverse), key=_proven_first)
    unproven = [p for p in adverse if p.status == UNPROVEN]
    middle = (len(said) - 1) // 2
    if middle < len(adverse):
        value = value_of(adverse[middle])
        lowest = next((p for p in unproven if value_of(p) < value), None)
        return lowest or next(p for p in adverse if value_of(p) == value)
    if unproven:
        return unproven[0]
    favourable = sorted((p for p in said if not p.adverse), key=_claims_first)
    found = favourable[middle - len(adverse)]
    if found.status == CLAIMED and adverse:
        return replace(adverse[-1], claims=1)
    return found


def _who_found(value: int | None, own: Sequence[Standing]) -> tuple[str, ...]:
    return tuple(sorted({a for p in own if p.value == value for a in p.auditors}))


def _proven_first(standing: Standing) -> tuple[int, bool]:
    return value_of(standing), standing.status == UNPROVEN


def _claims_first(standing: Standing) -> tuple[bool, int, int]:
    return standing.status != CLAIMED, effective_of(standing), value_of(standing)
