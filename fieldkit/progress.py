"""How far an inspection is: what is answered, what is open, and which evidence is still missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checklists.conditions import Context, applies
from checklists.model import Checklist, Item
from fieldkit.given import Given, given_of
from sync.inspection import Inspection


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
    checklist: Checklist,
    inspection: Inspection,
    processes: Sequence[str],
    given: Mapping[str, Given] | None = None,
) -> list[ItemProgress]:
    """Every item that applies or may apply, in the checklist's order.

    `given` is what `given_of` says of the inspection, where that is known already.
    """
    said = given_of(inspection) if given is None else given
    context = Context(
        answers={item: one.words for item, one in said.items()},
        observed=_Signs(inspection),
        processes=tuple(processes),
    )
    pieces = _pieces(inspection, said)
    return [
        _of_item(item, section.id, said.get(item.id, Given()), pieces.get(item.id, {}))
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


class _Signs(Mapping[str, str]):
    """What was seen, by "what/instance"; only what is asked for is looked up."""

    def __init__(self, inspection: Inspection) -> None:
        self._observed = inspection.observed

    def __getitem__(self, name: str) -> str:
        what, _, instance = name.partition("/")
        value = self._observed[what, instance].value
        if value is None:
            raise KeyError(name)
        return value.value

    def __iter__(self) -> Iterator[str]:
        return (f"{w}/{i}" for (w, i), slot in self._observed.items() if slot.value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _of_item(
    item: Item, section: str, given: Given, pieces: Mapping[str, set[str]]
) -> ItemProgress:
    # A special answer for the whole site stands for all instances.
    need = item.instances.at_least if item.instances is not None and not given.whole else 1
    if given.unread:
        state = "unread"
    elif given.conflict:
        state = "conflict"
    elif not given.answered:
        state = "open"
    else:
        state = "answered" if given.answered >= need else "partly"
    # Evidence is missing for an item that is answered with a level or a reading.
    missing = tuple(
        MissingPiece(piece.kind, len(pieces.get(piece.kind, ())), piece.at_least)
        for piece in (item.pieces if given.proof else ())
        if len(pieces.get(piece.kind, ())) < piece.at_least
    )
    return ItemProgress(item, section, state, given.answered, missing)


def _pieces(inspection: Inspection, given: Mapping[str, Given]) -> dict[str, dict[str, set[str]]]:
    """Item -> kind -> digests of the files that support it: they name it, or an answer them."""
    naming: dict[str, list[str]] = {}
    for item, said in given.items():
        for sha256 in said.evidence:
            naming.setdefault(sha256, []).append(item)
    found: dict[str, dict[str, set[str]]] = {}
    for slot in inspection.evidence.values():
        for head in slot.heads:
            supported = set(naming.get(head.sha256, ()))
            for path in head.items:
                item, _, place = path.partition("/")
                if place == "-" or (item, place) in inspection.answers:
                    supported.add(item)
            for item in supported:
                found.setdefault(item, {}).setdefault(head.kind, set()).add(head.sha256)
    return found
