"""What a colleague receives of a log, and how it is proved, lines withheld or not: L4, S5."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from logs import Device

from sync.adopted import MOST_CARRIED, Run, entries_for
from sync.extract import (
    Extract,
    Hole,
    Proof,
    count_vouched,
    extract_from_json,
    extract_to_json,
    is_withheld,
    make_extract,
    verify_extract,
    vouch,
    vouched_only,
)
from sync.log import Head, link, write_line
from sync.problems import Problem
from sync.session import Pending, plan_segments

SERVER = Ed25519PrivateKey.from_private_bytes(bytes([77]) * 32)
SERVER_KEY = SERVER.public_key().public_bytes_raw()
TRACK = {"source": "recorded", "lat_e7": [1], "lon_e7": [1]}


def log_of(tracks: list[bool]) -> Device:
    """A log whose lines are tracks where it says so, and answers elsewhere."""
    made = Device(1)
    for n, track in enumerate(tracks, start=1):
        if track:
            made.write(f"track/{made.id}/{n}", TRACK)
        else:
            made.write(f"answers/GEN-G{n}/-", {"level": "fully", "note": f"n {n}"})
    return made


def signed_by(device: Device) -> dict[int, bytes]:
    """The signatures of the segments in which the device sends its whole log."""
    pending = Pending(device.id, device.inspection, 1, tuple(device.lines), tuple(device.hashes))
    segments, _ = plan_segments([pending], lambda h: device.key.sign(b"tapak segment v1\n" + h))
    return {s.first + len(s.lines) - 1: s.signature for s in segments}


def extract_of(
    device: Device, signed: dict[int, bytes], first: int = 1, last: int | None = None
) -> Extract:
    end = last or len(device.lines)
    lines, hashes = device.lines[first - 1 : end], device.hashes[first - 1 : end]

    def vouched(seq: int, h: bytes) -> bytes:
        return vouch(SERVER, device.id, device.inspection, seq, h)

    return make_extract(device.id, device.inspection, first, lines, hashes, signed, vouched)


def check(device: Device, extract: Extract) -> list[bytes]:
    first = extract.first
    before = Head(first - 1, device.hashes[first - 2]) if first > 1 else device.start
    return verify_extract(device.public_key, SERVER_KEY, before, extract)


def rows_of(extract: Extract) -> list[tuple[int, bool]]:
    return [(n, isinstance(r, Hole)) for n, r in enumerate(extract.rows, start=extract.first)]


# -- what is withheld -----------------------------------------------------------------------------


def test_tracks_are_withheld_and_nothing_else_that_can_be_read() -> None:
    """S5: other devices' entries, never their tracks and positions."""
    device = log_of([False, True])
    assert [is_withheld(line) for line in device.lines] == [False, True]
    said = {"text": "the track/ goes left, see 'track/a/1'"}
    assert not is_withheld(write_line(3, 1, "p-aaaaaaaa", "comments/a", said))


@pytest.mark.parametrize(
    "line",
    [
        b'{"seq":1,"at":1,"by":"p","path":"track/d/1","value":{"lat_e7":[1.5]}}',
        b'{"seq":1,"at":1,"by":"p","path":"comments/a","path":"track/d/1","value":1}',
        b'{"seq":1,"at":1,"by":"p","path":"\\u0074rack/d/1","value":1}',
        b'{"seq":1,"at":1,"by":"p","path":"track/d","value":1}',
        b"\xff track/",
    ],
    ids=["not I-JSON", "two paths", "escaped", "unknown shape", "not UTF-8"],
)
def test_an_unread_line_that_may_be_a_track_is_withheld(line: bytes) -> None:
    """L4, S5"""
    assert is_withheld(line)


