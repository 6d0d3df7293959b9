"""Changing the server's keys (S8): the new ones are signed by the old, and devices follow."""

from __future__ import annotations

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity

from server.context import Context
from server.keys import put_next, sealing_bytes, take_next
from server.services.audit import acted
from server.store import audit, devices, server_keys
from server.store.changes import tell
from server.store.server_keys import KeyStatement
from server.store.transaction import Tx
from sync.problems import problem
from sync.server_keys import CHANGE, MOST_STATEMENTS, ServerKeys, sign_server_keys


def rotate(ctx: Context, by: str, *, receipt: bool, sealing: bool, reason: str) -> ServerKeys:
    """Give the server a new receipt key, a new sealing key, or both; return the keys from now on.

    Every serving process and worker is to be started anew. What the old receipt key signed stays
    proved by it; what was sealed to the old sealing key can be opened by the new one's holder.
    Raises `fields-malformed`, `folder-read-only`, `keys-moved` and `keys-too-often`.
    """
    if not (receipt or sealing):
        raise problem("fields-malformed", why="say which key: the receipt key, the sealing key")
    if len(ctx.key_statements) + 2 > MOST_STATEMENTS:
        raise problem("keys-too-often", count=len(ctx.key_statements))
    new_receipt = Ed25519PrivateKey.generate() if receipt else None
    new_sealing = Identity.generate() if sealing else None
    key = new_receipt or ctx.key
    recipient = str(new_sealing.to_public()) if new_sealing else ctx.recipient
    raw = key.public_key().public_bytes_raw()
    number = _next_number(ctx)
    keys = ServerKeys(number, raw, recipient)
    old = None
    if new_sealing is not None:
        old = pyrage.encrypt(sealing_bytes(ctx.sealing_key), [new_sealing.to_public()])
    told = [KeyStatement(number, ctx.now(), sign_server_keys(ctx.key, keys), old)]
    if new_receipt is not None:
        # For devices that are enrolled from now on: they trust the new key already, and by it what
        # those before it signed, such as the certificates of their colleagues.
        keys = ServerKeys(number + 1, raw, recipient, ctx.receipt_keys)
        again = sign_server_keys(new_receipt, keys)
        told.append(KeyStatement(number + 1, ctx.now(), again, None))
    folder = ctx.settings.keys
    first = ctx.key_statements[0]

    def work(tx: Tx) -> None:
        said = server_keys.every(tx)
        if said and said[-1].number != ctx.keys_number:
            # Another command was first, and its keys may be the ones that wait beside.
            raise problem("keys-moved")
        try:
            # The new keys are durable before anyone hears of them; the statement is the switch.
            # Under the writer's lock, so that no other command lays its own keys there.
            put_next(folder, new_receipt, new_sealing)
        except OSError as exc:
            raise problem("folder-read-only", folder=str(folder), why=str(exc)) from exc
        if not said:
            server_keys.add(tx, KeyStatement(1, ctx.now(), first, None))
        for one in told:
            server_keys.add(tx, one)
        people = {one.person for one in devices.every(tx)}
        tell(tx, people, [(CHANGE, f"{keys.number}.{keys.sealing_key}")], ctx.now())

    detail = {"receipt": receipt, "sealing": sealing, "number": keys.number, "reason": reason}
    acted(ctx, by, "server.rotate", f"server:{ctx.id}", work, detail)
    take_next(folder, raw, recipient)
    return keys


def _next_number(ctx: Context) -> int:
    """A number that no keys had before, also those that a restored server has forgotten (S5, S8).

    A restore begins an epoch above all times before it, so numbers go on from there: devices that
    know of keys which were lost with the server are told of the new ones.
    """
    with ctx.db.read() as tx:
        epoch = audit.epoch(tx)
    return ctx.keys_number + 1 if epoch == 1 else max(ctx.keys_number + 1, epoch)


def former_sealing_keys(ctx: Context) -> list[Identity]:
    """The sealing keys before the one in use, newest first, each opened with the one after it.

    Raises `key-unusable` where one does not open.
    """
    with ctx.db.read() as tx:
        statements = server_keys.every(tx)
    found: list[Identity] = []
    holder = ctx.sealing_key
    for one in reversed(statements):
        if one.old_sealing is None:
            continue
        try:
            text = pyrage.decrypt(one.old_sealing, [holder]).decode("ascii").strip()
            holder = Identity.from_str(text)
        except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError) as exc:
            why = "the sealing key before it does not open"
            raise problem("key-unusable", path="the database", why=why) from exc
        found.append(holder)
    return found
