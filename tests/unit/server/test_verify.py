"""A wrong byte anywhere in what is stored is found and named (L4, S4, S8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from region import HILL, VALLEY, VISIT_1, VISIT_2, Device, enrolled_device, jpeg, visit
from sqlalchemy import Engine, Table, create_engine, delete, func, select, update

from checklists import published
from server.context import Context
from server.services.verify import Fault, verify
from server.services.verify_log import HASH, LINE, check_log, walk
from server.store import tables
from server.store.db import Database
from server.store.runs import cut, hashes_in, numbers_in, pack
from server.store.stored import StoredLine, StoredLog, StoredSegment
from sync.log import genesis, link, sign_head


@dataclass(frozen=True, slots=True)
class World:
    """A region in which one device made two visits and synced each in two goes."""

    ctx: Context
    device: Device
    file: Engine  # the same database opened past the program, without its checks

    def log(self, inspection: str = VISIT_1) -> int:
        with self.ctx.db.read() as tx:
            query = select(tables.logs.c.id).where(tables.logs.c.inspection == inspection)
            found: int = tx.execute(query).scalar_one()
            return found

    def change(self, table: Table, where: Any, **values: Any) -> None:
        """Change rows in the file itself, as no part of the program does."""
        self._raw(update(table).where(where).values(**values))

    def take_away(self, table: Table, where: Any) -> None:
        self._raw(delete(table).where(where))

    def flip(self, table: Table, where: Any, column: str, at: int = 0, by: int = 1) -> bytes:
        """Change one byte of a binary column; return what stood there."""
        with self.ctx.db.read() as tx:
            old = bytes(tx.execute(select(table.c[column]).where(where)).scalar_one())
        self.change(table, where, **{column: flipped(old, at, by)})
        return old

    def run_with(self, n: int) -> Any:
        """The row of the segment that holds entry n of the first visit."""
        held = (tables.segments.c.first <= n) & (tables.segments.c.last >= n)
        with self.ctx.db.read() as tx:
            query = select(tables.segments).where(tables.segments.c.log == self.log(), held)
            return tx.execute(query).one()

    def flip_line(self, n: int, at: int, by: int = 1) -> None:
        """Change one byte of entry n's line where it lies."""
        run = self.run_with(n)
        before = numbers_in(run.lengths)[: n - run.first]
        start, size = sum(before) + len(before), len(self.device.logs[VISIT_1][n - 1])
        self.flip(tables.segments, row(run), "lines", start + at % size, by)

    def flip_hash(self, n: int, at: int, by: int = 1) -> None:
        run = self.run_with(n)
        self.flip(tables.segments, row(run), "hashes", (n - run.first) * 32 + at, by)

    def put_line(self, n: int, line: bytes | None, h: bytes = b"") -> None:
        """Put another line and hash at entry n's place, or none (the lines behind move up)."""
        run = self.run_with(n)
        lines, hashes = cut(run.lines, run.lengths), list(hashes_in(run.hashes))
        here = n - run.first
        lines[here : here + 1] = [] if line is None else [line]
        hashes[here : here + 1] = [] if line is None else [h]
        packed, lengths = pack(lines)
        new = {"lines": packed, "lengths": lengths, "hashes": b"".join(hashes)}
        self.change(tables.segments, row(run), **new)

    def faults(self) -> tuple[Fault, ...]:
        return verify(self.ctx).faults

    def entry(self, n: int) -> str:
        return f"device {self.device.id}, inspection {VISIT_1}, entry {n}"

    def _raw(self, statement: Any) -> None:
        with self.file.begin() as connection:
            connection.execute(statement)


def unchecked(db: Database) -> Engine:
    """The same database without its foreign keys."""
    if db.engine.dialect.name == "sqlite":
        return create_engine(db.url)
    given = conninfo_to_dict(db.url) | {"options": "-c session_replication_role=replica"}
    return create_engine("postgresql+psycopg://", connect_args=given)


def flipped(data: bytes, at: int, by: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= by
    return bytes(changed)


@pytest.fixture
def region(either_region: Context) -> Context:
    """Everything here holds on each database."""
    return either_region


@pytest.fixture
def world(region: Context) -> Iterator[World]:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL, picture=jpeg(1), signs=("warm-kiln",))
    device.record(VISIT_1, "comments/later", {"text": "one more thing: ปลอดภัย"})
    device.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    device.sign_off(VISIT_1)
    device.send()
    visit(device, VISIT_2, VALLEY)
    file = unchecked(region.db)
    yield World(region, device, file)
    file.dispose()


def row(run: Any) -> Any:
    return (tables.segments.c.log == run.log) & (tables.segments.c.last == run.last)


