"""A tail that is taken away from the database is found, whoever took it away (S13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from region import DAY_MS, HILL, VISIT_1, VISIT_2, Device, enrolled_device, visit
from sqlalchemy import create_engine, delete, func, select, update

from server.context import Context
from server.schedule import Worker
from server.services.checkpoints import make, make_due, newest
from server.services.verify import verify
from server.store import tables
from server.store.runs import hashes_in
from sync.receipt import SignedBytes, read_receipt
from sync.session import Answer


def at(ctx: Context, days: int) -> Context:
    """The same server some days later."""
    return replace(ctx, now=lambda: ctx.now() + days * DAY_MS)


@pytest.fixture
def device(region: Context) -> Device:
    """Two visits sent, a checkpoint made after each."""
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL)
    make(region)
    visit(made, VISIT_2, HILL)
    make(region)
    return made


def sql(ctx: Context, *statements: object) -> None:
    """Change the database as no part of the program does."""
    engine = create_engine(ctx.settings.database_url)
    with engine.begin() as conn:
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]
    engine.dispose()


def faults(ctx: Context) -> list[str]:
    return [f"{one.what} {one.where}: {one.why}" for one in verify(ctx).faults]


def test_one_is_made_a_day_and_quoted_in_every_receipt(region: Context) -> None:
    made = enrolled_device(region)
    first = make_due(region)
    assert first is not None
    assert make_due(region) is None
    assert make_due(at(region, -3)) is None, "a clock that was set back makes none"
    visit(made, VISIT_1, HILL)
    second = make_due(at(region, 1))
    assert second is not None
    assert second.checkpoint.before == first.id
    assert [second.checkpoint.n, second.checkpoint.size] == [2, 2]
    made.record(VISIT_1, "outcome", {"outcome": "partly"})
    answer: Answer = made.send()
    assert answer.receipt is not None
    receipt = read_receipt(region.public_key, answer.receipt)
    assert receipt.checkpoint == (2, second.id)
    assert newest(region) == second
    assert faults(region) == []


def test_of_two_workers_one_makes_it(region: Context) -> None:
    first, second = Worker(region, "first"), Worker(region, "second")
    assert first.checkpoint() is not None
    assert second.checkpoint() is None
    assert first.checkpoint() is None


def test_what_is_held_fits_every_checkpoint(region: Context, device: Device) -> None:
    report = verify(region)
    assert report.faults == ()
    assert report.counts["checkpoints"] == 2


def cut_log(ctx: Context, inspection: str, keep: int) -> None:
    """Take away a log's tail with everything that tells of it: lines, head, receipts, trail."""
    logs, segments = tables.logs, tables.segments
    with ctx.db.read() as tx:
        log = tx.execute(select(logs).where(logs.c.inspection == inspection)).one()
        runs = tx.execute(
            select(segments).where(segments.c.log == log.id).order_by(segments.c.last)
        ).all()
    last = runs[keep - 1]
    sql(
        ctx,
        delete(segments).where(segments.c.log == log.id, segments.c.last > last.last),
        update(logs)
        .where(logs.c.id == log.id)
        .values(seq=last.last, h=list(hashes_in(last.hashes))[-1]),
        delete(tables.receipts),
    )


def test_a_tail_that_was_taken_away_whole_is_found(region: Context) -> None:
    """(S13) Chain and signatures of what is left hold, and no receipt is left that tells."""
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL)
    made.record(VISIT_1, "outcome", {"outcome": "evacuated", "note": "armed men at the gate"})
    made.send()
    assert faults(region) == []
    make(region)
    cut_log(region, VISIT_1, keep=1)
    length = len(made.logs[VISIT_1])
    why = f"it holds entry {length} of {made.id}/{VISIT_1}, which is gone or another one now"
    assert faults(region) == [f"checkpoint checkpoint 1: {why}"]


def test_without_a_checkpoint_such_a_tail_is_not_found(region: Context) -> None:
    """What the checkpoint is for: without one the same database looks whole."""
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL)
    made.record(VISIT_1, "outcome", {"outcome": "evacuated"})
    made.send()
    cut_log(region, VISIT_1, keep=1)
    assert faults(region) == []


def test_a_log_that_vanished_whole_is_found(region: Context, device: Device) -> None:
    log = select(tables.logs.c.id).where(tables.logs.c.inspection == VISIT_2).scalar_subquery()
    sql(
        region,
        delete(tables.segments).where(tables.segments.c.log == log),
        delete(tables.receipts),
        delete(tables.logs).where(tables.logs.c.inspection == VISIT_2),
        delete(tables.inspections).where(tables.inspections.c.id == VISIT_2),
    )
    assert any(f"{device.id}/{VISIT_2}, which is gone" in one for one in faults(region))


def test_a_tail_of_the_audit_trail_that_was_taken_away_is_found(
    region: Context, device: Device
) -> None:
    with region.db.read() as tx:
        last = tx.execute(select(func.max(tables.audit.c.n))).scalar_one()
    sql(region, delete(tables.audit).where(tables.audit.c.n == last))
    assert any(f"it holds entry {last} of audit, which is gone" in one for one in faults(region))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda t: update(t).where(t.c.n == 1).values(signature=bytes(64)), "not signed by"),
        (lambda t: update(t).where(t.c.n == 2).values(moved=b"no zlib"), "its bytes changed"),
        (lambda t: update(t).where(t.c.n == 2).values(at=t.c.at + 1), "noted otherwise"),
        (lambda t: update(t).where(t.c.n == 2).values(id="0" * 64), "noted otherwise"),
        (lambda t: delete(t).where(t.c.n == 1), "checkpoint 1 should stand here"),
        (lambda t: delete(t).where(t.c.n == 2), "quotes checkpoint 2, which is gone"),
    ],
    ids=["signature", "heads", "time", "id", "first-gone", "last-gone"],
)
def test_a_changed_or_missing_checkpoint_is_found(
    region: Context, device: Device, damage: Callable[..., object], told: str
) -> None:
    device.record(VISIT_1, "outcome", {"outcome": "partly"})
    device.send()
    sql(region, damage(tables.checkpoints))
    assert any(told in one for one in faults(region)), faults(region)


def test_a_time_of_receipt_that_was_changed_is_found(region: Context, device: Device) -> None:
    """(L9) "Not after" stands on it."""
    sql(region, update(tables.segments).values(received_at=tables.segments.c.received_at - 1))
    told = [one for one in faults(region) if "received at another time than receipt" in one]
    assert len(told) == 2


def test_a_receipt_without_a_checkpoint_still_reads(region: Context) -> None:
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL)
    with region.db.read() as tx:
        row = tx.execute(select(tables.receipts)).first()
    assert row is not None
    assert (
        read_receipt(region.public_key, SignedBytes(row.payload, row.signature)).checkpoint is None
    )
