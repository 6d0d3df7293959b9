"""The one way in: rules S1 to S6, S12, on a real database and real files."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select

from server.context import Context, open_context
from server.services.intake import receive
from server.services.uploads import begin
from server.services.verify import verify
from server.settings import read_settings
from server.store import audit, changes, facts, logs, tables
from sync.log import Head, Segment, device_id, genesis, link, sign_head, write_line
from sync.problems import Problem
from sync.receipt import read_receipt
from sync.session import Answer, Request, read_answer, write_request

INSPECTION = "0f8fad5b-d9cb-469f-a165-70867728950e"
PHOTO = b"not really a photograph"
DIGEST = hashlib.sha256(PHOTO).hexdigest()


class Laptop:
    """A device with one log, enrolled by a row in the table."""

    def __init__(self, ctx: Context, seed: int, person: str) -> None:
        self.ctx = ctx
        self.person = person
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public_key = self.key.public_key().public_bytes_raw()
        self.id = device_id(self.public_key)
        self.lines: list[bytes] = []
        self.hashes = [genesis(self.public_key, INSPECTION)]

    def write(self, path: str, value: Any) -> None:
        line = write_line(len(self.lines) + 1, 1_000, self.person, path, value)
        self.lines.append(line)
        self.hashes.append(link(self.hashes[-1], line))

    def names_photo(self) -> None:
        self.write(
            f"evidence/{DIGEST}/{self.id}",
            {"kind": "photo", "source": "imported", "media_type": "image/jpeg", "size": 23},
        )

    def segment(self, first: int = 1, last: int | None = None) -> Segment:
        end = last or len(self.lines)
        signature = sign_head(self.key, self.hashes[end])
        return Segment(self.id, INSPECTION, first, tuple(self.lines[first - 1 : end]), signature)

    def send(
        self, *segments: Segment, awaiting: tuple[str, ...] = (), cursor: str | None = None
    ) -> Answer:
        body = write_request(Request(self.id, cursor, awaiting, segments, 500))
        return read_answer(receive(self.ctx, self.id, self.person, body))


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    opened = open_context(read_settings(tmp_path, environ={}))
    yield opened
    opened.db.close()


@pytest.fixture
def laptop(ctx: Context) -> Laptop:
    return enrolled(ctx, 1, "p-aaaaaaaa")


def enrolled(ctx: Context, seed: int, person: str) -> Laptop:
    one = Laptop(ctx, seed, person)
    ctx.db.write(
        lambda tx: (
            tx.execute(
                insert(tables.people).values(
                    id=person, login=person, name="N", password="x", active=True, created_at=0
                )
            ),
            tx.execute(
                insert(tables.devices).values(
                    id=one.id,
                    public_key=one.public_key,
                    person=person,
                    name="laptop",
                    certificate=b"{}",
                    enrolled_at=0,
                    status="active",
                )
            ),
        )
    )
    return one


def copy_of(laptop: Laptop, length: int) -> Laptop:
    """The same device, put back from a backup that was made when it had so many entries."""
    copy = Laptop(laptop.ctx, 0, laptop.person)
    copy.key, copy.public_key, copy.id = laptop.key, laptop.public_key, laptop.id
    copy.lines, copy.hashes = laptop.lines[:length], laptop.hashes[: length + 1]
    return copy


def stored(ctx: Context, laptop: Laptop) -> list[bytes]:
    with ctx.db.read() as tx:
        log = logs.find_logs(tx, [(laptop.id, INSPECTION)]).get((laptop.id, INSPECTION))
        return [] if log is None else logs.lines_of(tx, log.id)


def test_lines_are_stored_as_sent_and_the_receipt_names_their_head(
    ctx: Context, laptop: Laptop
) -> None:
    """S1, S4"""
    laptop.write("about", {"facility": "f-1", "checklist": "c", "mode": "live"})
    laptop.write("outcome", {"outcome": "visited"})
    answer = laptop.send(laptop.segment())
    assert stored(ctx, laptop) == laptop.lines
    assert answer.receipt is not None
    receipt = read_receipt(ctx.public_key, answer.receipt)
    assert [(r.seq, r.h) for r in receipt.logs] == [(2, laptop.hashes[2].hex())]
    assert (receipt.server, receipt.epoch, receipt.device) == (ctx.id, 1, laptop.id)
    with ctx.db.read() as tx:
        found = logs.find_inspection(tx, INSPECTION)
        log = logs.find_logs(tx, [(laptop.id, INSPECTION)]).get((laptop.id, INSPECTION))
        assert found is not None and (found.facility, found.mode) == ("f-1", "live")
        assert log is not None and log.head == Head(2, laptop.hashes[2])
        assert logs.hash_at(tx, log, 1) == laptop.hashes[1]


def test_a_write_is_on_the_disk_when_it_ends(ctx: Context) -> None:
    """S4: SQLite syncs at every commit of a writer (2 is FULL)."""
    asked = ctx.db.write(lambda tx: tx.exec_driver_sql("pragma synchronous").scalar_one())
    assert asked == 2


def test_what_could_not_be_committed_is_not_acknowledged(ctx: Context, laptop: Laptop) -> None:
    """S4: a receipt follows the commit, and here there is none."""
    laptop.write("about", {"facility": "f-1", "checklist": "c", "mode": "live"})
    writers = ctx.db.backend.writers

    def fails(connection: Any) -> None:
        raise OSError("the disk is gone")

    event.listen(writers, "commit", fails)
    with pytest.raises(OSError, match="the disk is gone"):
        laptop.send(laptop.segment())
    event.remove(writers, "commit", fails)
    assert stored(ctx, laptop) == []
    assert laptop.send(laptop.segment()).receipt is not None
    assert stored(ctx, laptop) == laptop.lines


def test_a_segment_sent_again_doubles_nothing_and_is_acknowledged_again(
    ctx: Context, laptop: Laptop
) -> None:
    """S2"""
    laptop.write("about", {"facility": "f-1", "checklist": "c", "mode": "live"})
    laptop.names_photo()
    first = laptop.send(laptop.segment())
    again = laptop.send(laptop.segment())
    assert stored(ctx, laptop) == laptop.lines
    assert [s.state for s in again.logs] == ["held"]
    assert first.missing == again.missing == (DIGEST,)
    assert again.receipt is not None


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5))
def test_any_order_of_overlapping_segments_ends_with_each_line_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int]]
) -> None:
    """S2"""
    ctx = open_context(read_settings(tmp_path_factory.mktemp("server"), environ={}))
    laptop = enrolled(ctx, 1, "p-aaaaaaaa")
    for i in range(5):
        laptop.write("answers/GEN-G1/-", {"level": "fully", "note": str(i)})
    for a, b in cuts:
        answer = laptop.send(laptop.segment(min(a, b), max(a, b)))
        assert answer.logs[0].state in ("held", "gap")
        if answer.logs[0].state == "gap":
            assert answer.logs[0].seq == len(stored(ctx, laptop)) + 1
    laptop.send(laptop.segment())
    assert stored(ctx, laptop) == laptop.lines
    ctx.db.close()


def test_a_fork_is_set_aside_once_and_told_and_nothing_held_changes(
    ctx: Context, laptop: Laptop
) -> None:
    """S3"""
    laptop.write("outcome", {"outcome": "visited"})
    laptop.send(laptop.segment())
    other = Laptop(ctx, 1, laptop.person)
    other.write("outcome", {"outcome": "partly"})
    for _ in range(2):
        answer = other.send(other.segment())
        assert [(s.state, s.seq) for s in answer.logs] == [("forked", 1)]
    assert stored(ctx, laptop) == laptop.lines
    with ctx.db.read() as tx:
        assert tx.execute(select(func.count()).select_from(tables.quarantine)).scalar() == 1
        assert any(line["action"] == "log.forked" for line in audit.lines(tx))


def test_one_bad_segment_is_refused_by_name_and_the_others_are_held(
    ctx: Context, laptop: Laptop
) -> None:
    """L4"""
    laptop.write("outcome", {"outcome": "visited"})
    good = laptop.segment()
    bad = Segment(laptop.id, "6ba7b810-9dad-41d1-80b4-00c04fd430c8", 1, good.lines, b"\0" * 64)
    answer = laptop.send(bad, good)
    assert [s.state for s in answer.logs] == ["refused", "held"]
    assert answer.logs[0].problem is not None
    assert answer.logs[0].problem["code"] == "segment-signature"
    assert stored(ctx, laptop) == laptop.lines


def test_a_colleagues_segment_may_be_carried_and_a_strangers_may_not(
    ctx: Context, laptop: Laptop
) -> None:
    """S2: it is the log's signature that counts, whoever carries it."""
    colleague = enrolled(ctx, 2, "p-bbbbbbbb")
    colleague.write("outcome", {"outcome": "visited"})
    stranger = Laptop(ctx, 3, "p-cccccccc")
    stranger.write("outcome", {"outcome": "visited"})
    answer = laptop.send(colleague.segment(), stranger.segment())
    assert [s.state for s in answer.logs] == ["held", "refused"]
    assert stored(ctx, colleague) == colleague.lines
    with pytest.raises(Problem) as caught:
        receive(ctx, laptop.id, laptop.person, write_request(Request(colleague.id, None, (), ())))
    assert caught.value.code == "device-not-yours"


