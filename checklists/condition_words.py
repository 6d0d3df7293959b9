"""A condition in words, as people read when an item is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from checklists.model import Condition
from checklists.sheet_words import Find, english_words
from sync.inspection import SPECIALS


def in_words(condition: Condition, find: Find | None = None) -> str:
    """The condition as one phrase, such as "ISL-E1 is partially or does-not-meet".

    `find` gives the words of a language by key (checklists/words), and the names of levels, signs
    and processes too; without it these stand as they are written in the file.
    """
    if find is None:
        return _phrase(condition, english_words().__getitem__, lambda _, value: value)
    return _phrase(condition, find, lambda kind, value: find(f"{kind}-{value}"))


def _phrase(condition: Condition, find: Find, name: Callable[[str, str], str]) -> str:
    match condition.op:
        case "all" | "any":
            parts = [
                f"({_phrase(one, find, name)})"
                if one.op in ("all", "any")
                else _phrase(one, find, name)
                for one in condition.args
            ]
            return _joined(parts, find("and" if condition.op == "all" else "or"))
        case "not":
            return find("not").format(condition=_phrase(condition.args[0], find, name))
        case "answer" | "observed":
            values = [name(_kind(condition.op, one), one) for one in condition.values]
            return find("is").format(subject=condition.subject, values=_joined(values, find("or")))
        case "process":
            values = [name("process", one) for one in condition.values]
            return find("declares").format(processes=_joined(values, find("or")))
        case "exposure":
            return find("exposed").format(figure=condition.at_least)
    raise ValueError(f"no such condition: {condition.op}")


def _kind(op: str, value: str) -> str:
    if op == "observed":
        return "sign"
    return "special" if value in SPECIALS else "level"


def _joined(parts: Sequence[str], word: str) -> str:
    return f" {word} ".join(parts)
