"""Many requests: the next one is made while one is on its way, and goes only where it fits (S2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from field_device import FieldDevice
from memory_server import LossError, Office

import fieldkit.syncer
from fieldkit.syncer import Load, Syncer
from sync.log import Segment, link
from sync.problems import Problem
from sync.session import Request, plan_segments, read_answer, read_request


@pytest.fixture
def inspections(device: FieldDevice, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three inspections, of which one request carries about a fifth of one."""
    small = partial(plan_segments, max_bytes=600)
    monkeypatch.setattr(fieldkit.syncer, "plan_segments", small)
    device.sync()
    names = [device.start(new=True).inspection for _ in range(3)]
    store = device.store
    with store.writing(store.identity(), 7, "entries") as log:
        for name in names:
            for n in range(30):
                log.append(name, f"comments/{n}", {"n": n})
    return names


def watched(syncer: Syncer, between: Callable[[int, Request], None]) -> list[tuple[Any, Any]]:
    """(request, answer) of each exchange; `between` has the nth, from 0, before it is sent."""
    seen: list[tuple[Any, Any]] = []
    carried = syncer.transport.exchange

    def exchange(body: bytes) -> bytes:
        request = read_request(body)
        between(len(seen), request)
        answer = carried(body)
        seen.append((request, read_answer(answer)))
        return answer

    syncer.transport.exchange = exchange  # type: ignore[method-assign]
    return seen


def states(seen: list[tuple[Any, Any]], state: str) -> list[str]:
    return [one.log for _, answer in seen for one in answer.logs if one.state == state]


