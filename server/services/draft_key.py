"""A forgotten passphrase (S11): the office opens a device's data key and seals it for the device.

The key is in clear only in this process's memory; the audit trail says who asked for which device.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyrage
from pyrage.x25519 import Recipient

from server.context import Context
from server.services.audit import acted
from server.services.rotation import former_sealing_keys
from server.store import devices, people
from server.store.transaction import Tx
from sync.draft_key import (
    KeyRequest,
    Owner,
    read_key_request,
    read_owner,
    read_wrapped,
    same_code,
    write_key_answer,
    write_wrapped,
)
from sync.problems import problem

# Put back from a backup of before a device was enrolled, a server does not know it; and a device
# that is locked cannot be enrolled again before it is open.
UNKNOWN = "a device that this server does not know"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server understands it: for which device, and whose that is.

    Of a device that is not known here, the person is the one that it sealed with its key.
    """

    request: KeyRequest
    device: str
    device_name: str
    person: str
    person_name: str
    data_key: bytes = field(repr=False)

    @property
    def code(self) -> str:
        """What the auditor reads out from their device."""
        return self.request.code


def look_at(ctx: Context, data: bytes) -> Asked:
    """Open a request with the server's sealing key, or with one before it.

    Raises `draft-request-unfit` and `draft-device-revoked`.
    """
    try:
        request = read_key_request(data)
        Recipient.from_str(request.recipient)
    except (ValueError, pyrage.RecipientError) as exc:
        raise problem("draft-request-unfit", why=str(exc)) from exc
    try:
        keys = [ctx.sealing_key, *former_sealing_keys(ctx)]
        opened = pyrage.decrypt(request.wrapped, keys)
        (device, data_key), owner = read_wrapped(opened), read_owner(opened)
    except (pyrage.DecryptError, ValueError) as exc:
        why = "it was sealed for another server"
        raise problem("draft-request-unfit", why=why) from exc
    with ctx.db.read() as tx:
        found = devices.find(tx, device)
        if found is not None:
            owner = Owner(found.person, found.person)
        person = None if owner is None else people.by_id(tx, owner.person)
    if owner is None or (found is not None and found.kind != devices.DEVICE):
        raise problem("draft-request-unfit", why="no such device is enrolled here")
    if found is not None and found.status == devices.REVOKED:
        raise problem("draft-device-revoked", device=device)
    name = owner.name if person is None else person.name
    label = UNKNOWN if found is None else found.name
    return Asked(request, device, label, owner.person, name, data_key)


def answer(ctx: Context, by: str, asked: Asked, code: str, reason: str) -> bytes:
    """The answer to a request, sealed to its own key, noted in the audit trail.

    `code` is what the auditor read out. Raises `draft-code-differs` and, where the device was
    revoked meanwhile, `draft-device-revoked`.
    """
    if not same_code(code, asked.code):
        raise problem("draft-code-differs")
    recipient = Recipient.from_str(asked.request.recipient)
    sealed = pyrage.encrypt(write_wrapped(asked.device, asked.data_key), [recipient])

    def work(tx: Tx) -> None:
        found = devices.find(tx, asked.device)
        if found is not None and found.status == devices.REVOKED:
            raise problem("draft-device-revoked", device=asked.device)

    detail = {"reason": reason, "person": asked.person, "request": asked.code}
    acted(ctx, by, "device.unwrap", f"device:{asked.device}", work, detail)
    return write_key_answer(sealed)
