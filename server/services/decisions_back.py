"""Officers' decisions come back to a server that was restored to before them (S5, S9).

A decision is an entry in a log that the server keeps for an account. Devices that received it offer
it again in a new epoch. The log itself comes in as any other does, by `take_in`; here the account
is known again by the certificate that this server signed, and the trail says what came back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.context import Context
from server.store import audit, devices, people
from server.store.devices import ACCOUNT, ACTIVE, Device
from server.store.people import Person
from server.store.transaction import Tx
from sync.log import Segment
from sync.problems import Problem
from sync.receipt import Keys, SignedBytes, certified_key, claimed_device
from sync.session import Append

NO_PASSWORD = "-"  # noqa: S105 - no hash: no password is the right one


def know_again(
    tx: Tx, ctx: Context, certificates: Sequence[SignedBytes], who: str, now: int
) -> None:
    """Put back the rows of accounts that these certificates name and that are not known here.

    What this server did not sign, and the certificate of a device, is passed over: whoever uses a
    device is invited again. A person who is not known either comes back without any access.
    """
    for signed, public_key, body in forgotten_accounts(tx, ctx.receipt_keys, certificates):
        device, person, name = body["device"], body["person"], body["person_name"]
        if people.by_id(tx, person) is None:
            people.add(tx, Person(person, person, name, NO_PASSWORD, False, now))
        issued = int(body["issued"])
        row = Device(
            device, public_key, person, body["name"], None, signed, issued, ACTIVE, None, ACCOUNT
        )
        devices.put(tx, row)
        detail = {"person": person, "name": name}
        audit.record(tx, now, who, "account.known-again", f"device:{device}", detail)


def forgotten_accounts(
    tx: Tx, server_keys: Keys, certificates: Sequence[SignedBytes]
) -> list[tuple[SignedBytes, bytes, Mapping[str, Any]]]:
    """Those of the certificates that one of these keys signed for an account's log that is not
    known here, each with the log's public key and what it says.
    """
    found: list[tuple[SignedBytes, bytes, Mapping[str, Any]]] = []
    for signed in certificates:
        device = claimed_device(signed.payload)
        if device is None or devices.find(tx, device) is not None:
            continue
        try:
            public_key, body = certified_key(server_keys, device, signed)
        except Problem:
            continue
        if body.get("kind") == ACCOUNT:
            found.append((signed, public_key, body))
    return found


def note_returned(tx: Tx, segment: Segment, placed: Append, carrier: str, now: int) -> None:
    """Tell the trail of lines of an account's log that a device brought back."""
    if carrier == segment.device:
        return  # the server itself wrote them, just now
    detail = {"log": segment.device, "first": placed.first, "last": placed.head.seq}
    subject = f"inspection:{segment.inspection}"
    audit.record(tx, now, f"device:{carrier}", "decision.returned", subject, detail)
