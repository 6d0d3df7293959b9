"""The expressions of a form -> conditions of a checklist, where they have a counterpart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checklists.xlsform.xpath import Expr, NotUnderstood, parse
from checklists.yaml_lines import Keyed, Listed, Node, Scalar, shown

Test = tuple[str, str, str]  # "is", "at-least", "said" or "unsaid"; the question; the value


@dataclass(frozen=True, slots=True)
class Subject:
    """A question that conditions may look at.

    `op` and `name` are the condition's; `values` maps a choice to what it is in a checklist. The
    tests that `unknown` lists stand behind the others where a condition may be not known yet.
    """

    op: str  # answer, observed, process, exposure, said
    name: str
    values: Mapping[str, str]
    unknown: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A condition, and whether the form would ask less often than it: while it is not known."""

    node: Keyed
    asks_more: bool


def read_when(text: str, subjects: Mapping[str, Subject], line: int) -> Read:
    """The condition that the expression is, its nodes at `line`; raises NotUnderstood."""
    reader = _Reader(subjects, line)
    node = reader.condition(parse(text), True)
    return Read(node, reader.asks_more)


def both(conditions: Sequence[Keyed], line: int) -> Keyed | None:
    """The condition that all of these hold, as they stand within each other."""
    found: Keyed | None = None
    for one in conditions:
        found = one if found is None else _keyed(line, ("all", Listed(line, (found, one))))
    return found


class _Reader:
    def __init__(self, subjects: Mapping[str, Subject], line: int) -> None:
        self._subjects = subjects
        self._line = line
        self.asks_more = False

    def condition(self, expr: Expr, perhaps: bool) -> Keyed:
        """The condition; `perhaps` while what is not known makes the expression true."""
        expr = _bare(expr)
        tests = _tests(expr)
        if tests:
            return self._one(tests, perhaps)
        if expr.op in ("or", "and"):
            parts = tuple(self.condition(part, perhaps) for part in expr.args)
            return self._keyed("any" if expr.op == "or" else "all", Listed(self._line, parts))
        if expr.op == "call" and expr.text == "not" and len(expr.args) == 1:
            return self._keyed("not", self.condition(expr.args[0], not perhaps))
        if expr.op == "!=":
            same = Expr("=", args=expr.args)
            return self._keyed("not", self.condition(same, not perhaps))
        raise NotUnderstood(f"{_told(expr)} is not a test that a checklist has")

    def _one(self, tests: Sequence[Test], perhaps: bool) -> Keyed:
        question = tests[0][1]
        subject = self._subjects.get(question)
        if subject is None:
            raise NotUnderstood(
                f"{shown(question)} has no counterpart that a condition can look at"
            )
        name = subject.name
        if subject.op == "said":
            inside = _inside(tests[0])
            name, subject = f"{name}/{inside}", _of_instance(subject, question, inside)
        known = list(tests)
        if perhaps:
            behind = list(subject.unknown)
            if known[-len(behind) :] == behind and len(known) > len(behind):
                known = known[: -len(behind)]
            else:
                self.asks_more = True
        if subject.op == "exposure":
            if len(known) == 1 and known[0][0] == "at-least":
                bound = self._keyed("at-least", self._word(known[0][2]))
                return self._keyed("exposure", bound)
            raise NotUnderstood("exposure is only asked for as at least a figure")
        return self._named(subject, name, known)

    def _named(self, subject: Subject, name: str, tests: Sequence[Test]) -> Keyed:
        values: list[str] = []
        for kind, question, value in tests:
            if kind != ("said" if subject.op == "said" else "is") or value not in subject.values:
                told = "being unanswered" if not value else shown(value)
                raise NotUnderstood(f"{told} is no answer of {question} that a checklist knows")
            values.append(subject.values[value])
        listed = Listed(self._line, tuple(self._word(v) for v in dict.fromkeys(values)))
        if subject.op == "process":
            return self._keyed("process", listed)
        op = "observed" if subject.op == "said" else subject.op
        return _keyed(self._line, (op, self._word(name)), ("is", listed))

    def _keyed(self, key: str, value: Node) -> Keyed:
        return _keyed(self._line, (key, value))

    def _word(self, text: str) -> Scalar:
        return Scalar(self._line, text)


def _of_instance(subject: Subject, question: str, inside: str) -> Subject:
    """What was said of one of the instances that the auditor names."""
    return Subject(
        "said",
        subject.name,
        {f"|{inside}={value}|": value for value in subject.values},
        (("unsaid", question, f"|{inside}="), ("said", question, f"|{inside}=unsure|")),
    )


def _keyed(line: int, *fields: tuple[str, Node]) -> Keyed:
    return Keyed(line, tuple((Scalar(line, key), value) for key, value in fields))


# -- single tests ---------------------------------------------------------------------------------


def _tests(expr: Expr) -> list[Test]:
    """The tests of one question that stand side by side, without brackets; else nothing."""
    found = [_test(one) for one in (expr.args if expr.op == "or" else (expr,))]
    tests = [one for one in found if one is not None]
    same = len(tests) == len(found) and len({(test[1], _inside(test)) for test in tests}) == 1
    return tests if same and (tests[0][0] != "unsaid" or len(tests) > 1) else []


def _inside(test: Test) -> str:
    """The instance that a test of what was said is about."""
    kind, _, value = test
    if kind == "said":
        return value[1:-1].rpartition("=")[0]
    return value[1:-1] if kind == "unsaid" else ""


def _test(expr: Expr) -> Test | None:
    if expr.op == "=" and (question := _answer(expr.args[0])) and _literal(expr.args[1]):
        return "is", question, expr.args[1].text
    if expr.op == ">=" and expr.args[0].op == "ref" and expr.args[1].op == "number":
        return "at-least", expr.args[0].text, expr.args[1].text
    if expr.op != "call":
        return None
    if expr.text == "not" and len(expr.args) == 1:
        inner = _test(_bare(expr.args[0]))
        return ("unsaid", *inner[1:]) if inner and inner[0] == "said" else None
    if len(expr.args) != 2 or not _literal(expr.args[1]):
        return None
    value = expr.args[1].text
    if expr.text == "selected" and (question := _answer(expr.args[0])):
        return "is", question, value
    if expr.text == "contains" and (question := _said(expr.args[0])):
        return "said", question, value
    return None


def _literal(expr: Expr) -> bool:
    return expr.op in ("text", "number")


def _answer(expr: Expr) -> str:
    """The question whose answer, or whose answers over a repeat, the expression stands for."""
    if expr.op == "ref":
        return expr.text
    if expr.op == "call" and expr.text == "normalize-space" and len(expr.args) == 1:
        return _answer(expr.args[0])
    if expr.op == "call" and expr.text == "join" and len(expr.args) == 2:
        first, second = expr.args
        return second.text if first == Expr("text", " ") and second.op == "ref" else ""
    return ""


def _said(expr: Expr) -> str:
    """The question in `concat('|', join('|', ${question}), '|')`."""
    bar = Expr("text", "|")
    if expr.op == "call" and expr.text == "concat" and len(expr.args) == 3:
        first, inner, last = expr.args
        if first == last == bar and inner.op == "call" and inner.text == "join":
            return inner.args[1].text if len(inner.args) == 2 and inner.args[0] == bar else ""
    return ""


def _bare(expr: Expr) -> Expr:
    while expr.op == "paren":
        expr = expr.args[0]
    return expr


def _told(expr: Expr) -> str:
    if expr.op == "call":
        return f"{expr.text}()"
    return {"self": '"."', "ref": f"${{{expr.text}}} alone"}.get(
        expr.op, shown(expr.text or expr.op)
    )
