"""What came or changed for a device since its cursor (S5), a page at a time."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

from server.context import Context
from server.services.changes_read import Reader
from server.store import changes
from sync.problems import problem
from sync.session import Change

PAGE_BYTES = 1024**2  # of changes, before packing: at least one is told, however large
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
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
        rows = changes.after(tx, person, after, device=device)
        reader = Reader(ctx, tx, person, device, [(kind, ref) for _, kind, ref in rows])
        came: dict[tuple[str, str], Change | None] = {}
        last, size = after, 0
        for n, kind, ref in rows:
            last = n
            if (kind, ref) not in came:
                change = came[kind, ref] = reader.change(kind, ref)
                size += 0 if change is None else len(_JSON.encode(change.body))
            if size >= PAGE_BYTES:
                break
    more = bool(rows) and (last != rows[-1][0] or len(rows) == changes.PAGE)
    if not more:
        last = max(last, newest)  # what is passed by is others', and is not looked through again
    found = tuple(change for change in came.values() if change is not None)
    return Page(found, _write_cursor(epoch, last), more, epoch)


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