def test_an_unreadable_line_is_kept_and_holds_up_nothing(ctx: Context, laptop: Laptop) -> None:
    """L4"""
    laptop.lines.append(b"\xff not json")
    laptop.hashes.append(link(laptop.hashes[-1], laptop.lines[-1]))
    laptop.write("about", {"facility": "f-1", "checklist": "c", "mode": "live"})
    assert [s.state for s in laptop.send(laptop.segment()).logs] == ["held"]
    assert stored(ctx, laptop) == laptop.lines


# -- files ----------------------------------------------------------------------------------------


def deliver(ctx: Context, person: str, data: bytes) -> int:
    """Send bytes as those of the photograph; how many of the file are here then."""
    return begin(ctx, person, DIGEST, len(data), "", [data]).offset


def test_a_file_counts_when_its_digest_is_verified_and_then_a_receipt_lists_it(
    ctx: Context, laptop: Laptop
) -> None:
    """S4, S6"""
    laptop.names_photo()
    assert laptop.send(laptop.segment(), awaiting=(DIGEST,)).missing == (DIGEST,)
    with pytest.raises(Problem) as caught:
        deliver(ctx, laptop.person, PHOTO[:-1] + b"x")
    assert caught.value.code == "file-digest"
    assert not ctx.blobs.has(DIGEST)
    assert not [p for p in ctx.settings.files.rglob("*") if p.is_file()]
    assert laptop.send(awaiting=(DIGEST,)).missing == (DIGEST,)
    assert deliver(ctx, laptop.person, PHOTO) == len(PHOTO)
    answer = laptop.send(awaiting=(DIGEST,))
    assert answer.missing == () and answer.receipt is not None
    assert read_receipt(ctx.public_key, answer.receipt).files == (DIGEST,)
    assert deliver(ctx, laptop.person, b"never read") == len(PHOTO)


