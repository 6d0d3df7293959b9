"""How far an inspection is: what is answered, what is open, and which evidence is still missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checklists.conditions import Context, applies
from checklists.model import Checklist, Item
from sync.inspection import Answer, Inspection, Slot


@dataclass(frozen=True, slots=True)
class MissingPiece:
    """A piece of evidence that an item asks for and that is not all there yet."""

    kind: str
    have: int
    need: int


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """One item that applies: `state` is answered, partly (instances are missing), conflict,
    unread or open.
    """

    item: Item
    section: str
    state: str
    instances: int
    missing: tuple[MissingPiece, ...]


@dataclass(frozen=True, slots=True)
class SectionProgress:
    id: str
    title: str
    answered: int
    open: int


def progress(
    checklist: Checklist, inspection: Inspection, processes: Sequence[str]
) -> list[ItemProgress]:
    """Every item that applies or may apply, in the checklist's order."""
    context = Context(
        answers=_given(inspection),
        observed={
            f"{what}/{instance}": slot.value.value
            for (what, instance), slot in inspection.observed.items()
            if slot.value is not None
        },
        processes=tuple(processes),
    )
    by_item: dict[str, list[Slot[Answer]]] = {}
    for (item_id, _), slot in inspection.answers.items():
        by_item.setdefault(item_id, []).append(slot)
    return [
        _of_item(item, section.id, by_item.get(item.id, []), inspection)
        for section, item in checklist.items()
        if applies(item.condition, context) is not False
    ]


def by_section(checklist: Checklist, items: Sequence[ItemProgress]) -> list[SectionProgress]:
    """Answered and open items of each section that has any."""
    found = []
    for section in checklist.sections:
        here = [i for i in items if i.section == section.id]
        done = sum(1 for i in here if i.state == "answered")
        if here:
            found.append(SectionProgress(section.id, str(section.title), done, len(here) - done))
    return found


def open_critical(items: Sequence[ItemProgress]) -> list[str]:
    """The critical items that have no whole answer."""
    return [i.item.id for i in items if i.item.severity == "critical" and i.state != "answered"]


def _given(inspection: Inspection) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for (item_id, _), slot in inspection.answers.items():
        for head in slot.heads:
            word = head.level or head.special
            if word is not None:
                found[item_id] = (*found.get(item_id, ()), word)
    return found


def _of_item(
    item: Item, section: str, slots: Sequence[Slot[Answer]], inspection: Inspection
) -> ItemProgress:
    answered = [slot for slot in slots if slot.heads]
    # A special answer for the whole site stands for all instances.
    whole = any(h.instance == "-" and h.special for slot in answered for h in slot.heads)
    need = item.instances.at_least if item.instances is not None and not whole else 1
    if any(slot.unread for slot in slots):
        state = "unread"
    elif any(slot.conflict for slot in slots):
        state = "conflict"
    elif not answered:
        state = "open"
    else:
        state = "answered" if len(answered) >= need else "partly"
    needs_proof = any(h.level or h.readings for slot in answered for h in slot.heads)
    missing = _missing(item, inspection) if needs_proof else ()
    return ItemProgress(item, section, state, len(answered), missing)


def _missing(item: Item, inspection: Inspection) -> tuple[MissingPiece, ...]:
    """What is missing for an item that is answered with a level or a reading."""
    kinds: dict[str, set[str]] = {}
    places = {instance for i, instance in inspection.answers if i == item.id} | {"-"}
    for place in places:
        for evidence in inspection.evidence_for(item.id, place):
            kinds.setdefault(evidence.kind, set()).add(evidence.sha256)
    return tuple(
        MissingPiece(piece.kind, len(kinds.get(piece.kind, ())), piece.at_least)
        for piece in item.pieces
        if len(kinds.get(piece.kind, ())) < piece.at_least
    )
