"""The safeguarding keys as this device knows them: checked, confirmed, and noted (L8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldkit.server_keys import trusted_keys
from fieldkit.store import Identity, Store, put_notes
from sync.log import DEVICE_LOG
from sync.problems import problem
from sync.safeguarding import CHANGE, REF, Recipient, read_recipients

_CONFIRMED = "safeguarding_confirmed"
NOTED = "device/safeguarding"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are in force, those of them this device seals to, and those it does not yet."""

    active: tuple[Recipient, ...]
    confirmed: tuple[Recipient, ...]
    new: tuple[Recipient, ...]


def known_keys(store: Store, identity: Identity) -> Keys:
    """The keys that came down, checked under the server's pinned key.

    Those of the first list are taken as they come; one that is added later has to be confirmed by
    a person, so that a server in other hands cannot slip one in. Raises `safeguarding-signature`.
    """
    found = store.database.rows(
        "select body from documents where kind = ? and ref = ?", (CHANGE, REF)
    )
    if not found:
        return Keys((), (), ())
    active = read_recipients(trusted_keys(store), json.loads(found[0][0])).active
    noted = store.note(_CONFIRMED)
    known = {one.recipient for one in active} if noted is None else set(json.loads(noted))
    return Keys(
        active,
        tuple(one for one in active if one.recipient in known),
        tuple(one for one in active if one.recipient not in known),
    )


def note_first_keys(store: Store, identity: Identity, now: int) -> None:
    """Keep the first list that has a key in it as the one that later ones are held against."""
    keys = known_keys(store, identity)
    if keys.active and store.note(_CONFIRMED) is None:
        _confirm(store, identity, now, keys.active)


def confirm_keys(store: Store, identity: Identity, now: int) -> Keys:
    """Take every key that is in force, after a person compared the fingerprints."""
    keys = known_keys(store, identity)
    if keys.new:
        _confirm(store, identity, now, keys.active)
    return known_keys(store, identity)


def sealing_keys(store: Store, identity: Identity, now: int) -> tuple[Recipient, ...]:
    """The keys to seal to; raises `safeguarding-none` and `safeguarding-unconfirmed`."""
    note_first_keys(store, identity, now)
    keys = known_keys(store, identity)
    if not keys.active:
        raise problem("safeguarding-none")
    if not keys.confirmed:
        raise problem("safeguarding-unconfirmed")
    return keys.confirmed


def described(keys: Sequence[Recipient]) -> str:
    """One key a line: whose, and its fingerprint."""
    return "\n".join(f"{one.fingerprint}  {one.name}, since {one.since}" for one in keys)


def _confirm(store: Store, identity: Identity, now: int, keys: Sequence[Recipient]) -> None:
    """Keep the list, and note it in the device's own signed log, where staff see it."""
    value: dict[str, Any] = {"keys": [one.fingerprint for one in keys]}
    with store.writing(identity, now, "the safeguarding keys") as log:
        put_notes(log.tx, {_CONFIRMED: json.dumps([one.recipient for one in keys])})
        log.append_new(DEVICE_LOG, NOTED, value)
