"""What holds for every score, whatever was answered."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import scoring_world as w
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists import published
from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import SEVERITIES, Checklist, Item, Piece
from checklists.scoring import Score, inputs_from_json, inputs_to_json, score, score_bytes
from checklists.scoring.inputs import EvidenceFact, GivenAnswer, ScoreInputs, Visit
from sync.inspection import LEVELS, SPECIALS

PIECES = (Piece("photo", 1, 2), Piece("sample", 2))
TABLE = w.limits(As="0.010", Pb="0.010")
ITEMS = (
    *(w.item(f"E{n}", s, "environment", pieces=PIECES) for n, s in enumerate(SEVERITIES)),
    *(w.item(f"S{n}", s, "social", pieces=PIECES) for n, s in enumerate(SEVERITIES)),
    w.item("G0", "major", "governance", pieces=PIECES),
    w.item("W", "critical", "environment", pieces=PIECES, instances=2),
    w.item("N", "major", "governance", scale="readings", analytes=(w.analyte("As", "As"),)),
)
SMALL = w.checklist(ITEMS[:4], ITEMS[4:])
FILES = (
    published.checklist_bytes("rare-earth-site"),
    published.limits_bytes("example"),
    published.profile_bytes("default"),
)
PUBLISHED = load_checklist(FILES[0], "checklist")
RANK = {None: 0, "E": 1, "D": 2, "C": 3, "B": 4, "A": 5}

WORDS = (*LEVELS, *LEVELS, *SPECIALS)
GOOD = ("fully", "fully", "fully", "substantially", "partially")
unhurried = settings(deadline=None, max_examples=150)


class Maker:
    """Draws a site from a seed: quick, and a seed that fails is all there is to report."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.kind = self.dice.choice(("well kept", "anything"))

    def fact(self, kind: str) -> EvidenceFact:
        dice = self.dice
        if self.kind == "well kept":
            return w.fact(f"file-{dice.getrandbits(64)}", kind, days_old=dice.randrange(100))
        return w.fact(
            f"file-{dice.randrange(60)}",
            dice.choice((kind, kind, "document")),
            days_old=dice.randrange(1500),
            held=dice.random() < 0.8,
            signed=dice.random() < 0.8,
            flagged=dice.choice(((), (), ("R12",))),
        )

    def answer(self, item: Item, instance: str) -> GivenAnswer:
        dice = self.dice
        most = 1.0 if self.kind == "well kept" else dice.random() + 0.3
        evidence = tuple(
            self.fact(piece.kind)
            for piece in item.pieces
            for _ in range(piece.at_least)
            if dice.random() < most
        )
        readings = ()
        if item.analytes:
            value = dice.choice(("0.001", "0.0095", "0.012", "0.05"))
            readings = (w.reading("As", value, dice.choice(("0.001", None))),)
        return w.answer(
            item.id,
            "" if readings else dice.choice(GOOD if self.kind == "well kept" else WORDS),
            instance=instance,
            evidence=evidence,
            readings=readings,
            auditor=dice.choice(("p-a", "p-b")),
            reason=dice.choice(("", "none here")),
            second=dice.choice((None, "p-b")),
            at=dice.randrange(w.NOW),
        )

    def visit(self, name: str, what: Checklist = SMALL) -> Visit:
        dice = self.dice
        given: list[GivenAnswer] = []
        for _, item in what.items():
            for instance in ("-",) if item.instances is None else ("w1", "w2"):
                if dice.random() < 0.04:
                    continue
                one = self.answer(item, instance)
                if dice.random() < 0.04:
                    rival = replace(self.answer(item, instance), conflict=True)
                    given += [replace(one, conflict=True), rival]
                else:
                    given.append(one)
        at = w.NOW - dice.randrange(900) * w.DAY_MS
        outcome = dice.choice(("visited", "visited", "visited", "partly", "evacuated"))
        return Visit(name, at, outcome, tuple(given))

    def site(self, most: int) -> ScoreInputs:
        count = self.dice.randint(1, most)
        return w.inputs(SMALL, [self.visit(f"v{n}") for n in range(count)], table=TABLE)