def test_an_adopted_line_is_withheld_as_the_line_that_it_carries() -> None:
    """S3, S5: as text or as base64; in parts it may be a track, and so it may within too many."""
    device = log_of([False, True])
    device.write("comments/a", {"text": "the track/ goes left"})
    device.write("comments/b", {"text": "x" * 64_000})
    device.write_raw(b"\xff not text")
    device.write_raw(b"\xff track/")
    run = Run(device.id, 1, device.start.h, device.lines, device.hashes, None)
    wrapped = [
        write_line(n, 1, "p-aaaaaaaa", path, value)
        for n, (_, path, value) in enumerate(entries_for(run), start=1)
    ]
    assert [is_withheld(line) for line in wrapped] == [
        *(False, True, False, True, True, False, True)
    ]
    for n in range(MOST_CARRIED):
        before, wrapped = wrapped, []
        for line in before[:2]:
            hashes = [link(device.start.h, line)]
            (one,) = entries_for(Run(device.id, n + 2, device.start.h, [line], hashes, None))
            wrapped.append(write_line(n + 2, 1, "p-aaaaaaaa", *one[1:]))
        assert [is_withheld(line) for line in wrapped] == [n + 1 == MOST_CARRIED, True]


# -- proofs ---------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=1, max_size=14), st.data())
def test_any_run_cut_anywhere_with_any_holes_verifies_piece_by_piece(
    tracks: list[bool], data: st.DataObject
) -> None:
    """S5: and as the device signed before and after each hole, it needs no word of the server."""
    device = log_of(tracks)
    signed = signed_by(device)
    cuts = sorted(data.draw(st.sets(st.sampled_from(sorted(signed)))) | {len(tracks)})
    head, holed, first = device.start, False, 1
    for last in cuts:
        extract = extract_of(device, signed, first, last)
        assert extract_from_json(extract_to_json(extract)) == extract
        assert not any(proof.vouched for proof in extract.proofs)
        hashes = verify_extract(device.public_key, SERVER_KEY, head, extract, holed=holed)
        assert hashes == device.hashes[first - 1 : last]
        given = [r for r in extract.rows if isinstance(r, bytes)]
        assert given == [x for x in device.lines[first - 1 : last] if not is_withheld(x)]
        assert vouched_only(rows_of(extract), extract.proofs) == []
        holed |= any(isinstance(row, Hole) for row in extract.rows)
        head, first = Head(last, hashes[-1]), last + 1


@given(st.lists(st.booleans(), min_size=1, max_size=14), st.data())
def test_where_the_device_did_not_sign_the_server_vouches_and_that_can_be_told(
    tracks: list[bool], data: st.DataObject
) -> None:
    """S5: a run sent by an older device, or cut by the server, at any places."""
    device = log_of(tracks)
    ends = data.draw(st.sets(st.integers(1, len(tracks))))
    signed = {n: device.segment(1, n).signature for n in ends}
    extract = extract_of(device, signed)
    assert check(device, extract) == device.hashes
    only = vouched_only(rows_of(extract), extract.proofs)
    for n, track in enumerate(tracks, start=1):
        nearest_hole = next((m for m in range(n, len(tracks)) if tracks[m]), len(tracks))
        proved = any(n <= end <= nearest_hole for end in ends)
        assert (n in only) == (not track and not proved)


def test_what_is_set_aside_is_a_hole_that_says_so_be_it_a_track_or_not() -> None:
    """L7, S9: whoever signs has to leave out either; a track that counts says nothing of it."""
    device = log_of([False, False, True, True])
    signed = signed_by(device)

    def vouched(seq: int, h: bytes) -> bytes:
        return vouch(SERVER, device.id, device.inspection, seq, h)

    log = device.id, device.inspection, 1, device.lines, device.hashes
    extract = make_extract(*log, signed, vouched, {2, 3})
    assert check(device, extract) == device.hashes
    again = extract_from_json(json.loads(json.dumps(extract_to_json(extract))))
    assert again.rows == (
        device.lines[0],
        Hole(device.hashes[1], aside=True),
        Hole(device.hashes[2], aside=True),
        Hole(device.hashes[3]),
    )


# -- tampering ------------------------------------------------------------------------------------


def _changed(row: bytes | Hole) -> bytes | Hole:
    if isinstance(row, Hole):
        return Hole(bytes([row.h[0] ^ 1]) + row.h[1:])
    return row.replace(b"fully", b"minor")


def _other_device(extract: Extract, hashes: list[bytes]) -> tuple[Proof, ...]:
    key = Device(2).key
    return tuple(
        replace(p, signature=key.sign(b"tapak segment v1\n" + hashes[p.seq - 1]))
        for p in extract.proofs
    )


