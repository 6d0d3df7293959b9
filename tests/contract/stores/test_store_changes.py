"""Changes for devices (S5), on each database."""

from __future__ import annotations

from functools import partial

from store_rows import NOW, a_device, a_person

from server.store import changes, devices, people
from server.store.changes import News
from server.store.db import Database
from server.store.transaction import Tx

THINGS = [("facility", "hill"), ("assignment", "a-1")]


def tell(db: Database, *people: str) -> None:
    db.write(lambda tx: changes.tell(tx, people, THINGS, NOW))


def test_changes_are_numbered_without_gaps_across_people_and_writes(db: Database) -> None:
    tell(db, "p-2", "p-1", "p-2")
    tell(db, "p-1")
    with db.read() as tx:
        assert changes.position(tx) == (1, 6)
        assert changes.after(tx, "p-1", 0) == [
            (1, *THINGS[0]),
            (2, *THINGS[1]),
            (5, *THINGS[0]),
            (6, *THINGS[1]),
        ]
        assert [n for n, _, _ in changes.after(tx, "p-2", 0)] == [3, 4]


def test_reading_goes_on_behind_a_number_and_a_page_at_a_time(db: Database) -> None:
    tell(db, "p-1")
    tell(db, "p-1")
    with db.read() as tx:
        assert [n for n, _, _ in changes.after(tx, "p-1", 1, 2)] == [2, 3]
        assert changes.after(tx, "p-1", 4) == []
        assert changes.after(tx, "p-9", 0) == []


def test_news_for_several_people_is_numbered_in_its_own_order(db: Database) -> None:
    news = [
        News("p-2", "certificate", "d/i", NOW),
        News("p-1", "lines", "d/i/1-2", NOW + 1),
        News("p-2", "lines", "d/i/1-2", NOW + 1),
    ]
    tell(db, "p-1")
    db.write(lambda tx: changes.tell_all(tx, news))
    db.write(lambda tx: changes.tell_all(tx, []))
    with db.read() as tx:
        assert changes.after(tx, "p-2", 0) == [(3, "certificate", "d/i"), (5, "lines", "d/i/1-2")]
        assert changes.after(tx, "p-1", 2) == [(4, "lines", "d/i/1-2")]


def test_what_a_device_wrote_itself_is_left_out_of_what_it_reads(db: Database) -> None:
    """S5: so a page ends at what others wrote, and neither side reads its own lines back."""
    refs = ["dev", "dev/i", "dev/i/1-2", "dev0", "dev-2/i", "dew/i", "a/i"]
    db.write(lambda tx: changes.tell_all(tx, [News("p-1", "lines", ref, NOW) for ref in refs]))
    with db.read() as tx:
        assert [ref for _, _, ref in changes.after(tx, "p-1", 0)] == refs
        others = [ref for _, _, ref in changes.after(tx, "p-1", 0, device="dev")]
        assert others == ["dev", "dev0", "dev-2/i", "dew/i", "a/i"]
        assert [n for n, _, _ in changes.after(tx, "p-1", 0, 2, "dev")] == [1, 4]


def test_telling_nobody_or_nothing_leaves_no_number(db: Database) -> None:
    db.write(lambda tx: changes.tell(tx, [], THINGS, NOW))
    db.write(lambda tx: changes.tell(tx, ["p-1"], [], NOW))
    with db.read() as tx:
        assert changes.position(tx) == (1, 0)


def test_a_write_that_fails_uses_up_no_number(db: Database) -> None:
    class UnforeseenError(Exception):
        pass

    def work(tx: object) -> None:
        changes.tell(tx, ["p-1"], THINGS, NOW)
        raise UnforeseenError

    for _ in range(2):
        try:
            db.write(work)
        except UnforeseenError:
            continue
    tell(db, "p-1")
    with db.read() as tx:
        assert [n for n, _, _ in changes.after(tx, "p-1", 0)] == [1, 2]


def test_those_with_a_device_who_were_never_told_are_found(db: Database) -> None:
    """S8: a device that was enrolled before there was a sealing key hears of it once."""
    for seed, name in ((1, "1"), (2, "2")):
        db.write(partial(put_device, name=name, seed=seed))
    tell(db, "p-2", "p-3")
    with db.read() as tx:
        assert changes.untold(tx, *THINGS[0]) == ["p-1"]
        assert changes.untold(tx, "facility", "valley") == ["p-1", "p-2"]


def put_device(tx: Tx, name: str, seed: int) -> None:
    people.add(tx, a_person(name))
    devices.put(tx, a_device(seed, f"p-{name}"))
