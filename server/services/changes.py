"""What came or changed for a device since its cursor (S5), with the whole body of each thing."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from server.context import Context
from server.services import safeguarding
from server.store import assignments as assignments_store
from server.store import changes, declarations, devices, documents, facilities
from server.store.transaction import Tx
from sync import server_keys
from sync.problems import problem
from sync.safeguarding import CHANGE as SAFEGUARDING
from sync.sealed import WITHDRAWN
from sync.session import Change

_CURSOR = re.compile(r"(\d{1,16})\.(\d{1,15})\Z")


@dataclass(frozen=True, slots=True)
class Page:
    changes: tuple[Change, ...]
    cursor: str
    more: bool
    epoch: int


def changes_after(
    ctx: Context,
    person: str,
    device: str,
    cursor: str | None,
    position: tuple[int, int] | None = None,
) -> Page:
    """The next page of changes for this person's device.

    A cursor of another epoch, or from beyond what was ever given out, starts from the beginning:
    the server was restored and everything comes anew. Where the caller knows the server's epoch
    and newest change already, nothing is asked when there is nothing to say. Raises
    `cursor-malformed`.
    """
    if position is None:
        with ctx.db.read() as tx:
            position = changes.position(tx)
    epoch, newest = position
    after = _read_cursor(cursor, epoch)
    if after > newest:
        after = 0
    if after == newest:
        return Page((), _write_cursor(epoch, after), False, epoch)
    with ctx.db.read() as tx:
        rows = changes.after(tx, person, after)
        last = rows[-1][0] if rows else after
        wanted = list(dict.fromkeys((kind, ref) for _, kind, ref in rows))
        found = [_body(ctx, tx, device, kind, ref) for kind, ref in wanted]
    more = len(rows) == changes.PAGE
    came = tuple(c for c in found if c is not None)
    return Page(came, _write_cursor(epoch, last), more, epoch)


def _write_cursor(epoch: int, n: int) -> str:
    return base64.urlsafe_b64encode(f"{epoch}.{n}".encode()).decode("ascii").rstrip("=")


def _read_cursor(cursor: str | None, epoch: int) -> int:
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as exc:
        raise problem("cursor-malformed") from exc
    match = _CURSOR.match(text)
    if match is None:
        raise problem("cursor-malformed")
    return int(match[2]) if int(match[1]) == epoch else 0


def _body(ctx: Context, tx: Tx, device: str, kind: str, ref: str) -> Change | None:
    body: Any = None
    if kind == "facility":
        body = facilities.find(tx, ref)
    elif kind == "declaration":
        raw = declarations.body(tx, ref)
        body = None if raw is None else json.loads(raw)
    elif kind == "assignment":
        body = assignments_store.find(tx, ref)
    elif kind == "certificate":
        body = devices.certificate(tx, device)
    elif kind == server_keys.CHANGE:
        # Whichever keys were meant then: those of now are what a device has to know.
        body = server_keys.write_statements(ctx.key_statements)
    elif kind == SAFEGUARDING:
        body = safeguarding.as_change(ctx, tx)
    elif kind == WITHDRAWN:
        body = {"id": ref}
    else:
        body = documents.as_change(tx, ref)
    return None if body is None else Change(kind, ref, body)
