"""What the office ruled out of the answers that stand here: told to whoever may bring evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fieldkit.authors import Author
from fieldkit.show import Fact, time
from sync.inspection import Inspection, Ruling, Slot
from sync.ruling import rulings


def ruled_out(read: Inspection) -> tuple[Ruling, ...]:
    """The rulings about the answers that stand, the first first; what was known of their files is
    the server's to say.
    """

    def standing(one: Ruling) -> set[str]:
        slot = read.answers.get((one.item, one.instance), Slot(()))
        return {head.written.h for head in slot.heads} | {line.h for line in slot.unread}

    return tuple(one for one in rulings(read) if one.heads == standing(one))


def ruled_out_facts(found: Iterable[Ruling], known: Mapping[str, Author]) -> list[Fact]:
    """A line for each: which answer, by whom, when and why."""
    return [
        (
            "ruled out",
            f"{_place(one)} by the office, by {_name(one, known)}, {time(one.written.at)}: "
            f"{one.reason}",
        )
        for one in found
    ]


def ruled_out_data(one: Ruling, known: Mapping[str, Author]) -> dict[str, Any]:
    """A ruling as JSON values; times in UTC milliseconds."""
    return {
        "item": one.item,
        "instance": one.instance,
        "by": one.written.by,
        "name": _name(one, known),
        "at": one.written.at,
        "reason": one.reason,
    }


def _place(one: Ruling) -> str:
    return one.item if one.instance == "-" else f"{one.item}/{one.instance}"


def _name(one: Ruling, known: Mapping[str, Author]) -> str:
    author = known.get(one.written.device)
    return author.name if author else one.written.by