def test_what_goes_next_is_made_on_the_way_and_nothing_counts_before_its_receipt(
    device: FieldDevice, inspections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2, S4."""
    syncer, did = device.syncer(), []
    begin, plan = syncer.transport.begin, fieldkit.syncer.plan_segments
    waiting = partial(syncer.ledger.waiting_lines, device.store.identity())

    def begun(request: bytes) -> Callable[[], bytes]:
        before, answer = waiting(), begin(request)
        did.append("sent")

        def answered() -> bytes:
            assert waiting() == before
            did.append("answered")
            return answer()

        return answered

    def made(*given: Any) -> Any:
        did.append("made")
        return plan(*given)

    syncer.transport.begin = begun  # type: ignore[method-assign]
    monkeypatch.setattr(fieldkit.syncer, "plan_segments", made)
    seen = watched(syncer, lambda n, _: None)
    syncer.run()
    assert len(seen) > 4
    assert did == ["made", *["sent", "made", "answered"] * (len(seen) - 1)]
    sent = [one for request, _ in seen for one in request.segments]
    lines = [(one.inspection, line) for one in sent for line in one.lines]
    assert len(lines) == len(set(lines)), "nothing goes twice"
    device.holds_exactly()


def test_after_a_gap_what_was_made_is_made_anew(
    device: FieldDevice, office: Office, inspections: list[str]
) -> None:
    """S2: the office loses lines of a log that is half sent; it has to ask only once."""
    syncer = device.syncer()

    def lose(n: int, _: Request) -> None:
        if n == 2:
            half = next(log for log in inspections if 2 < len(office.lines(device.id, log)) < 31)
            office.forget_log(device.id, half, 2)

    seen = watched(syncer, lose)
    syncer.run()
    assert len(states(seen, "gap")) == 1
    device.holds_exactly()


def test_a_log_that_is_refused_on_the_way_does_not_go_on(
    device: FieldDevice, office: Office, inspections: list[str]
) -> None:
    """L4: it is told once; the others go on."""
    syncer, refused = device.syncer(), inspections[1]

    def refuse(n: int, _: Request) -> None:
        office.refused = {refused} if 0 < len(office.lines(device.id, refused)) < 31 else set()

    seen = watched(syncer, refuse)
    syncer.run()
    assert states(seen, "refused") == [refused]
    office.refused = set()
    device.sync()
    device.holds_exactly()


def test_a_server_of_a_new_epoch_on_the_way_is_offered_everything_again(
    device: FieldDevice, office: Office, inspections: list[str]
) -> None:
    """S5."""
    backup = office.backup()
    syncer = device.syncer()
    watched(syncer, lambda n, _: office.restore(backup) if n == 3 else None)
    assert syncer.run().restored
    device.holds_exactly()


def test_after_a_fork_on_the_way_nothing_goes_that_the_key_before_signed(
    device: FieldDevice, office: Office, inspections: list[str]
) -> None:
    """S3."""
    syncer, forked = device.syncer(), inspections[0]
    former, other = device.id, b'{"seq":9}'
    end = device.store.count_lines(forked, former)

    def fork(n: int, request: Request) -> None:
        for one in request.segments:
            ends = one.inspection == forked and one.first + len(one.lines) > end
            held = office.logs.get((former, forked))
            if ends and held is not None and one.device == former:
                held.lines.append(other)
                held.hashes.append(link(held.hashes[-1], other))

    seen = watched(syncer, fork)
    assert syncer.run().new_key
    assert states(seen, "forked") == [forked]
    for request, _ in seen:
        assert {one.device for one in request.segments} <= {request.device}
    assert {former, device.id} == {request.device for request, _ in seen}
    assert device.sync().requests == 1
    assert device.ledger.waiting_lines(device.store.identity()) == 0


def test_a_cursor_that_is_not_known_is_dropped_and_the_rest_goes_on(
    device: FieldDevice, inspections: list[str]
) -> None:
    device.store.set_notes(cursor="from-another-world")
    device.sync()
    device.holds_exactly()


@pytest.mark.parametrize("fault", ["request", "reply", "dies"])
def test_cut_at_any_request_the_next_run_completes_it(
    device: FieldDevice, inspections: list[str], fault: str
) -> None:
    """S1, S2."""
    for n in range(4):
        with pytest.raises((Problem, LossError)):
            device.sync([*[""] * n, fault])
    device.sync()
    device.holds_exactly()


@pytest.mark.parametrize(
    ("device_id", "there", "but_not", "fits"),
    [
        ("mine", {"one": 2}, frozenset(), True),
        ("another", {"one": 2}, frozenset(), False),
        ("mine", {"one": 1}, frozenset(), False),
        ("mine", {"one": 2, "two": -1}, frozenset(), False),
        ("mine", {"one": 2}, frozenset({"two"}), False),
    ],
)
def test_what_was_made_goes_where_all_of_it_follows_what_is_there(
    device_id: str, there: dict[str, int], but_not: frozenset[str], fits: bool
) -> None:
    """S2, S3."""
    places = (("one", 3), ("one", 4), ("two", 1))
    made = Load(tuple(Segment("mine", log, n, (b"{}",), b"") for log, n in places), True)
    assert made.fits(device_id, there, but_not) is fits
    assert not Load((), True).fits("mine", {}, frozenset())


def test_a_long_history_that_is_acknowledged_is_not_read_again(device: FieldDevice) -> None:
    """S1: what waits is found by going from log to log."""
    store, inspection = device.store, device.start().inspection

    def steps() -> int:
        taken: list[None] = []
        store.database._conn.set_progress_handler(lambda: taken.append(None), 1)
        syncer.ledger.unfinished(identity)
        syncer._outbox.urgent()
        syncer.ledger.waiting_lines(identity)
        store.database._conn.set_progress_handler(None, 1)
        return len(taken)

    counts, identity = [], store.identity()
    for count in (5, 500):
        with store.writing(identity, 7, "entries") as log:
            for n in range(count):
                log.append(inspection, f"comments/{count}-{n}", {"n": n})
        device.sync()
        syncer = device.syncer()
        syncer.store = store
        syncer.ledger.database = store.database
        counts.append(steps())
    assert counts[0] == counts[1]
