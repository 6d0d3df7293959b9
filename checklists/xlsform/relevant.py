"""Conditions -> the expressions by which a form asks a question or not.

A form knows two outcomes where a checklist knows three: an item whose condition is not known yet is
asked (checklists.conditions). So each test is written with what leaves it unknown beside it, and
within `not` without.
"""

from __future__ import annotations

from checklists.model import Checklist, Condition
from checklists.xlsform import names
from sync.problems import problem


def relevant(condition: Condition | None, checklist: Checklist) -> str:
    """The expression that holds unless the condition is false; empty where there is none.

    Raises `xlsform-text` for an instance whose name no expression can hold.
    """
    return "" if condition is None else _written(condition, checklist, True)


def _written(condition: Condition, checklist: Checklist, perhaps: bool) -> str:
    match condition.op:
        case "all" | "any" if len(condition.args) == 1:
            return _written(condition.args[0], checklist, perhaps)
        case "all" | "any":
            word = " and " if condition.op == "all" else " or "
            parts = [_written(one, checklist, perhaps) for one in condition.args]
            return word.join(f"({part})" for part in parts)
        case "not":
            return f"not({_written(condition.args[0], checklist, not perhaps)})"
        case "exposure":
            tests = [f"${{{names.EXPOSURE}}} >= {condition.at_least}"]
        case _:
            tests = [one_of(condition, checklist, value) for value in condition.values]
    return " or ".join([*tests, *(unknown(condition, checklist) if perhaps else ())])


def one_of(condition: Condition, checklist: Checklist, value: str) -> str:
    """The test that what the condition looks at is `value`."""
    subject = condition.subject
    if condition.op == "process":
        return f"selected(${{{names.PROCESS}}}, '{value}')"
    if condition.op == "answer":
        answer = names.answer_of(checklist, subject)
        return f"selected({answer}, '{value}')" if "(" in answer else f"{answer} = '{value}'"
    question = _fixed(checklist, subject)
    if question:
        return f"${{{question}}} = '{value}'"
    what, _, instance = subject.partition("/")
    return f"contains({names.said(what)}, {_quoted(f'|{instance}={value}|', subject)})"


def unknown(condition: Condition, checklist: Checklist) -> list[str]:
    """The tests of which one holds while what the condition looks at is not known yet."""
    subject = condition.subject
    if condition.op == "process":
        return [f"${{{names.PROCESS}}} = ''"]
    if condition.op == "exposure":
        return [f"${{{names.EXPOSURE}}} = ''"]
    if condition.op == "answer":
        answer = names.answer_of(checklist, subject)
        none = f"normalize-space({answer}) = ''" if "(" in answer else f"{answer} = ''"
        item = checklist.item(subject)
        # How good readings are is decided by the limits table, which a form does not have.
        open_ = (*names.HIDING, *((names.READINGS,) if item and item.scale == "readings" else ()))
        return [none, *(one_of(condition, checklist, value) for value in open_)]
    question = _fixed(checklist, subject)
    if question:
        return [f"${{{question}}} = ''", f"${{{question}}} = 'unsure'"]
    what, _, instance = subject.partition("/")
    told = _quoted(f"|{instance}=", subject)
    return [
        f"not(contains({names.said(what)}, {told}))",
        one_of(condition, checklist, "unsure"),
    ]


def _fixed(checklist: Checklist, subject: str) -> str | None:
    what, _, instance = subject.partition("/")
    seen = checklist.observation(what)
    return names.instance_names(seen).get(instance) if seen and seen.instances else None


def _quoted(text: str, item: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    if '"' in text or "${" in text:
        raise problem("xlsform-text", item=item)
    return f'"{text}"'
