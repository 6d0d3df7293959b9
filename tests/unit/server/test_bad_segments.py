"""Whatever an enrolled device signs: an unread entry or a named problem, and nothing else touched.

Each bad thing is sent between two good ones, and both good ones are held.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest
from region import HILL, VISIT_1, VISIT_2, Device, enrolled_device

from server.context import Context
from server.services.inspections import load_inspection
from server.services.intake import receive
from server.services.verify import verify
from sync.log import (
    MAX_ENTRY_BYTES,
    MAX_LOG_LINES,
    MAX_REQUEST_BYTES,
    MAX_SEGMENT_LINES,
    Segment,
    genesis,
    link,
    sign_head,
)
from sync.problems import CATALOGUE, Problem
from sync.receipt import read_receipt
from sync.session import Answer, LogState, Request, inflate, read_answer, write_request

VISIT_3 = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
DEEP = b"[" * 10_000 + b"]" * 10_000


@pytest.fixture
def device(region: Context) -> Device:
    made = enrolled_device(region)
    made.start(VISIT_1, HILL)
    made.start(VISIT_2, HILL)
    made.send()
    return made


def segment(device: Device, visit: str, *lines: bytes, first: int | None = None) -> Segment:
    """Lines that follow what the device sent of the visit, chained and signed as they are."""
    hashes = device.hashes.setdefault(visit, [genesis(device.public_key, visit)])
    running = hashes[-1]
    for line in lines:
        running = link(running, line)
    begins = len(hashes) if first is None else first
    return Segment(device.id, visit, begins, lines, sign_head(device.key, running))


def ask(ctx: Context, device: Device, *segments: Segment) -> Answer:
    body = write_request(Request(device.id, None, (), segments, ctx.now()))
    return read_answer(receive(ctx, device.id, device.person, body))


def between_good_ones(ctx: Context, device: Device, bad: Segment) -> LogState:
    """What is said of the bad segment; what came before and after it is held."""
    good = [b'{"seq":%d,"at":1,"by":"p","path":"outcome","value":{"outcome":"visited"}}' % 2]
    before, after = segment(device, VISIT_2, *good), segment(device, VISIT_3, b"{}")
    told = {said.log: said for said in ask(ctx, device, before, bad, after).logs}
    assert [told[visit].state for visit in (VISIT_2, VISIT_3)] == ["held", "held"]
    assert verify(ctx).faults == ()
    return told[VISIT_1]


def entry(**changes: object) -> bytes:
    whole = {"seq": 2, "at": 1, "by": "p", "path": "outcome", "value": {"outcome": "visited"}}
    return json.dumps({**whole, **changes}).encode()


UNREAD = {
    "10,000 deep": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":' + DEEP + b"}",
    "only depth": DEEP,
    "NaN": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":NaN}',
    "infinity": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":-Infinity}',
    "a float": entry(value=1.5),
    "a key twice": b'{"seq":2,"seq":2,"at":1,"by":"p","path":"outcome","value":{}}',
    "a key twice inside": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":{"a":1,"a":2}}',
    "invalid UTF-8": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":"\xff"}',
    "a lone surrogate": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":"\\ud800"}',
    "a lone surrogate key": b'{"seq":2,"at":1,"by":"p","path":"outcome","value":{"\\udfff":1}}',
    "beyond 2^53": entry(at=2**53),
    "before 1970": entry(at=-1),
    "another seq": entry(seq=7),
    "no JSON": b"\x00\x01\x02",
    "nothing": b"",
    "a path outside": entry(path="../../etc/passwd"),
    "a path of a newer version": entry(path="drones/1"),
    "an unknown member": entry(colour="red"),
    "replaces no hash": entry(replaces=["x"]),
    "a byte order mark": b"\xef\xbb\xbf" + entry(),
}


@pytest.mark.parametrize("line", UNREAD.values(), ids=UNREAD.keys())
def test_what_breaks_l3_is_kept_unread_and_holds_up_nothing(
    region: Context, device: Device, line: bytes
) -> None:
    """(L3, L4)"""
    answer = entry(seq=3, path="answers/GEN-G1/-", value={"level": "fully"})
    said = between_good_ones(region, device, segment(device, VISIT_1, line, answer))
    assert (said.state, said.seq) == ("held", 3)
    with region.db.read() as tx:
        loaded = load_inspection(tx, VISIT_1)
    assert loaded is not None
    assert len(loaded.current.unread) == 1
    assert loaded.current.outcome.heads == (), "nothing unread is taken for the value"
    assert loaded.current.answers["GEN-G1", "-"].value is not None


REFUSED: dict[str, tuple[Callable[[Device], Segment], str]] = {
    "a wrong chain": (
        lambda d: Segment(d.id, VISIT_1, 2, (entry(),), segment(d, VISIT_2, entry()).signature),
        "segment-signature",
    ),
    "no signature": (
        lambda d: Segment(d.id, VISIT_1, 2, (entry(),), bytes(64)),
        "segment-signature",
    ),
    "another log's signature": (
        lambda d: Segment(d.id, VISIT_1, 2, (b"{}",), segment(d, VISIT_3, b"{}").signature),
        "segment-signature",
    ),
    "a device that nobody enrolled": (
        lambda d: Segment("a" * 32, VISIT_1, 1, (entry(),), bytes(64)),
        "device-not-yours",
    ),
}


@pytest.mark.parametrize(("made", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_breaks_chain_or_signature_is_refused_alone(
    region: Context, device: Device, made: Callable[[Device], Segment], code: str
) -> None:
    """(L4) Nothing of it is written; a remedy comes with it."""
    said = between_good_ones(region, device, made(device))
    assert said.state == "refused"
    assert said.problem is not None
    assert said.problem["code"] == code
    assert all(said.problem[part] for part in ("title", "safe", "remedy"))
    with region.db.read() as tx:
        loaded = load_inspection(tx, VISIT_1)
    assert loaded is not None
    assert loaded.counted + len(loaded.set_aside) == 1


def test_a_gap_is_answered_with_where_to_go_on(region: Context, device: Device) -> None:
    """(S2)"""
    said = between_good_ones(region, device, segment(device, VISIT_1, entry(seq=9), first=9))
    assert (said.state, said.seq) == ("gap", 2)


def test_lines_that_come_again_are_acknowledged_as_far_as_they_came(
    region: Context, device: Device
) -> None:
    """(S3, S4) A device put back from a backup has nothing of what its log holds beyond."""
    ask(region, device, segment(device, VISIT_1, entry(), entry(seq=3)))
    answer = ask(region, device, segment(device, VISIT_1, entry(), first=2))
    assert answer.receipt is not None
    (acknowledged,) = read_receipt(region.public_key, answer.receipt).logs
    h = link(device.hashes[VISIT_1][-1], entry())
    assert (acknowledged.seq, acknowledged.h) == (2, h.hex())
    assert [(said.state, said.seq) for said in answer.logs] == [("held", 2)]
    assert verify(region).faults == ()


@pytest.mark.parametrize("at", [0, 1, 4_070_908_800_000, 2**53 - 1], ids=str)
def test_a_clock_of_1970_or_2099_is_a_claim_and_no_obstacle(
    region: Context, device: Device, at: int
) -> None:
    """(L9)"""
    said = between_good_ones(region, device, segment(device, VISIT_1, entry(at=at)))
    assert (said.state, said.seq) == ("held", 2)
    with region.db.read() as tx:
        loaded = load_inspection(tx, VISIT_1)
    assert loaded is not None
    assert [head.written.at for head in loaded.current.outcome.heads] == [at]


def test_entries_that_replace_each_other_in_a_circle_all_stand(
    region: Context, device: Device
) -> None:
    """(L6) Whoever makes a circle by guessing hashes hides nothing by it."""
    one = entry(replaces=["a" * 64])
    h = link(device.hashes[VISIT_1][-1], one).hex()
    two = entry(seq=3, value={"outcome": "partly"}, replaces=[h])
    said = between_good_ones(region, device, segment(device, VISIT_1, one, two))
    assert said.state == "held"
    with region.db.read() as tx:
        loaded = load_inspection(tx, VISIT_1)
    assert loaded is not None
    assert [head.outcome for head in loaded.current.outcome.heads] == ["partly"]


def test_tiny_entries_by_the_ten_thousand_are_taken_and_a_log_has_an_end(
    region: Context, device: Device
) -> None:
    """(S12) A small request can hold very many lines: what reads them later is bounded."""
    running, segments, first = device.hashes[VISIT_1][-1], [], 2
    lines = (b"{}",) * MAX_SEGMENT_LINES
    while first <= MAX_LOG_LINES + 1:
        for line in lines:
            running = link(running, line)
        segments.append(Segment(device.id, VISIT_1, first, lines, sign_head(device.key, running)))
        first += len(lines)
    body = write_request(Request(device.id, None, (), tuple(segments), region.now()))
    assert len(gzip.compress(body)) < 20_000
    said = read_answer(receive(region, device.id, device.person, body)).logs
    assert {s.state for s in said[:-1]} == {"held"}
    assert said[-1].state == "refused"
    assert said[-1].problem is not None
    assert said[-1].problem["code"] == "log-too-long"


def framed(header: dict[str, object], *lines: bytes) -> bytes:
    return b"\n".join([json.dumps(header).encode(), *lines]) + b"\n"


def head(device: Device) -> dict[str, object]:
    return {"tapak": 1, "device": device.id}


def run_of(device: Device, count: int) -> bytes:
    said = {"log": VISIT_1, "device": device.id, "first": 2, "count": count}
    return json.dumps({**said, "signature": "A" * 86 + "=="}).encode()


FRAMES: dict[str, tuple[Callable[[Device], bytes], str]] = {
    "an entry of 65 kB": (
        lambda d: framed(head(d), run_of(d, 1), b"x" * (MAX_ENTRY_BYTES + 1)),
        "entry-too-large",
    ),
    "2,001 lines": (
        lambda d: framed(head(d), run_of(d, 2_001), *[b"{}"] * 2_001),
        "segment-too-long",
    ),
    "fewer lines than counted": (
        lambda d: framed(head(d), run_of(d, 3), b"{}"),
        "segment-malformed",
    ),
    "a header 10,000 deep": (lambda d: DEEP + b"\n", "request-malformed"),
    "a segment's header 10,000 deep": (lambda d: framed(head(d), DEEP), "segment-malformed"),
    "no line feed at its end": (lambda d: framed(head(d))[:-1], "request-malformed"),
    "nothing": (lambda d: b"", "request-malformed"),
    "another protocol": (lambda d: framed({**head(d), "tapak": 2}), "request-malformed"),
    "another device's name": (
        lambda d: framed({"tapak": 1, "device": "a" * 32}),
        "device-not-yours",
    ),
    "a cursor of nobody": (lambda d: framed({**head(d), "cursor": "????"}), "cursor-malformed"),
    "a log outside": (
        lambda d: framed(
            head(d), run_of(d, 1).replace(VISIT_1.encode(), b"../../etc/passwd"), b"{}"
        ),
        "segment-malformed",
    ),
}


@pytest.mark.parametrize(("made", "code"), FRAMES.values(), ids=FRAMES.keys())
def test_what_is_framed_wrongly_is_refused_whole(
    region: Context, device: Device, made: Callable[[Device], bytes], code: str
) -> None:
    """(S12)"""
    with pytest.raises(Problem) as caught:
        receive(region, device.id, device.person, made(device))
    assert caught.value.code == code
    assert CATALOGUE[code].remedy
    assert CATALOGUE[code].status < 500
    assert verify(region).faults == ()


def test_a_gzip_bomb_is_not_unpacked(region: Context) -> None:
    """(S12) Much nothing, packed small: unpacking stops at the limit."""
    bomb = gzip.compress(bytes(MAX_REQUEST_BYTES * 4), 9)
    assert len(bomb) < 200_000
    with pytest.raises(Problem) as caught:
        inflate(bomb)
    assert caught.value.code == "request-too-large"
