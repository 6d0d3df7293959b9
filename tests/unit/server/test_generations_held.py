"""The next generation of a device, and what is made of the lines it carries (S3, S8, L7)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from region import HILL, OTHER, VISIT_1, Device, enrolled_device, jpeg

from server.context import Context
from server.services.enrolment import revoke_device
from server.services.generations import hashes_of, held_of, next_generation
from server.services.inspections import Loaded, load_inspection
from server.services.verify import verify
from server.store import logs
from sync.adopted import Run, entries_for
from sync.generation import prove
from sync.log import MAX_ENTRY_BYTES, sign_head
from sync.problems import Problem


def generation_of(old: Device, seed: int = 9) -> Device:
    new = Device(old.ctx, old.person, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
    next_generation(old.ctx, old.id, new.public_key, prove(old.key, new.public_key))
    return new


def carry(new: Device, old: Device, first: int, *, signed: bool = True) -> None:
    lines, hashes = old.logs[VISIT_1], old.hashes[VISIT_1]
    signature = sign_head(old.key, hashes[-1]) if signed else None
    run = Run(old.id, first, hashes[first - 1], lines[first - 1 :], hashes[first:], signature)
    for _, path, value in entries_for(run):
        new.record(VISIT_1, path, value)


def loaded(ctx: Context) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, VISIT_1)
    assert found is not None
    return found


def faults(ctx: Context) -> list[tuple[str, str]]:
    return [(f.what, f.why) for f in verify(ctx).faults]


@pytest.fixture
def old(region: Context) -> Device:
    """Four entries, two of them sent."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.send()
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "partially"})
    device.photo(VISIT_1, jpeg(1), ["GEN-G1/-"])
    return device


def test_the_lines_count_as_the_old_devices_own_and_its_files_are_taken(
    region: Context, old: Device
) -> None:
    """S3, S4, S6: the carried entry names the file, and the carrier may send it."""
    new = generation_of(old)
    carry(new, old, 3)
    answer = new.send()
    assert len(answer.missing) == 1
    new.send_file(jpeg(1))
    found = loaded(region)
    (head,) = found.current.answers["GEN-G1", "-"].heads
    assert (head.level, head.written.device, head.written.seq) == ("partially", old.id, 3)
    assert (head.written.signed, head.written.adopted) == (True, True)
    ((_, slot),) = found.current.evidence.items()
    assert slot.heads[0].device == old.id
    (carried,) = found.adopted
    assert (carried.device, carried.by, carried.entries) == (old.id, new.id, 2)
    assert carried.unsigned == 0
    assert found.counted == 4
    report = verify(region)
    assert report.faults == ()
    assert report.counts["adopted entries"] == 2
    assert report.counts["adopted without signature"] == 0


def test_an_inspection_of_which_only_carried_lines_are_held_has_its_facility(
    region: Context,
) -> None:
    """S3, L5: the key was lost before anything was sent."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    new = enrolled_device(region, seed=2)
    carry(new, device, 1, signed=False)
    new.send()
    found = loaded(region)
    assert (found.facility, found.mode) == (HILL, "live")
    (outcome,) = found.current.outcome.heads
    assert (outcome.written.device, outcome.written.signed) == (device.id, False)
    assert found.adopted[0].unsigned == 2
    report = verify(region)
    assert report.faults == ()
    assert report.counts["adopted without signature"] == 2


def test_a_long_line_that_names_a_file_is_put_together_over_two_requests(
    region: Context,
) -> None:
    """S12, S3: its parts came in segments of their own."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.send()
    data = jpeg(3)
    device.photo(VISIT_1, data, ["GEN-G1/-"])
    line = device.logs[VISIT_1].pop()
    device.hashes[VISIT_1].pop()
    value: dict[str, Any] = {"kind": "photo", "source": "scan", "media_type": "image/jpeg"}
    value |= {"size": len(data), "note": '"' * 31_000}
    path = line.split(b'"path":"')[1].split(b'"')[0].decode()
    device.record(VISIT_1, path, value)
    new = generation_of(device)
    run = Run(
        device.id,
        2,
        device.hashes[VISIT_1][1],
        device.logs[VISIT_1][1:],
        device.hashes[VISIT_1][2:],
        sign_head(device.key, device.hashes[VISIT_1][2]),
    )
    parts = list(entries_for(run))
    assert len(parts) > 1
    for _, part_path, part in parts:
        new.record(VISIT_1, part_path, part)
        assert len(new.logs[VISIT_1][-1]) <= MAX_ENTRY_BYTES
        answer = new.send()
    assert len(answer.missing) == 1
    new.send_file(data)
    assert faults(region) == []
    assert len(loaded(region).current.evidence) == 1


def test_a_sign_off_of_the_generation_before_stays_valid_for_what_it_lists(
    region: Context, old: Device
) -> None:
    """L7, S3: carried with what it signs; what the next one adds is an amendment."""
    old.sign_off(VISIT_1)
    new = generation_of(old)
    carry(new, old, 3)
    new.send()
    found = loaded(region)
    assert found.signed is not None
    (signed,) = found.signed.answers["GEN-G1", "-"].heads
    assert signed.level == "partially"
    assert found.amendments == ()
    new.record(VISIT_1, "outcome", {"outcome": "visited"})
    new.send()
    assert [r.path for r in loaded(region).amendments] == ["outcome"]


