"""Bundles that staff read (S10): the way of a sync, idempotent, and nothing wrong is stored."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity
from region import (
    AUDITOR,
    HILL,
    OTHER,
    VISIT_1,
    VISIT_2,
    Device,
    enrolled_device,
    jpeg,
)
from sqlalchemy import func, select

from server.context import Context, open_context
from server.services.bundle_answer import addressee, write_answer_bundle
from server.services.bundle_intake import (
    DAMAGED,
    HELD,
    KNOWN,
    NOT_NAMED,
    WITHDRAWN,
    Imported,
    read_bundle,
)
from server.services.enrolment import retire_device, revoke_device
from server.services.rotation import rotate
from server.services.verify import verify
from server.services.withdrawal import withdraw
from server.store import files, logs, refusals, tables
from sync.bundle import BundleWriter, Opening
from sync.bundle_reader import BundleReader, Event, GivenAnswer, GivenReceipt
from sync.extract import extract_to_json, make_extract, parted
from sync.inspection import SealedFile
from sync.log import DEVICE_LOG, Segment, sign_head
from sync.problems import Problem
from sync.receipt import read_receipt
from sync.sealed import sealed_value
from sync.sealing_key import PATH
from sync.session import read_answer
from sync.unseal import unseal

PICTURE = jpeg(1)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def segment(device: Device, log: str, first: int = 1, last: int | None = None) -> Segment:
    lines = tuple(device.logs[log][first - 1 : last])
    head = device.hashes[log][first - 1 + len(lines)]
    return Segment(device.id, log, first, lines, sign_head(device.key, head))


def parts(
    device: Device, *segments: Segment, pictures: tuple[bytes, ...] = (), **opening: object
) -> list[bytes]:
    """The plain parts of a bundle by this device, each one piece."""
    w = BundleWriter()
    made = Opening(device.id, "Made-up Ana", device.ctx.now(), "office", device.ctx.public_key)
    out = [w.opening(replace(made, **opening))]  # type: ignore[arg-type]
    out += [w.segment(one) for one in sorted(segments, key=lambda s: (s.inspection, s.device))]
    by_size = sorted(pictures, key=lambda data: (len(data), digest(data)))
    out += [b"".join(w.file(digest(data), len(data), [data])) for data in by_size]
    return [*out, w.end()]


def sealed(ctx: Context, plain: bytes) -> bytes:
    return pyrage.encrypt(plain, [ctx.sealing_key.to_public()])


def read(ctx: Context, data: bytes, **given: object) -> Imported:
    source = io.BytesIO(data)
    return read_bundle(ctx, "console", source, name="made-up.tapak", **given)  # type: ignore[arg-type]


def rows(ctx: Context) -> dict[str, int]:
    with ctx.db.read() as tx:
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }


def held_bytes(ctx: Context) -> set[str]:
    return {one.sha256 for one in ctx.blobs.listed()}


@pytest.fixture
def ana(either_region: Context) -> Device:
    """A device with one visit that names a picture; nothing of it was sent."""
    device = enrolled_device(either_region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.photo(VISIT_1, PICTURE, ["GEN-G1/-"])
    return device


def test_what_came_on_a_stick_is_held_as_if_it_was_sent_and_a_second_time_changes_nothing(
    ana: Device,
) -> None:
    """S10, S2, S4: on SQLite and PostgreSQL."""
    ctx = ana.ctx
    data = sealed(ctx, b"".join(parts(ana, segment(ana, VISIT_1), pictures=(PICTURE,))))
    done = read(ctx, data)
    assert done.trouble is None
    assert [(s.state, s.seq) for s in done.logs.values()] == [("held", 3)]
    assert done.files == {digest(PICTURE): HELD}
    assert done.lines == 3
    with ctx.db.read() as tx:
        assert logs.logs_by(tx, ana.id)[0].h == ana.hashes[VISIT_1][-1]
        assert files.is_held_for(tx, digest(PICTURE), AUDITOR)
    assert verify(ctx).faults == ()
    before, bytes_before = rows(ctx), held_bytes(ctx)
    again = read(ctx, data)
    assert not again.brought
    assert again.files == {digest(PICTURE): KNOWN}
    assert (rows(ctx), held_bytes(ctx)) == (before, bytes_before)


def test_what_came_on_a_stick_needs_not_be_sent_and_the_receipt_comes_at_the_next_sync(
    ana: Device,
) -> None:
    """S4"""
    plain = parts(ana, segment(ana, VISIT_1), pictures=(PICTURE,))
    read(ana.ctx, sealed(ana.ctx, b"".join(plain)))
    answer = ana.send()
    assert answer.missing == ()
    assert answer.receipt is not None
    assert digest(PICTURE) in read_receipt(ana.ctx.public_key, answer.receipt).files


def test_one_byte_changed_anywhere_is_named_and_nothing_wrong_is_stored(ana: Device) -> None:
    """S10: what came before it may stay; it is what the device signed."""
    ctx = ana.ctx
    data = sealed(ctx, b"".join(parts(ana, segment(ana, VISIT_1), pictures=(PICTURE,))))
    for at in (0, 30, 60, 100, 150, 200, 220, len(data) // 2, len(data) - 30, len(data) - 1):
        try:
            done = read(ctx, data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        except Problem as exc:
            assert exc.code.startswith("bundle-"), at
        else:
            assert done.trouble is not None, at
        assert held_bytes(ctx) <= {digest(PICTURE)}
        assert list(ctx.settings.incoming.iterdir()) == []
    assert verify(ctx).faults == ()


def test_a_bundle_that_is_cut_short_keeps_what_came_whole(ana: Device) -> None:
    """S10"""
    plain = parts(ana, segment(ana, VISIT_1), pictures=(PICTURE, jpeg(2)))
    cut = sealed(ana.ctx, b"".join(plain[:-2]) + plain[-2][:200])
    done = read(ana.ctx, cut)
    assert done.trouble is not None
    assert done.trouble.code == "bundle-malformed"
    assert done.lines == 3
    assert list(ana.ctx.settings.incoming.iterdir()) == []


def test_a_file_with_other_bytes_than_its_digest_is_never_held(ana: Device) -> None:
    """S6: the digest is verified before it counts."""
    plain = b"".join(parts(ana, segment(ana, VISIT_1), pictures=(PICTURE,)))
    done = read(ana.ctx, sealed(ana.ctx, plain.replace(PICTURE, PICTURE[::-1])))
    assert done.files == {digest(PICTURE): DAMAGED}
    assert held_bytes(ana.ctx) == set()


def test_a_file_counts_only_for_those_whose_entries_came_along(ana: Device) -> None:
    """S6: nobody learns from somebody else's bundle that a file exists."""
    ctx = ana.ctx
    ana.send()
    other = enrolled_device(ctx, OTHER, seed=2)
    other.start(VISIT_2, HILL)
    with_nothing = read(ctx, sealed(ctx, b"".join(parts(other, pictures=(PICTURE,)))))
    assert with_nothing.files == {digest(PICTURE): NOT_NAMED}
    plain = parts(other, segment(other, VISIT_2), pictures=(PICTURE,))
    assert read(ctx, sealed(ctx, b"".join(plain))).files == {digest(PICTURE): NOT_NAMED}
    assert held_bytes(ctx) == set()


