"""How requests may be packed, and that what is packed wrongly is named (S1, S12)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import Browser, Office, make_office
from region import Clock
from werkzeug.test import TestResponse

from sync.log import MAX_REQUEST_BYTES, device_id
from sync.packing import (
    ANSWER,
    GZIP,
    LZMA,
    PACKINGS,
    REQUEST,
    TAPAK,
    pack_for,
    pack_primed,
    unpack_from,
)
from sync.session import Request, read_answer, write_request

DEVICE = device_id(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw())
ASKED = write_request(Request(DEVICE, None, tuple(f"{n:064x}" for n in range(8)), ()))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    yield from _made(tmp_path_factory.mktemp("office"))


def _made(folder: Path) -> Iterator[Office]:
    made = make_office(folder, Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture(scope="module")
def laptop(office: Office) -> Browser:
    return office.device(seed=0)


def _send(laptop: Browser, body: bytes, packing: str | None, asked: str = "") -> TestResponse:
    headers = {"Content-Type": "application/x-ndjson", "Accept-Encoding": asked}
    if packing is not None:
        headers["Content-Encoding"] = packing
    return laptop.call("POST", "/api/sync", data=body, headers=headers)


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_answer_comes_packed_as_the_request_did(laptop: Browser, packing: str) -> None:
    """S1: devices and servers of any age understand each other."""
    packed = pack_for(ASKED, REQUEST, (packing,))
    assert packed[0] == packing
    answer = _send(laptop, packed[1], packing)
    # The first answer brings the whole standard: what is long is packed by gzip where it may be.
    said = answer.headers.get("Content-Encoding")
    assert said in (packing, None)
    assert read_answer(unpack_from(said, answer.data, ANSWER)).changes


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_answer_comes_packed_as_it_was_asked_for(laptop: Browser, packing: str) -> None:
    first = read_answer(_send(laptop, ASKED, None).data)
    while first.more:
        again = write_request(Request(DEVICE, first.cursor, (), ()))
        first = read_answer(_send(laptop, again, None).data)
    asking = write_request(Request(DEVICE, first.cursor, (), (), 1_795_000_000_000, nonce=True))
    answer = _send(laptop, asking, None, f"br, {packing};q=0.5")
    assert answer.headers["Content-Encoding"] == packing
    assert read_answer(unpack_from(packing, answer.data, ANSWER)).nonce is not None
    assert "Content-Encoding" not in _send(laptop, asking, None).headers


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_cut_or_garbled_is_refused(laptop: Browser, packing: str) -> None:
    """S12"""
    packed = pack_for(ASKED, REQUEST, (packing,))[1]
    for body in (b"", packed[:-1], packed[: len(packed) // 2], b"\xff" * 99, ASKED):
        answer = _send(laptop, body, packing)
        assert (answer.status_code, answer.json["code"]) == (400, "request-malformed")


def test_a_primed_bomb_is_not_unpacked(laptop: Browser) -> None:
    """S12: a mark of two bytes calls a value of 88 back, again and again."""
    value = b"A" * 86 + b"=="
    bomb = pack_primed(value * (MAX_REQUEST_BYTES // len(value) + 1), REQUEST)
    assert bomb is not None and len(bomb) < 20_000
    answer = _send(laptop, bomb, TAPAK)
    assert (answer.status_code, answer.json["code"]) == (413, "request-too-large")


def test_a_packing_that_is_not_known_is_named_with_those_that_are(laptop: Browser) -> None:
    answer = _send(laptop, ASKED, "x-tapak-9")
    assert (answer.status_code, answer.json["code"]) == (415, "media-type")
    assert all(one in answer.json["detail"]["wanted"] for one in (TAPAK, LZMA, GZIP))