seeds = st.integers(0, 2**48)
sites = seeds.map(lambda seed: Maker(seed).site(3))
single_visits = seeds.map(lambda seed: Maker(seed).site(1))


def bounds(document: dict[str, Any]) -> list[tuple[str, Fraction, Fraction]]:
    """Lower bound and coverage of the whole and of each pillar."""
    rows = [("whole", document["low"], document["coverage"])]
    rows += [(p["pillar"], p["L"], p["coverage"]) for p in document["pillars"]]
    return [(name, Fraction(low or 0), Fraction(seen or 0)) for name, low, seen in rows]


def change(inputs: ScoreInputs, old: GivenAnswer, new: GivenAnswer) -> ScoreInputs:
    turned = tuple(
        replace(v, answers=tuple(new if a is old else a for a in v.answers)) for v in inputs.visits
    )
    return replace(inputs, visits=turned)


def hide(inputs: ScoreInputs, answer: GivenAnswer) -> ScoreInputs:
    """The same inputs where the server holds none of the files of one answer."""
    hidden = tuple(replace(fact, held=False) for fact in answer.evidence)
    return change(inputs, answer, replace(answer, evidence=hidden))


def each(inputs: ScoreInputs) -> list[GivenAnswer]:
    return [a for v in inputs.visits for a in v.answers]


@unhurried
@given(sites, seeds)
def test_the_order_of_visits_answers_and_evidence_never_matters(
    inputs: ScoreInputs, seed: int
) -> None:
    dice = random.Random(seed)

    def mixed(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dice.sample(rows, len(rows)))

    turned = mixed(
        tuple(
            replace(
                v, answers=mixed(tuple(replace(a, evidence=mixed(a.evidence)) for a in v.answers))
            )
            for v in inputs.visits
        )
    )
    assert score_bytes(score(replace(inputs, visits=turned))) == score_bytes(score(inputs))


@unhurried
@given(sites)
def test_the_score_lies_between_its_bounds_unless_something_adverse_is_unproven(
    inputs: ScoreInputs,
) -> None:
    """Rule 6; rule 3 takes an unproven adverse answer out of S and sets both its bounds to 0."""
    result = score(inputs)
    for pillar, sums in result.pillars.items():
        mine = [o for o in result.outcomes if o.item.pillar == pillar]
        if sums.s is None or any(o.status == "adverse-unproven" for o in mine):
            continue
        assert sums.lower is not None and sums.upper is not None
        assert sums.lower <= sums.s <= sums.upper
    f = result.facility
    if f.lower is not None and f.upper is not None and f.interval is not None:
        assert 0 <= f.interval.low <= f.lower <= f.upper <= f.interval.high <= 100


@unhurried
@given(sites)
def test_sums_agree_with_the_plain_formulas(inputs: ScoreInputs) -> None:
    """Rule 6: S = 100 Σ w·s / Σ w(answered), C = Σ w(answered) / Σ w(applicable)."""
    document = score(inputs).to_json()
    for pillar in document["pillars"]:
        mine = [i for i in document["items"] if i["pillar"] == pillar["pillar"]]
        seen = [i for i in mine if i["status"] in ("counted", "refused")]
        away = ("not-applicable", "no-limit", "does-not-apply")
        whole = sum(i["weight"] for i in mine if i["status"] not in away)
        if not seen:
            assert pillar["S"] is None
            continue
        weight = sum(i["weight"] for i in seen)
        s = 100 * sum(i["weight"] * Fraction(i["effective"]) for i in seen) / weight
        half = Fraction(1, 2000)
        assert abs(Fraction(pillar["S"]) - s) <= half
        assert abs(Fraction(pillar["coverage"]) - Fraction(weight, whole)) <= half


