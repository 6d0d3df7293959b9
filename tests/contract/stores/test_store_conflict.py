"""Conflict events and the files they came in, on each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from store_rows import IN_BYTE_ORDER, NOW

from checklists.conflict.areas import Area
from checklists.conflict.cells import cell_of
from checklists.conflict.event import Event, Rejected
from server.store import conflict
from server.store.conflict import Found, Held, Snapshot
from server.store.db import Database
from server.store.transaction import Tx

DAY = date(2024, 3, 2)
HERE = (20.5, 97.25)
SNAPSHOT = Snapshot(
    0, "ucdp", "staging", "ged ကချင်.csv", "a" * 64, 2**33, "25.1", "CC BY 4.0", "2026-11-01",
    ("MM", "TH"), "2023-01-01", "2026-10-31", 2**33, 3, 1, NOW,
)  # fmt: skip
EVENT = Event(
    "e1", DAY, DAY - timedelta(days=30), DAY + timedelta(days=2), 205_000_000, 972_500_000,
    25_000, 10, 3, 1_710_000_000_000, "MM", "An Army - A Front", "ကချင်",
)  # fmt: skip


def put(db: Database, *events: Event, snapshot: int = 1) -> None:
    db.write(lambda tx: conflict.put_events(tx, snapshot, events))


def near(tx: Tx, snapshot: int = 1, days: int = 0) -> list[str]:
    """The ids that are found around, of the day and so many before it."""
    found = conflict.near(tx, snapshot, *HERE, 100_000, DAY - timedelta(days=days), DAY)
    return sorted(one.id for one in found)


def test_a_snapshot_is_kept_changed_and_swapped_in(db: Database) -> None:
    first = db.write(lambda tx: conflict.add_snapshot(tx, SNAPSHOT))
    second = db.write(lambda tx: conflict.add_snapshot(tx, replace(SNAPSHOT, version="26")))
    other = db.write(lambda tx: conflict.add_snapshot(tx, replace(SNAPSHOT, source="acled")))
    with db.read() as tx:
        assert conflict.current(tx) == {}
        assert [one.id for one in conflict.snapshots(tx)] == [other, second, first]
        assert conflict.snapshots(tx)[2] == replace(SNAPSHOT, id=first)
    one = replace(SNAPSHOT, id=first, countries=(), ends="2026-11-02")
    assert db.write(lambda tx: conflict.swap(tx, one)) is None
    two = replace(SNAPSHOT, id=second, version="26")
    assert db.write(lambda tx: conflict.swap(tx, two)) == first
    with db.read() as tx:
        assert conflict.current(tx) == {"ucdp": replace(two, state="current")}
        states = {s.id: s.state for s in conflict.snapshots(tx)}
        assert states == {first: "replaced", second: "current", other: "staging"}
        assert conflict.snapshots(tx)[2].ends == "2026-11-02"
    refused = replace(SNAPSHOT, id=other, source="acled", state="refused")
    db.write(lambda tx: conflict.change_snapshot(tx, refused))
    with db.read() as tx:
        assert conflict.snapshots(tx)[0] == refused


def test_an_event_is_found_around_its_place_and_by_its_day(db: Database) -> None:
    far = replace(EVENT, id="far", lon_e7=1_030_000_000)
    old = replace(EVENT, id="old", day=DAY - timedelta(days=731))
    later = replace(EVENT, id="later", day=DAY + timedelta(days=1))
    nothing = replace(EVENT, id="protest", weight=0)
    coarse = replace(EVENT, id="coarse", lat_e7=None, lon_e7=None, radius_m=0)
    put(db, EVENT, far, old, later, nothing, coarse)
    put(db, replace(EVENT, id="of another file"), snapshot=2)
    with db.read() as tx:
        assert conflict.near(tx, 1, *HERE, 100_000, DAY - timedelta(days=730), DAY) == [
            Found(
                "e1", 205_000_000, 972_500_000, 25_000, 10, 3, DAY.toordinal(),
                DAY.toordinal() - 30, DAY.toordinal() + 2,
            )
        ]  # fmt: skip
        assert near(tx, days=731) == ["e1", "old"]
        assert conflict.named(tx, 1, ["e1", "nobody"]) == {"e1": (EVENT.title, EVENT.where)}
        assert conflict.any_near(tx, 1, *HERE, 100_000)
        assert conflict.any_near(tx, 1, 20.5, 103.0, 1_000)
        assert not conflict.any_near(tx, 1, -20.5, 97.25, 100_000)
        assert not conflict.any_near(tx, 3, *HERE, 100_000)
        window = DAY - timedelta(days=730), DAY
        assert conflict.coarse_in(tx, 1, "MM", *window) == 1
        assert conflict.coarse_in(tx, 1, "TH", *window) == 0
        assert conflict.occupied(tx, 1) == {
            cell_of(205_000_000, lon) for lon in (972_500_000, 1_030_000_000)
        }
        assert conflict.held(tx, 1) == Held(6, 1, "2024-02-01", "2024-03-04", ("MM",))
        assert conflict.held(tx, 3) == Held(0, 0, "", "", ())


def test_the_edges_of_the_earth_are_places_too(db: Database) -> None:
    """Over the antimeridian and at the poles."""
    put(
        db,
        replace(EVENT, id="east", lat_e7=0, lon_e7=1_799_000_000),
        replace(EVENT, id="west", lat_e7=0, lon_e7=-1_800_000_000),
        replace(EVENT, id="pole", lat_e7=-900_000_000, lon_e7=0),
    )

    def around(lat: float, lon: float) -> set[str]:
        with db.read() as tx:
            return {one.id for one in conflict.near(tx, 1, lat, lon, 100_000, DAY, DAY)}

    assert around(0.2, 180.0) == {"east", "west"}
    assert around(0.2, -179.9) == {"east", "west"}
    assert around(-89.9, 77.0) == {"pole"}


def test_of_an_id_that_comes_again_the_newer_stays_and_of_equals_the_later(db: Database) -> None:
    put(db, replace(EVENT, stamp=5, deaths=5))
    put(db, replace(EVENT, stamp=4, deaths=4))

    def deaths() -> list[int]:
        with db.read() as tx:
            return [one.deaths for one in conflict.near(tx, 1, *HERE, 100_000, DAY, DAY)]

    assert deaths() == [5]
    put(db, replace(EVENT, stamp=5, deaths=6))
    assert deaths() == [6]
    put(
        db,
        replace(EVENT, stamp=8, deaths=8),
        replace(EVENT, stamp=9, deaths=9),
        replace(EVENT, stamp=7, deaths=7),
    )
    assert deaths() == [9]
    put(db, replace(EVENT, stamp=9, lat_e7=None, lon_e7=None))
    assert deaths() == []


def test_events_are_copied_withdrawn_and_cleared_a_batch_at_a_time(db: Database) -> None:
    put(db, *(replace(EVENT, id=name) for name in IN_BYTE_ORDER))
    at, steps = "", []
    while at := db.write(lambda tx, a=at: conflict.copy_events(tx, 1, 2, a, 3)):
        steps.append(at)
    assert steps == [IN_BYTE_ORDER[2], IN_BYTE_ORDER[5], IN_BYTE_ORDER[7]]
    with db.read() as tx:
        assert near(tx, 2) == near(tx, 1) == sorted(IN_BYTE_ORDER)
    assert db.write(lambda tx: conflict.withdraw(tx, 2, ["Zulu", "alpha", "nobody"])) == 2
    with db.read() as tx:
        assert near(tx, 2) == sorted(IN_BYTE_ORDER[2:])
    assert db.write(lambda tx: conflict.clear(tx, 1, 5))
    assert not db.write(lambda tx: conflict.clear(tx, 1, 5))
    with db.read() as tx:
        assert near(tx, 1) == []
        assert len(near(tx, 2)) == 6


def test_refused_rows_come_by_file_and_number(db: Database) -> None:
    rows = [Rejected(n, f"why {n} ပ") for n in (2**33, 3)]
    db.write(lambda tx: conflict.put_rejected(tx, 1, "b.csv", rows))
    db.write(lambda tx: conflict.put_rejected(tx, 1, "a.csv", [Rejected(9, "why")]))
    db.write(lambda tx: conflict.put_rejected(tx, 2, "a.csv", []))
    with db.read() as tx:
        assert list(conflict.rejected(tx, 1)) == [
            ("a.csv", Rejected(9, "why")),
            ("b.csv", rows[1]),
            ("b.csv", rows[0]),
        ]
        assert list(conflict.rejected(tx, 2)) == []


def test_areas_of_a_list(db: Database) -> None:
    listed = [
        Area("MM-11", "conflict-affected", "2026-06-30"),
        Area("AF", "listed ပ", "2026-03-31"),
    ]
    db.write(lambda tx: conflict.put_areas(tx, 1, listed))
    db.write(lambda tx: conflict.put_areas(tx, 2, []))
    with db.read() as tx:
        assert conflict.areas(tx, 1, ["MM-11", "MM", "AF"]) == [listed[1], listed[0]]
        assert conflict.areas(tx, 1, ["MM"]) == []
        assert conflict.areas(tx, 2, ["MM-11"]) == []
