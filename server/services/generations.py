"""The next generation of a device whose log has forked, and what is held of the one before (S3).

The old device stays enrolled: of two copies of it, the other one goes on under the old key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.context import Context
from server.services.audit import acted
from server.services.enrolment import Enrolled, certify
from server.services.identifiers import digest_of
from server.store import devices, logs, people
from server.store.changes import tell
from server.store.devices import ACTIVE, DEVICE, Device
from server.store.transaction import Tx
from sync.generation import HeldLog, check_proof
from sync.log import device_id
from sync.problems import problem


def next_generation(ctx: Context, former: str, public_key: bytes, proof: bytes) -> Enrolled:
    """Enrol the device that follows `former`, for the same person.

    Asking again with the same key gives a fresh token, so that a lost answer is no obstacle.
    Raises `device-key-malformed`, `generation-unproved` and `device-of-another`.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as exc:
        raise problem("device-key-malformed") from exc
    device, token, now = device_id(public_key), ctx.token(32), ctx.now()

    def work(tx: Tx) -> Enrolled:
        before = devices.find(tx, former)
        person = None if before is None else people.by_id(tx, before.person)
        if before is None or person is None or before.status != ACTIVE:
            raise problem("device-of-another")
        check_proof(before.public_key, public_key, proof)
        known = devices.find(tx, device)
        theirs = known is None or (known.person == person.id and known.kind == DEVICE)
        if not theirs or (known is not None and known.status != ACTIVE):
            raise problem("device-of-another")
        certificate = certify(ctx, device, public_key, person, before.name, now)
        digest = digest_of(token)
        new = Device(
            device, public_key, person.id, before.name, digest, certificate, now, ACTIVE, None
        )
        devices.put(tx, new if known is None else replace(new, enrolled_at=known.enrolled_at))
        tell(tx, [person.id], [("certificate", device)], now)
        return Enrolled(device, token, certificate, person.id, person.name)

    subject = f"device:{device}"
    return acted(ctx, f"device:{former}", "device.generation", subject, work, {"former": former})


def held_of(ctx: Context, person: str, former: str) -> list[HeldLog]:
    """How far each log of a device of this person is held.

    Raises `device-not-yours` for anybody else's device, as for one that was never enrolled.
    """
    with ctx.db.read() as tx:
        _check_theirs(tx, person, former)
        found = logs.logs_by(tx, former)
        return [HeldLog(log.inspection, log.seq, log.h.hex()) for log in found]


def hashes_of(
    ctx: Context, person: str, former: str, log: str, at: Sequence[int]
) -> list[str | None]:
    """The chain hash of a log of this person's device at each position, None beyond its end.

    Raises `device-not-yours` as `held_of` does.
    """
    with ctx.db.read() as tx:
        _check_theirs(tx, person, former)
        row = logs.find_logs(tx, [(former, log)]).get((former, log))
        return [
            None if row is None or seq > row.seq else logs.hash_at(tx, row, seq).hex() for seq in at
        ]


def _check_theirs(tx: Tx, person: str, former: str) -> None:
    found = devices.find(tx, former)
    if found is None or found.person != person:
        raise problem("device-not-yours")
