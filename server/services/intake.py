"""The one way in: a device's request -> verified, stored in one transaction, acknowledged.

CLI, phone, bundle and foreign clients all end here. Rules cited: L9, S1, S4, S6.
"""

from __future__ import annotations

from server.context import Context
from server.services.changes import changes_after
from server.services.refusals import note_unreadable
from server.services.take_in import Asked, Taken, take_in
from sync.nonce import sign_nonce
from sync.problems import Problem, problem
from sync.session import Answer, read_request, write_answer


def receive(ctx: Context, device: str, person: str, body: bytes) -> bytes:
    """Take in a request (unpacked bytes) of an enrolled device; return the answer's bytes.

    The answer is made after the commit (S4), which requests that come at the same time share.
    Raises the problems of sync.session.read_request, and `device-not-yours`, `cursor-malformed`.
    """
    try:
        request = read_request(body)
    except Problem as why:
        note_unreadable(ctx, device, why)
        raise
    if request.device != device:
        raise problem("device-not-yours")
    now = ctx.now()
    taken = Taken()
    if request.segments or request.awaiting:
        taken = ctx.db.write_many(take_in, Asked(ctx, request, person, now))
    page = changes_after(ctx, person, device, request.cursor, taken.position)
    # L9: nothing of a nonce is kept here: the signature alone shows that it was given.
    nonce = sign_nonce(ctx.key, now, ctx.token(12)) if request.nonce else None
    missing = (taken.named | set(request.awaiting)) - taken.held - taken.gone
    return write_answer(
        Answer(
            taken.receipt,
            tuple(taken.states),
            tuple(sorted(missing)),
            page.changes,
            page.cursor,
            page.more,
            now,
            page.epoch,
            nonce,
            ctx.key_statements if request.keys < ctx.keys_number else (),
        )
    )
