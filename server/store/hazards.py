"""Urgent hazards that entries tell of, so that they are found without reading every log (S7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import facilities, hazards, inspections
from server.store.transaction import Tx

MOST = 50  # at once on a page


@dataclass(frozen=True, slots=True)
class HazardRow:
    """A hazard as the newest entry that came tells it; times are UTC milliseconds.

    `at` is the device's clock, a claim; `lat` and `lon` are empty where no position was given.
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


@dataclass(frozen=True, slots=True)
class OpenHazard:
    """A hazard that nobody has called over, and where it is."""

    facility: str
    facility_name: str
    country: str
    example: bool
    hazard: HazardRow


def put(tx: Tx, rows: Iterable[HazardRow]) -> None:
    """Keep hazards; an entry that comes later about the same one takes its place."""
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


def open_in(tx: Tx, jurisdictions: Collection[str]) -> list[OpenHazard]:
    """Hazards at listed facilities of these jurisdictions that are not over, the latest first."""
    query = (
        select(
            facilities.c.id,
            facilities.c.name,
            facilities.c.country,
            facilities.c.example,
            *(hazards.c[name] for name in HazardRow.__slots__),
        )
        .join(inspections, inspections.c.id == hazards.c.inspection)
        .join(facilities, facilities.c.id == inspections.c.facility)
        .where(
            facilities.c.jurisdiction.in_(sorted(jurisdictions)),
            hazards.c.severity != "over",
            inspections.c.mode.is_distinct_from("training"),
        )
        .order_by(hazards.c.received_at.desc(), hazards.c.inspection, hazards.c.id)
        .limit(MOST)
    )
    return [
        OpenHazard(row[0], row[1], row[2], row[3], HazardRow(*row[4:])) for row in tx.execute(query)
    ]
