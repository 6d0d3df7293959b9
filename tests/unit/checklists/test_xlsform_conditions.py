"""What a form asks is what the checklist asks: conditions as expressions, and back."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.conditions import Context, applies
from checklists.load import load_checklist
from checklists.model import Checklist, Condition
from checklists.xlsform import names
from checklists.xlsform.export import to_xlsform
from checklists.xlsform.relevant import relevant
from checklists.xlsform.workbook import write_workbook
from checklists.xlsform.xpath import Expr, parse
from tests.unit.checklists.xlsform_forms import SURVEY, imported, told, workbook

LEVELS = (
    "{fully: {en: Four.}, substantially: {en: Three.}, partially: {en: Two.}, "
    "does-not-meet: {en: One.}}"
)
ITEM = (
    "pillar: environment, severity: minor, question: {en: So?}, "
    "evidence: [{kind: photo, weight: 1}]"
)
READ = "analytes: [{id: As, label: {en: Arsenic}, unit: mg/L, upper: 1}]"
PLAIN = f"""\
format: tapak-checklist/1
id: asked
version: "1"
title: {{en: Asked}}
languages: [en]
sections:
  - id: all
    title: {{en: All}}
    items:
      - {{id: A-1, scale: levels, levels: {LEVELS}, {ITEM}}}
      - {{id: A-2, scale: levels, levels: {LEVELS}, instances: {{label: {{en: Pond}}}}, {ITEM}}}
      - {{id: A-3, scale: readings, {READ}, {ITEM}}}
      - {{id: A-4, scale: readings, {READ}, instances: {{label: {{en: Well}}}}, {ITEM}}}
  - id: last
    title: {{en: Last}}
    items:
      - {{id: Z-9, scale: levels, levels: {LEVELS}, {ITEM}}}
observed:
  - what: fixed
    label: {{en: Signs}}
    type: sign
    instances: {{kiln: {{en: A kiln}}, 'old pump': {{en: A pump}}}}
  - {{what: named, label: {{en: Seen}}, type: sign}}
"""
CHECKLIST = load_checklist(PLAIN.encode(), "asked.yaml")
SPECIALS = ("not-applicable", "not-observed", "refused")
ANSWERS = {
    "A-1": ("fully", "partially", *SPECIALS),
    "A-2": ("fully", "partially", *SPECIALS),
    "A-3": (names.READINGS, *SPECIALS),
    "A-4": (names.READINGS, *SPECIALS),
}
SIGNS = ("yes", "no", "unsure")
SEEN = ("fixed/kiln", "fixed/old pump", "named/heap", "named/a 'b'")


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


CONDITIONS = st.recursive(
    st.one_of(
        st.builds(
            Condition,
            st.just("answer"),
            subject=st.sampled_from(sorted(ANSWERS)),
            # Not not-observed, which stands for readings below.
            values=some(("fully", "partially", "not-applicable", "refused")),
        ),
        st.builds(
            Condition, st.just("observed"), subject=st.sampled_from(SEEN), values=some(SIGNS)
        ),
        st.builds(Condition, st.just("process"), values=some(("separation", "recycling"))),
        st.builds(Condition, st.just("exposure"), at_least=st.sampled_from((1, 50, 100))),
    ),
    lambda inner: st.one_of(
        st.builds(
            Condition,
            st.sampled_from(("all", "any")),
            args=st.lists(inner, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(Condition, st.just("not"), args=st.tuples(inner)),
    ),
    max_leaves=6,
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, list[str]], Context]:
    """What is filled in, question by question, and the same as a checklist knows it."""
    form: dict[str, list[str]] = {}
    answers: dict[str, tuple[str, ...]] = {}
    for item, values in ANSWERS.items():
        most = 3 if item in ("A-2", "A-4") else 1
        given = draw(st.lists(st.sampled_from(values), max_size=most))
        form[item] = given if most > 1 else [*given, ""][:1]
        # A form cannot judge readings: to it they are as if not observed.
        answers[item] = tuple("not-observed" if v == names.READINGS else v for v in given)
    observed = draw(st.dictionaries(st.sampled_from(SEEN), st.sampled_from(SIGNS)))
    fixed = next(seen for seen in CHECKLIST.observed if seen.what == "fixed")
    for instance, question in names.instance_names(fixed).items():
        form[question] = [observed.get(f"fixed/{instance}", "")]
    form["observed_named_said"] = [
        f"{what.removeprefix('named/')}={sign}"
        for what, sign in observed.items()
        if what.startswith("named/")
    ]
    processes = draw(st.lists(st.sampled_from(("separation", "recycling")), unique=True))
    exposure = draw(st.sampled_from((None, 0, 50, 77)))
    form[names.PROCESS] = [" ".join(processes)]
    form[names.EXPOSURE] = ["" if exposure is None else str(exposure)]
    known = None if exposure is None else (0, 0, exposure * 1000)
    return form, Context(answers, observed, tuple(processes), known)


def holds(expr: Expr, form: dict[str, list[str]]) -> bool:
    """Whether the expression is true, by the rules of XPath and of ODK's functions."""

    def words(one: Expr) -> str:
        if one.op == "ref":
            return next(iter(form[one.text]), "")
        if one.op in ("text", "number"):
            return one.text
        assert one.op == "call", one
        if one.text == "concat":
            return "".join(words(arg) for arg in one.args)
        if one.text == "join":
            return words(one.args[0]).join(form[one.args[1].text])
        assert one.text == "normalize-space"
        return " ".join(words(one.args[0]).split())

    if expr.op in ("or", "and"):
        parts = [holds(one, form) for one in expr.args]
        return any(parts) if expr.op == "or" else all(parts)
    if expr.op == "paren":
        return holds(expr.args[0], form)
    if expr.op == "call" and expr.text == "not":
        return not holds(expr.args[0], form)
    left, right = expr.args
    if expr.op == "=":
        return words(left) == words(right)
    if expr.op == ">=":
        return words(left) != "" and float(words(left)) >= float(words(right))
    assert expr.op == "call", expr
    if expr.text == "selected":
        return words(right) in words(left).split()
    assert expr.text == "contains"
    return words(right) in words(left)