def test_another_carrier_brings_a_colleagues_lines_and_files(ana: Device) -> None:
    """S2: it is the log's signature that counts."""
    ctx = ana.ctx
    other = enrolled_device(ctx, OTHER, seed=2)
    other.start(VISIT_2, HILL)
    both = (segment(ana, VISIT_1), segment(other, VISIT_2))
    done = read(ctx, sealed(ctx, b"".join(parts(other, *both, pictures=(PICTURE,)))))
    assert {s.state for s in done.logs.values()} == {"held"}
    with ctx.db.read() as tx:
        assert files.is_held_for(tx, digest(PICTURE), AUDITOR)
        assert not files.is_held_for(tx, digest(PICTURE), OTHER)


def test_gaps_forks_and_lines_nobody_signed_are_told_log_by_log(ana: Device) -> None:
    """S2, S3, L4: each log on its own."""
    ctx = ana.ctx
    fork = Device(ctx, AUDITOR, ana.key)
    fork.start(VISIT_2, HILL)
    fork.record(VISIT_2, "outcome", {"outcome": "partly"})
    ana.start(VISIT_2, HILL)
    ana.record(VISIT_2, "outcome", {"outcome": "visited"})
    ana.record("device", "device/opened/x", {"facility": HILL})
    ana.send()
    ana.record(VISIT_1, "outcome", {"outcome": "visited"})
    ana.record(VISIT_1, "outcome", {"outcome": "partly"})
    forged = replace(segment(ana, DEVICE_LOG), lines=(b'{"made":"up"}',))
    given = (segment(ana, VISIT_1, 5), segment(fork, VISIT_2), forged)
    bundle = sealed(ctx, b"".join(parts(ana, *given)))
    done = read(ctx, bundle)
    states = {log: state.state for (_, log), state in done.logs.items()}
    assert states == {VISIT_1: "gap", VISIT_2: "forked", DEVICE_LOG: "refused"}
    assert verify(ctx).faults == ()
    before = rows(ctx)
    assert read(ctx, bundle).logs == done.logs
    after = rows(ctx)
    # Reading it again is not told again (S10); how often lines were refused is counted (L4).
    assert {name for name in after if after[name] != before[name]} <= {"refusals"}


