"""Caps, grade, and why a grade is provisional, withheld or not given (scoring rules 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from checklists.scoring.aggregate import Facility, Totals
from checklists.scoring.exact import VALUE_LEVEL
from checklists.scoring.inputs import FlagFact, Visit
from checklists.scoring.items import UNPROVEN, ItemOutcome

CAP_BY_VALUE = {700: 84, 300: 59, 0: 39}
CAP_UPHELD_FLAG = 39
FULL_COVERAGE = Fraction(9, 10)
LEAST_COVERAGE = Fraction(6, 10)
GRADES = (("A", 85, 75), ("B", 70, 60), ("C", 50, 50), ("D", 40, 0))
NO_GRADE_OUTCOMES = {
    "refused-at-the-gate": "access was refused at the gate; the refusal is itself a finding",
    "unsafe-and-left": "the visit was unsafe and was broken off",
    "evacuated": "the visit ended in an evacuation",
}

ADJUDICATE = "somebody who is none of them has to adjudicate"

NONE, WITHHELD, PROVISIONAL, GRADED = "none", "withheld", "provisional", "graded"
_ORDER = (NONE, WITHHELD, PROVISIONAL, GRADED)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the grade is not simply given; `state` is what it leads to ("graded" is only a note)."""

    state: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Cap:
    """An upper limit on F, in points, and the item or flag that sets it."""

    at: int
    because: str
    item: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Grading:
    """The grade (None where it is withheld or cannot be given), and everything it rests on."""

    state: str
    grade: str | None
    capped: Fraction | None
    caps: tuple[Cap, ...]
    reasons: tuple[Reason, ...]
    smallest: tuple[str, Fraction] | None


def grade_of(
    facility: Facility,
    pillars: Mapping[str, Totals],
    outcomes: Sequence[ItemOutcome],
    flags: Iterable[FlagFact],
    visits: Sequence[Visit],
) -> Grading:
    """Apply caps, look for reasons to hold the grade back, and read the grade off."""
    acting = sorted(filter(_acts, flags), key=lambda f: (f.rule, f.id))
    caps = tuple(sorted(_caps(outcomes, acting), key=lambda c: (c.at, c.item, c.flag)))
    reasons = (*_visit_reasons(visits), *_flag_reasons(acting))
    if any(counts(visit) for visit in visits):
        reasons = (
            *reasons,
            *_coverage_reasons(facility, pillars),
            *_item_reasons(outcomes),
            *_notes(facility, pillars, outcomes),
        )
    capped = facility.graded
    if capped is not None and caps:
        capped = min(capped, Fraction(caps[0].at))
    scores = [(p, s) for p in facility.shares if (s := pillars[p].graded[0]) is not None]
    smallest = min(scores, key=lambda one: one[1], default=None)
    state = next((s for s in _ORDER if any(r.state == s for r in reasons)), GRADED)
    grade = None
    if state in (GRADED, PROVISIONAL) and capped is not None and smallest is not None:
        grade = letter(capped, smallest[1])
    return Grading(state, grade, capped, caps, _in_order(reasons), smallest)


def letter(capped: Fraction, smallest_pillar: Fraction) -> str:
    """The grade of a capped F and the smallest pillar, compared unrounded (rule 9)."""
    for name, least, least_pillar in GRADES:
        if capped >= least and smallest_pillar >= least_pillar:
            return name
    return "E"


def cap_of(one: ItemOutcome) -> int | None:
    """The cap that an item sets on F, in points: only critical ones, by the value that counts."""
    value = counting(one)
    if one.item.severity != "critical" or not one.applicable or value is None:
        return None
    return CAP_BY_VALUE.get(value)


def counting(one: ItemOutcome) -> int | None:
    """The value that an item has for the grade, in thousandths; None where it has none."""
    return one.effective if one.answered else one.for_grade


def said_for_grade(one: ItemOutcome) -> str:
    """Why an item that counts as not observed has a value for the grade; empty where it has none.

    As the end of a sentence about the item.
    """
    if one.for_grade is None:
        return ""
    if any(s.claims for _, s in one.places):
        level = VALUE_LEVEL[one.for_grade].replace("-", " ")
        return (
            f"counted for the grade as {level}, as an adverse answer found it: the evidence of"
            " the better ones fell below a quarter"
        )
    return "counted for the grade as partially met, because its evidence fell below a quarter"


def counts(visit: Visit) -> bool:
    """Whether answers of a visit with this outcome enter a score (rule 2)."""
    return visit.outcome not in NO_GRADE_OUTCOMES


def _acts(flag: FlagFact) -> bool:
    """Only critical flags about operations act on a grade, and protected ones never visibly."""
    return flag.subject == "operations" and flag.severity == "critical" and not flag.protected


