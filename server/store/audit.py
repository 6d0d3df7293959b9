"""The audit trail: one hash-chained line for everything staff and devices did that matters.

A line is canonical JSON {action, at, detail, n, subject, who}; n is gapless from 1; the hash of a
line is SHA-256(hash before, as raw bytes || line), starting from the hash of a context string.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from server.store.tables import audit, server
from server.store.transaction import Tx
from server.store.types import storable

AT_ONCE = 500  # lines that are fetched together
START = hashlib.sha256(b"tapak audit v1").hexdigest()


_EPOCH = select(func.max(server.c.epoch))


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the trail as it is stored, with the columns that repeat what it says."""

    n: int
    at: int
    who: str
    action: str
    subject: str
    line: bytes
    h: str


def newest(tx: Tx) -> tuple[int, str]:
    """Number and hash of the newest line; (0, "") where there is none."""
    row = tx.execute(select(audit.c.n, audit.c.h).order_by(audit.c.n.desc()).limit(1)).first()
    return (0, "") if row is None else (row.n, row.h)


def hash_at(tx: Tx, n: int) -> str | None:
    """The hash of one line; "" before the first, None where there is no such line."""
    if n == 0:
        return ""
    found: str | None = tx.execute(select(audit.c.h).where(audit.c.n == n)).scalar_one_or_none()
    return found


def record(
    tx: Tx, at: int, who: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> int:
    """Add a line to the trail inside a write transaction; return its number.

    `at` is in UTC milliseconds; `detail` holds JSON values, and never a password or a token.
    """
    who, subject = storable(who), storable(subject)  # the line says what its columns hold
    newest = tx.execute(select(audit.c.n, audit.c.h).order_by(audit.c.n.desc()).limit(1)).first()
    n, before = (1, START) if newest is None else (newest.n + 1, newest.h)
    line = _line(n, at, who, action, subject, detail or {})
    row = {"n": n, "at": at, "who": who, "action": action, "subject": subject, "line": line}
    tx.execute(insert(audit).values(**row, h=_link(before, line)))
    return n


def lines(tx: Tx, subject: str | None = None) -> list[dict[str, Any]]:
    """The trail's lines in order, or those about one subject."""
    query = select(audit.c.line).order_by(audit.c.n)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [json.loads(line) for line in tx.execute(query).scalars()]


def faults(tx: Tx) -> Iterator[tuple[int, str]]:
    """Every line that does not fit the chain: its number, and why.

    After a fault the chain goes on from the hash that is stored, so that a wrong line does not make
    all behind it look wrong. A tail that was removed whole is not seen here.
    """
    query = select(*(audit.c[name] for name in AuditRow.__slots__)).order_by(audit.c.n)
    found = tx.execute(query.execution_options(yield_per=AT_ONCE))
    return faults_in(AuditRow(*row) for row in found)


def faults_in(rows: Iterable[AuditRow]) -> Iterator[tuple[int, str]]:
    """The same for lines from anywhere, the copy in a backup for one, in their order."""
    before, expected = START, 1
    for row in rows:
        if row.n != expected:
            yield row.n, f"line {expected} should stand here"
        if _link(before, row.line) != row.h:
            yield row.n, "its bytes do not have the hash that is stored"
        elif not _tells_the_same(row):
            yield row.n, "its columns do not say what its line says"
        before, expected = row.h, row.n + 1


def count(tx: Tx) -> int:
    """How many lines the trail has."""
    found: int = tx.execute(select(func.count()).select_from(audit)).scalar_one()
    return found


def epoch(tx: Tx) -> int:
    """The server's epoch (S5); 1 until a restored backup starts another."""
    found: int | None = tx.execute(_EPOCH).scalar_one()
    return 1 if found is None else found


def begin_epoch(tx: Tx, epoch: int, now: int) -> None:
    """Let another epoch begin; it must be above those before (S5)."""
    tx.execute(insert(server).values(epoch=epoch, created_at=now))


def _line(n: int, at: int, who: str, action: str, subject: str, detail: Mapping[str, Any]) -> bytes:
    body = {
        "n": n,
        "at": at,
        "who": who,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")  # half a surrogate pair, as JSON escapes it


def _link(before: str, line: bytes) -> str:
    # The hash before may itself be damaged; as text it still gives a hash that does not fit.
    try:
        raw = bytes.fromhex(before)
    except ValueError:
        raw = before.encode()
    return hashlib.sha256(raw + line).hexdigest()


def _tells_the_same(row: AuditRow) -> bool:
    try:
        body = json.loads(row.line)
    except ValueError:
        return False
    told = (body.get("n"), body.get("at"), body.get("who"), body.get("action"), body.get("subject"))
    return told == (row.n, row.at, row.who, row.action, row.subject)
