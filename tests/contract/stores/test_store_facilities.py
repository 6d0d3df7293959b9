"""Facilities, on each database."""

from __future__ import annotations

from dataclasses import replace

from store_rows import IN_BYTE_ORDER, a_facility, put_region

from server.store import facilities
from server.store.db import Database


def test_a_facility_comes_back_as_it_was_added(db: Database) -> None:
    real = a_facility("real", "vn", limits=None, example=False, name="Mỏ đất hiếm")
    db.write(put_region)
    db.write(lambda tx: facilities.add(tx, real))
    with db.read() as tx:
        assert facilities.get(tx, "real") == real
        assert facilities.get(tx, "real").example is False
        assert facilities.get(tx, "hill").example is True
        assert facilities.get(tx, "no such") is None


def test_a_facility_travels_as_json_values(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        assert facilities.find(tx, "hill") == facilities.as_json(a_facility("hill"))
        assert facilities.find(tx, "no such") is None
    assert facilities.as_json(a_facility("hill")) == {
        "id": "hill",
        "name": "Hill",
        "country": "TH",
        "jurisdiction": "th-north",
        "checklist": "rare-earth",
        "limits": "example",
        "example": True,
    }


def test_pages_go_on_behind_an_id_in_byte_order_and_within_what_is_asked_for(
    db: Database,
) -> None:
    db.write(put_region)
    more = [a_facility(one, "vn") for one in reversed(IN_BYTE_ORDER)]
    db.write(lambda tx: [facilities.add(tx, one) for one in more])
    read: list[str] = []
    with db.read() as tx:
        after = ""
        while page := facilities.page(tx, {"vn"}, after, 2):
            assert len(page) <= 2
            read += [one.id for one in page]
            after = read[-1]
        assert read == sorted((*IN_BYTE_ORDER, "delta"))
        assert facilities.page(tx, set(), "", 9) == []
        assert facilities.page(tx, {"vn"}, "no\x00such \ud800", 1) == [more[2]]


def test_all_facilities_come_in_the_order_of_their_ids(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        assert facilities.ids(tx) == ["delta", "hill", "valley"]
        assert [one.id for one in facilities.every(tx)] == facilities.ids(tx)


def test_what_a_published_document_applies_to_goes_by_kind_and_name(db: Database) -> None:
    db.write(put_region)
    other = replace(a_facility("other"), checklist="second", limits=None)
    db.write(lambda tx: facilities.add(tx, other))
    with db.read() as tx:
        assert facilities.using(tx, "checklist", "second") == ["other"]
        assert facilities.using(tx, "limits", "example") == ["delta", "hill", "valley"]
        assert facilities.using(tx, "rules", "default") == facilities.ids(tx)
        assert facilities.using(tx, "profile", "another") == []
