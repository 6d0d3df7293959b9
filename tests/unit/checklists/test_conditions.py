"""When an item applies: three values, and unknown never hides an item."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists.conditions import Context, applies, items_named
from checklists.model import Condition

YES = Condition("process", values=("separation",))
NO = Condition("process", values=("recycling",))
OPEN = Condition("answer", subject="A-1", values=("fully",))
HERE = Context(processes=("separation",))
TRUTH = {True: YES, False: NO, None: OPEN}


def answered(*values: str) -> Context:
    return Context(answers={"A-1": values})


def test_an_item_without_a_condition_always_applies() -> None:
    assert applies(None, Context()) is True


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTH, repeat=2)))
def test_all_any_and_not_follow_three_valued_logic(a: bool | None, b: bool | None) -> None:
    parts = (TRUTH[a], TRUTH[b])
    both = False if False in (a, b) else (None if None in (a, b) else True)
    either = True if True in (a, b) else (None if None in (a, b) else False)
    assert applies(Condition("all", args=parts), HERE) is both
    assert applies(Condition("any", args=parts), HERE) is either
    assert applies(Condition("not", args=(TRUTH[a],)), HERE) is (None if a is None else not a)


@pytest.mark.parametrize(
    ("given_answers", "expected"),
    [
        ((), None),
        (("fully",), True),
        (("partially",), False),
        (("partially", "fully"), True),
        (("not-applicable",), False),
        (("not-observed",), None),
        (("refused",), None),
        (("partially", "refused"), None),
        (("refused", "fully"), True),
    ],
)
def test_an_answer_is_known_only_where_nothing_hides_it(
    given_answers: tuple[str, ...], expected: bool | None
) -> None:
    assert applies(OPEN, answered(*given_answers)) is expected


def test_a_condition_may_ask_for_the_refusal_itself() -> None:
    refused = Condition("answer", subject="A-1", values=("refused",))
    assert applies(refused, answered("refused")) is True


@pytest.mark.parametrize(
    ("sign", "expected"), [("yes", True), ("no", False), ("unsure", None), (None, None)]
)
def test_a_sign_that_is_unsure_or_not_recorded_is_unknown(
    sign: str | None, expected: bool | None
) -> None:
    warm = Condition("observed", subject="operating/warm-kiln", values=("yes",))
    seen = {} if sign is None else {"operating/warm-kiln": sign}
    assert applies(warm, Context(observed=seen)) is expected


def test_a_facility_that_declared_no_process_at_all_is_unknown_rather_than_exempt() -> None:
    assert applies(YES, Context()) is None
    assert applies(YES, Context(processes=("recycling", "separation"))) is True
    assert applies(YES, Context(processes=("recycling",))) is False


def test_exposure_uses_the_high_estimate_and_is_unknown_without_data() -> None:
    exposed = Condition("exposure", at_least=50)
    assert applies(exposed, Context(exposure=(10_000, 30_000, 50_000))) is True
    assert applies(exposed, Context(exposure=(10_000, 30_000, 49_999))) is False
    assert applies(exposed, Context(exposure=None)) is None
    assert applies(exposed, Context(exposure=(0, 0, 0))) is False


def test_the_items_a_condition_looks_at_are_found_at_any_depth() -> None:
    deep = Condition("not", args=(Condition("all", args=(YES, OPEN)),))
    assert list(items_named(deep)) == ["A-1"]


LEAVES = st.sampled_from(
    [
        OPEN,
        Condition("answer", subject="A-2", values=("refused", "partially")),
        Condition("observed", subject="operating/discharge", values=("yes",)),
        Condition("process", values=("separation", "in-situ-leach")),
        Condition("exposure", at_least=50),
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda op, args: Condition(op, args=tuple(args)),
            st.sampled_from(("all", "any")),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda arg: Condition("not", args=(arg,)), inner),
    ),
    max_leaves=12,
)


@given(TREES, st.sampled_from(("fully", "partially")), st.sampled_from(("yes", "no")))
def test_what_is_known_stays_so_when_more_is_learnt(tree: Condition, level: str, sign: str) -> None:
    less = Context(answers={"A-1": ("fully",)}, observed={}, processes=())
    more = Context(
        answers={"A-1": ("fully",), "A-2": (level,)},
        observed={"operating/discharge": sign},
        processes=("separation",),
        exposure=(0, 40_000, 60_000),
    )
    known = applies(tree, less)
    assert known is None or applies(tree, more) is known
    assert applies(tree, more) is not None


@given(TREES)
def test_a_double_negation_changes_nothing(tree: Condition) -> None:
    twice = Condition("not", args=(Condition("not", args=(tree,)),))
    assert applies(twice, HERE) is applies(tree, HERE)