def test_nobody_learns_that_a_stranger_holds_the_same_file(ctx: Context, laptop: Laptop) -> None:
    """S6"""
    laptop.names_photo()
    laptop.send(laptop.segment())
    deliver(ctx, laptop.person, PHOTO)
    other = enrolled(ctx, 2, "p-bbbbbbbb")
    with pytest.raises(Problem) as caught:
        deliver(ctx, other.person, PHOTO)
    assert caught.value.code == "file-not-named"
    assert other.send(awaiting=(DIGEST,)).missing == (DIGEST,)
    other.names_photo()
    assert other.send(other.segment(), awaiting=(DIGEST,)).missing == (DIGEST,)
    with pytest.raises(Problem):
        deliver(ctx, other.person, b"guessed")
    assert ctx.blobs.digest_holds(DIGEST)
    deliver(ctx, other.person, PHOTO)
    assert other.send(awaiting=(DIGEST,)).missing == ()


def test_a_file_that_nobody_named_is_refused_before_it_is_read(
    ctx: Context, laptop: Laptop
) -> None:
    """S6"""

    def unread() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    with pytest.raises(Problem) as caught:
        begin(ctx, laptop.person, DIGEST, len(PHOTO), "", unread())
    assert caught.value.code == "file-not-named"


# -- changes --------------------------------------------------------------------------------------


def test_a_sync_with_nothing_new_writes_nothing_and_stays_small(
    ctx: Context, laptop: Laptop
) -> None:
    """S1"""
    laptop.write("outcome", {"outcome": "visited"})
    cursor = laptop.send(laptop.segment()).cursor
    before = dict(_counts(ctx))
    body = write_request(Request(laptop.id, cursor, (), (), 1))
    answer = receive(ctx, laptop.id, laptop.person, body)
    assert len(body) + len(answer) < 250
    assert dict(_counts(ctx)) == before


def _counts(ctx: Context) -> Iterator[tuple[str, int]]:
    with ctx.db.read() as tx:
        for table in tables.metadata.sorted_tables:
            yield table.name, tx.execute(select(func.count()).select_from(table)).scalar_one()