def test_what_was_stored_properly_has_no_fault_and_everything_is_counted(world: World) -> None:
    report = verify(world.ctx)
    assert report.faults == ()
    written = sum(len(lines) for lines in world.device.logs.values())
    assert report.counts["entries"] == written
    assert (report.counts["logs"], report.counts["segments"]) == (2, 3)
    assert (report.counts["files"], report.counts["files missing"]) == (1, 0)
    # A checklist and limits tables, a profile and the rules' settings.
    assert report.counts["documents"] == 3 + len(published.limits_names())
    assert report.counts["declarations"] == 2
    assert report.counts["receipts"] >= 3
    assert report.counts["audit lines"] >= 7
    assert report.to_json()["faults"] == []


def test_a_file_that_has_not_arrived_is_counted_and_is_no_fault(world: World) -> None:
    world.device.photo(VISIT_2, jpeg(5), ["GEN-G1/-"])
    world.device.send()
    report = verify(world.ctx)
    assert report.faults == ()
    assert report.counts["files missing"] == 1


# -- lines, hashes, heads, signatures (L4) --------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 8, 9, 10])
def test_a_changed_line_is_named_by_device_inspection_and_entry(world: World, n: int) -> None:
    world.flip_line(n, at=40)
    assert world.faults() == (Fault("entry", world.entry(n), LINE),)


@pytest.mark.parametrize("n", [1, 5, 10])
def test_a_changed_hash_is_told_from_a_changed_line(world: World, n: int) -> None:
    world.flip_hash(n, at=7)
    assert world.faults() == (Fault("entry", world.entry(n), HASH),)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_one_byte_of_any_line_or_hash_is_found_and_named(
    world: World, data: st.DataObject
) -> None:
    count = len(world.device.logs[VISIT_1])
    n = data.draw(st.integers(1, count), "entry")
    column = data.draw(st.sampled_from(["line", "h"]), "column")
    size = len(world.device.logs[VISIT_1][n - 1]) if column == "line" else 32
    at, by = data.draw(st.integers(0, size - 1), "byte"), data.draw(st.integers(1, 255), "by")
    flip = world.flip_line if column == "line" else world.flip_hash
    flip(n, at, by)
    try:
        assert [fault.where for fault in world.faults()] == [world.entry(n)]
    finally:
        flip(n, at, by)
    assert world.faults() == ()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_one_byte_of_what_is_noted_of_a_run_is_found(world: World, data: st.DataObject) -> None:
    run = world.run_with(data.draw(st.sampled_from([1, 9]), "entry"))
    at, by = data.draw(st.integers(0, 40), "byte"), data.draw(st.integers(1, 255), "by")
    world.flip(tables.segments, row(run), "lengths", at, by)
    try:
        assert f"{run.last}" in " ".join(fault.where for fault in world.faults())
    finally:
        world.flip(tables.segments, row(run), "lengths", at, by)
    assert world.faults() == ()


def test_a_line_feed_changed_between_two_lines_is_named(world: World) -> None:
    world.flip(
        tables.segments, row(world.run_with(1)), "lines", numbers_in(world.run_with(1).lengths)[0]
    )
    assert [fault.where for fault in world.faults()] == [world.entry(1)]


def test_several_changed_lines_are_each_named(world: World) -> None:
    for n in (2, 3, 7):
        world.flip_line(n, at=30)
    assert [fault.where for fault in world.faults()] == [world.entry(n) for n in (2, 3, 7)]


def test_a_line_that_was_taken_away_is_named(world: World) -> None:
    world.put_line(4, None)
    assert world.entry(4) in {fault.where for fault in world.faults()}


@pytest.mark.parametrize("to", [0, -3, 99])
def test_a_run_at_a_wrong_place_is_named(world: World, to: int) -> None:
    run = world.run_with(9)
    world.change(tables.segments, row(run), first=to)
    named = world.entry(0).replace("entry 0", f"entries {run.first} to {run.last}")
    assert named in {fault.where for fault in world.faults()}


def test_a_tail_taken_away_together_with_its_head_is_found_by_the_receipt(world: World) -> None:
    """S4"""
    log, run = world.log(), world.run_with(9)
    kept = world.device.hashes[VISIT_1][run.first - 1]
    world.take_away(tables.segments, row(run))
    world.change(tables.logs, tables.logs.c.id == log, seq=run.first - 1, h=kept)
    last = len(world.device.logs[VISIT_1])
    (fault,) = world.faults()
    assert fault.where == world.entry(last)
    assert "acknowledged" in fault.why


