"""The conversation sans I/O: rules S1, S2, S3, S12, and receipts S4."""

from __future__ import annotations

import gzip
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from logs import Device

from sync.log import Head, Segment
from sync.problems import Problem
from sync.receipt import (
    Receipt,
    ReceiptLog,
    SignedBytes,
    read_certificate,
    read_receipt,
    server_id,
    sign_certificate,
    sign_receipt,
)
from sync.session import (
    Answer,
    Append,
    Change,
    Fork,
    Gap,
    Known,
    LogState,
    Pending,
    Placement,
    Request,
    inflate,
    place_segment,
    plan_segments,
    read_answer,
    read_request,
    write_answer,
    write_request,
)

SERVER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
SERVER_KEY = SERVER.public_key().public_bytes_raw()


def device(entries: int = 6) -> Device:
    one = Device(1)
    for i in range(entries):
        one.write("answers/GEN-G1/-", {"level": "fully", "note": f"nota {i} ✓"})
    return one


def place(one: Device, held: int, segment: Segment) -> Placement:
    hashes = [one.start.h, *one.hashes]
    return place_segment(
        one.public_key,
        Head(held, hashes[held]),
        lambda first, last: one.lines[first - 1 : last],
        lambda seq: hashes[seq],
        segment,
    )


# -- requests -------------------------------------------------------------------------------------


def test_a_request_comes_back_as_it_was_written_lines_byte_for_byte() -> None:
    """S1, L4"""
    one = device()
    request = Request(one.id, "abc", ("a" * 64,), (one.segment(1, 2), one.segment(3)), 17)
    assert read_request(inflate(gzip.compress(write_request(request)))) == request


def test_nothing_to_say_costs_less_than_a_kilobyte_both_ways() -> None:
    """S1"""
    one = device()
    asked = write_request(Request(one.id, "MS4xMjM0NTY3ODkw", (), (), 1_790_000_000_000))
    answered = write_answer(Answer(None, (), (), (), "MS4xMjM0NTY3ODkw", False, 1_790_000_000_000))
    assert len(asked) + len(answered) < 250


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_named_a_problem(data: bytes) -> None:
    for reader in (read_request, read_answer, inflate):
        try:
            reader(data)
        except Problem as exc:
            assert exc.status in (400, 413, 422, 502)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda lines: lines[:-1],
        lambda lines: [lines[0], lines[1].replace(b'"count":6', b'"count":0'), *lines[2:]],
        lambda lines: [lines[0], lines[1].replace(b'"first":1', b'"first":"1"'), *lines[2:]],
        lambda lines: [lines[0], lines[1].replace(b'"log"', b'"lag"'), *lines[2:]],
        lambda lines: [lines[0], b"[" * 5_000, *lines[2:]],
        lambda lines: [lines[0], *lines[2:]],
    ],
)
def test_a_malformed_segment_is_named_by_its_place(mangle: object) -> None:
    one = device()
    lines = write_request(Request(one.id, None, (), (one.segment(),))).split(b"\n")[:-1]
    data = b"\n".join(mangle(lines)) + b"\n"  # type: ignore[operator]
    with pytest.raises(Problem) as caught:
        read_request(data)
    assert caught.value.code == "segment-malformed"
    assert caught.value.detail["index"] == 1


def test_a_gzip_bomb_is_never_unpacked_beyond_the_limit() -> None:
    """S12"""
    bomb = gzip.compress(b"\0" * 5_000_000)
    with pytest.raises(Problem) as caught:
        inflate(bomb, limit=100_000)
    assert caught.value.code == "request-too-large"
    with pytest.raises(Problem) as caught:
        inflate(bomb[:-10])
    assert caught.value.code == "request-malformed"


# -- placing --------------------------------------------------------------------------------------


def test_new_lines_are_appended_after_the_held_head() -> None:
    """S2"""
    one = device()
    placed = place(one, 0, one.segment())
    assert isinstance(placed, Append)
    assert placed.head == one.head and placed.lines == tuple(one.lines)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(1, 6))
def test_any_resend_after_any_loss_ends_with_each_line_once(held: int, a: int, b: int) -> None:
    """S2: lines that are held are skipped, a gap names the seq to go on from."""
    one = device()
    first, last = min(a, b), max(a, b)
    placed = place(one, held, one.segment(first, last))
    if first > held + 1:
        assert placed == Gap(held + 1)
    elif last <= held:
        assert placed == Known(Head(last, one.hashes[last - 1]))
    else:
        assert isinstance(placed, Append)
        assert placed.lines == tuple(one.lines[held:last])
        assert placed.head.seq == last


