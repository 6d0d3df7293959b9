"""Taking in many requests at once comes to what taking them one after another comes to (S2, S3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from region import AUDITOR, HILL, OTHER, TODAY, VALLEY, Clock, enrolled_device, make_region
from sqlalchemy import select

from server.context import Context
from server.services.sharing import read_ref
from server.services.take_in import Asked, Taken, take_in
from server.services.verify import verify
from server.store import devices, files, logs, tables
from server.store.devices import ACTIVE, Device
from sync.log import Segment, device_id, genesis, link, sign_head, write_line
from sync.receipt import SignedBytes
from sync.session import Request

VISITS = [str(uuid.UUID(int=n, version=4)) for n in (1, 2)]
FILES = [f"{n:064x}" for n in (1, 2, 3)]
LINES = 6


class Laptop:
    """A device with a log on each visit, and a second branch of each from line 4 on."""

    def __init__(self, seed: int, person: str) -> None:
        self.person = person
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public_key = self.key.public_key().public_bytes_raw()
        self.id = device_id(self.public_key)
        self.logs = {(v, b): self._log(seed, v, b) for v in VISITS for b in (False, True)}

    def _log(self, seed: int, visit: str, branch: bool) -> tuple[list[bytes], list[bytes]]:
        facility = (HILL, VALLEY)[seed % 2]
        evidence = {"kind": "photo", "source": "imported", "media_type": "image/jpeg", "size": 1}
        entries: list[tuple[str, Any]] = [
            ("about", {"facility": facility, "checklist": "c" * 64, "purpose": "", "mode": "live"}),
            (f"evidence/{FILES[seed % 3]}/{self.id}", evidence),
            ("answers/GEN-G1/-", {"level": "fully"}),
            ("comments/a", {"text": "the branch" if branch else "the trunk"}),
            (f"evidence/{FILES[2]}/{self.id}", evidence),
            ("about", {"facility": VALLEY, "checklist": "c" * 64, "purpose": "", "mode": "live"}),
        ]
        lines, hashes = [], [genesis(self.public_key, visit)]
        for seq, (path, value) in enumerate(entries, start=1):
            lines.append(write_line(seq, TODAY, self.person, path, value))
            hashes.append(link(hashes[-1], lines[-1]))
        return lines, hashes

    def segment(self, visit: str, branch: bool, first: int, last: int, forged: bool) -> Segment:
        lines, hashes = self.logs[visit, branch]
        signature = bytes(64) if forged else sign_head(self.key, hashes[last])
        return Segment(self.id, visit, first, tuple(lines[first - 1 : last]), signature)


LAPTOPS = [Laptop(1, AUDITOR), Laptop(2, AUDITOR), Laptop(3, OTHER)]


@st.composite
def a_segment(draw: st.DrawFn, laptop: Laptop) -> Segment:
    first = draw(st.integers(1, LINES))
    last = draw(st.integers(first, LINES))
    branch, forged = (draw(st.integers(0, 5)) == 0 for _ in range(2))
    return laptop.segment(draw(st.sampled_from(VISITS)), branch, first, last, forged)


@st.composite
def a_request(draw: st.DrawFn) -> tuple[Request, str, int]:
    laptop = draw(st.sampled_from(LAPTOPS))
    segments = draw(st.lists(a_segment(laptop), max_size=4))
    awaiting = draw(st.lists(st.sampled_from(FILES), unique=True, max_size=3))
    at = draw(st.sampled_from([None, TODAY]))
    request = Request(laptop.id, None, tuple(awaiting), tuple(segments), at)
    return request, laptop.person, TODAY + draw(st.integers(0, 5))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A region in which the laptops are enrolled and one file of the first person is held."""
    ctx = make_region(tmp_path_factory.mktemp("take-in"), Clock(TODAY))

    def enrol(tx: Any) -> None:
        for laptop in LAPTOPS:
            signed = SignedBytes(b"{}", bytes(64))
            row = (laptop.id, laptop.public_key, laptop.person, "laptop", None, signed, 0, ACTIVE)
            devices.put(tx, Device(*row, None))
        files.hold(tx, FILES[2], 1, AUDITOR, TODAY)

    ctx.db.write(enrol)
    yield ctx
    ctx.db.close()


class _UndoneError(Exception):
    pass


