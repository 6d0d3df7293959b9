"""The data key of a device with a passphrase, sealed for the office (S11): the way back.

It is sealed to the server's sealing key (age), together with the device's id and its person;
neither who they are nor whose the server is can be told from it.
"""

from __future__ import annotations

import hmac

import pyrage
from pyrage.x25519 import Recipient

from fieldkit.disk import named
from fieldkit.home import Home
from fieldkit.server_keys import server_keys
from fieldkit.store import Store
from fieldkit.vault import Office, derive, put_office, read_office
from sync.draft_key import Owner, write_wrapped
from sync.problems import Problem


def office_copy(home: Home, store: Store) -> Office | None:
    """The data key sealed for the office; None where its key, or this device, is not known yet."""
    found = _addressee(store)
    if found is None:
        return None
    device, owner, recipient = found
    key = _key_of(home)
    wrapped = pyrage.encrypt(write_wrapped(device, key, owner), [Recipient.from_str(recipient)])
    return Office(_meant(key, *found), wrapped)


def keep_office_copy(home: Home, store: Store) -> bool:
    """Renew the office's copy where it is missing, or for another key or device than today's.

    Whether it was. Raises `vault-damaged`, `disk-full` and `folder-read-only`.
    """
    found = None if home.data_key is None else _addressee(store)
    if found is None:
        return False
    kept = read_office(home.folder)
    if kept is not None and hmac.compare_digest(kept.meant, _meant(_key_of(home), *found)):
        return False
    fresh = office_copy(home, store)
    assert fresh is not None  # noqa: S101 - there is an addressee
    with named("the office's copy of the key", home.folder):
        put_office(home.folder, fresh)
    return True


def _addressee(store: Store) -> tuple[str, Owner, str] | None:
    """This device, whose it is, and the server's sealing key."""
    try:
        who = store.identity()
        return who.device, Owner(who.person, who.person_name), server_keys(store).sealing_key
    except Problem as exc:
        if exc.code not in ("device-not-enrolled", "sealing-key-unknown"):
            raise
        return None


def _key_of(home: Home) -> bytes:
    assert home.data_key is not None  # noqa: S101 - its callers have a sealed home
    return home.data_key


def _meant(data_key: bytes, device: str, owner: Owner, recipient: str) -> bytes:
    """For whom a copy is, in a form that says it only to who has the data key."""
    said = f"{device} {recipient} {owner.person} {owner.name}".encode()
    return hmac.digest(derive(data_key, "office copy"), said, "sha256")
