"""The office's answer in a bundle (S10): receipts for a device, and what changed for its person.

It says what an exchange over the network would say, and is sealed to the device. It can be made at
any time, and twice; the receipts also come at the device's next sync.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyrage
from pyrage.x25519 import Recipient

from server.context import Context
from server.services.changes import changes_after
from server.services.identifiers import digest_of
from server.store import changes, checkpoints, devices, files, logs, people
from server.store.transaction import Tx
from sync.age_io import Pieces, Taker
from sync.bundle import BundleWriter, Opening
from sync.log import DEVICE_LOG, Entry, genesis, link, read_line
from sync.problems import problem
from sync.receipt import Receipt, ReceiptLog, SignedBytes, sign_receipt
from sync.sealing_key import recipient_in
from sync.session import Answer, write_answer

MOST_FILES = 1_000  # in one receipt
MOST_LOGS = 500


@dataclass(frozen=True, slots=True)
class Addressee:
    """The device that a bundle is for, and what is sealed to it."""

    device: str
    person: str
    person_name: str
    recipient: str


def addressee(ctx: Context, device: str) -> Addressee:
    """The device of this id, or of which this is the beginning.

    Raises `noun-unknown`, `device-ended` for one whose token is ended (S8): whoever has it now is
    told nothing, and `device-without-key` where its log names no sealing key yet.
    """
    with ctx.db.read() as tx:
        every = (one for one in devices.every(tx) if one.kind == devices.DEVICE)
        known = [one for one in every if one.id.startswith(device)]
        if len(known) != 1 or not device:
            nearest = ", ".join(one.id for one in known[:4]) or "none"
            raise problem("noun-unknown", noun="device", name=device[:80], nearest=nearest)
        found = known[0]
        if found.status != devices.ACTIVE:
            raise problem("device-ended", device=found.id)
        recipient = _recipient(tx, found.id)
        person = people.by_id(tx, found.person)
    if recipient is None:
        raise problem("device-without-key", device=found.id)
    return Addressee(found.id, found.person, person.name if person else "", recipient)


def write_answer_bundle(ctx: Context, to: Addressee, write: Callable[[bytes], object]) -> None:
    """Write the bundle, sealed, piece by piece. The receipts in it are kept before it leaves."""
    receipts = ctx.db.write(lambda tx: _receipts(ctx, tx, to))
    reader, writer = Pieces(_parts(ctx, to, receipts)), Taker(write)
    try:
        pyrage.encrypt_io(reader, writer, [Recipient.from_str(to.recipient)])
    except (pyrage.EncryptError, OSError) as exc:
        failed = reader.failed or writer.failed
        if failed is None:
            raise
        raise failed from exc


def _parts(ctx: Context, to: Addressee, receipts: list[SignedBytes]) -> Iterator[bytes]:
    writer, now = BundleWriter(), ctx.now()
    office = urlsplit(ctx.settings.public_url).hostname or "server"
    yield writer.opening(Opening(None, office, now, to.person_name, ctx.public_key))
    yield writer.server_keys(ctx.key_statements)
    for number, receipt in enumerate(receipts):
        yield writer.receipt(number, receipt)
    cursor, number, more = None, 0, True
    while more:
        page = changes_after(ctx, to.person, to.device, cursor)
        cursor, more = page.cursor, page.more
        answer = Answer(None, (), (), page.changes, cursor, more, now, page.epoch)
        yield writer.answer(number, write_answer(answer))
        number += 1
    yield writer.end()


def _receipts(ctx: Context, tx: Tx, to: Addressee) -> list[SignedBytes]:
    """Receipts for everything that is held of a device now."""
    epoch, _ = changes.position(tx)
    heads = [
        ReceiptLog(row.device, row.inspection, row.seq, row.h.hex())
        for row in logs.logs_by(tx, to.device)
    ]
    held = files.held_of(tx, to.device)
    checkpoint, now = checkpoints.newest(tx), ctx.now()
    rounds = max(-(-len(heads) // MOST_LOGS), -(-len(held) // MOST_FILES))
    made = []
    for n in range(rounds):
        receipt = Receipt(
            ctx.id,
            epoch,
            now,
            to.device,
            tuple(heads[n * MOST_LOGS : (n + 1) * MOST_LOGS]),
            tuple(held[n * MOST_FILES : (n + 1) * MOST_FILES]),
            checkpoint,
        )
        made.append(sign_receipt(ctx.key, receipt))
    logs.keep_receipts(tx, [logs.NewReceipt(to.device, one, now) for one in made])
    return made


def _recipient(tx: Tx, device: str) -> str | None:
    """The newest sealing key that the device's own log names."""
    key = (device, DEVICE_LOG)
    row = logs.find_logs(tx, [key]).get(key)
    if row is None:
        return None
    found = None
    running = genesis(row.public_key, DEVICE_LOG)
    for seq, line in enumerate(logs.lines_of(tx, row.id), start=1):
        running = link(running, line)
        record = read_line(line, device, DEVICE_LOG, seq, running.hex())
        if isinstance(record, Entry):
            found = recipient_in(record) or found
    return found


def file_name(ctx: Context, to: Addressee) -> str:
    """A name for the file of an answer: for whom, and a part that no other has."""
    return f"tapak-answer-{digest_of(ctx.token(9))[:8]}-for-{to.device[:8]}.tapak"