def test_a_whole_log_taken_away_is_found_by_the_receipt(world: World) -> None:
    """S4"""
    log = world.log()
    world.take_away(tables.segments, tables.segments.c.log == log)
    world.take_away(tables.logs, tables.logs.c.id == log)
    assert world.entry(len(world.device.logs[VISIT_1])) in {f.where for f in world.faults()}


@pytest.mark.parametrize("change", [{"seq": 3}, {"seq": 99}, {"h": b"\0" * 32}])
def test_a_wrong_head_is_named(world: World, change: dict[str, Any]) -> None:
    world.change(tables.logs, tables.logs.c.id == world.log(), **change)
    assert [fault.where for fault in world.faults()] == [
        world.entry(len(world.device.logs[VISIT_1]))
    ]


@pytest.mark.parametrize("byte", [0, 31, 32, 63])
def test_a_changed_signature_names_the_run_of_entries_it_covers(world: World, byte: int) -> None:
    log, last = world.log(), len(world.device.logs[VISIT_1])
    where = (tables.segments.c.log == log) & (tables.segments.c.last == last)
    world.flip(tables.segments, where, "signature", at=byte)
    (fault,) = world.faults()
    assert fault.where == world.entry(0).replace("entry 0", f"entries {last - 2} to {last}")
    assert "signature" in fault.why


def test_a_segment_noted_at_a_wrong_place_is_found(world: World) -> None:
    log, last = world.log(), len(world.device.logs[VISIT_1])
    where = (tables.segments.c.log == log) & (tables.segments.c.last == last)
    world.change(tables.segments, where, last=last - 1)
    assert any(world.entry(last) == fault.where for fault in world.faults())


def test_a_log_rewritten_with_all_its_hashes_is_found_by_signature_and_receipt(
    world: World,
) -> None:
    """L4: without the device's key nobody can make a chain that holds."""
    log, device = world.log(), world.device
    lines = list(device.logs[VISIT_1])
    lines[4] = lines[4].replace(b"yes", b"no!")
    running = genesis(device.public_key, VISIT_1)
    for n, text in enumerate(lines, start=1):
        running = link(running, text)
        world.put_line(n, text, running)
    world.change(tables.logs, tables.logs.c.id == log, h=running)
    whys = [fault.why for fault in world.faults()]
    assert sum("signature" in why for why in whys) == 2
    assert sum("acknowledged" in why for why in whys) >= 2


def test_a_log_noted_under_another_inspection_is_found(world: World) -> None:
    other = "9f8fad5b-d9cb-469f-a165-70867728950e"
    world.change(tables.logs, tables.logs.c.id == world.log(), inspection=other)
    assert any(other in fault.where for fault in world.faults())


# -- one log, without a server --------------------------------------------------------------------


def a_log(world: World) -> tuple[StoredLog, list[StoredLine], list[StoredSegment]]:
    device = world.device
    lines, hashes = device.logs[VISIT_1], device.hashes[VISIT_1]
    rows = [StoredLine(n, text, hashes[n]) for n, text in enumerate(lines, start=1)]
    log = StoredLog(1, device.id, VISIT_1, len(lines), hashes[-1])
    return log, rows, [StoredSegment(1, len(lines), sign_head(device.key, hashes[-1]))]


def test_without_kept_hashes_a_changed_line_is_narrowed_down_to_its_signed_run(
    world: World,
) -> None:
    log, rows, segments = a_log(world)
    bare = [StoredLine(r.seq, flipped(r.line, 30) if r.seq == 5 else r.line, None) for r in rows]
    found = check_log(world.device.public_key, log, bare, segments)
    assert [(f.first, f.last) for f in found.faults if "signature" in f.why] == [(1, log.seq)]
    intact = [StoredLine(r.seq, r.line, None) for r in rows]
    assert check_log(world.device.public_key, log, intact, segments).faults == []


def test_a_log_in_which_no_line_fits_is_named_line_by_line_and_costs_no_more_than_another(
    world: World,
) -> None:
    _, rows, _ = a_log(world)
    strange = [StoredLine(r.seq, r.line, bytes([r.seq]) * 32) for r in rows]
    found = walk(world.device.public_key, VISIT_1, strange)
    assert [fault.first for fault in found.faults] == [row.seq for row in rows]
    assert max(len(candidates) for candidates in found.hashes.values()) == 2


# -- keys, certificates, receipts (S4, S8) --------------------------------------------------------


