"""What cannot be guessed, taken out of a message and put back (S1, S12)."""

from __future__ import annotations

import base64
import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.problems import Problem
from sync.terse import MOST_KNOWN, put_back, take_out

ROOM = 10**6
some = st.one_of(
    st.binary(min_size=64, max_size=64).map(base64.b64encode),
    st.binary(min_size=32, max_size=32).map(lambda raw: raw.hex().encode()),
    st.binary(min_size=16, max_size=16).map(lambda raw: raw.hex().encode()),
    st.binary(min_size=20, max_size=20).map(lambda raw: base64.b32encode(raw).lower()),
    st.uuids().map(lambda one: str(one).encode()),
    st.integers(10**11, 10**14).map(lambda n: b"%d" % n),
    st.integers(0, 10**12).map(lambda n: b'"seq":%d,' % n),
    st.sampled_from([b'"seq":01,', b'"seq":1.5,', b"1" * 13, b"2" * 13, b'"', b"=", b"a"]),
    st.text(max_size=5).map(str.encode),
    st.binary(max_size=5),
)


@given(st.lists(some, max_size=30).flatmap(lambda few: st.lists(st.sampled_from(few or [b""]))))
def test_what_was_taken_out_is_put_back(parts: list[bytes]) -> None:
    data = b"".join(parts)
    taken = take_out(data)
    if taken is None:
        assert any(mark in data for mark in range(1, 10))
    else:
        assert put_back(*taken, len(data)) == data


@given(st.text("\x01\x02\x03\x04\x05\x06\x07\x08\x09a").map(str.encode), st.binary(max_size=300))
def test_any_marks_are_put_back_or_named_a_problem(text: bytes, tail: bytes) -> None:
    """S12"""
    try:
        assert len(put_back(text, tail, 500)) <= 500
    except Problem as exc:
        assert exc.code in ("request-malformed", "request-too-large")


def test_a_value_costs_its_bytes_once_and_a_time_how_much_later_it_is() -> None:
    """S1"""
    digest = hashlib.sha256(b"").hexdigest()
    raw, one = bytes(64), uuid.UUID(int=7)
    signature = base64.b64encode(raw).decode()
    lines = [
        f'{{"seq":{n},"at":{1_795_000_000_000 + 60_000 * n},"c":"{digest}"}}' for n in (5, 6, 7)
    ]
    taken = take_out(f"{signature}/{one}\n{lines[0]}\n{lines[1]}\n{lines[2]}".encode())
    assert taken is not None
    text, tail = taken
    assert text == (
        b'\x01/\x03\n{"seq":\x09,"at":\x07,"c":"\x02"}\n{"seq":\x08,"at":\x07,"c":"\x06\x02"}'
        b'\n{"seq":\x08,"at":\x07,"c":"\x06\x02"}'
    )
    assert tail.startswith(raw + one.bytes + b"\x05")
    assert bytes.fromhex(digest) in tail and len(tail) == 64 + 16 + 1 + 6 + 32 + 3 + 3


def test_a_message_with_a_mark_of_its_own_is_left_alone() -> None:
    for mark in range(1, 10):
        assert take_out(b"a line" + bytes((mark,))) is None
    assert take_out(b"\x00\n\x10\xff") == (b"\x00\n\x10\xff", b"")


def test_values_beyond_those_that_can_be_called_again_stay_text() -> None:
    values = [hashlib.sha256(b"%d" % n).hexdigest().encode() for n in range(MOST_KNOWN + 10)]
    data = b" ".join(values * 2)
    taken = take_out(data)
    assert taken is not None and len(taken[1]) == 32 * MOST_KNOWN
    assert taken[0].count(values[-1]) == 2
    assert put_back(*taken, len(data)) == data
    with pytest.raises(Problem, match="request-malformed"):
        put_back(b"\x02" * (MOST_KNOWN + 1), bytes(32 * (MOST_KNOWN + 1)), ROOM)


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        (b"\x01", bytes(63)),
        (b"a", b"x"),
        (b"\x06", b""),
        (b"\x06\x00", b""),
        (b"\x02\x06\x01", bytes(32)),
        (b"\x07", b""),
        (b"\x07", b"\x80" * 9),
        (b"\x07", b"\x02"),
        (b"\x09", b"\xff"),
    ],
)
def test_marks_that_do_not_fit_are_refused(text: bytes, tail: bytes) -> None:
    """S12"""
    with pytest.raises(Problem, match="request-malformed"):
        put_back(text, tail, ROOM)


def test_short_marks_never_become_more_than_the_limit() -> None:
    """S12"""
    with pytest.raises(Problem, match="request-too-large"):
        put_back(b"\x02" + b"\x06\x00" * 1_000_000, bytes(32), 10_000)
