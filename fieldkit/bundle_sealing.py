"""Sealing bundles with age (S10): to a key or with a passphrase, in pieces, whatever their size.

The device's own key for what is sealed to it is made when it is first needed. It lies in the store,
so that whatever covers the store covers it; the device's log names its public half.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyrage
from pyrage.x25519 import Identity as AgeIdentity
from pyrage.x25519 import Recipient

from fieldkit.store import Store, put_notes
from sync import age_passphrase
from sync.age_io import Pieces, Taker
from sync.log import DEVICE_LOG
from sync.problems import problem
from sync.sealing_key import PATH, is_recipient

NOTE = "sealing_identity"
PERSON_KEY = "sealing-key"  # the kind of the document that has what is sealed to a colleague
LEAST_PASSPHRASE = 12


def own_key(store: Store, now: int) -> AgeIdentity:
    """The key for what is sealed to this device, made where there is none (`now`: UTC ms)."""
    known = store.note(NOTE)
    if known is not None:
        return AgeIdentity.from_str(known)
    made = AgeIdentity.generate()
    with store.writing(store.identity(), now, "the sealing key") as log:
        found = log.tx.execute("select value from meta where name = ?", (NOTE,)).fetchone()
        if found is not None:  # another command was first
            return AgeIdentity.from_str(found[0])
        log.append(DEVICE_LOG, PATH, {"recipient": str(made.to_public())})
        put_notes(log.tx, {NOTE: str(made)})
    return made


def known_keys(store: Store) -> list[AgeIdentity]:
    """The keys by which this device opens what was sealed to it; none before one was needed."""
    known = store.note(NOTE)
    return [] if known is None else [AgeIdentity.from_str(known)]


def recipient_of(store: Store, to: str) -> tuple[str, str]:
    """(name, recipient) of a key as it was shown, or of a colleague whose key is known here.

    A colleague is meant by name, by id, or by the beginning of the device's id. Raises
    `recipient-unknown`.
    """
    if is_recipient(to.lower()):
        return "the key " + to.lower()[-8:], to.lower()
    wanted = " ".join(to.casefold().split())
    found = {}
    for device, text in store.database.rows(
        "select ref, body from documents where kind = ? order by ref", (PERSON_KEY,)
    ):
        body = json.loads(text)
        name = str(body.get("person_name") or device)
        if wanted in (name.casefold(), body.get("person")) or device.startswith(wanted or " "):
            found[body["recipient"]] = name
    if len(found) != 1:
        raise problem("recipient-unknown", name=to[:80])
    return next((name, recipient) for recipient, name in found.items())


@dataclass(frozen=True, slots=True)
class Seal:
    """How a bundle is sealed: to age recipients, or with a passphrase."""

    recipients: Sequence[str] = ()
    passphrase: str | None = None

    def check(self) -> None:
        """Raise `bundle-passphrase-short` or `recipient-unknown` before anything is written."""
        if self.passphrase is not None:
            if len(self.passphrase) < LEAST_PASSPHRASE:
                length = len(self.passphrase)
                raise problem("bundle-passphrase-short", length=length, least=LEAST_PASSPHRASE)
            return
        for recipient in self.recipients:
            _recipient(recipient)

    def seal(self, plain: Iterable[bytes], write: Callable[[bytes], object]) -> None:
        """Write these bytes, sealed. Raises what `plain` and `write` raise."""
        if self.passphrase is not None:
            random = (os.urandom(16), os.urandom(16), os.urandom(16))
            for piece in age_passphrase.seal(self.passphrase, plain, *random):
                write(piece)
            return
        reader, writer = Pieces(plain), Taker(write)
        try:
            pyrage.encrypt_io(reader, writer, [_recipient(r) for r in self.recipients])
        except (pyrage.EncryptError, OSError) as exc:
            failed = reader.failed or writer.failed
            if failed is None:
                raise
            raise failed from exc


def _recipient(text: str) -> Recipient:
    try:
        return Recipient.from_str(text)
    except pyrage.RecipientError as exc:
        raise problem("recipient-unknown", name=text[:80]) from exc
