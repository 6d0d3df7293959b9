"""How the questions of a form are named after what they ask: item ids are kept as they are.

Ids of items have no underscore, so that no name made here can be that of another item.
"""

from __future__ import annotations

import re

from checklists.model import Checklist, Item, ObservedItem

PROCESS = "tapak_process"
EXPOSURE = "tapak_exposure"
READINGS = "readings"  # the answer to an item that is read: its readings follow
HIDING = ("not-observed", "refused")

_PLAIN = re.compile(r"[A-Za-z0-9.-]+\Z")


def aside(item: Item, what: str) -> str:
    """A question that goes with an item: its photographs, the reason why it does not apply."""
    return f"{item.id}_{what}"


def section_name(section_id: str) -> str:
    return f"section_{section_id}"


def observed_name(what: str) -> str:
    """The group of an observation."""
    return f"observed_{what}"


def instance_names(seen: ObservedItem) -> dict[str, str]:
    """The question of each fixed instance of an observation; numbered where its name cannot be."""
    return {
        instance: f"observed_{seen.what}.{instance if _PLAIN.match(instance) else f'{n}_'}"
        for n, instance in enumerate(seen.instances or {}, start=1)
    }


def answer_of(checklist: Checklist, item_id: str) -> str:
    """The answers to an item as an expression: those of all its instances, where it has any."""
    item = checklist.item(item_id)
    repeated = item is not None and item.instances is not None
    return f"join(' ', ${{{item_id}}})" if repeated else f"${{{item_id}}}"


def said(what: str) -> str:
    """All that was said of the instances that the auditor names, as `|name=yes|name=no|`."""
    return f"concat('|', join('|', ${{{observed_name(what)}_said}}), '|')"
