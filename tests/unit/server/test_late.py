"""A revoked device's lines that another device of the person carries wait for staff (S8, S3)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from region import CONSOLE, HILL, VISIT_1, Device, add_person, enrolled_device

from server.context import Context
from server.services.admission import rule_at_console
from server.services.enrolment import revoke_device
from server.services.generations import next_generation
from server.services.inspections import Loaded, load_inspection
from sync.adopted import Run, entries_for
from sync.generation import prove
from sync.log import sign_head

LONG = '"' * 31_000  # as a note it takes more than one entry to carry it


def generation_of(old: Device, seed: int = 9) -> Device:
    new = Device(old.ctx, old.person, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
    next_generation(old.ctx, old.id, new.public_key, prove(old.key, new.public_key))
    return new


def carry(new: Device, old: Device, first: int) -> None:
    """Carry what the old device wrote from this position on, signed, without sending it."""
    lines, hashes = old.logs[VISIT_1], old.hashes[VISIT_1]
    signature = sign_head(old.key, hashes[-1])
    run = Run(old.id, first, hashes[first - 1], lines[first - 1 :], hashes[first:], signature)
    for _, path, value in entries_for(run):
        new.record(VISIT_1, path, value)


def loaded(ctx: Context) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, VISIT_1)
    assert found is not None
    return found


def level(ctx: Context) -> set[str | None]:
    return {head.level for head in loaded(ctx).current.answers["GEN-G1", "-"].heads}


def revoke(device: Device) -> None:
    revoke_device(device.ctx, CONSOLE, device.id, "left in a taxi")


@pytest.fixture
def old(region: Context) -> Device:
    """Three entries, two of them sent."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.send()
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "partially"})
    return device


def test_they_wait_as_if_they_had_come_under_its_own_key(region: Context, old: Device) -> None:
    """S8, S3, S9: what the carrier itself records counts, before and after them."""
    add_person(region, "p-rosa")
    new = generation_of(old)
    new.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    revoke(old)
    carry(new, old, 3)
    new.record(VISIT_1, "answers/GEN-G3/-", {"level": "fully"})
    new.send()
    found = loaded(region)
    assert level(region) == {"fully"}
    assert {item for item, _ in found.current.answers} == {"GEN-G1", "GEN-G2", "GEN-G3"}
    assert [(r.device, r.seq) for r in found.revoked] == [(new.id, 2)]
    assert found.aside[0].open
    rule_at_console(region, "rosa", VISIT_1, new.id, "admitted", "it was found again")
    assert level(region) == {"partially"}
    assert loaded(region).revoked == ()


def test_what_was_carried_before_the_revocation_counts_on(region: Context, old: Device) -> None:
    """S8: and a later generation that carries it once more changes nothing."""
    new = generation_of(old)
    carry(new, old, 3)
    new.send()
    revoke(old)
    third = generation_of(new, 10)
    carry(third, old, 1)
    carry(third, new, 1)
    third.send()
    assert level(region) == {"partially"}
    assert loaded(region).revoked == ()


def test_what_the_server_had_of_the_device_itself_counts_on(region: Context, old: Device) -> None:
    """S8: a copy beside the original says nothing new."""
    new = generation_of(old)
    revoke(old)
    carry(new, old, 1)
    new.send()
    assert [(r.device, r.seq) for r in loaded(region).revoked] == [(new.id, 3)]


def test_a_copy_of_what_came_late_under_its_own_key_waits_too(region: Context, old: Device) -> None:
    """S8: being held does not mean that it was here in time."""
    new = generation_of(old)
    revoke(old)
    old.send()
    carry(new, old, 3)
    new.send()
    assert {r.device for r in loaded(region).revoked} == {old.id, new.id}
    assert level(region) == {"fully"}


@pytest.mark.parametrize("note", ["", LONG], ids=["short", "in parts"])
def test_a_line_within_a_carried_line_waits_too(region: Context, old: Device, note: str) -> None:
    """S8, S3: two generations on; the one between is not revoked, and holds nothing here."""
    old.record(VISIT_1, "answers/GEN-G1/-", {"level": "does-not-meet", "note": note})
    between = generation_of(old)
    carry(between, old, 3)
    third = generation_of(between, 10)
    carry(third, between, 1)
    revoke(old)
    third.send()
    assert level(region) == {"fully"}
    assert {r.device for r in loaded(region).revoked} == {third.id}


def test_parts_that_make_a_line_whole_later_do_not_let_it_count(
    region: Context, old: Device
) -> None:
    """S8, S3: the entry that completes it was here first, and is marked then."""
    old.record(VISIT_1, "answers/GEN-G1/-", {"level": "does-not-meet", "note": LONG})
    between = generation_of(old)
    carry(between, old, 4)
    assert len(between.logs[VISIT_1]) > 1
    third = generation_of(between, 10)
    carry(third, between, len(between.logs[VISIT_1]))
    third.send()
    revoke(old)
    between.send()
    assert level(region) == {"fully"}
    marked = {r.device for r in loaded(region).revoked}
    assert marked == {between.id, third.id}


def test_they_settle_nothing(region: Context) -> None:
    """S9: what an inspection is about is not said by a revoked device, whoever carries it."""
    stolen = enrolled_device(region)
    stolen.start(VISIT_1, HILL, mode="training")
    new = generation_of(stolen)
    revoke(stolen)
    carry(new, stolen, 1)
    new.send()
    mine = enrolled_device(region, seed=2)
    mine.start(VISIT_1, HILL, mode="live")
    mine.send()
    assert (loaded(region).facility, loaded(region).mode) == (HILL, "live")
