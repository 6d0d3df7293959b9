"""Devices and the invitations they were enrolled with (S8)."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from server.store.among import among
from server.store.tables import devices, invitations, people
from server.store.transaction import Tx
from sync.receipt import SignedBytes

ACTIVE = "active"
RETIRED = "retired"  # handed on or put away
REVOKED = "revoked"  # compromised
DEVICE = "device"
ACCOUNT = "account"  # a log that the server keeps for a person (S9); nobody has a token for it


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled device, or the log that the server keeps for an account (`kind`).

    `certificate` is stored as JSON of two base64 texts.
    """

    id: str
    public_key: bytes
    person: str
    name: str
    token_digest: str | None
    certificate: SignedBytes
    enrolled_at: int
    status: str
    last_seen_at: int | None
    kind: str = DEVICE


@dataclass(frozen=True, slots=True)
class Invitation:
    code_digest: str
    person: str
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None
    used_by: str | None


# -- invitations ----------------------------------------------------------------------------------


def invite(tx: Tx, new: Invitation) -> None:
    """Store a new invitation: the digest of its code, never the code."""
    row = {name: getattr(new, name) for name in Invitation.__slots__}
    tx.execute(insert(invitations).values(**row))


def invitation(tx: Tx, code_digest: str) -> Invitation | None:
    """The invitation whose code has this digest, or None."""
    row = tx.execute(select(invitations).where(invitations.c.code_digest == code_digest)).first()
    return None if row is None else Invitation(*row)


def use_invitation(tx: Tx, code_digest: str, device: str, at: int) -> None:
    """Mark an invitation as used up by a device."""
    tx.execute(
        update(invitations)
        .where(invitations.c.code_digest == code_digest)
        .values(used_at=at, used_by=device)
    )


def end_invitations(tx: Tx, now: int) -> int:
    """End every invitation that is still open; return how many those are."""
    still_open = (invitations.c.used_at.is_(None), invitations.c.expires_at > now)
    ended = tx.execute(update(invitations).where(*still_open).values(expires_at=now))
    return int(ended.rowcount)


# -- devices --------------------------------------------------------------------------------------


def put(tx: Tx, device: Device) -> None:
    """Store a device, or what changed when it was enrolled anew."""
    row: dict[str, Any] = {name: getattr(device, name) for name in Device.__slots__}
    row["certificate"] = write_certificate(device.certificate)
    if find(tx, device.id) is None:
        tx.execute(insert(devices).values(**row))
    else:
        tx.execute(update(devices).where(devices.c.id == device.id).values(**row))


def find(tx: Tx, device: str) -> Device | None:
    """The device of this id, or None."""
    row = tx.execute(select(devices).where(devices.c.id == device)).first()
    return None if row is None else _device(row)


# Asked for every request of a device, so it is put together once.
_BY_TOKEN = (
    select(devices, people.c.name.label("person_name"))
    .join(people, people.c.id == devices.c.person)
    .where(devices.c.token_digest == bindparam("digest"), devices.c.status == ACTIVE)
    .where(people.c.active)
)


def by_token(tx: Tx, token_digest: str) -> tuple[Device, str] | None:
    """The active device with this token and its person's name, if that person is active."""
    row = tx.execute(_BY_TOKEN, {"digest": token_digest}).first()
    return None if row is None else (_device(row), row.person_name)


def every(tx: Tx) -> list[Device]:
    """All devices, in the order they were enrolled."""
    order = (devices.c.enrolled_at, devices.c.id)
    return [_device(row) for row in tx.execute(select(devices).order_by(*order))]


def names(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """Device id -> name, for these devices."""
    query = select(devices.c.id, devices.c.name).where(devices.c.id.in_(sorted(set(ids))))
    return {row.id: row.name for row in tx.execute(query)}


_ACTIVE_OF = select(devices.c.person, devices.c.id).where(
    among(devices.c.person, "people"), devices.c.status == ACTIVE
)


def active_of(tx: Tx, wanted: Collection[str]) -> dict[str, set[str]]:
    """Person -> their active devices, for those of these people who have any."""
    found: dict[str, set[str]] = {}
    for person, device in tx.execute(_ACTIVE_OF, {"people": sorted(wanted)}):
        found.setdefault(person, set()).add(device)
    return found


def revoked_of(tx: Tx, person: str) -> set[str]:
    """The devices of a person that were revoked (S8)."""
    query = select(devices.c.id).where(devices.c.person == person, devices.c.status == REVOKED)
    return set(tx.execute(query).scalars())


def seen(tx: Tx, device: str, at: int) -> None:
    """Note when a device last showed its token."""
    tx.execute(update(devices).where(devices.c.id == device).values(last_seen_at=at))


def retire(tx: Tx, device: str) -> None:
    """End a device's token; what it recorded and what arrives of it later counts as before."""
    ended = {"status": RETIRED, "token_digest": None}
    tx.execute(update(devices).where(devices.c.id == device).values(**ended))


def revoke(tx: Tx, device: str) -> None:
    """End a device's token and mark what arrives from it later as a revoked device's."""
    ended = {"status": REVOKED, "token_digest": None}
    tx.execute(update(devices).where(devices.c.id == device).values(**ended))


# -- certificates ---------------------------------------------------------------------------------


def certificate(tx: Tx, device: str) -> dict[str, str] | None:
    """A device's certificate as it travels: payload and signature in base64."""
    query = select(devices.c.certificate).where(devices.c.id == device)
    raw = tx.execute(query).scalar_one_or_none()
    return None if raw is None else json.loads(raw)


_CERTIFICATES = select(devices.c.id, devices.c.certificate).where(among(devices.c.id, "ids"))


def certificates(tx: Tx, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """The certificates of those of the devices that are known, as they travel."""
    rows = tx.execute(_CERTIFICATES, {"ids": sorted(ids)})
    return {device: json.loads(raw) for device, raw in rows}


def write_certificate(signed: SignedBytes) -> bytes:
    """A certificate as the bytes of its column."""
    body = {
        "payload": base64.b64encode(signed.payload).decode("ascii"),
        "signature": base64.b64encode(signed.signature).decode("ascii"),
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def read_certificate(raw: bytes) -> SignedBytes:
    """A certificate from the bytes of its column; ValueError when they are damaged."""
    body = json.loads(raw)
    try:
        return SignedBytes(
            base64.b64decode(body["payload"], validate=True),
            base64.b64decode(body["signature"], validate=True),
        )
    except (KeyError, TypeError) as exc:
        raise ValueError("not a certificate") from exc


def _device(row: Any) -> Device:
    return Device(
        row.id,
        row.public_key,
        row.person,
        row.name,
        row.token_digest,
        read_certificate(row.certificate),
        row.enrolled_at,
        row.status,
        row.last_seen_at,
        row.kind,
    )
