"""The server's keys, as devices hear of them (S8): what is believed, and what is not."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.problems import Problem
from sync.receipt import SignedBytes
from sync.server_keys import (
    CONTEXT,
    ServerKeys,
    read_server_keys,
    read_statements,
    sign_server_keys,
    write_statements,
)

OLD, NEW, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
SEALING = "age1" + "q" * 58


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def said(
    signer: Ed25519PrivateKey, number: int, key: Ed25519PrivateKey, sealing: str = SEALING
) -> SignedBytes:
    return sign_server_keys(signer, ServerKeys(number, raw(key), sealing))


def test_keys_that_the_trusted_key_signed_are_believed_and_travel_as_json() -> None:
    """S8"""
    statements = (said(OLD, 1, OLD),)
    assert read_statements(write_statements(statements)) == statements
    assert read_server_keys(raw(OLD), statements) == ServerKeys(1, raw(OLD), SEALING)


def test_a_new_key_is_believed_when_the_old_one_signed_it_whichever_the_device_trusts() -> None:
    """S8: a new one is signed by the old."""
    other = "age1" + "p" * 58
    statements = (said(OLD, 1, OLD), said(OLD, 2, NEW, other), said(NEW, 3, NEW, other))
    for trusted in (OLD, NEW):
        assert read_server_keys(raw(trusted), statements) == ServerKeys(3, raw(NEW), other)


BY_NOBODY = (said(OTHER, 1, OTHER),)
UNFIT = {
    "nothing": (),
    "another server": BY_NOBODY,
    "a new key signed by a stranger": (said(OLD, 1, OLD), said(OTHER, 2, NEW)),
    "after the old key was given up": (said(OLD, 1, NEW), said(OLD, 2, OLD)),
    "older after newer": (said(OLD, 2, OLD), said(OLD, 1, OLD)),
    "the same number twice": (said(OLD, 1, OLD), said(OLD, 1, OLD)),
    "too many": (said(OLD, 1, OLD),) * 65,
    "no age recipient": (said(OLD, 1, OLD, "age1x"),),
    "no object": (SignedBytes(b"[]", OLD.sign(CONTEXT + b"[]")),),
    "no JSON": (SignedBytes(b"{", OLD.sign(CONTEXT + b"{")),),
}


@pytest.mark.parametrize("name", sorted(UNFIT))
def test_what_does_not_follow_from_the_trusted_key_is_not_believed(name: str) -> None:
    """S8"""
    with pytest.raises(Problem, match="server-keys-unfit"):
        read_server_keys(raw(OLD), UNFIT[name])


@pytest.mark.parametrize("body", [None, {}, {"statements": 1}, {"statements": [{"payload": "a"}]}])
def test_a_body_of_another_shape_is_named(body: object) -> None:
    with pytest.raises(Problem, match="server-keys-unfit"):
        read_statements(body)
