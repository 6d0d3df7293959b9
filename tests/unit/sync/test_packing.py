"""Messages packed for the wire (S1, S12)."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from importlib.resources import files

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.packing import (
    _FILTER,
    ANSWER,
    GZIP,
    LZMA,
    MOST_BY_LZMA,
    PACKINGS,
    REQUEST,
    TAPAK,
    Primer,
    pack,
    pack_for,
    pack_primed,
    unpack,
    unpack_from,
    unpack_primed,
)
from sync.problems import Problem
from sync.receipt import RECEIPT_CONTEXT, Receipt, ReceiptLog, SignedBytes, read_receipt, server_id
from sync.receipt import sign_receipt as sign
from sync.session import Answer, LogState, read_answer, write_answer
from sync.terse import take_out

SERVER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SERVER.public_key().public_bytes_raw()
RECEIPT = Receipt(
    server_id(KEY), 3, 17, "a" * 32, (ReceiptLog("a" * 32, "i1", 5, "0" * 64),), ("b" * 64,)
)


VISIT = b"".join(
    b'{"seq":%d,"at":%d,"path":"answers/GEN-G%d/-","value":{"level":"fully","checklist":"%s"}}\n'
    % (n, 1_795_000_000_000 + 40_977 * n, n, b"c4" * 32)
    for n in range(1, 43)
)
DIGESTS = {"request": "fc786c203f6eecdd", "answer": "4542d9e4653c3889"}
PACKED = pack_primed(VISIT, REQUEST) or b""
primers = st.sampled_from([REQUEST, ANSWER])


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


# -- with a primer --------------------------------------------------------------------------------


@given(st.binary(max_size=3_000), primers, st.sets(st.sampled_from(PACKINGS)))
def test_what_a_reader_understands_comes_back(
    data: bytes, primer: Primer, understood: set[str]
) -> None:
    """S1"""
    packing, packed = pack_for(data, primer, understood)
    assert packing is None or packing in understood
    assert unpack_from(packing, packed, primer) == data


@given(st.binary(max_size=300), st.integers(0, 3_000), primers)
def test_any_bytes_behind_a_primer_are_unpacked_or_named_a_problem(
    data: bytes, limit: int, primer: Primer
) -> None:
    """S12"""
    try:
        assert len(unpack_primed(data, primer, limit)) <= limit
    except Problem as exc:
        assert exc.code in ("request-malformed", "request-too-large")


@given(st.data())
def test_one_byte_of_a_visit_that_came_wrong_is_a_problem_or_another_text(
    data: st.DataObject,
) -> None:
    """S12"""
    packed = bytearray(PACKED)
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert unpack_primed(bytes(packed), REQUEST, 100_000) != VISIT
    except Problem as exc:
        assert exc.code in ("request-malformed", "request-too-large")


def test_a_visit_cut_anywhere_or_read_with_another_primer_is_refused() -> None:
    for n in range(len(PACKED)):
        with pytest.raises(Problem, match="request-malformed"):
            unpack_primed(PACKED[:n], REQUEST)
    for other in (PACKED + b"x", PACKED[1:]):
        with pytest.raises(Problem, match="request-malformed"):
            unpack_primed(other, REQUEST)
    try:
        assert unpack_primed(PACKED, ANSWER) != VISIT
    except Problem as exc:
        assert exc.code == "request-malformed"


def test_a_bomb_behind_a_primer_is_never_unpacked_beyond_the_limit() -> None:
    """S12: also where short marks call a long value again and again."""
    value = b"0123456789abcdef" * 4
    for data in (b"{" + b" " * 4_000_000, b"{" + value * 40_000):
        bomb = pack_primed(data, REQUEST)
        assert bomb is not None and len(bomb) < 20_000
        with pytest.raises(Problem) as caught:
            unpack_primed(bomb, REQUEST, limit=100_000)
        assert caught.value.code == "request-too-large"
        assert caught.value.detail["limit"] == 100_000


def test_an_unknown_packing_is_named() -> None:
    with pytest.raises(Problem) as caught:
        unpack_from("br", b"", REQUEST)
    assert caught.value.code == "media-type"


def test_the_primers_are_those_that_the_packing_is_named_for() -> None:
    """Another byte in them would be another packing, and need another name."""
    named = {
        one: hashlib.sha256(primer.text + primer.packed).hexdigest()[:16]
        for one, primer in (("request", REQUEST), ("answer", ANSWER))
    }
    assert (TAPAK, named) == ("x-tapak-1", DIGESTS)


def test_the_primers_are_their_texts_as_this_library_packs_them() -> None:
    """Were this to fail with another library, messages would travel as LZMA: right, but larger."""
    for name, primer in (("request", REQUEST), ("answer", ANSWER)):
        said = files("sync").joinpath("primers", f"{name}.txt").read_bytes()
        parts = [take_out(part) for part in _parts(said)]
        assert primer.text == b"".join(part[0] for part in parts if part) + b"\n" * 474
        assert pack(primer.text).startswith(primer.packed)


def _parts(said: bytes) -> list[bytes]:
    """The messages of a primer's text: an empty line stands between them."""
    parts = said.split(b"\n\n")
    return [part + b"\n" for part in parts[:-1]] + parts[-1:]


def test_a_library_that_packs_otherwise_falls_back_to_what_needs_no_primer() -> None:
    other = Primer(REQUEST.text, REQUEST.packed[:-1] + b"?")
    assert pack_primed(VISIT, other) is None
    assert pack_for(VISIT, other)[0] == LZMA


def test_the_smallest_is_chosen_that_the_reader_understands() -> None:
    """S1"""
    assert unpack_primed(PACKED, REQUEST) == VISIT
    sizes = [len(pack_for(VISIT, REQUEST, (one, GZIP))[1]) for one in PACKINGS]
    assert [pack_for(VISIT, REQUEST, (one, GZIP))[0] for one in PACKINGS] == list(PACKINGS)
    assert sizes[0] < 0.7 * sizes[1] and sizes[1] < sizes[2]
    assert pack_for(VISIT, REQUEST, ()) == (None, VISIT)
    long = VISIT * (MOST_BY_LZMA // len(VISIT) + 1)
    assert pack_for(long, REQUEST)[0] == GZIP
    marked = VISIT + b"\x01" + VISIT
    assert pack_for(marked, REQUEST)[0] == LZMA
    assert pack_for(b"{}", REQUEST) == (None, b"{}")


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
