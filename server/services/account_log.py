"""The logs that the server keeps for accounts (S9): an officer's entry, signed and chained here.

The key of such a log is derived (HKDF-SHA256, RFC 5869) from the server's receipt key, the person
and the epoch. So it lies nowhere but where the server's own key lies, and a backup that holds the
one holds the other. A new epoch or a new receipt key begins a new log: a server that was restored
never writes other bytes where a device already holds some.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.context import Context
from server.services.take_in import Asked, take_in
from server.store import changes, devices, logs
from server.store.devices import ACCOUNT, ACTIVE, Device
from server.store.people import Person
from server.store.transaction import Tx
from sync.log import Head, Segment, device_id, genesis, link, sign_head, write_line
from sync.problems import problem
from sync.receipt import sign_certificate
from sync.session import Request

NAME = "at the office"


def account_key(ctx: Context, person: str, epoch: int) -> Ed25519PrivateKey:
    """The key of a person's log on this server in this epoch."""
    info = f"tapak account v1\n{person}\n{epoch}".encode()
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=info)
    return Ed25519PrivateKey.from_private_bytes(kdf.derive(ctx.key.private_bytes_raw()))


def append_entry(
    ctx: Context,
    tx: Tx,
    person: Person,
    inspection: str,
    path: str,
    value: Any,
    replaces: Sequence[str],
) -> str:
    """Append an entry to the person's log of an inspection, by the one way in; its chain hash.

    What it replaces is always named. Raises the problems of `write_line`.
    """
    now = ctx.now()
    key, device = _account(ctx, tx, person, now)
    held = logs.find_logs(tx, [(device.id, inspection)]).get((device.id, inspection))
    head = Head(0, genesis(device.public_key, inspection)) if held is None else held.head
    line = write_line(head.seq + 1, now, person.id, path, value, list(replaces))
    h = link(head.h, line)
    segment = Segment(device.id, inspection, head.seq + 1, (line,), sign_head(key, h))
    request = Request(device.id, None, (), (segment,), now)
    (taken,) = take_in(tx, [Asked(ctx, request, person.id, now)])
    if [state.state for state in taken.states] != ["held"]:
        raise problem("segment-signature", log=inspection)
    return h.hex()


def _account(ctx: Context, tx: Tx, person: Person, now: int) -> tuple[Ed25519PrivateKey, Device]:
    """The person's key and the row that certifies it, made when it is first needed."""
    epoch, _ = changes.position(tx)
    key = account_key(ctx, person.id, epoch)
    public_key = key.public_key().public_bytes_raw()
    found = devices.find(tx, device_id(public_key))
    if found is not None:
        return key, found
    device = device_id(public_key)
    body = {
        "device": device,
        "public_key": base64.b64encode(public_key).decode("ascii"),
        "person": person.id,
        "person_name": person.name,
        "name": NAME,
        "kind": ACCOUNT,
        "issued": now,
        "server": ctx.id,
    }
    signed = sign_certificate(ctx.key, body)
    made = Device(device, public_key, person.id, NAME, None, signed, now, ACTIVE, None, ACCOUNT)
    devices.put(tx, made)
    return key, made
