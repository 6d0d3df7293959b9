"""Urgent hazards that entries tell of, so that they are found without reading every log (S7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import facilities, hazards, inspections, people
from server.store.transaction import Tx

MOST = 50  # at once on a page


@dataclass(frozen=True, slots=True)
class HazardRow:
    """A hazard as it stands; times are UTC milliseconds.

    `at` is the device's clock, a claim; `lat` and `lon` are empty where no position was given.
    `seen_by` is the person at the office who acknowledged it as it is told now, None while nobody
    did; then `seen_at` and `seen_why` are None too.
    """

    inspection: str
    id: str
    device: str
    severity: str
    text: str
    lat: str
    lon: str
    at: int
    received_at: int
    seen_by: str | None = None
    seen_at: int | None = None
    seen_why: str | None = None


@dataclass(frozen=True, slots=True)
class OpenHazard:
    """A hazard that nobody has called over, where it is, and the name of who acknowledged it."""

    facility: str
    facility_name: str
    country: str
    example: bool
    seen_by: str
    hazard: HazardRow


def put(tx: Tx, rows: Iterable[HazardRow]) -> None:
    """Keep hazards as they are told now, in place of what was kept of the same ones."""
    newest = {(row.inspection, row.id): row for row in rows}
    for row in newest.values():
        tx.execute(
            delete(hazards).where(hazards.c.inspection == row.inspection, hazards.c.id == row.id)
        )
    if newest:
        columns = HazardRow.__slots__
        tx.execute(
            insert(hazards), [{c: getattr(row, c) for c in columns} for row in newest.values()]
        )


def of_inspection(tx: Tx, inspection: str) -> dict[str, HazardRow]:
    """The hazards that are kept of an inspection, by id."""
    query = select(*(hazards.c[name] for name in HazardRow.__slots__)).where(
        hazards.c.inspection == inspection
    )
    return {row[1]: HazardRow(*row) for row in tx.execute(query)}


def open_in(tx: Tx, jurisdictions: Collection[str]) -> list[OpenHazard]:
    """Hazards at listed facilities of these jurisdictions that are not over, the latest first;
    those that somebody acknowledged come after all others.
    """
    query = (
        select(
            facilities.c.id,
            facilities.c.name,
            facilities.c.country,
            facilities.c.example,
            people.c.name,
            *(hazards.c[name] for name in HazardRow.__slots__),
        )
        .join(inspections, inspections.c.id == hazards.c.inspection)
        .join(facilities, facilities.c.id == inspections.c.facility)
        .outerjoin(people, people.c.id == hazards.c.seen_by)
        .where(
            facilities.c.jurisdiction.in_(sorted(jurisdictions)),
            hazards.c.severity != "over",
            inspections.c.mode.is_distinct_from("training"),
        )
        .order_by(
            hazards.c.seen_by.is_not(None),
            hazards.c.received_at.desc(),
            hazards.c.inspection,
            hazards.c.id,
        )
        .limit(MOST)
    )
    return [
        OpenHazard(row[0], row[1], row[2], row[3], row[4] or "", HazardRow(*row[5:]))
        for row in tx.execute(query)
    ]