@given(CONDITIONS, worlds())
@settings(max_examples=100)
def test_a_form_asks_unless_the_condition_is_false(
    condition: Condition, world: tuple[dict[str, list[str]], Context]
) -> None:
    form, context = world
    asked = holds(parse(relevant(condition, CHECKLIST)), form)
    assert asked is (applies(condition, context) is not False)


@given(CONDITIONS)
@settings(max_examples=12)
def test_any_condition_comes_back_as_it_was(condition: Condition) -> None:
    draft = imported(write_workbook(to_xlsform(with_condition(condition))))
    assert told(draft) == []
    assert draft.checklist is not None
    back = draft.checklist.item("Z-9")
    assert back is not None
    assert back.condition == plain(condition)


def plain(condition: Condition) -> Condition:
    """Without `all` and `any` of a single one, which no expression tells from that one."""
    if condition.op in ("all", "any") and len(condition.args) == 1:
        return plain(condition.args[0])
    return dataclasses.replace(condition, args=tuple(plain(one) for one in condition.args))


def with_condition(condition: Condition) -> Checklist:
    *others, last = CHECKLIST.sections
    item = dataclasses.replace(last.items[0], condition=condition)
    return dataclasses.replace(
        CHECKLIST, sections=(*others, dataclasses.replace(last, items=(item,)))
    )


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("${PND-E1} = 'yes'", Condition("answer", subject="PND-E1", values=("fully",))),
        (
            'selected(${ PND-E1 }, "no")',
            Condition("answer", subject="PND-E1", values=("does-not-meet",)),
        ),
        (
            "${PND-E1} != 'no'",
            Condition("not", (Condition("answer", subject="PND-E1", values=("does-not-meet",)),)),
        ),
        (
            "${PND-E1}='yes' or ${PND-E1}='no'",
            Condition("answer", subject="PND-E1", values=("fully", "does-not-meet")),
        ),
        (
            "not(${PND-E1}='yes') and (${PND-E1} = 'no')",
            Condition(
                "all",
                (
                    Condition("not", (Condition("answer", subject="PND-E1", values=("fully",)),)),
                    Condition("answer", subject="PND-E1", values=("does-not-meet",)),
                ),
            ),
        ),
    ],
)
def test_a_condition_of_a_strange_form_has_its_counterpart(
    expression: str, condition: Condition
) -> None:
    draft = imported(workbook(behind(expression)))
    assert draft.checklist is not None, told(draft)
    item = draft.checklist.item("PND-E2")
    assert item is not None
    assert item.condition == condition


@pytest.mark.parametrize(
    "expression",
    [
        "${count} > 3",
        "${nothing} = 'yes'",
        "${PND-E1} = 'perhaps'",
        "${PND-E1} = ",
        "${PND-E1} = 'yes' and",
        "((${PND-E1} = 'yes')",
        "position(..) = 2",
        "if(${PND-E1} = 'yes', 1, 0)",
        "true()",
        "${PND-E1} = \N{LEFT SINGLE QUOTATION MARK}yes\N{RIGHT SINGLE QUOTATION MARK}",
        "${PND-E1",
        "../PND-E1 = 'yes'",
        "string-length(.) > 0",
        "not(" * 60 + "${PND-E1} = 'yes'" + ")" * 60,
        "(${PND-E1}='yes' or not(" * 9 + "${PND-E1} = 'no'" + "))" * 9,
        "(" * 5_000,
        "${PND-E1} = 'yes' or " * 900,
    ],
    ids=lambda text: text[:40],
)
def test_a_condition_without_a_counterpart_is_named_by_its_cell_and_never_guessed(
    expression: str,
) -> None:
    draft = imported(workbook(behind(expression)))
    assert draft.checklist is not None, told(draft)
    item = draft.checklist.item("PND-E2")
    assert item is not None
    assert item.condition is None
    assert ("survey!D5", "left-out", "a condition that a checklist cannot hold") in told(draft)


def behind(expression: str) -> str:
    """The small form with a second item asked under that condition."""
    assert "|" not in expression
    row = f"select_one yes_no | PND-E2 | And so? | {expression} | environment | minor"
    lines = SURVEY.splitlines()
    return "\n".join([*lines[:4], row, lines[3].replace("photo ", "photo2"), lines[4]])