@given(st.lists(st.booleans(), min_size=1, max_size=10), st.booleans(), st.data())
def test_whatever_is_done_to_a_run_it_is_refused_or_says_only_what_was_written(
    tracks: list[bool], vouched: bool, data: st.DataObject
) -> None:
    """S5, L4: changed, dropped, repeated, exchanged, hidden, shortened, signatures moved along."""
    device = log_of(tracks)
    extract = extract_of(device, {} if vouched else signed_by(device))
    rows, proofs = list(extract.rows), list(extract.proofs)
    n = data.draw(st.integers(0, len(rows) - 1))
    what = data.draw(st.sampled_from(["change", "drop", "repeat", "swap", "hide", "cut"]))
    if what == "change":
        rows[n] = _changed(rows[n])
    elif what == "drop":
        del rows[n]
        proofs = [replace(p, seq=p.seq - (p.seq > n)) for p in proofs]
    elif what == "repeat":
        rows.insert(n, rows[n])
        proofs = [replace(p, seq=p.seq + (p.seq > n)) for p in proofs]
    elif what == "swap":
        m = data.draw(st.integers(0, len(rows) - 1))
        rows[n], rows[m] = rows[m], rows[n]
    elif what == "hide":
        rows[n] = Hole(device.hashes[n])
    else:
        rows, proofs = rows[:n], [p for p in proofs if p.seq <= n]
    tampered = replace(extract, rows=tuple(rows), proofs=tuple(proofs))
    try:
        hashes = check(device, tampered)
    except Problem as refused:
        assert refused.code == "lines-unproved"
        return
    for seq, row in enumerate(tampered.rows, start=1):
        if isinstance(row, bytes):
            assert row == device.lines[seq - 1]
            assert hashes[seq - 1] == device.hashes[seq - 1]


Tamper = Callable[[Extract, Device], Extract]

CAUGHT: dict[str, tuple[Tamper, str]] = {
    "a changed line": (
        lambda x, d: replace(x, rows=(_changed(x.rows[0]), *x.rows[1:])),
        "signature does not fit",
    ),
    "a changed hole": (
        lambda x, d: replace(x, rows=(*x.rows[:3], _changed(x.rows[3]), *x.rows[4:])),
        "signature does not fit",
    ),
    "a dropped line": (
        lambda x, d: replace(
            x, rows=x.rows[1:], proofs=tuple(replace(p, seq=p.seq - 1) for p in x.proofs)
        ),
        "another position",
    ),
    "two holes told as one": (
        lambda x, d: replace(
            x,
            rows=(*x.rows[:2], *x.rows[3:]),
            proofs=tuple(replace(p, seq=p.seq - (p.seq > 2)) for p in x.proofs),
        ),
        "another position",
    ),
    "lines exchanged": (
        lambda x, d: replace(x, rows=(x.rows[1], x.rows[0], *x.rows[2:])),
        "signature does not fit",
    ),
    "another device's signature": (
        lambda x, d: replace(x, proofs=_other_device(x, d.hashes)),
        "device's signature does not fit",
    ),
    "a server of one's own": (
        lambda x, d: replace(
            x,
            proofs=tuple(
                Proof(
                    p.seq,
                    vouch(Device(3).key, d.id, d.inspection, p.seq, d.hashes[p.seq - 1]),
                    vouched=True,
                )
                for p in x.proofs
            ),
        ),
        "server's signature does not fit",
    ),
    "the signature before a hole left out": (
        lambda x, d: replace(x, proofs=x.proofs[1:]),
        "nobody signed there",
    ),
    "the last signature left out": (
        lambda x, d: replace(x, proofs=x.proofs[:-1]),
        "nobody signed there",
    ),
    "a signature beyond the end": (
        lambda x, d: replace(x, proofs=(*x.proofs, Proof(99, bytes(64)))),
        "outside the run",
    ),
    "another log's name": (
        lambda x, d: replace(x, device=Device(2).id),
        "another device's",
    ),
    "a later beginning": (lambda x, d: replace(x, first=2), "does not follow"),
    "nothing": (lambda x, d: replace(x, rows=(), proofs=()), "no entries"),
    "a line feed": (
        lambda x, d: replace(x, rows=(b"a\nb", *x.rows[1:])),
        "no line of a log",
    ),
}


