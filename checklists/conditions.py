"""When an item applies: a small tree of tests over what is known, without any code in it.

The answer has three values. None means not known yet; scoring then treats the item as applicable,
so that leaving a question open, or refusing it, never makes the items behind it disappear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from checklists.model import Condition

# What a facility does, as declarations name it and conditions ask for it.
PROCESSES = (
    "in-situ-leach",
    "hard-rock",
    "cracking",
    "separation",
    "residue-storage",
    "metal-making",
    "magnet-making",
    "recycling",
    "logistics",
)

# Special answers that hide what would have been answered.
_HIDING = frozenset(("not-observed", "refused"))


@dataclass(frozen=True, slots=True)
class Context:
    """What conditions may look at.

    `answers` maps an item to the levels and special answers given at any of its instances;
    `observed` maps "what/instance" to the sign; `exposure` is low, mid and high in thousandths, or
    None where unknown. No `processes` at all means that none were declared, which is unknown too.
    """

    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    observed: Mapping[str, str] = field(default_factory=dict)
    processes: tuple[str, ...] = ()
    exposure: tuple[int, int, int] | None = None


def applies(condition: Condition | None, context: Context) -> bool | None:
    """Whether an item with this condition applies; None where that is not known yet."""
    if condition is None:
        return True
    match condition.op:
        case "all":
            parts = [applies(part, context) for part in condition.args]
            return False if False in parts else None if None in parts else True
        case "any":
            parts = [applies(part, context) for part in condition.args]
            return True if True in parts else None if None in parts else False
        case "not":
            inner = applies(condition.args[0], context)
            return None if inner is None else not inner
        case "answer":
            return _answered(condition, context.answers.get(condition.subject, ()))
        case "observed":
            return _seen(condition, context.observed.get(condition.subject))
        case "process":
            if not context.processes:
                return None
            return any(value in context.processes for value in condition.values)
        case "exposure":
            if context.exposure is None:
                return None
            return context.exposure[2] >= condition.at_least * 1000
    raise ValueError(f"no such condition: {condition.op}")


def _answered(condition: Condition, given: tuple[str, ...]) -> bool | None:
    if any(value in condition.values for value in given):
        return True
    if not given or _HIDING.intersection(given):
        return None
    return False


def _seen(condition: Condition, sign: str | None) -> bool | None:
    if sign in condition.values:
        return True
    return None if sign is None or sign == "unsure" else False


def items_named(condition: Condition | None) -> Iterator[str]:
    """The ids of the items whose answers this condition looks at."""
    if condition is None:
        return
    if condition.op == "answer":
        yield condition.subject
    for part in condition.args:
        yield from items_named(part)