def test_other_bytes_at_a_held_seq_are_a_fork_if_the_device_signed_them() -> None:
    """S3"""
    one, restored = device(), device(4)
    restored.write("answers/GEN-G1/-", {"level": "partially"})
    assert place(one, 6, restored.segment()) == Fork(5)
    assert place(one, 6, restored.segment(5)) == Fork(5)


def test_other_bytes_that_the_device_did_not_sign_are_refused_not_quarantined() -> None:
    """S3, L4: a stranger cannot fill the quarantine in somebody's name."""
    one = device()
    forged = Segment(one.id, one.inspection, 1, (b"x", *one.lines[1:]), one.segment().signature)
    with pytest.raises(Problem) as caught:
        place(one, 6, forged)
    assert caught.value.code == "segment-signature"


def test_a_known_segment_still_needs_its_signature() -> None:
    one = device()
    segment = one.segment(1, 3)
    bad = Segment(one.id, one.inspection, 1, segment.lines, b"\0" * 64)
    with pytest.raises(Problem):
        place(one, 6, bad)


# -- receipts and answers -------------------------------------------------------------------------


def receipt() -> Receipt:
    return Receipt(
        server_id(SERVER_KEY), 1, 99, "d", (ReceiptLog("d", "device", 3, "ab"),), ("c" * 64,)
    )


def test_a_receipt_is_believed_only_under_the_servers_key_and_byte_for_byte() -> None:
    """S4"""
    signed = sign_receipt(SERVER, receipt())
    assert read_receipt(SERVER_KEY, signed) == receipt()
    other = Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key().public_bytes_raw()
    with pytest.raises(Problem) as caught:
        read_receipt(other, signed)
    assert caught.value.code == "receipt-signature"
    for at in range(len(signed.payload)):
        changed = bytearray(signed.payload)
        changed[at] ^= 1
        with pytest.raises(Problem):
            read_receipt(SERVER_KEY, SignedBytes(bytes(changed), signed.signature))


def test_a_certificate_is_not_a_receipt() -> None:
    """S8: each signature is bound to what it is for."""
    signed = sign_certificate(SERVER, {"device": "d"})
    assert read_certificate(SERVER_KEY, signed)["device"] == "d"
    with pytest.raises(Problem):
        read_receipt(SERVER_KEY, signed)


def test_an_answer_comes_back_as_it_was_written() -> None:
    answer = Answer(
        sign_receipt(SERVER, receipt()),
        (
            LogState("d", "device", "held", 3),
            LogState("d", "x", "refused", 0, {"code": "segment-signature"}),
        ),
        ("c" * 64,),
        (Change("facility", "f-1", {"name": "Contoh"}),),
        "cur",
        True,
        5,
    )
    assert read_answer(write_answer(answer)) == answer


def test_a_sign_in_page_in_place_of_an_answer_says_so() -> None:
    with pytest.raises(Problem) as caught:
        read_answer(b"<html>Welcome to the hotel</html>")
    assert caught.value.code == "answer-malformed"
    assert "sign-in page" in caught.value.happened


def test_an_answer_with_members_of_a_newer_server_is_understood() -> None:
    raw = json.loads(write_answer(Answer(None, (), (), (), "c", False, 1)))
    raw["weather"] = "rain"
    assert read_answer(json.dumps(raw).encode()).cursor == "c"


# -- planning -------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 7), st.integers(150, 2_000))
def test_planned_segments_cover_pending_lines_in_order_within_the_limits(
    entries: int, max_lines: int, max_bytes: int
) -> None:
    """S12"""
    one = device(entries)
    pending = Pending(one.id, one.inspection, 1, tuple(one.lines), tuple(one.hashes))
    sent: list[bytes] = []
    for _ in range(entries + 1):
        at = len(sent)
        left = Pending(one.id, one.inspection, at + 1, pending.lines[at:], pending.hashes[at:])
        segments, more = plan_segments(
            [left],
            lambda h: one.key.sign(b"tapak segment v1\n" + h),
            max_lines=max_lines,
            max_bytes=max_bytes,
        )
        for segment in segments:
            assert segment.first == len(sent) + 1
            assert len(segment.lines) <= max_lines
            sent.extend(segment.lines)
        assert sum(len(x) + 1 for s in segments for x in s.lines) <= max_bytes
        if not more:
            break
    assert sent == one.lines
