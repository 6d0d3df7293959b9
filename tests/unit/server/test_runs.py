"""A run of lines is stored as one value and comes back as the lines it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.runs import cut, fits, hash_in, hashes_in, pack

# Any bytes at all: what a line may hold is not this module's matter.
LINES = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


@given(lines=LINES)
def test_what_is_packed_is_cut_into_the_same_lines(lines: list[bytes]) -> None:
    packed, lengths = pack(lines)
    assert cut(packed, lengths) == lines
    assert fits(packed, lengths, bytes(32 * len(lines)), len(lines))
    assert fits(packed, lengths, None, len(lines))


@given(lines=LINES, at=st.integers(0, 400), by=st.integers(1, 255))
def test_a_changed_byte_changes_one_line_and_no_other(lines: list[bytes], at: int, by: int) -> None:
    packed, lengths = pack(lines)
    damaged = bytearray(packed)
    damaged[at % len(packed)] ^= by
    found = cut(bytes(damaged), lengths)
    changed = [n for n, line in enumerate(lines) if found[n] != line]
    assert len(changed) == 1


@given(lines=LINES, at=st.integers(0, 31), by=st.integers(1, 255))
def test_a_changed_length_is_seen(lines: list[bytes], at: int, by: int) -> None:
    packed, lengths = pack(lines)
    damaged = bytearray(lengths)
    damaged[at % len(lengths)] ^= by
    assert not fits(packed, bytes(damaged), None, len(lines))


@pytest.mark.parametrize("hashes", [b"", bytes(31), bytes(33), bytes(96)])
def test_hashes_that_are_too_few_or_too_many_are_seen(hashes: bytes) -> None:
    packed, lengths = pack([b"a", b"b"])
    assert not fits(packed, lengths, hashes, 2)
    assert not fits(packed, lengths, None, 3)


def test_hashes_are_found_by_their_place() -> None:
    kept = [bytes([n]) * 32 for n in range(3)]
    assert list(hashes_in(b"".join(kept))) == kept
    assert hash_in(b"".join(kept), 1) == kept[1]
    assert list(hashes_in(None)) == []
