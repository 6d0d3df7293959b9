"""The mark of a restore that has not finished, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, inspect
from store_rows import NOW, put_region

from server.store import restoring
from server.store.db import Database


def unfinished(db: Database) -> bool:
    with db.read() as tx:
        return restoring.unfinished(tx)


def filled(db: Database) -> list[str]:
    with db.read() as tx:
        return restoring.filled(tx)


def test_a_database_with_tables_and_no_rows_is_empty(db: Database) -> None:
    assert filled(db) == []
    db.write(put_region)
    assert filled(db) == ["facilities", "jurisdictions"]


def test_somebody_elses_table_with_rows_counts_too(db: Database) -> None:
    theirs = Table("theirs", MetaData(), Column("n", Integer))
    db.write(lambda tx: (theirs.create(tx), tx.execute(insert(theirs).values(n=1))))
    assert filled(db) == ["theirs"]


def test_the_mark_stands_from_the_beginning_to_the_end(db: Database) -> None:
    assert not unfinished(db)
    db.write(put_region)
    db.write(lambda tx: restoring.begin(tx, "0001-x", NOW))
    assert unfinished(db)
    assert filled(db) == []
    with db.read() as tx:
        assert inspect(tx).get_table_names() == ["restoring"]
    db.migrate()
    db.write(put_region)
    # Begun anew, as often as it takes.
    db.write(lambda tx: restoring.begin(tx, "0001-x", NOW))
    db.migrate()
    db.write(restoring.finish)
    assert not unfinished(db)
    assert filled(db) == []


def test_a_transaction_that_fails_leaves_the_mark(db: Database) -> None:
    db.write(lambda tx: restoring.begin(tx, "0001-x", NOW))

    def ends(tx: object) -> None:
        restoring.finish(tx)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.write(ends)
    assert unfinished(db)