def test_changes_come_page_by_page_and_only_ones_own(ctx: Context, laptop: Laptop) -> None:
    """S5"""
    other = enrolled(ctx, 2, "p-bbbbbbbb")
    things = [("facility", f"f-{i}") for i in range(changes.PAGE + 5)]
    ctx.db.write(lambda tx: changes.tell(tx, [laptop.person], things, 1))
    ctx.db.write(lambda tx: changes.tell(tx, [other.person], things[:1], 1))
    first = laptop.send()
    assert first.more
    second = laptop.send(cursor=first.cursor)
    assert not second.more
    assert laptop.send(cursor=second.cursor).cursor == second.cursor


@pytest.mark.parametrize("cursor", ["x", "!!!!", "MS4", "LTEuMQ", "MS4xLjE", "a" * 200])
def test_a_cursor_that_was_never_given_out_is_named_a_problem(laptop: Laptop, cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        laptop.send(cursor=cursor)
    assert caught.value.code == "cursor-malformed"


def test_a_cursor_of_another_epoch_starts_anew(ctx: Context, laptop: Laptop) -> None:
    """S5"""
    cursor = laptop.send().cursor
    ctx.db.write(lambda tx: tx.execute(insert(tables.server).values(id=2, epoch=2, created_at=0)))
    assert laptop.send(cursor=cursor).cursor != cursor


# -- what a reviewer tried ------------------------------------------------------------------------


def test_the_creators_first_entry_fixes_the_mode_however_the_log_is_cut(
    ctx: Context, laptop: Laptop
) -> None:
    """L5: a training inspection does not become live by a second `about` in the same request."""
    laptop.write("about", {"facility": "f-1", "checklist": "c", "mode": "training"})
    laptop.write("about", {"facility": "f-2", "checklist": "c", "mode": "live"})
    laptop.send(laptop.segment())
    with ctx.db.read() as tx:
        found = logs.find_inspection(tx, INSPECTION)
    assert found is not None and (found.facility, found.mode) == ("f-1", "training")


@pytest.mark.parametrize("at", [2**70, -(2**70), -1])
def test_a_clock_from_nowhere_is_a_problem_and_stores_nothing(
    ctx: Context, laptop: Laptop, at: int
) -> None:
    laptop.write("outcome", {"outcome": "visited"})
    body = write_request(Request(laptop.id, None, (), (laptop.segment(),), at))
    with pytest.raises(Problem) as caught:
        receive(ctx, laptop.id, laptop.person, body)
    assert caught.value.code == "request-malformed"
    assert stored(ctx, laptop) == []


def test_naming_a_strangers_file_does_not_make_it_held_evidence(
    ctx: Context, laptop: Laptop
) -> None:
    """S6: a file counts for an inspection when somebody who names it there delivered it."""
    other = enrolled(ctx, 2, "p-bbbbbbbb")
    other_inspection = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
    laptop.names_photo()
    laptop.send(laptop.segment())
    deliver(ctx, laptop.person, PHOTO)
    line = write_line(
        1,
        1_000,
        other.person,
        f"evidence/{DIGEST}/{other.id}",
        {"kind": "photo", "source": "imported", "media_type": "image/jpeg", "size": 23},
    )
    head = link(genesis(other.public_key, other_inspection), line)
    named = Segment(other.id, other_inspection, 1, (line,), sign_head(other.key, head))
    other.send(named)
    with ctx.db.read() as tx:
        assert facts.held(tx, INSPECTION, [DIGEST]) == {DIGEST}
        assert facts.held(tx, other_inspection, [DIGEST]) == set()


def test_a_file_that_a_receipt_promised_and_that_is_gone_is_named(
    ctx: Context, laptop: Laptop
) -> None:
    """S4"""
    laptop.names_photo()
    laptop.send(laptop.segment())
    deliver(ctx, laptop.person, PHOTO)
    laptop.send(awaiting=(DIGEST,))
    ctx.db.write(
        lambda tx: (
            tx.execute(tables.file_scopes.delete()),
            tx.execute(tables.files.delete()),
        )
    )
    ctx.blobs.shelf.path(DIGEST).unlink()
    assert any(DIGEST in fault.where for fault in verify(ctx).faults)


@pytest.mark.parametrize("column", ["device", "inspection"])
def test_a_log_whose_name_is_no_longer_text_is_a_named_fault_not_a_crash(
    ctx: Context, laptop: Laptop, column: str
) -> None:
    laptop.write("outcome", {"outcome": "visited"})
    laptop.send(laptop.segment())
    with contextlib.closing(sqlite3.connect(ctx.settings.data / "tapak.sqlite")) as db:
        db.execute(f"update logs set {column} = cast(x'ff' || substr({column}, 2) as text)")
        db.commit()
    assert verify(ctx).faults
