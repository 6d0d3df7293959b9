"""Nonces say "not before", receipts say "not after", and a clock says neither (L9)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.log import Entry, Record, Unread
from sync.nonce import NONCE_CONTEXT, nonce_id, read_nonce, sign_nonce
from sync.problems import Problem
from sync.receipt import SignedBytes
from sync.written import FAMILY, Between, quoted_in, written_between

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
A, B, C = "a" * 32, "b" * 32, "c" * 32


def log(*paths: str | None) -> list[Record]:
    return [
        Unread("d", "i", seq, f"{seq:064x}", "broken")
        if path is None
        else Entry("d", "i", seq, f"{seq:064x}", 0, "p", path, {})
        for seq, path in enumerate(paths, start=1)
    ]


def test_what_stands_behind_a_nonce_was_written_after_it() -> None:
    """(L9)"""
    records = log("about", FAMILY + A, "outcome", None, FAMILY + B, "outcome")
    found = written_between(records, {A: 100, B: 200}, [])
    assert [found[seq].not_before for seq in range(1, 7)] == [None, 100, 100, 100, 200, 200]
    assert {one.not_after for one in found.values()} == {None}


def test_what_was_acknowledged_was_written_before() -> None:
    """(L9) The earliest receipt that covers an entry counts, in whatever order they are given."""
    records = log("about", "outcome", "outcome", "outcome")
    found = written_between(records, {}, [(3, 700), (2, 500), (2, 900), (3, 600)])
    assert [found[seq].not_after for seq in range(1, 5)] == [500, 500, 600, None]


def test_a_nonce_that_was_not_given_or_an_older_one_moves_no_bound() -> None:
    records = log(FAMILY + A, FAMILY + C, FAMILY + B, "outcome")
    found = written_between(records, {A: 300, B: 200}, [])
    assert [found[seq].not_before for seq in range(1, 5)] == [300, 300, 300, 300]


def test_proofs_that_exclude_each_other_are_told() -> None:
    (found,) = written_between(log(FAMILY + A), {A: 300}, [(1, 200)]).values()
    assert found.contradictory
    assert not Between(200, 300).contradictory
    assert not Between(None, 300).contradictory


@given(
    st.lists(st.sampled_from([FAMILY + A, FAMILY + B, "outcome", None]), max_size=20),
    st.dictionaries(st.sampled_from([A, B]), st.integers(0, 1000)),
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 1000)), max_size=8),
)
def test_bounds_only_rise_along_a_log(paths, given_at, received) -> None:  # type: ignore[no-untyped-def]
    """(L9) A later entry of the log was never written before an earlier one."""
    found = written_between(log(*paths), given_at, received)
    ordered = [found[seq] for seq in sorted(found)]
    lows = [one.not_before for one in ordered if one.not_before is not None]
    assert lows == sorted(lows)
    highs = [one.not_after for one in ordered]
    known = [high for high in highs if high is not None]
    assert known == sorted(known)
    assert highs == [*known, *[None] * (len(highs) - len(known))]


@pytest.mark.parametrize("path", [None, "about", FAMILY, FAMILY + "A" * 32, FAMILY + A + "/b"])
def test_other_paths_quote_nothing(path: str | None) -> None:
    assert quoted_in(path) is None


def test_a_nonce_is_the_servers_and_says_when() -> None:
    signed = sign_nonce(KEY, 1_795_392_000_000, "drawn")
    nonce = read_nonce(PUBLIC, signed)
    assert (nonce.id, nonce.at) == (nonce_id(signed), 1_795_392_000_000)
    assert quoted_in(FAMILY + nonce.id) == nonce.id
    assert nonce_id(sign_nonce(KEY, 1_795_392_000_000, "other")) != nonce.id


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"at":true}', b'{"at":-1}', b"no JSON"])
def test_what_is_signed_but_no_nonce_is_refused(payload: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read_nonce(PUBLIC, SignedBytes(payload, KEY.sign(NONCE_CONTEXT + payload)))
    assert caught.value.code == "nonce-unfit"


def test_a_nonce_of_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32)
    with pytest.raises(Problem):
        read_nonce(PUBLIC, sign_nonce(other, 1, "drawn"))