def outcome(ctx: Context, requests: list[Asked], at_once: bool) -> tuple[list[Taken], dict]:
    """What became of the requests, and every row that then stood there; all of it undone after."""
    found: list[Any] = []

    def work(tx: Any) -> None:
        portions = [requests] if at_once else [[one] for one in requests]
        done = [taken for portion in portions for taken in take_in(tx, portion)]
        found.extend((done, _rows(tx)))
        raise _UndoneError

    with pytest.raises(_UndoneError):
        ctx.db.write(work)
    return found[0], found[1]


def _rows(tx: Any) -> dict[str, list[Any]]:
    """Every row, with logs under their names: their numbers are nobody's matter."""
    found = {
        table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key))]
        for table in tables.metadata.sorted_tables
    }
    names = {row.id: (row.device, row.inspection) for row in tx.execute(select(tables.logs))}
    found["logs"] = sorted((*names[row[0]], *row[1:]) for row in found["logs"])
    found["segments"] = sorted((*names[row[0]], *row[1:]) for row in found["segments"])
    # How often a facility was asked for, and what each receipt says of files that others in the
    # same transaction name, may differ; both are right.
    found["gradings"] = [row[:3] for row in found["gradings"]]
    del found["receipts"]
    # Once it is known where an inspection is, it is told whole: in how many pieces and as of which
    # moment may differ, what everybody is told of may not.
    found["changes"] = sorted(one for row in found["changes"] for one in _told(*row[1:4]))
    return found


def _told(person: str, kind: str, ref: str) -> list[tuple[str, str, str, int]]:
    """What a change speaks of; of `lines` each line."""
    told = read_ref(kind, ref)
    if told is None or kind != "lines":
        return [(person, kind, ref, 0)]
    where = f"{told.device}/{told.inspection}"
    return [(person, kind, where, seq) for seq in range(told.first, told.last + 1)]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(given=st.lists(a_request(), min_size=1, max_size=6))
def test_at_once_and_one_after_another_come_to_the_same(
    empty: Context, given: list[tuple[Request, str, int]]
) -> None:
    requests = [Asked(empty, *one) for one in given]
    together, rows = outcome(empty, requests, at_once=True)
    singly, rows_singly = outcome(empty, requests, at_once=False)
    for a, b in zip(together, singly, strict=True):
        assert sorted(map(repr, a.states)) == sorted(map(repr, b.states))
        assert a.named == b.named
        assert a.heads.keys() == b.heads.keys()
    assert rows.keys() == rows_singly.keys()
    for name, stored in rows.items():
        assert stored == rows_singly[name], name


def test_what_many_devices_sent_at_once_verifies(tmp_path: Path) -> None:
    """S4: every receipt names what is held, and the chains hold."""
    ctx = make_region(tmp_path, Clock(TODAY))
    sent = [enrolled_device(ctx, seed=n) for n in range(1, 6)]
    requests = []
    for n, device in enumerate(sent):
        visit = str(uuid.UUID(int=100 + n, version=4))
        device.record(visit, "about", {"facility": HILL, "checklist": "c" * 64, "mode": "live"})
        device.record(visit, "answers/GEN-G1/-", {"level": "fully"})
        lines, hashes = device.logs[visit], device.hashes[visit]
        segment = Segment(device.id, visit, 1, tuple(lines), sign_head(device.key, hashes[-1]))
        requests.append(
            Asked(ctx, Request(device.id, None, (), (segment,), TODAY), device.person, TODAY)
        )
    done = ctx.db.write(lambda tx: take_in(tx, requests))
    assert [state.state for one in done for state in one.states] == ["held"] * 5
    assert all(one.receipt is not None for one in done)
    assert verify(ctx).faults == ()


def test_a_request_that_tells_no_time_leaves_the_clocks_offset_unknown(tmp_path: Path) -> None:
    """L9: a clock that was not told is not a clock that is right."""
    ctx = make_region(tmp_path, Clock(TODAY))
    device = enrolled_device(ctx)
    device.record(VISITS[0], "comments/a", {"text": "a"})
    device.record(VISITS[0], "comments/b", {"text": "b"})
    lines, hashes = device.logs[VISITS[0]], device.hashes[VISITS[0]]
    for n, at in ((1, None), (2, TODAY - 5)):
        segment = Segment(
            device.id, VISITS[0], n, (lines[n - 1],), sign_head(device.key, hashes[n])
        )
        asked = Asked(ctx, Request(device.id, None, (), (segment,), at), device.person, TODAY)
        ctx.db.write(lambda tx, asked=asked: take_in(tx, [asked]))
    with ctx.db.read() as tx:
        (log,) = logs.logs_of(tx, VISITS[0])
        assert [one.offset_ms for one in logs.segments_of(tx, log.id)] == [None, 5]
