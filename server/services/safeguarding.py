"""Safeguarding keys (L8): made here only to be carried away, published, ended.

The private half is written to one file and is nowhere else: not in the database, the data folder,
a backup or a log. What the server keeps is the public half, which it signs for devices.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyrage import RecipientError, x25519

from server.context import Context
from server.services.audit import acted
from server.services.identifiers import day_of
from server.services.texts import check_text
from server.store import devices, safeguarding
from server.store.changes import tell
from server.store.safeguarding import SafeguardingKey
from server.store.transaction import Tx
from sync import wire
from sync.problems import problem
from sync.safeguarding import CHANGE, REF, Recipient, fingerprint, is_recipient, sign_recipients

THING = (CHANGE, REF)


@dataclass(frozen=True, slots=True)
class Published:
    """A key just published, and where its private half was written to, if it was made here."""

    recipient: str
    name: str
    path: str | None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.recipient)


def make_key(ctx: Context, by: str, name: str, out: Path) -> Published:
    """Make a key, write its private half to `out` alone, and publish the other.

    Raises `safeguarding-place` for a path in the data folder, `file-exists`, `folder-read-only`,
    `disk-full` and what `publish_key` raises; then no file is left.
    """
    target = out.absolute()
    if target.resolve().is_relative_to(ctx.settings.data.resolve()):
        raise problem("safeguarding-place", path=str(target))
    name = check_text("name", name, 120)
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    _write_key(target, identity, name, recipient, day_of(ctx.now()))
    try:
        published = publish_key(ctx, by, name, recipient)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Published(published.recipient, published.name, str(target))


def publish_key(ctx: Context, by: str, name: str, recipient: str) -> Published:
    """Publish the public half of a key that was made elsewhere; every device is told.

    Raises `recipient-malformed`, `fields-malformed` and `already-there`.
    """
    name, recipient = check_text("name", name, 120), recipient.strip()
    _check_recipient(recipient)
    now = ctx.now()

    def work(tx: Tx) -> None:
        if any(one.recipient == recipient for one in safeguarding.every(tx)):
            raise problem("already-there", noun="safeguarding key", name=fingerprint(recipient))
        safeguarding.add(tx, SafeguardingKey(recipient, name, by, now))
        _tell_all(tx, now)

    detail = {"name": name, "recipient": recipient, "fingerprint": fingerprint(recipient)}
    acted(ctx, by, "safeguarding.publish", _subject(recipient), work, detail)
    return Published(recipient, name, None)


def end_key(ctx: Context, by: str, which: str) -> SafeguardingKey:
    """Let devices seal to a key no more; what was sealed to it opens with it as before.

    `which` is the key, its fingerprint, or its holder's name where that is one key in force.
    Raises `noun-unknown`.
    """
    now = ctx.now()

    def work(tx: Tx) -> SafeguardingKey:
        active = [one for one in safeguarding.every(tx) if one.ended_at is None]
        plain = which.replace(" ", "").casefold()
        found = [one for one in active if plain in _names(one)]
        if len(found) != 1:
            near = ", ".join(fingerprint(one.recipient) for one in active) or "none in force"
            raise problem("noun-unknown", noun="safeguarding key", name=which[:80], nearest=near)
        safeguarding.end(tx, found[0].recipient, now)
        _tell_all(tx, now)
        return found[0]

    return acted(ctx, by, "safeguarding.end", f"safeguarding:{which[:80]}", work)


def keys(ctx: Context) -> list[SafeguardingKey]:
    """Every key that was ever published."""
    with ctx.db.read() as tx:
        return safeguarding.every(tx)


def as_change(ctx: Context, tx: Tx) -> dict[str, str]:
    """The list as it travels to devices, signed by the receipt key."""
    every = [
        Recipient(
            one.recipient,
            one.name,
            day_of(one.added_at),
            None if one.ended_at is None else day_of(one.ended_at),
        )
        for one in safeguarding.every(tx)
    ]
    dumped: dict[str, str] = wire.Signed().dump(sign_recipients(ctx.key, ctx.id, every))
    return dumped


def things_for_a_device(tx: Tx) -> list[tuple[str, str]]:
    """What a new device is told of; nothing while there was never a key."""
    return [THING] if safeguarding.every(tx) else []


# -- inside ---------------------------------------------------------------------------------------


def _tell_all(tx: Tx, now: int) -> None:
    people = {one.person for one in devices.every(tx) if one.status == devices.ACTIVE}
    tell(tx, people, [THING], now)


def _check_recipient(recipient: str) -> None:
    try:
        if not is_recipient(recipient):
            raise ValueError(recipient)
        x25519.Recipient.from_str(recipient)
    except (RecipientError, ValueError) as exc:
        raise problem("recipient-malformed", text=recipient[:80]) from exc


def _names(key: SafeguardingKey) -> set[str]:
    plain = fingerprint(key.recipient).replace(" ", "")
    return {key.recipient, plain, key.name.replace(" ", "").casefold()}


def _subject(recipient: str) -> str:
    return f"safeguarding:{fingerprint(recipient).replace(' ', '')}"


def _write_key(
    target: Path, identity: x25519.Identity, name: str, recipient: str, day: str
) -> None:
    """The private half in age's own format, for its owner alone, whole and durable."""
    text = (
        f"# Tapak safeguarding key of {name}, made {day}.\n"
        f"# fingerprint: {fingerprint(recipient)}\n"
        f"# public key: {recipient}\n"
        f"{identity}\n"
    )
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            try:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    target.unlink()
                raise
    except FileExistsError as exc:
        raise problem("file-exists", name=str(target)) from exc
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise problem("folder-read-only", folder=str(target.parent), why=why) from exc
