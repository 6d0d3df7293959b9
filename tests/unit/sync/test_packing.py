"""Messages packed for the wire (S1, S12)."""

from __future__ import annotations

import gzip
import json
import lzma

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.packing import _FILTER, pack, unpack
from sync.problems import Problem
from sync.receipt import RECEIPT_CONTEXT, Receipt, ReceiptLog, SignedBytes, read_receipt, server_id
from sync.receipt import sign_receipt as sign
from sync.session import Answer, LogState, read_answer, write_answer

SERVER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SERVER.public_key().public_bytes_raw()
RECEIPT = Receipt(
    server_id(KEY), 3, 17, "a" * 32, (ReceiptLog("a" * 32, "i1", 5, "0" * 64),), ("b" * 64,)
)


@given(st.binary(max_size=20_000))
def test_what_was_packed_comes_back(data: bytes) -> None:
    assert unpack(pack(data)) == data


@given(st.binary(max_size=300))
def test_any_bytes_are_unpacked_or_named_a_problem(data: bytes) -> None:
    """S12"""
    try:
        unpack(data, 10_000)
    except Problem as exc:
        assert exc.code in ("request-malformed", "request-too-large")


def test_a_bomb_is_never_unpacked_beyond_the_limit() -> None:
    """S12"""
    bomb = pack(bytes(40_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(Problem) as caught:
        unpack(bomb, limit=100_000)
    assert caught.value.code == "request-too-large"


def test_what_was_cut_or_goes_on_after_its_end_is_refused() -> None:
    packed = pack(b"a line of an inspection\n" * 40)
    for other in (packed[:-1], packed[: len(packed) // 2], packed + b"x", b""):
        with pytest.raises(Problem) as caught:
            unpack(other)
        assert caught.value.code == "request-malformed"


def test_the_parameters_are_those_that_the_protocol_names() -> None:
    """Changing them would be another packing, and need another name."""
    assert _FILTER == {
        "id": lzma.FILTER_LZMA1,
        "dict_size": 1024**2,
        "lc": 1,
        "lp": 0,
        "pb": 0,
    }


def test_lines_pack_smaller_than_with_gzip() -> None:
    """S1"""
    lines = b"".join(
        b'{"seq":%d,"at":%d,"path":"answers/GEN-G%d/-","value":{"level":"fully"}}\n'
        % (n, 1_795_000_000_000 + 977 * n, n)
        for n in range(60)
    )
    assert len(pack(lines)) < 0.8 * len(gzip.compress(lines, mtime=0))


# -- receipts -------------------------------------------------------------------------------------


def test_a_receipt_leaves_out_what_its_reader_knows() -> None:
    """S1, S4"""
    signed = sign(SERVER, RECEIPT)
    assert set(json.loads(signed.payload)) == {"tapak", "epoch", "at", "device", "logs", "files"}
    assert read_receipt(KEY, signed) == RECEIPT
    for one in (
        Receipt(server_id(KEY), 1, 2, "a" * 32, (), ()),
        Receipt("another", 1, 2, "a" * 32, (ReceiptLog("c" * 32, "i", 1, "1" * 64),), ()),
    ):
        assert read_receipt(KEY, sign(SERVER, one)) == one


def test_a_receipt_of_the_older_form_is_still_read() -> None:
    """S4"""
    body = {"tapak": 1, "server": RECEIPT.server, "epoch": 3, "at": 17, "device": "a" * 32}
    body |= {"logs": [["a" * 32, "i1", 5, "0" * 64]], "files": ["b" * 64]}
    payload = json.dumps(body).encode()
    assert read_receipt(KEY, SignedBytes(payload, SERVER.sign(RECEIPT_CONTEXT + payload))) == (
        RECEIPT
    )


def test_where_all_logs_are_held_the_receipt_alone_says_so() -> None:
    """S1, S4"""
    held = LogState("a" * 32, "i1", "held", 5)
    for states in ((held,), (LogState("a" * 32, "i2", "gap", 3), held)):
        answer = Answer(sign(SERVER, RECEIPT), states, (), (), "c", False, 17, 3)
        written = write_answer(answer)
        assert (b"held" in written) == (len(states) > 1)
        assert read_answer(written) == answer


def test_an_answer_of_the_older_form_is_still_read() -> None:
    answer = Answer(sign(SERVER, RECEIPT), (), (), (), "c", False, 17, 3)
    body = json.loads(write_answer(answer))
    body["receipt"]["payload"] = "bm90IGEgcmVjZWlwdA=="
    with pytest.raises(Problem, match="answer-malformed"):
        read_answer(json.dumps(body).encode())
    del body["receipt"]["text"]
    found = read_answer(json.dumps(body).encode())
    assert found.receipt is not None and found.receipt.payload == b"not a receipt"
    assert found.logs == ()
