"""Checkpoints: the tree is RFC 6962's, every head is proved by it, and no other bytes are (S13)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync import checkpoint as module
from sync.checkpoint import (
    NOTHING,
    Checkpoint,
    checkpoint_id,
    follows,
    leaf,
    proof,
    read_checkpoint,
    root,
    sign_checkpoint,
)
from sync.problems import Problem
from sync.receipt import SignedBytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
MADE = Checkpoint("s" * 64, 1, 2, 1_795_392_000_000, 3, "a" * 64, "b" * 64)

# The leaves and roots with which implementations of Certificate Transparency are checked.
RFC6962_LEAVES = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
RFC6962_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

heads = st.dictionaries(
    st.text("abc/", min_size=1, max_size=6),
    st.tuples(st.integers(1, 9_999), st.text("0123456789abcdef", min_size=64, max_size=64)),
    min_size=1,
    max_size=40,
)


@pytest.mark.parametrize("count", sorted(RFC6962_ROOTS))
def test_the_tree_is_that_of_rfc_6962(count: int) -> None:
    hashes = [module._leaf_hash(bytes.fromhex(one)) for one in RFC6962_LEAVES[:count]]
    assert module._root(hashes).hex() == RFC6962_ROOTS[count]


def test_the_root_over_nothing_is_the_hash_of_nothing() -> None:
    assert root({}) == NOTHING


@given(heads, st.randoms(use_true_random=False))
def test_every_head_is_proved_and_no_other(found: dict[str, tuple[int, str]], draw) -> None:  # type: ignore[no-untyped-def]
    """(S13) A head, its position or its hash changed: the same way leads elsewhere."""
    top = root(found)
    for name, (seq, h) in found.items():
        steps = proof(found, name)
        assert follows(leaf(name, seq, h), steps, top)
        assert not follows(leaf(name, seq - 1, h), steps, top)
        assert not follows(leaf(name + "x", seq, h), steps, top)
        if steps:
            at = draw.randrange(len(steps))
            side, other = steps[at]
            turned = ("left" if side == "right" else "right", other)
            assert not follows(leaf(name, seq, h), [*steps[:at], turned, *steps[at + 1 :]], top)
            assert not follows(leaf(name, seq, h), [*steps[:at], (side, "no hash")], top)


@given(heads)
def test_a_head_that_goes_back_or_vanishes_changes_the_root(
    found: dict[str, tuple[int, str]],
) -> None:
    name = min(found)
    seq, h = found[name]
    assert root({**found, name: (seq - 1, h)}) != root(found)
    assert root({one: head for one, head in found.items() if one != name}) != root(found)


def test_who_is_not_there_has_no_proof() -> None:
    with pytest.raises(KeyError):
        proof({"a/b": (1, "c" * 64)}, "a/c")


def test_a_signed_checkpoint_reads_back_as_it_was() -> None:
    signed = sign_checkpoint(KEY, MADE)
    assert read_checkpoint(PUBLIC, signed) == MADE
    assert checkpoint_id(signed) != checkpoint_id(
        sign_checkpoint(KEY, Checkpoint("s" * 64, 1, 3, 0, 0, "", ""))
    )


@pytest.mark.parametrize(
    "changed",
    [
        lambda s: SignedBytes(s.payload.replace(b'"n":2', b'"n":3'), s.signature),
        lambda s: SignedBytes(s.payload, bytes(64)),
        lambda s: SignedBytes(b"", s.signature),
    ],
    ids=["another-number", "no-signature", "nothing"],
)
def test_changed_bytes_are_refused(changed) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Problem) as caught:
        read_checkpoint(PUBLIC, changed(sign_checkpoint(KEY, MADE)))
    assert caught.value.code == "checkpoint-unfit"


def test_a_body_that_is_signed_but_not_a_checkpoint_is_refused() -> None:
    payload = b'{"n":1}'
    signed = SignedBytes(payload, KEY.sign(module.CHECKPOINT_CONTEXT + payload))
    with pytest.raises(Problem):
        read_checkpoint(PUBLIC, signed)