@pytest.mark.parametrize("how", sorted(CAUGHT))
def test_tampering_is_caught_and_named(how: str) -> None:
    """S5, L4"""
    device = log_of([False, False, True, True, False, False])
    extract = extract_of(device, signed_by(device))
    check(device, extract)
    tamper, says = CAUGHT[how]
    before = device.start
    with pytest.raises(Problem) as caught:
        verify_extract(device.public_key, SERVER_KEY, before, tamper(extract, device))
    assert caught.value.code == "lines-unproved"
    assert says in caught.value.happened


def test_a_servers_word_counts_for_one_log_and_one_position_only() -> None:
    """S5"""
    device = log_of([False])
    h = device.hashes[0]
    for other in (
        vouch(SERVER, Device(2).id, device.inspection, 1, h),
        vouch(SERVER, device.id, "device", 1, h),
        vouch(SERVER, device.id, device.inspection, 2, h),
        vouch(SERVER, device.id, device.inspection, 1, bytes(32)),
    ):
        extract = Extract(
            device.id, device.inspection, 1, (device.lines[0],), (Proof(1, other, vouched=True),)
        )
        with pytest.raises(Problem, match="lines-unproved"):
            check(device, extract)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"device": "d", "log": "no log", "first": 1, "lines": [], "signatures": []},
        {"device": "d", "log": "device", "first": True, "lines": [], "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": "x", "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": [7], "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": ["\ud800"], "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": [{"h": "zz" * 32}], "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": [{"base64": "é"}], "signatures": []},
        {"device": "d", "log": "device", "first": 1, "lines": [], "signatures": [[1, "!"]]},
        {"device": "d", "log": "device", "first": 1, "lines": [], "signatures": [[1, "AA==", "x"]]},
        {"device": "d", "log": "device", "first": 1, "lines": [], "signatures": [["1", "AA=="]]},
        {"device": "d", "log": "device", "first": 1, "lines": [], "signatures": [7]},
    ],
    ids=range(13),
)
def test_a_body_of_another_shape_is_named_as_such(body: Any) -> None:
    with pytest.raises(ValueError, match=r"it|line|signature"):
        extract_from_json(body)


def test_a_line_that_is_not_text_travels_byte_for_byte() -> None:
    """L4: what is chained and signed is kept, unread or not."""
    device = Device(1)
    device.write_raw(b"\xff\xfe not text")
    extract = extract_of(device, signed_by(device))
    again = extract_from_json(extract_to_json(extract))
    assert again.rows == (b"\xff\xfe not text",)
    assert check(device, again) == device.hashes


# -- where segments end ---------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_a_segment_never_holds_what_colleagues_receive_beside_what_they_do_not(
    tracks: list[bool],
) -> None:
    """S5"""
    device = log_of(tracks)
    pending = Pending(device.id, device.inspection, 1, tuple(device.lines), tuple(device.hashes))
    segments, more = plan_segments([pending], lambda h: h)
    assert not more
    assert [x for s in segments for x in s.lines] == device.lines
    kinds = [{is_withheld(line) for line in s.lines} for s in segments]
    assert all(len(kind) == 1 for kind in kinds)
    assert all(a != b for a, b in pairwise(kinds))


def test_a_long_segment_is_parted_so_that_a_page_of_changes_can_carry_it() -> None:
    """S5, S12"""
    device = Device(1)
    for n in range(10):
        device.write(f"comments/{n}", {"text": "x" * 60_000})
    pending = Pending(device.id, device.inspection, 1, tuple(device.lines), tuple(device.hashes))
    segments, _ = plan_segments([pending], lambda h: h)
    assert [len(s.lines) for s in segments] == [4, 4, 2]


@given(
    st.lists(st.booleans(), max_size=12),
    st.sets(st.integers(1, 14)),
    st.sets(st.integers(1, 12)),
)
def test_vouched_lines_are_counted_as_they_are_found_one_by_one(
    holes: list[bool], signed: set[int], aside: set[int]
) -> None:
    """S5"""
    rows = list(enumerate(holes, start=1))
    found = vouched_only(rows, [Proof(seq, b"s") for seq in signed])
    told = count_vouched(len(rows), [seq for seq, hole in rows if hole], signed, aside)
    assert told == len(set(found) - aside)