def _caps(outcomes: Iterable[ItemOutcome], flags: Iterable[FlagFact]) -> Iterable[Cap]:
    for one in outcomes:
        at = cap_of(one)
        if at is None:
            continue
        because = f"{one.item.id} is critical and "
        if one.effective is not None:
            because += f"counts as {VALUE_LEVEL[one.effective].replace('-', ' ')}"
        yield Cap(at, because + said_for_grade(one), item=one.item.id)
    for flag in flags:
        if flag.status == "upheld":
            because = f"critical flag {flag.rule} about operations was upheld"
            yield Cap(CAP_UPHELD_FLAG, because, flag=flag.id)


def _visit_reasons(visits: Sequence[Visit]) -> Iterable[Reason]:
    kept = [v for v in visits if counts(v)]
    newest = max(((v.at, v.inspection) for v in kept), default=None)
    for visit in sorted(visits, key=lambda v: (v.at, v.inspection)):
        if not visit.signed:
            text = "The visit is not signed off yet; what it says may still change."
            yield Reason(WITHHELD, "unsigned", text)
        for path in visit.side_by_side:
            name = path.partition("/")[2].removesuffix("/-") or path
            text = f"Several values stand side by side: {name}."
            yield Reason(PROVISIONAL, "conflict", text)
        why = NO_GRADE_OUTCOMES.get(visit.outcome, "")
        if why and newest is None:
            yield Reason(NONE, visit.outcome, f"Nothing can be scored: {why}.")
        elif why and newest is not None and (visit.at, visit.inspection) > newest:
            text = f"The newest visit adds nothing: {why}. Earlier answers carry over."
            yield Reason(GRADED, visit.outcome, text)
        elif not visit.outcome:
            yield Reason(PROVISIONAL, "no-outcome", "The outcome of a visit is not recorded.")
    if not visits:
        yield Reason(NONE, "no-visit", "No visit has been made.")


def _coverage_reasons(facility: Facility, pillars: Mapping[str, Totals]) -> Iterable[Reason]:
    if not facility.shares:
        yield Reason(NONE, "nothing-applies", "No scored item applies.")
    for pillar in facility.shares:
        totals = pillars[pillar]
        if not totals.answered:
            text = f"Nothing was answered in the pillar {pillar}."
            yield Reason(NONE, "pillar-unanswered", text)
            continue
        coverage = totals.coverage or Fraction(0)
        seen = f"{totals.answered} of {totals.applicable} weight points"
        if coverage < LEAST_COVERAGE:
            text = f"Too little was seen in the pillar {pillar}: {seen}, at least 60 % are needed."
            yield Reason(NONE, "coverage-too-low", text)
        elif coverage < FULL_COVERAGE:
            text = f"Not all was seen in the pillar {pillar}: {seen}, 90 % are wanted."
            yield Reason(PROVISIONAL, "coverage-low", text)


def _item_reasons(outcomes: Iterable[ItemOutcome]) -> Iterable[Reason]:
    for one in outcomes:
        name = one.item.id
        if one.unread:
            text = f"{name} has an entry that needs a newer version to be read."
            yield Reason(WITHHELD, "unread", text)
        if one.status == UNPROVEN:
            text = f"{name} was answered adversely with too little evidence."
            yield Reason(WITHHELD, "adverse-unproven", text)
        elif one.applicable and not one.answered and one.item.severity == "critical":
            text = f"The critical item {name} is not answered: {one.why}."
            yield Reason(PROVISIONAL, "critical-unanswered", text)
        if one.conflict:
            text = f"{name} has several answers side by side."
            yield Reason(PROVISIONAL, "conflict", text)
        if one.adjudicate:
            text = f"Auditors disagree about {name}: {ADJUDICATE}."
            yield Reason(PROVISIONAL, "adjudication", text)


def _notes(
    facility: Facility, pillars: Mapping[str, Totals], outcomes: Iterable[ItemOutcome]
) -> Iterable[Reason]:
    """What made the grade another than the answers say: told, and no reason to hold it back."""
    lowering = {item for pillar in facility.shares for item in pillars[pillar].graded[1]}
    for one in outcomes:
        if one.for_grade is not None and (one.item.id in lowering or cap_of(one) is not None):
            text = f"{one.item.id} is {said_for_grade(one)}."
            yield Reason(GRADED, "counted-for-grade", text)
        for ruling in one.ruled_out:
            text = f"{one.item.id} was answered adversely with too little evidence and ruled out"
            yield Reason(GRADED, "ruled-out", f"{text}: {ruling.reason.rstrip('.')}.")


def _flag_reasons(flags: Iterable[FlagFact]) -> Iterable[Reason]:
    for flag in flags:
        if flag.status == "open":
            text = f"The critical flag {flag.rule} about operations is open."
            yield Reason(WITHHELD, "open-flag", text)


def _in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda r: _ORDER.index(r.state)))