def test_a_sign_off_that_lists_the_carrier_covers_what_that_carries(
    region: Context, old: Device
) -> None:
    """L7, S3: a colleague has only the log that carries, and signs that."""
    new = generation_of(old)
    carry(new, old, 3)
    seq, h = 2, old.hashes[VISIT_1][2].hex()
    new.sign_off(VISIT_1, {old.id: (seq, h)})
    new.send()
    found = loaded(region)
    assert found.signed is not None
    assert found.signed.answers["GEN-G1", "-"].heads[0].level == "partially"
    assert found.amendments == ()


def test_what_is_held_of_a_device_is_told_to_its_own_person_only(
    region: Context, old: Device
) -> None:
    """S3: and nobody learns whether another's device exists."""
    (held,) = held_of(region, old.person, old.id)
    hashes = [h.hex() for h in old.hashes[VISIT_1]]
    assert (held.log, held.seq, held.h) == (VISIT_1, 2, hashes[2])
    assert hashes_of(region, old.person, old.id, VISIT_1, [1, 2, 3]) == [*hashes[1:3], None]
    assert hashes_of(region, old.person, old.id, "device", [1]) == [None]
    for person, device in ((OTHER, old.id), (old.person, "a" * 32)):
        with pytest.raises(Problem) as caught:
            held_of(region, person, device)
        assert caught.value.code == "device-not-yours"
        with pytest.raises(Problem) as caught:
            hashes_of(region, person, device, VISIT_1, [1])
        assert caught.value.code == "device-not-yours"


def test_only_the_old_key_vouches_for_the_new_one(region: Context, old: Device) -> None:
    """S3, S8: a token alone enrols nothing, nor does a withdrawn device."""
    new = Ed25519PrivateKey.generate()
    public_key = new.public_key().public_bytes_raw()
    with pytest.raises(Problem) as caught:
        next_generation(region, old.id, public_key, prove(new, public_key))
    assert caught.value.code == "generation-unproved"
    with pytest.raises(Problem) as caught:
        next_generation(region, "a" * 32, public_key, prove(old.key, public_key))
    assert caught.value.code == "device-of-another"
    stranger = enrolled_device(region, OTHER, seed=5)
    with pytest.raises(Problem) as caught:
        next_generation(region, old.id, stranger.public_key, prove(old.key, stranger.public_key))
    assert caught.value.code == "device-of-another"
    first = next_generation(region, old.id, public_key, prove(old.key, public_key))
    again = next_generation(region, old.id, public_key, prove(old.key, public_key))
    assert (first.device, first.person) == (again.device, old.person)
    assert first.token != again.token
    revoke_device(region, "console", old.id, "lost at the gate")
    with pytest.raises(Problem):
        next_generation(region, old.id, public_key, prove(old.key, public_key))


def test_lines_of_another_persons_device_are_carried_for_nothing(
    region: Context, old: Device
) -> None:
    """S3, L1: they stay unread, name no facility and no file."""
    stranger = enrolled_device(region, OTHER, seed=5)
    carry(stranger, old, 3)
    assert stranger.send().missing == ()
    assert loaded(region).adopted == ()


def test_what_comes_under_a_revoked_devices_key_is_marked_and_counts_nowhere(
    region: Context, old: Device
) -> None:
    """S8: taken in and acknowledged, whatever carries it; what came before still counts."""
    before = loaded(region).counted
    revoke_device(region, "console", old.id, "lost at the gate")
    old.send()
    found = loaded(region)
    assert found.counted == before
    assert [r.seq for r in found.revoked] == [3, 4]
    (head,) = found.current.answers["GEN-G1", "-"].heads
    assert head.level == "fully"
    with region.db.read() as tx:
        assert logs.revoked_runs(tx, VISIT_1) == {old.id: [(3, 4)]}
    assert faults(region) == []


def test_an_adopted_line_that_does_not_fit_is_named_by_verify(region: Context, old: Device) -> None:
    """S3, L4"""
    new = generation_of(old)
    value = {"line": "{}", "h": "0" * 64, "after": old.hashes[VISIT_1][2].hex()}
    value["signature"] = base64.b64encode(bytes(64)).decode()
    new.record(VISIT_1, f"adopted/{old.id}/3", value)
    new.send()
    ((what, why),) = faults(region)
    assert what == "adopted"
    assert "chain hash" in why
    assert [u.seq for u in loaded(region).current.unread] == [1]


def test_a_carried_line_that_carries_itself_holds_up_nothing(region: Context) -> None:
    """S3, L4: two parts that make a line which stands for itself again. Its chain hash cannot fit,
    so it names nothing, and it is shown as unread.
    """
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    path = f"adopted/{device.id}/3"
    line = f'{{"seq":3,"at":1,"by":"x","path":"{path}","value":{{"part":[2,2],"line":"}}}}"'
    device.record(VISIT_1, path, {"part": [1, 2], "line": line})
    said = {"h": "0" * 64, "after": "0" * 64}
    device.record(VISIT_1, path, {"part": [2, 2], "line": "}}", **said})
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.send()
    assert set(loaded(region).current.answers) == {("GEN-G1", "-")}
