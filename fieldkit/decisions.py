"""Officers' decisions that are here, offered again to a server that was restored (S5, S9).

The server itself keeps the logs of its officers' accounts, so no device of theirs offers them
again. Whoever received lines of them does: with the account's own signatures, and its certificate
for a server that was put back to before the account's first decision.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from sqlite3 import Connection

from fieldkit.database import Database
from fieldkit.shared import CERTIFICATE, certificates_of, stored_logs
from fieldkit.store import Identity
from sync.extract import parted
from sync.extract_carried import carried_segments
from sync.log import Segment
from sync.receipt import SignedBytes
from sync.wire import MOST_CERTIFICATES

ACCOUNT = "account"  # the kind that the certificate of such a log names
MOST_BYTES = 4 * 1024**2  # of lines at once


@dataclass(frozen=True, slots=True)
class Offer:
    """What goes along with a request: segments as they were signed, and whose logs those are."""

    segments: tuple[Segment, ...] = ()
    certificates: tuple[SignedBytes, ...] = ()


def to_be_offered(tx: Connection) -> None:
    """Note every account's log that is here as one to ask about, by its last line (S5)."""
    for device, body in tx.execute(
        "select ref, body from documents where kind = ?", (CERTIFICATE,)
    ).fetchall():
        if _is_account(json.loads(body)):
            tx.execute(
                "insert into acknowledged (log, device, seq, state, problem) "
                "select log, device, max(seq), 'again', null from lines where device = ? "
                "group by log on conflict (log, device) do update "
                "set seq = excluded.seq, state = 'again', problem = null",
                (device,),
            )


def offered(database: Database, identity: Identity) -> Offer:
    """What the server is to be asked about, or to be given, next; nothing on most days."""
    logs = waiting(database)
    if not logs:
        return Offer()
    certificates = certificates_of(database)
    accounts = {device for device, body in certificates.items() if _is_account(body)}
    segments: list[Segment] = []
    room = MOST_BYTES
    for log, device, after in logs:
        if device not in accounts:
            continue
        for segment in _runs(database, identity, log, device):
            if segment.first + len(segment.lines) - 1 <= after:
                continue
            size = sum(len(line) + 1 for line in segment.lines)
            whose = {one.device for one in segments} | {device}
            if segments and (size > room or len(whose) > MOST_CERTIFICATES):
                return _with_certificates(segments, certificates)
            segments.append(segment)
            room -= size
    return _with_certificates(segments, certificates)


def waiting(database: Database) -> list[tuple[str, str, int]]:
    """(inspection, account's log, after which line) of all that no receipt of this epoch covers."""
    return database.rows(
        "select a.log, a.device, case when a.state = 'again' then a.seq - 1 else a.seq end "
        "from acknowledged a join documents d on d.kind = ? and d.ref = a.device "
        "where a.state in ('again', 'asked') order by a.log, a.device",
        (CERTIFICATE,),
    )


def _runs(database: Database, identity: Identity, log: str, device: str) -> list[Segment]:
    whole = [one for one in stored_logs(database, identity, log) if one.device == device]
    return [segment for one in whole for segment in carried_segments(parted(one))]


def _with_certificates(segments: list[Segment], certificates: dict[str, dict[str, str]]) -> Offer:
    bodies = [certificates[device] for device in sorted({one.device for one in segments})]
    signed = [tuple(base64.b64decode(body[m]) for m in ("payload", "signature")) for body in bodies]
    return Offer(tuple(segments), tuple(SignedBytes(*one) for one in signed))


def _is_account(body: dict[str, str]) -> bool:
    """Whether a certificate, which was checked as it came, is that of an account."""
    try:
        said = json.loads(base64.b64decode(body["payload"]))
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(said, dict) and said.get("kind") == ACCOUNT