@unhurried
@given(single_visits, seeds)
def test_a_better_answer_with_the_same_items_counted_never_lowers_anything(
    inputs: ScoreInputs, seed: int
) -> None:
    dice = random.Random(seed)
    for old in dice.sample(each(inputs), min(3, len(each(inputs)))):
        if old.level is not None and old.level != "fully":
            better = LEVELS[dice.randrange(LEVELS.index(old.level))]
            _never_lower(score(inputs), score(change(inputs, old, replace(old, level=better))))


@unhurried
@given(single_visits, seeds)
def test_better_evidence_with_the_same_items_counted_never_lowers_anything(
    inputs: ScoreInputs, seed: int
) -> None:
    """Of rivals side by side, one that was unobserved and becomes proven narrows the bounds, which
    is another item counted; so they are left out here.
    """
    single = [a for a in each(inputs) if not a.conflict]
    for old in random.Random(seed).sample(single, min(3, len(single))):
        sound = tuple(replace(f, held=True, signed=True, flagged=()) for f in old.evidence)
        _never_lower(score(inputs), score(change(inputs, old, replace(old, evidence=sound))))


def _never_lower(before: Score, after: Score) -> None:
    if [o.status for o in before.outcomes] != [o.status for o in after.outcomes]:
        return
    for pillar, sums in before.pillars.items():
        other = after.pillars[pillar]
        for old, new in ((sums.s, other.s), (sums.lower, other.lower), (sums.upper, other.upper)):
            assert old is None or (new is not None and new >= old)


@settings(deadline=None, max_examples=400)
@given(sites, seeds)
def test_hiding_evidence_never_raises_what_is_shown_nor_how_much_was_seen(
    inputs: ScoreInputs, seed: int
) -> None:
    """Rule 3, for every answer: the lower bound and the coverage never rise."""
    before = score(inputs).to_json()
    for answer in random.Random(seed).sample(each(inputs), min(2, len(each(inputs)))):
        after = score(hide(inputs, answer)).to_json()
        for old, new in zip(bounds(before), bounds(after), strict=True):
            assert new[1] <= old[1], new[0]
            assert new[2] <= old[2], new[0]


@settings(deadline=None, max_examples=400)
@given(sites, seeds)
def test_hiding_the_evidence_of_an_adverse_answer_never_raises_the_grade(
    inputs: ScoreInputs, seed: int
) -> None:
    """Rule 3: it lowers nothing and withholds, so that hiding a photo never helps."""
    before = score(inputs).to_json()
    adverse = [a for a in each(inputs) if a.level in LEVELS[2:]]
    for answer in random.Random(seed).sample(adverse, min(2, len(adverse))):
        after = score(hide(inputs, answer)).to_json()
        assert RANK[after["grade"]] <= RANK[before["grade"]]


@unhurried
@given(sites)
def test_a_visit_that_saw_nothing_changes_no_number(inputs: ScoreInputs) -> None:
    """Rule 2: it carries no grade, and its answers do not count."""
    gate = Visit("gate", 0, "refused-at-the-gate", inputs.visits[0].answers)
    before = score(inputs).to_json()
    after = score(replace(inputs, visits=(*inputs.visits, gate))).to_json()
    for key in ("raw", "capped", "low", "high", "coverage", "grade", "items"):
        assert after[key] == before[key]
    alone = score(replace(inputs, visits=(gate,))).to_json()
    assert (alone["grade"], alone["raw"], alone["grade_state"]) == (None, None, "none")


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_a_score_survives_its_export_byte_for_byte(seed: int) -> None:
    """Rule 10."""
    inputs = replace(
        w.inputs(PUBLISHED, [Maker(seed).visit("v1", PUBLISHED)]),
        profile=load_profile(FILES[2], "profile"),
        limits=load_limits(FILES[1], "limits"),
    )
    again = inputs_from_json(inputs_to_json(inputs, *FILES))
    assert score_bytes(score(again)) == score_bytes(score(inputs))