def test_a_changed_public_key_is_named_and_the_logs_are_judged_by_the_certified_one(
    world: World,
) -> None:
    """S8"""
    world.flip(tables.devices, tables.devices.c.id == world.device.id, "public_key", at=3)
    faults = world.faults()
    assert {fault.where for fault in faults} == {f"device {world.device.id}"}
    assert {fault.what for fault in faults} == {"certificate", "device"}


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.integers(0, 2_000), by=st.integers(1, 255))
def test_any_changed_byte_of_a_certificate_or_receipt_is_found(
    world: World, at: int, by: int
) -> None:
    for table, column in (
        (tables.devices, "certificate"),
        (tables.receipts, "payload"),
        (tables.receipts, "signature"),
    ):
        with world.ctx.db.read() as tx:
            number = tx.execute(select(func.min(table.c.id))).scalar_one()
        old = world.flip(table, table.c.id == number, column, at, by)
        found = world.faults()
        world.change(table, table.c.id == number, **{column: old})
        noun = "certificate" if table is tables.devices else "receipt"
        # Base64 and JSON have bytes that mean nothing, such as spaces; those may change.
        assert noun in {fault.what for fault in found} or column == "certificate"


def test_a_device_given_to_someone_else_is_found(world: World) -> None:
    where = tables.devices.c.id == world.device.id
    world.change(tables.devices, where, person="p-someone2")
    assert ("certificate", f"device {world.device.id}") in {
        (fault.what, fault.where) for fault in world.faults()
    }


# -- files, audit trail, documents, declarations --------------------------------------------------


def test_a_changed_or_vanished_file_is_named_by_its_digest(world: World) -> None:
    with world.ctx.db.read() as tx:
        sha256 = tx.execute(select(tables.files.c.sha256)).scalar_one()
    path = world.ctx.blobs.shelf.path(sha256)
    whole = path.read_bytes()
    for damaged in (flipped(whole, len(whole) // 2), whole[:-1], None):
        if damaged is None:
            path.unlink()
        else:
            path.write_bytes(damaged)
        (fault,) = world.faults()
        assert (fault.what, fault.where) == ("file", f"file {sha256}")


def test_a_file_that_lost_its_place_in_the_list_of_named_files_is_found(world: World) -> None:
    """S4: a file that an entry names is never swept."""
    world.take_away(tables.file_names, tables.file_names.c.inspection == VISIT_1)
    (fault,) = world.faults()
    assert fault.what == "file"
    assert re.search(r"[0-9a-f]{64}", fault.why)


@pytest.mark.parametrize("column", ["facility", "mode"])
def test_an_inspection_moved_to_another_facility_or_mode_is_found(
    world: World, column: str
) -> None:
    world.change(tables.inspections, tables.inspections.c.id == VISIT_1, **{column: "elsewhere"})
    (fault,) = world.faults()
    assert fault.where == f"inspection {VISIT_1}"


def test_a_changed_audit_line_is_named(world: World) -> None:
    world.flip(tables.audit, tables.audit.c.n == 3, "line", at=10)
    assert ("audit", "audit line 3") in {(fault.what, fault.where) for fault in world.faults()}


@pytest.mark.parametrize("kind", ["checklist", "limits", "profile", "rules"])
def test_a_changed_document_is_named(world: World, kind: str) -> None:
    of_kind = select(func.min(tables.documents.c.digest)).where(tables.documents.c.kind == kind)
    where = tables.documents.c.digest == of_kind.scalar_subquery()
    world.flip(tables.documents, where, "body", at=200)
    (fault,) = world.faults()
    assert fault.what == "document"
    assert fault.where.startswith(kind)


def test_a_changed_declaration_is_named(world: World) -> None:
    where = tables.declarations.c.facility == HILL
    with world.ctx.db.read() as tx:
        body = tx.execute(select(tables.declarations.c.body).where(where)).scalar_one()
    world.change(tables.declarations, where, body=body.replace(b"closed", b"active"))
    (fault,) = world.faults()
    assert (fault.what, HILL in fault.where) == ("declaration", True)
    world.change(tables.declarations, where, body=b"{")
    (fault,) = world.faults()
    assert fault.what == "declaration"
    world.change(tables.declarations, where, body=body, filed="2026-02-02")
    (fault,) = world.faults()
    assert "noted otherwise" in fault.why


def test_a_changed_branch_in_quarantine_is_named(world: World) -> None:
    """S3"""
    device = world.device
    fork = Device(world.ctx, device.person, device.key)
    fork.logs[VISIT_1] = device.logs[VISIT_1][:3]
    fork.hashes[VISIT_1] = device.hashes[VISIT_1][:4]
    fork.record(VISIT_1, "comments/other", {"text": "another branch"})
    with pytest.raises(AssertionError, match="forked"):
        fork.send()
    assert verify(world.ctx).counts["branches set aside"] == 1
    assert world.faults() == ()
    world.flip(tables.quarantine, tables.quarantine.c.device == device.id, "branch", at=9)
    (fault,) = world.faults()
    assert fault.what == "branch"
