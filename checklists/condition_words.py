"""A condition in words, as people read when an item is asked."""

from __future__ import annotations

from collections.abc import Sequence

from checklists.model import Condition


def in_words(condition: Condition) -> str:
    """The condition as one phrase, such as "ISL-E1 is partially or does-not-meet"."""
    match condition.op:
        case "all" | "any":
            joined = " and " if condition.op == "all" else " or "
            parts = [
                f"({in_words(one)})" if one.op in ("all", "any") else in_words(one)
                for one in condition.args
            ]
            return joined.join(parts)
        case "not":
            return f"not ({in_words(condition.args[0])})"
        case "answer" | "observed":
            return f"{condition.subject} is {_or(condition.values)}"
        case "process":
            return f"the facility declares {_or(condition.values)}"
        case "exposure":
            return f"exposure to conflict is {condition.at_least} or more"
    raise ValueError(f"no such condition: {condition.op}")


def _or(values: Sequence[str]) -> str:
    return " or ".join(values)
