"""Enrolling devices (S8): invitations, certificates, tokens; and ending them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.context import Context
from server.services.accounts import find_person
from server.services.attempts import check_not_blocked, count_failed
from server.services.audit import acted
from server.services.identifiers import digest_of, letters
from server.services.programme import everything_for
from server.services.safeguarding import things_for_a_device
from server.services.sharing import news_of_own
from server.services.tokens import token_for
from server.store import audit, devices, people
from server.store.changes import tell, tell_all
from server.store.devices import ACTIVE, Device, Invitation
from server.store.people import Person
from server.store.transaction import Tx
from server.store.types import storable
from sync.log import device_id
from sync.problems import Problem, problem
from sync.receipt import SignedBytes, server_id, sign_certificate
from sync.server_keys import CHANGE

CODE_LENGTH = 12
FINGERPRINT_LENGTH = 16
MAX_HOURS = 24 * 30


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a device is given: its token, once, and its certificate."""

    device: str
    token: str
    certificate: SignedBytes
    person: str
    person_name: str


# -- invitations ----------------------------------------------------------------------------------


def invite(ctx: Context, person: str, by: str, hours: int = 72) -> str:
    """A link that enrols one device for this person (login or id), once, within so many hours.

    It carries a code of 60 random bits, of which only the digest is stored, and the first 16
    hexadecimal digits of the server's id. Raises `noun-unknown` and `fields-malformed`.
    """
    if not 1 <= hours <= MAX_HOURS:
        raise problem("fields-malformed", why=f"hours: give 1 to {MAX_HOURS}")
    with ctx.db.read() as tx:
        found = find_person(tx, person)
    code, now = letters(ctx, CODE_LENGTH).upper(), ctx.now()
    expires_at = now + hours * 3_600_000
    new = Invitation(_code_digest(code), found.id, by, now, expires_at, None, None)
    acted(
        ctx,
        by,
        "invitation.create",
        f"person:{found.id}",
        lambda tx: devices.invite(tx, new),
        {"expires_at": expires_at},
    )
    grouped = "-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4))
    fingerprint = server_id(ctx.public_key)[:FINGERPRINT_LENGTH]
    return f"{ctx.settings.public_url.rstrip('/')}/enrol#{grouped}.{fingerprint}"


def _plain(code: str) -> str:
    """A code as typed: case, hyphens and spaces do not matter; 0 is O, 1 is I."""
    typed = "".join(code.upper().split()).replace("-", "")
    return typed.replace("0", "O").replace("1", "I")


def _code_digest(code: str) -> str:
    return digest_of("tapak invitation v1:" + _plain(code))


# -- enrolling ------------------------------------------------------------------------------------


def enrol(ctx: Context, code: str, public_key: bytes, name: str, address: str = "") -> Enrolled:
    """Enrol the device with this key for the person the code was made for.

    The same code with the same key gives the same answer as long as its token was not used yet, so
    that a lost answer is no obstacle, and a request that comes late ends nothing; a retired device
    of the same person is taken up again. `address` is where it comes from: after 10 wrong codes it
    is blocked for 15 minutes. Raises
    `invitation-unknown`, `enrolment-blocked`, `device-key-malformed` and `device-of-another`.
    """
    try:
        return _enrol(ctx, code, public_key, name, address)
    except Problem as exc:
        if exc.code == "invitation-unknown":
            count_failed(ctx, address)
        raise


def _enrol(ctx: Context, code: str, public_key: bytes, name: str, address: str) -> Enrolled:
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as exc:
        raise problem("device-key-malformed") from exc
    device, now = device_id(public_key), ctx.now()
    digest, token = _code_digest(code), token_for(ctx, "enrolment", _plain(code), device)

    def work(tx: Tx) -> Enrolled:
        check_not_blocked(tx, address, now)
        invitation, person = _invited(tx, digest, now)
        known = devices.find(tx, device)
        if invitation.used_at is not None:
            return _again(invitation, known, token, person)
        if known is not None and not _may_again(known, person):
            raise problem("device-of-another")
        label = " ".join(storable(name).split()) or (known.name if known else "device")
        certificate = certify(ctx, device, public_key, person, label, now)
        new = Device(
            device, public_key, person.id, label, digest_of(token), certificate, now, ACTIVE, None
        )
        if known is not None:
            new = replace(new, enrolled_at=known.enrolled_at)
        devices.put(tx, new)
        devices.use_invitation(tx, digest, device, now)
        # A new device starts from nothing: the person's assignments come again as changes.
        own = [("certificate", device), (CHANGE, ctx.recipient), *things_for_a_device(tx)]
        tell(tx, [person.id], [*everything_for(tx, person.id, now), *own], now)
        tell_all(tx, news_of_own(tx, person.id, now))
        subject = f"device:{device}"
        audit.record(tx, now, subject, "device.enrol", subject)
        return Enrolled(device, token, certificate, person.id, person.name)

    return ctx.db.write(work)


