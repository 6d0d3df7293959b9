"""Jurisdictions: a tree of states, countries and regions that grants are given for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import jurisdictions
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    id: str
    name: str
    parent: str | None
    kind: str  # region, country, state


def find(tx: Tx, jurisdiction: str) -> Jurisdiction | None:
    """The jurisdiction of this id, or None."""
    row = tx.execute(select(jurisdictions).where(jurisdictions.c.id == jurisdiction)).first()
    return None if row is None else Jurisdiction(*row)


def every(tx: Tx) -> list[Jurisdiction]:
    """All jurisdictions, by id."""
    return [Jurisdiction(*row) for row in tx.execute(select(jurisdictions).order_by("id"))]


def add(tx: Tx, new: Jurisdiction) -> None:
    """Store a new jurisdiction; its parent must be there."""
    row = {"id": new.id, "name": new.name, "parent": new.parent, "kind": new.kind}
    tx.execute(insert(jurisdictions).values(**row))


def below(tx: Tx, tops: Iterable[str]) -> set[str]:
    """The ids of these jurisdictions and of everything below them."""
    children: dict[str | None, list[str]] = {}
    known: set[str] = set()
    for one in every(tx):
        known.add(one.id)
        children.setdefault(one.parent, []).append(one.id)
    found: set[str] = set()
    waiting = [top for top in tops if top in known]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(children.get(place, ()))
    return found


def line_of(tx: Tx, jurisdiction: str) -> list[str]:
    """A jurisdiction, what it belongs to, and so on to the top; what is not known stands alone."""
    parents = {one.id: one.parent for one in every(tx)}
    line, place = [jurisdiction], parents.get(jurisdiction)
    while place is not None and place not in line:
        line.append(place)
        place = parents.get(place)
    return line
