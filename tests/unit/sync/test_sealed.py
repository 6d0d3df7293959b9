"""What a sealed entry says outside, and how what is inside is framed and padded (L8)."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.inspection import SealedFile
from sync.inspection_reader import read_inspection
from sync.log import Entry, Unread
from sync.merge import merge
from sync.problems import Problem
from sync.receipt import SignedBytes
from sync.safeguarding import (
    Recipient,
    fingerprint,
    is_recipient,
    read_recipients,
    sign_recipients,
)
from sync.sealed import (
    SMALLEST,
    bucket,
    day_start,
    frame,
    may_be_key,
    named_files,
    read_sealed,
    sealed_value,
    unframe,
)
from sync.wire import Signed

DEVICE, VISIT = "d" * 32, "0f8fad5b-d9cb-469f-a165-70867728950e"
ENTRY = "5a8fad5b-d9cb-469f-a165-70867728950e"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SOMEBODY = Recipient("age1" + "q" * 58, "Rina (example)", "2026-11-23")
sizes = st.integers(min_value=1, max_value=1 << 40)


def digest(n: int) -> str:
    return hashlib.sha256(str(n).encode()).hexdigest()


def entry(value: object, path: str = f"sealed/{ENTRY}") -> Entry:
    return Entry(DEVICE, VISIT, 1, "a" * 64, 0, "p-1", path, value)


def a_value(files: int = 2) -> dict[str, object]:
    named = tuple(SealedFile(digest(n), 4096 + n) for n in range(files + 2))
    return sealed_value(named[0], named[1], named[2:], (SOMEBODY.fingerprint,))


# -- sizes ----------------------------------------------------------------------------------------


@given(sizes)
def test_a_padded_size_holds_what_was_said_and_costs_an_eighth_more_at_most(size: int) -> None:
    padded = bucket(size)
    assert size <= padded
    if size > 64 * 1024:
        assert padded <= size + size / 8 + 1
    elif size > SMALLEST:
        assert padded < 2 * size


@given(sizes, sizes)
def test_a_longer_text_never_has_a_smaller_size_and_buckets_are_stable(a: int, b: int) -> None:
    assert (bucket(a) <= bucket(b)) if a <= b else (bucket(a) >= bucket(b))
    assert bucket(bucket(a)) == bucket(a)


def test_few_sizes_are_ever_seen_so_that_a_length_tells_little() -> None:
    short = {bucket(n) for n in range(1, 64 * 1024 + 1)}
    assert short == {4096, 8192, 16384, 32768, 65536}
    assert len({bucket(n) for n in range(1 << 20, (1 << 21) + 1, 97)}) <= 10


@given(st.binary(max_size=9000), st.text(max_size=50))
def test_what_is_framed_comes_back_and_all_frames_have_a_bucket_size(
    content: bytes, name: str
) -> None:
    framed = frame({"what": "file", "name": name}, content)
    assert len(framed) == bucket(len(framed))
    header, inside = unframe(framed)
    assert inside == content
    assert header == {"what": "file", "name": name, "size": len(content)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tapak sealed v2\n{}\n",
        b"tapak sealed v1\n{",
        b"tapak sealed v1\n[]\n",
        b'tapak sealed v1\n{"size":-1}\n',
        b'tapak sealed v1\n{"size":true}\n',
        b'tapak sealed v1\n{"size":5}\nabcd',
        b"tapak sealed v1\n" + b"[" * 20000 + b"\n",
        b"tapak sealed v1\n" + b"x" * 70000,
    ],
    ids=["nothing", "newer", "cut", "list", "negative", "bool", "short", "deep", "endless"],
)
def test_what_is_no_whole_frame_is_a_problem_with_a_name(data: bytes) -> None:
    with pytest.raises(Problem, match="sealed-unreadable"):
        unframe(data)


def test_a_day_begins_at_midnight_utc() -> None:
    at = 1_795_420_800_123
    assert day_start(at) % 86_400_000 == 0
    assert 0 <= at - day_start(at) < 86_400_000


# -- the entry ------------------------------------------------------------------------------------


def test_a_sealed_entry_names_its_payload_its_key_and_its_files_and_nothing_more() -> None:
    found = read_sealed(entry(a_value()))
    assert found is not None
    assert found.id == ENTRY
    kinds = ["sealed", "sealed-key", "sealed-file", "sealed-file"]
    assert [kind for kind, _ in named_files(found)] == kinds
    assert found.to == (SOMEBODY.fingerprint,)
    assert found.size == found.payload.size + sum(f.size for f in found.files)


@pytest.mark.parametrize(
    "change",
    [
        {"payload": None},
        {"key": {"sha256": "x", "size": 1}},
        {"key": {"sha256": digest(0), "size": 4096}},
        {"files": {}},
        {"files": [{"sha256": digest(9), "size": 0}]},
        {"files": [{"sha256": digest(9), "size": 1, "name": "IMG_0001.jpg"}]},
        {"to": [1]},
        {"name": "somebody"},
        {"fix": {"lat": "4.0", "lon": "101.0"}},
    ],
    ids=["none", "digest", "twice", "object", "empty", "named", "to", "name", "fix"],
)
def test_what_says_more_or_less_than_that_is_unread_and_holds_up_nothing(
    change: dict[str, object],
) -> None:
    odd = entry({**a_value(), **change})
    assert read_sealed(odd) is None
    read = read_inspection(VISIT, merge([odd]))
    assert [type(u) for u in read.unread] == [Unread]
    assert read.sealed[ENTRY].value is None


def test_an_inspection_says_which_sealed_entries_it_has() -> None:
    read = read_inspection(VISIT, merge([entry(a_value())]))
    assert list(read.sealed) == [ENTRY] and not read.unread
    assert read_sealed(entry(a_value(), "comments/1")) is None


def test_only_a_small_age_file_can_be_a_key() -> None:
    assert may_be_key(b"age-encryption.org/v1\n-> X25519 ...")
    assert not may_be_key(b"\xff\xd8\xff\xe0 a photograph")
    assert not may_be_key(b"age-encryption.org/v1\n" + bytes(20_000))


# -- whose keys -----------------------------------------------------------------------------------


def body(signed: SignedBytes) -> dict[str, str]:
    dumped: dict[str, str] = Signed().dump(signed)
    return dumped


def test_the_list_of_keys_holds_only_under_the_servers_own_key() -> None:
    ended = Recipient("age1" + "p" * 58, "Budi (example)", "2026-01-01", "2026-02-01")
    signed = sign_recipients(KEY, "server", [SOMEBODY, ended])
    server_key = KEY.public_key().public_bytes_raw()
    found = read_recipients(server_key, body(signed))
    assert found.every == (SOMEBODY, ended) and found.active == (SOMEBODY,)
    assert found.version == 3
    assert sign_recipients(KEY, "server", [SOMEBODY, ended]) == signed
    other = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    for forged in (
        body(sign_recipients(other, "server", [SOMEBODY])),
        body(SignedBytes(signed.payload.replace(b"Rina", b"Rima"), signed.signature)),
        {},
        {"payload": 1, "signature": "x"},
        body(sign_recipients(KEY, "server", [Recipient("age1", "short", "2026-01-01")])),
    ):
        with pytest.raises(Problem, match="safeguarding-signature"):
            read_recipients(server_key, forged)


def test_fingerprints_differ_from_key_to_key_and_can_be_read_aloud() -> None:
    one, other = fingerprint("age1" + "q" * 58), fingerprint("age1" + "p" * 58)
    assert one != other
    assert len(one.split()) == 5 and all(len(group) == 4 for group in one.split())
    assert is_recipient("age1" + "q" * 58) and not is_recipient("age1" + "b" * 58)
