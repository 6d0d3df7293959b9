"""Devices, invitations and certificates (S8), on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_rows import (
    EVERY_BYTE,
    NOW,
    a_device,
    a_person,
    digest,
    put_devices,
    put_people,
)

from server.store import devices, people
from server.store.db import Database
from server.store.devices import REVOKED, Invitation
from sync.receipt import SignedBytes

CODE = digest("code")


def test_an_invitation_is_kept_as_it_was_made_until_it_is_used(db: Database) -> None:
    new = Invitation(CODE, "p-aminah", "console", NOW, NOW + 1, None, None)
    db.write(put_people)
    db.write(lambda tx: devices.invite(tx, new))
    with db.read() as tx:
        assert devices.invitation(tx, CODE) == new
        assert devices.invitation(tx, digest("another")) is None
    db.write(lambda tx: devices.use_invitation(tx, CODE, "d-1", NOW + 2))
    with db.read() as tx:
        assert devices.invitation(tx, CODE) == replace(new, used_at=NOW + 2, used_by="d-1")


def test_only_invitations_that_are_still_open_are_ended(db: Database) -> None:
    """S8, S5: after a restore nobody knows whether a code was used since."""
    db.write(put_people)
    still_open = Invitation(digest("a"), "p-aminah", "console", NOW, NOW + 9, None, None)
    used = Invitation(digest("b"), "p-aminah", "console", NOW, NOW + 9, NOW + 1, "d-1")
    over = Invitation(digest("c"), "p-aminah", "console", NOW, NOW + 1, None, None)
    for one in (still_open, used, over):
        db.write(lambda tx, one=one: devices.invite(tx, one))
    assert db.write(lambda tx: devices.end_invitations(tx, NOW + 2)) == 1
    with db.read() as tx:
        found = [devices.invitation(tx, one.code_digest) for one in (still_open, used, over)]
    assert found == [replace(still_open, expires_at=NOW + 2), used, over]


def test_a_device_comes_back_as_it_was_put_its_bytes_included(db: Database) -> None:
    new = a_device(1, "p-aminah", public_key=EVERY_BYTE, certificate=SignedBytes(EVERY_BYTE, b""))
    db.write(put_people)
    db.write(lambda tx: devices.put(tx, new))
    with db.read() as tx:
        found = devices.find(tx, new.id)
        assert found == new
        assert type(found.public_key) is bytes
        assert devices.find(tx, "no such") is None


def test_putting_a_device_again_changes_it_and_makes_no_second(db: Database) -> None:
    db.write(put_people)
    first, _ = db.write(put_devices)
    changed = replace(first, name="renamed", token_digest=digest("fresh"), last_seen_at=NOW)
    db.write(lambda tx: devices.put(tx, changed))
    with db.read() as tx:
        assert devices.find(tx, first.id) == changed
        assert len(devices.every(tx)) == 2


def test_a_token_opens_for_an_active_device_of_an_active_person_alone(db: Database) -> None:
    db.write(put_people)
    first, second = db.write(put_devices)
    gone = a_device(3, "p-gone")
    db.write(lambda tx: people.add(tx, a_person("gone", active=False)))
    db.write(lambda tx: devices.put(tx, gone))
    with db.read() as tx:
        assert devices.by_token(tx, first.token_digest) == (first, "Aminah")
        assert devices.by_token(tx, gone.token_digest) is None
        assert devices.by_token(tx, digest("no token")) is None
    db.write(lambda tx: devices.revoke(tx, second.id))
    with db.read() as tx:
        assert devices.by_token(tx, second.token_digest) is None
        found = devices.find(tx, second.id)
        assert (found.status, found.token_digest) == (REVOKED, None)
        assert devices.find(tx, first.id) == first


def test_two_revoked_devices_both_lack_a_token(db: Database) -> None:
    db.write(put_people)
    for one in db.write(put_devices):
        db.write(lambda tx, one=one: devices.revoke(tx, one.id))
    with db.read() as tx:
        assert [one.token_digest for one in devices.every(tx)] == [None, None]


def test_devices_come_as_they_were_enrolled_and_by_name_for_those_asked_for(db: Database) -> None:
    db.write(put_people)
    late, early = (a_device(n, "p-budi", enrolled_at=NOW + n) for n in (9, 3))
    db.write(lambda tx: [devices.put(tx, one) for one in (late, early)])
    with db.read() as tx:
        assert devices.every(tx) == [early, late]
        assert devices.names(tx, [late.id, late.id, "x"]) == {late.id: "laptop 9"}


def test_a_device_was_last_seen_when_it_showed_its_token(db: Database) -> None:
    db.write(put_people)
    first, second = db.write(put_devices)
    db.write(lambda tx: devices.seen(tx, first.id, NOW + 7))
    with db.read() as tx:
        assert devices.find(tx, first.id).last_seen_at == NOW + 7
        assert devices.find(tx, second.id).last_seen_at is None


def test_a_certificate_travels_as_it_was_signed(db: Database) -> None:
    db.write(put_people)
    first, _ = db.write(put_devices)
    with db.read() as tx:
        body = devices.certificate(tx, first.id)
        assert devices.certificate(tx, "no such") is None
        assert devices.certificates(tx, {first.id, "no such"}) == {first.id: body}
    assert set(body) == {"payload", "signature"}
    assert devices.read_certificate(devices.write_certificate(first.certificate)) == (
        first.certificate
    )
    with pytest.raises(ValueError, match="not a certificate"):
        devices.read_certificate(b"[]")


def test_a_name_with_signs_that_no_column_holds_is_kept_with_stand_ins(db: Database) -> None:
    db.write(put_people)
    odd = a_device(1, "p-budi", name="lap\x00top \ud83c of Budi")
    db.write(lambda tx: devices.put(tx, odd))
    with db.read() as tx:
        assert devices.find(tx, odd.id).name == "lap\ufffdtop \ufffd of Budi"


def test_the_active_devices_of_people_are_found_by_person(db: Database) -> None:
    """S5: who uses several is told of the others' entries."""
    db.write(put_people)
    ids = []
    for seed, person in ((1, "p-aminah"), (2, "p-aminah"), (3, "p-budi"), (4, "p-budi")):
        new = a_device(seed, person)
        ids.append(new.id)
        db.write(lambda tx, new=new: devices.put(tx, new))
    db.write(lambda tx: devices.revoke(tx, ids[3]))
    with db.read() as tx:
        found = devices.active_of(tx, ["p-aminah", "p-budi", "p-nobody"])
        assert found == {"p-aminah": set(ids[:2]), "p-budi": {ids[2]}}
        assert devices.active_of(tx, []) == {}
        assert devices.revoked_of(tx, "p-budi") == {ids[3]}
        assert devices.revoked_of(tx, "p-aminah") == set()