def test_a_stranger_s_bundle_stores_nothing(ana: Device) -> None:
    """S9, S10: whoever knows the office's key can seal to it; only signatures count."""
    ctx = ana.ctx
    stranger = Device(ctx, AUDITOR, enrolled_device(ctx, OTHER, seed=3).key)
    unknown = Device(ctx, AUDITOR, Ed25519PrivateKey.generate())
    unknown.start(VISIT_2, HILL)
    before = rows(ctx)
    data = sealed(ctx, b"".join(parts(stranger, segment(unknown, VISIT_2), pictures=(PICTURE,))))
    done = read(ctx, data)
    assert [s.state for s in done.logs.values()] == ["refused"]
    assert held_bytes(ctx) == set()
    after = rows(ctx)
    # That something was refused is told to staff (L4): who sent it and why, none of its lines.
    assert {name for name in after if after[name] != before[name]} <= {"audit", "refusals"}
    with ctx.db.read() as tx:
        assert [(one.log, one.count) for one in refusals.every(tx)] == [(VISIT_2, 1)]


def test_a_bundle_for_another_key_or_of_another_server_stores_nothing(ana: Device) -> None:
    """S10"""
    ctx = ana.ctx
    plain = b"".join(parts(ana, segment(ana, VISIT_1)))
    before = rows(ctx)
    with pytest.raises(Problem, match="bundle-for-another"):
        read(ctx, pyrage.encrypt(plain, [Identity.generate().to_public()]))
    elsewhere = b"".join(parts(ana, segment(ana, VISIT_1), server_key=b"k" * 32))
    with pytest.raises(Problem, match="bundle-other-server"):
        read(ctx, sealed(ctx, elsewhere))
    with pytest.raises(Problem, match="bundle-passphrase-needed"):
        read(ctx, pyrage.passphrase.encrypt(b"x", "made-up words"))
    assert rows(ctx) == before


def test_what_was_sealed_before_the_key_was_changed_is_read_with_the_key_of_then(
    ana: Device,
) -> None:
    """S10, S8: a stick was on its way while the sealing key was changed, twice."""
    ctx = ana.ctx
    data = sealed(ctx, b"".join(parts(ana, segment(ana, VISIT_1), pictures=(PICTURE,))))
    for _ in range(2):
        rotate(ctx, "console", receipt=True, sealing=True, reason="a yearly change")
        settings = ctx.settings
        ctx.db.close()
        ctx = open_context(settings)
    done = read(ctx, data)
    assert (done.lines, done.files) == (3, {digest(PICTURE): HELD})
    ctx.db.close()


def test_of_a_colleagues_view_of_a_log_what_is_whole_is_taken(ana: Device) -> None:
    """S2, S5: up to the first line that is withheld."""
    ctx = ana.ctx
    ana.record(VISIT_1, f"track/{ana.id}/1", {"made": "up"})
    ana.record(VISIT_1, "outcome", {"outcome": "visited"})
    lines, hashes = ana.logs[VISIT_1], ana.hashes[VISIT_1][1:]
    signed = {seq: sign_head(ana.key, hashes[seq - 1]) for seq in (3, 4, 5)}
    whole = make_extract(ana.id, VISIT_1, 1, lines, hashes, signed, lambda *_: b"")
    w = BundleWriter()
    plain = w.opening(Opening(ana.id, "Made-up Ana", 1, "Budi", ctx.public_key))
    for run in parted(whole):
        body = json.dumps(extract_to_json(run)).encode()
        plain += w.lines(VISIT_1, ana.id, run.first, body)
    done = read(ctx, sealed(ctx, plain + w.end()))
    assert [(s.state, s.seq) for s in done.logs.values()] == [("held", 3)]
    assert verify(ctx).faults == ()


# -- the office's answer ---------------------------------------------------------------------------


