"""The tree of jurisdictions, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from store_rows import IN_BYTE_ORDER, put_region

from server.store import jurisdictions
from server.store.db import Database
from server.store.jurisdictions import Jurisdiction


def test_a_jurisdiction_is_found_as_it_was_added(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        assert jurisdictions.find(tx, "th") == Jurisdiction("th", "Thailand", "asean", "country")
        assert jurisdictions.find(tx, "asean").parent is None
        assert jurisdictions.find(tx, "TH") is None


def test_jurisdictions_come_in_the_order_of_their_ids_bytes(db: Database) -> None:
    added = [Jurisdiction(one, one, None, "region") for one in reversed(IN_BYTE_ORDER)]
    db.write(lambda tx: [jurisdictions.add(tx, one) for one in added])
    with db.read() as tx:
        assert [one.id for one in jurisdictions.every(tx)] == list(IN_BYTE_ORDER)


def test_below_a_jurisdiction_lies_itself_and_all_under_it(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        assert jurisdictions.below(tx, ["th"]) == {"th", "th-north"}
        assert jurisdictions.below(tx, ["asean"]) == {"asean", "th", "th-north", "vn"}
        assert jurisdictions.below(tx, ["vn", "no such"]) == {"vn"}
        assert jurisdictions.below(tx, []) == set()


def test_a_parent_that_is_not_there_is_refused_and_leaves_nothing(db: Database) -> None:
    orphan = Jurisdiction("orphan", "Orphan", "no such", "state")
    with pytest.raises(IntegrityError):
        db.write(lambda tx: jurisdictions.add(tx, orphan))
    with db.read() as tx:
        assert jurisdictions.every(tx) == []


def test_a_jurisdictions_line_goes_up_to_the_top(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        assert jurisdictions.line_of(tx, "th-north") == ["th-north", "th", "asean"]
        assert jurisdictions.line_of(tx, "asean") == ["asean"]
        assert jurisdictions.line_of(tx, "no such") == ["no such"]