def _again(invitation: Invitation, known: Device | None, token: str, person: Person) -> Enrolled:
    """S2: what the first of two equal requests was answered; nothing is written."""
    mine = known is not None and known.id == invitation.used_by
    # Once a token was shown, the answer evidently arrived, and the code is spent; and so it is once
    # another invitation gave the device another token.
    if known is None or not mine or known.last_seen_at is not None:
        raise problem("invitation-unknown")
    if known.token_digest != digest_of(token):
        raise problem("invitation-unknown")
    return Enrolled(known.id, token, known.certificate, person.id, person.name)


def _may_again(known: Device, person: Person) -> bool:
    """Whether a key that is known may be enrolled anew: the log that the server keeps for an
    account (S9) is no device, and its certificate tells everybody its key.
    """
    ended = known.status == devices.REVOKED or known.kind != devices.DEVICE
    return known.person == person.id and not ended


def _invited(tx: Tx, code_digest: str, now: int) -> tuple[Invitation, Person]:
    found = devices.invitation(tx, code_digest)
    if found is None or found.expires_at <= now:
        raise problem("invitation-unknown")
    person = people.by_id(tx, found.person)
    if person is None or not person.active:
        raise problem("invitation-unknown")
    return found, person


def certify(
    ctx: Context, device: str, public_key: bytes, person: Person, name: str, now: int
) -> SignedBytes:
    """A device's certificate, signed by the server (S8)."""
    return sign_certificate(
        ctx.key,
        {
            "device": device,
            "public_key": base64.b64encode(public_key).decode("ascii"),
            "person": person.id,
            "person_name": person.name,
            "name": name,
            "issued": now,
            "server": ctx.id,
        },
    )


# -- afterwards -----------------------------------------------------------------------------------


def note_seen(ctx: Context, device: Device) -> None:
    """Remember that a device showed its token; written at most once an hour."""
    now = ctx.now()
    if device.last_seen_at is None or now - device.last_seen_at > 3_600_000:
        ctx.db.write(lambda tx: devices.seen(tx, device.id, now))


def retire_device(ctx: Context, by: str, device: str, reason: str) -> None:
    """End the token of a device that is handed on or put away; its work stays as good as it was.

    The same person may enrol it again with another invitation. Raises `noun-unknown` and
    `device-is-account`; a device that is retired or revoked already stays as it is.
    """

    def work(tx: Tx) -> None:
        found = _device(tx, device)
        if found.status == ACTIVE:
            devices.retire(tx, device)
            detail = {"reason": reason, "person": found.person}
            audit.record(tx, ctx.now(), by, "device.retire", f"device:{device}", detail)

    ctx.db.write(work)


def revoke_device(ctx: Context, by: str, device: str, reason: str) -> tuple[str, ...]:
    """End a compromised device's token; what arrives from it later is marked.

    Returns the active devices that go on from it under a key of their own (S3): whoever took the
    device may have made them, or the owner with a copy of it, so staff decide about each. Raises
    `noun-unknown` and `device-is-account`; a device that is revoked already stays as it is.
    """

    def work(tx: Tx) -> tuple[str, ...]:
        found = _device(tx, device)
        if found.status != devices.REVOKED:
            devices.revoke(tx, device)
            by_whom = {"reason": reason, "person": found.person}
            audit.record(tx, ctx.now(), by, "device.revoke", f"device:{device}", by_whom)
        return _followers(tx, found)

    return ctx.db.write(work)


def _followers(tx: Tx, device: Device) -> tuple[str, ...]:
    """The active devices of the same person that say in the trail that they go on from this one,
    or from one that does.
    """
    mine = [one for one in devices.every(tx) if one.person == device.person]
    made_from: dict[str, str] = {}
    for one in mine:
        for line in audit.lines(tx, f"device:{one.id}"):
            if line["action"] == "device.generation":
                made_from[one.id] = str(line["detail"].get("former"))
    found = {device.id}
    while more := {one for one, former in made_from.items() if former in found} - found:
        found |= more
    return tuple(one.id for one in mine if one.id in found - {device.id} and one.status == ACTIVE)


def _device(tx: Tx, device: str) -> Device:
    found = devices.find(tx, device)
    if found is None:
        listed = [one.id for one in devices.every(tx) if one.kind == devices.DEVICE]
        known = ", ".join(listed[:4]) or "none yet"
        raise problem("noun-unknown", noun="device", name=device[:80], nearest=known)
    if found.kind == devices.ACCOUNT:
        person = people.by_id(tx, found.person)
        login = found.person if person is None else person.login
        raise problem("device-is-account", device=found.id, login=login)
    return found