def answered(ctx: Context, device: str, key: Identity) -> Iterator[Event]:
    out: list[bytes] = []
    write_answer_bundle(ctx, addressee(ctx, device), out.append)
    reader, events = BundleReader(), list[Event]()
    unseal(
        io.BytesIO(b"".join(out)), lambda data: events.extend(reader.feed(data)), identities=[key]
    )
    reader.close()
    return iter(events)


def test_the_answer_is_sealed_to_the_device_and_says_what_a_sync_would(ana: Device) -> None:
    """S10, S4, S5"""
    ctx, key = ana.ctx, Identity.generate()
    with pytest.raises(Problem, match="device-without-key"):
        addressee(ctx, ana.id[:12])
    for recipient in (str(Identity.generate().to_public()), str(key.to_public())):
        ana.record(DEVICE_LOG, PATH, {"recipient": recipient})
    given = (segment(ana, VISIT_1), segment(ana, DEVICE_LOG))
    read(ctx, sealed(ctx, b"".join(parts(ana, *given, pictures=(PICTURE,)))))
    events = list(answered(ctx, ana.id, key))
    receipts = [
        read_receipt(ctx.public_key, e.signed) for e in events if isinstance(e, GivenReceipt)
    ]
    heads = {(one.log, one.seq) for receipt in receipts for one in receipt.logs}
    assert heads == {(VISIT_1, 3), (DEVICE_LOG, 2)}
    assert [receipt.files for receipt in receipts] == [(digest(PICTURE),)]
    answers = [read_answer(e.body) for e in events if isinstance(e, GivenAnswer)]
    kinds = {change.kind for answer in answers for change in answer.changes}
    assert {"facility", "assignment", "certificate"} <= kinds
    assert not answers[-1].more


def test_only_a_device_that_is_known_is_answered(ana: Device) -> None:
    for name in ("", "z" * 32):
        with pytest.raises(Problem, match="noun-unknown"):
            addressee(ana.ctx, name)


@pytest.mark.parametrize("end", [retire_device, revoke_device])
def test_nothing_is_written_for_whoever_has_an_ended_device(ana: Device, end: Any) -> None:
    """S8, S10: an answer holds assignments and colleagues' entries, and is sealed to its key."""
    ctx = ana.ctx
    ana.record(DEVICE_LOG, PATH, {"recipient": str(Identity.generate().to_public())})
    read(ctx, sealed(ctx, b"".join(parts(ana, segment(ana, DEVICE_LOG)))))
    assert addressee(ctx, ana.id).device == ana.id
    end(ctx, "console", ana.id, "left in a taxi")
    with pytest.raises(Problem, match="device-ended"):
        addressee(ctx, ana.id)


def test_what_is_read_in_pieces_never_lies_whole_in_memory(ana: Device, tmp_path: Path) -> None:
    """S12: a file of a bundle goes to the disk as it comes."""
    big = b"\xff\xd8" + bytes(3 * 1024**2)
    ana.photo(VISIT_1, big, [])
    plain = parts(ana, segment(ana, VISIT_1), pictures=(big,))
    seen: list[int] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(sum(p.stat().st_size for p in ana.ctx.settings.incoming.iterdir()))
            return super().read(size)

    read_bundle(ana.ctx, "console", Slow(sealed(ana.ctx, b"".join(plain))), name="x")
    assert max(seen) > 2 * 1024**2, "its bytes waited in a file"
    assert held_bytes(ana.ctx) == {digest(big)}


def test_a_withdrawn_key_does_not_come_back_on_a_stick(ana: Device) -> None:
    """L8: a bundle that was written before consent was withdrawn still holds the key."""
    ctx = ana.ctx
    payload, key = (b"age-encryption.org/v1\n" + name for name in (b"payload", b"key"))
    entry = "5a8fad5b-d9cb-469f-a165-70867728950e"
    named = [SealedFile(digest(raw), len(raw)) for raw in (payload, key)]
    ana.record(VISIT_1, f"sealed/{entry}", sealed_value(named[0], named[1], (), ("aaaa",)))
    stick = b"".join(parts(ana, segment(ana, VISIT_1), pictures=(PICTURE, payload, key)))
    assert set(read(ctx, sealed(ctx, stick)).files.values()) == {HELD}
    withdraw(ctx, "console", entry, "asked for it")
    again = read(ctx, sealed(ctx, stick))
    assert again.files[digest(key)] == WITHDRAWN
    assert held_bytes(ctx) == {digest(PICTURE), digest(payload)}
    assert verify(ctx).faults == ()
