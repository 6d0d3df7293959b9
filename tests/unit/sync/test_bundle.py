"""Bundles (S10) without their seal: what is written is read, and what is wrong is named (S12)."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bundle import MAX_LINE_BYTES, BundleWriter, Opening
from sync.bundle_reader import (
    BundleReader,
    Certificate,
    Ended,
    Event,
    FileBegins,
    FileBytes,
    FileEnds,
    GivenAnswer,
    GivenReceipt,
    Lines,
    SealingKey,
    Skipped,
)
from sync.log import Segment
from sync.problems import Problem
from sync.receipt import SignedBytes

DEVICE, OTHER = "a" * 32, "b" * 32
VISIT = "0f8fad5b-d9cb-469f-a165-70867728950e"
OPENING = Opening(DEVICE, "Made-up Ana", 1_795_000_000_000, "office", b"k" * 32, "c1.7")
SIGNED = SignedBytes(b'{"made":"up"}', b"s" * 64)
PICTURE, SMALL = b"\xff\xd8" + bytes(range(256)) * 700, b"made up"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def segment(first: int = 1, device: str = DEVICE, *lines: bytes) -> Segment:
    return Segment(device, VISIT, first, lines or (b'{"seq":1}', "ยา".encode()), b"g" * 64)


def a_bundle() -> bytes:
    w = BundleWriter()
    parts = [
        w.opening(OPENING),
        w.certificate(DEVICE, SIGNED),
        w.sealing_key(DEVICE, SIGNED),
        w.segment(segment()),
        w.segment(segment(3)),
        w.lines(VISIT, OTHER, 1, b'{"lines":[]}'),
        w.receipt(0, SIGNED),
        w.answer(0, b'{"tapak":1}'),
        *w.file(digest(SMALL), len(SMALL), [SMALL]),
        *w.file(digest(PICTURE), len(PICTURE), [PICTURE[:9], PICTURE[9:]]),
        w.end(),
    ]
    return b"".join(parts)


def read(data: bytes, piece: int = 1 << 20) -> list[Event]:
    reader = BundleReader()
    found: list[Event] = []
    for at in range(0, len(data), piece):
        found += reader.feed(data[at : at + piece])
    reader.close()
    return found


def joined(events: list[Event]) -> list[Event]:
    """The same events, the pieces of each file put together."""
    out: list[Event] = []
    for event in events:
        before = out[-1] if out else None
        if isinstance(event, FileBytes) and isinstance(before, FileBytes):
            out[-1] = FileBytes(before.data + event.data)
        else:
            out.append(event)
    return out


ALL = [
    OPENING,
    Certificate(DEVICE, SIGNED),
    SealingKey(DEVICE, SIGNED),
    segment(),
    segment(3),
    Lines(VISIT, OTHER, 1, b'{"lines":[]}'),
    GivenReceipt(SIGNED),
    GivenAnswer(b'{"tapak":1}'),
    FileBegins(digest(SMALL), len(SMALL)),
    FileBytes(SMALL),
    FileEnds(digest(SMALL), len(SMALL), True),
    FileBegins(digest(PICTURE), len(PICTURE)),
    FileBytes(PICTURE),
    FileEnds(digest(PICTURE), len(PICTURE), True),
    Ended(9),
]


@given(st.integers(1, 4000))
def test_what_is_written_is_read_however_the_bytes_come(piece: int) -> None:
    """S10"""
    assert joined(read(a_bundle(), piece)) == ALL


def test_a_bundle_that_ends_anywhere_but_at_its_end_is_named() -> None:
    """S10"""
    whole = a_bundle()
    for at in (0, 1, 60, len(whole) // 4, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Problem, match="it ends too early"):
            read(whole[:at])


def test_a_file_with_other_bytes_than_its_digest_says_does_not_fit_and_the_rest_is_read() -> None:
    """S10, S6: it is verified before it counts."""
    data = a_bundle().replace(SMALL, b"mADE UP")
    ends = [event for event in read(data) if isinstance(event, FileEnds)]
    assert [one.fits for one in ends] == [False, True]


def test_parts_of_a_later_kind_are_passed_over_and_said() -> None:
    """S10"""
    w = BundleWriter()
    head = w.opening(OPENING)
    later = b'{"part":"hologram","bytes":5,"of":1}\n12\n45'
    count = b'{"part":"end","bytes":0,"parts":1}\n'
    assert read(head + later + count, 3) == [OPENING, Skipped("hologram", 5), Ended(1)]


def head(part: str, size: int, **more: object) -> bytes:
    return json.dumps({"part": part, "bytes": size, **more}).encode() + b"\n"


def seg_head(size: int, count: int, first: int = 1) -> bytes:
    signature = base64.b64encode(b"g" * 64).decode()
    of = {"log": VISIT, "device": DEVICE, "first": first, "count": count, "signature": signature}
    return head("segment", size, **of)


def opened(*parts: bytes) -> bytes:
    return BundleWriter().opening(OPENING) + b"".join(parts)


SEGMENT = BundleWriter().segment(segment())
A_FILE = head("file", 1, sha256="0" * 64) + b"x"
LINE_2001, LONG = b"{}\n" * 2001, b"x" * 70_000 + b"\n"
BAD = {
    "nothing like it": ("bundle-malformed", b"hello\n"),
    "a list": ("bundle-malformed", b"[]\n"),
    "another program's file": ("bundle-malformed", b'{"bundle":1}\n'),
    "a newer format": ("bundle-newer", b'{"tapak_bundle":2}\n'),
    "a version that is no number": ("bundle-malformed", b'{"tapak_bundle":true}\n'),
    "no maker": ("bundle-malformed", b'{"tapak_bundle":1,"tapak":1}\n'),
    "a sealed file inside": ("bundle-malformed", b"age-encryption.org/v1\n-> X25519\n"),
    "an endless first line": ("bundle-malformed", b"{" * (MAX_LINE_BYTES + 2)),
    "deep JSON": ("bundle-malformed", b"[" * 5000 + b"\n"),
    "an endless line before a part": ("bundle-malformed", opened(b" " * (MAX_LINE_BYTES + 2))),
    "a part without a kind": ("bundle-malformed", opened(b'{"bytes":1}\n')),
    "a part without a length": ("bundle-malformed", opened(b'{"part":"file"}\n')),
    "a length below zero": ("bundle-malformed", opened(head("receipt", -1))),
    "a length that is no number": ("bundle-malformed", opened(b'{"part":"file","bytes":true}\n')),
    "a receipt of gigabytes": ("bundle-part-too-large", opened(head("receipt", 2**33))),
    "a file over the limit": ("bundle-part-too-large", opened(head("file", 2**32 + 1))),
    "a later kind over the limit": ("bundle-part-too-large", opened(head("hologram", 2**60))),
    "a file by a path": ("bundle-malformed", opened(head("file", 1, sha256="../../etc/passwd"))),
    "the same segment twice": ("bundle-malformed", opened(SEGMENT, SEGMENT)),
    "a segment after a file": ("bundle-malformed", opened(A_FILE, SEGMENT)),
    "the same file twice": ("bundle-malformed", opened(A_FILE, A_FILE)),
    "fewer lines than counted": ("segment-malformed", opened(seg_head(3, 2) + b"{}\n")),
    "no line feed at the end": ("segment-malformed", opened(seg_head(5, 1) + b"{}\n{}")),
    "too many lines": ("segment-too-long", opened(seg_head(len(LINE_2001), 2000) + LINE_2001)),
    "a line over the limit": ("entry-too-large", opened(seg_head(70_001, 1) + LONG)),
    "a log of no name": ("bundle-malformed", opened(seg_head(1, 1).replace(VISIT.encode(), b".."))),
    "a certificate of another shape": (
        "bundle-malformed",
        opened(head("certificate", 2, device=DEVICE) + b"{}"),
    ),
    "an end that counts wrong": ("bundle-malformed", opened(head("end", 0, parts=1))),
    "more after the end": ("bundle-malformed", opened(head("end", 0, parts=0), b"{}")),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_is_no_bundle_is_named_with_what_is_safe_and_what_to_do(name: str) -> None:
    """S10, S12"""
    code, data = BAD[name]
    for piece in (1 << 20, 700):
        with pytest.raises(Problem) as raised:
            read(data, piece)
        assert raised.value.code == code
        assert raised.value.safe
        assert raised.value.remedy


def test_a_million_empty_parts_are_given_up_early() -> None:
    """S12"""
    reader = BundleReader()
    list(reader.feed(opened()))
    part = head("hologram", 0) * 1000
    with pytest.raises(Problem, match="bundle-malformed"):
        for _ in range(1000):
            for _ in reader.feed(part):
                pass


def test_a_file_larger_than_memory_passes_through_in_pieces() -> None:
    """S12: whatever its size, only what came is held."""
    reader = BundleReader()
    list(reader.feed(opened(head("file", 2**32, sha256="0" * 64))))
    for _ in range(64):
        assert [type(e) for e in reader.feed(b"x" * 65_536)] == [FileBytes]
        assert len(reader._buffer) == 0


@pytest.mark.parametrize(
    ("chunks", "code"), [([b"made u"], "file-digest"), ([SMALL, b"!"], "upload-too-long")]
)
def test_a_file_that_changed_on_the_writers_disk_is_not_passed_off(
    chunks: list[bytes], code: str
) -> None:
    with pytest.raises(Problem, match=code):
        list(BundleWriter().file(digest(SMALL), len(SMALL), chunks))
