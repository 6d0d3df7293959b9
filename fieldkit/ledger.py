"""What the server has acknowledged, what waits to be sent, and what came down (S2, S4, S5)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from fieldkit.database import Database
from fieldkit.decisions import to_be_offered
from fieldkit.server_keys import NOTE, checked_keys, trusted_under
from fieldkit.shared import confirm
from fieldkit.shared import take_change as take_shared
from fieldkit.store import FORMER, LOGS, Identity, put_notes
from sync import safeguarding
from sync.log import DEVICE_LOG
from sync.nonce import Nonce
from sync.problems import problem
from sync.receipt import Keys, Receipt, SignedBytes
from sync.server_keys import CHANGE, read_statements
from sync.session import Answer, Change, LogState, Pending

TEXTS = ("checklist", "limits", "profile", "rules")
NONCE_AGE_MS = 3_600_000
MOST_AWAITED = 1000  # the protocol's limit of one request
# After which line of a log the next segment begins, and up to which one a receipt covers it. A log
# in the state "again" was acknowledged by an epoch that is over, up to its seq; one in the state
# "asked" is held by the server's word up to its seq, and by no receipt. Rows of another device are
# of an account's log that is offered back (fieldkit/decisions.py), or of a key before this one.
OFFERED = "case when a.state = 'again' then max(a.seq - 1, 0) else coalesce(a.seq, 0) end"
COVERED = "case when a.state in ('again', 'asked') then 0 else coalesce(a.seq, 0) end"
# Ended generations whose lines are still to be carried over (S3).
_ENDED = (
    f"select substr(name, {len(FORMER) + 1}) from meta where name >= '{FORMER}' "  # noqa: S608
    f"and name < '{FORMER[:-1]}0' and not json_extract(value, '$.adopted')"
)
# From log to log, and in each through the index to its ends: the lines between are not read.
_LAST = "(select max(seq) from lines where log = logs.log and device = {})"
_FIRST_ROW = "(select rowid from lines where log = logs.log and device = ?1 order by seq limit 1)"
_UNFINISHED = LOGS + (  # noqa: S608 - fixed text
    f"select log, offered from (select logs.log, {OFFERED} as offered from logs "  # noqa: S608
    "left join acknowledged a on a.log = logs.log and a.device = ?1 "
    "where logs.log is not null and coalesce(a.state, 'held') <> 'forked') logs "
    f"where {_LAST.format('?1')} > offered order by {_FIRST_ROW}"
)


@dataclass(frozen=True, slots=True)
class FileState:
    """A file that an entry of this device names; times are UTC milliseconds, None while not so."""

    sha256: str
    size: int
    log: str
    sent_at: int | None
    held_at: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A log that the server set aside or refused, and what it said."""

    log: str
    state: str
    problem: Mapping[str, Any] | None


class Ledger:
    """The device's side of the bargain with the server: nothing here is decided, only kept."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- what waits -------------------------------------------------------------------------------

    def unfinished(
        self, identity: Identity, but_not: frozenset[str] = frozenset()
    ) -> list[tuple[str, int]]:
        """The logs of this device with lines that no receipt covers, the oldest first, and after
        which line of each the next segment begins.

        Logs that the server set aside as forked wait for staff and are left out, and so are those
        of `but_not`. Of a log to be offered again (S5) the last line that was acknowledged goes
        along: a server that still holds it answers with a receipt, another one with the gap.
        """
        found = self.database.rows(_UNFINISHED, (identity.device,))
        return [(log, after) for log, after in found if log not in but_not]

    def pending(
        self,
        identity: Identity,
        but_not: frozenset[str] = frozenset(),
        behind: Mapping[str, int] | None = None,
    ) -> Iterator[Pending]:
        """The lines of the logs that are `unfinished`: of each as many as a request may carry, and
        read only when they are asked for. `behind` says, of some logs, after which line to begin.
        """
        for log, offered in self.unfinished(identity, but_not):
            after = max(offered, (behind or {}).get(log, 0))
            rows = self.database.rows(
                "select line, h from lines where log = ? and device = ? and seq > ? "
                "order by seq limit 20000",
                (log, identity.device, after),
            )
            if rows:
                lines, hashes = (tuple(column) for column in zip(*rows, strict=True))
                yield Pending(identity.device, log, after + 1, lines, hashes)

    def goes_on_after(self, identity: Identity) -> dict[str, int]:
        """After which line the next segment of a log begins, for each of which the server has said
        anything; -1 for one that it set aside as forked.
        """
        rows = self.database.rows(
            f"select log, case state when 'forked' then -1 else {OFFERED} end "  # noqa: S608
            "from acknowledged a where device = ?",
            (identity.device,),
        )
        return dict(rows)

    def reached(self, identity: Identity) -> tuple[int, int]:
        """How many lines of this device the server is known, or believed, to have, and how many a
        receipt of its epoch covers.
        """
        ((known, covered),) = self.database.rows(
            f"select coalesce(sum(seq), 0), coalesce(sum({COVERED}), 0) "  # noqa: S608 - fixed text
            "from acknowledged a where device = ?",
            (identity.device,),
        )
        return known, covered

    def waiting_lines(self, identity: Identity, log: str | None = None) -> int:
        """How many lines no receipt of the server's epoch covers yet, of one log or of all."""
        logs = LOGS if log is None else "with logs (log) as (select ?2) "
        return int(
            self.database.rows(
                # A log has no gaps: its last position says how many lines it has.
                f"{logs} select coalesce(sum(max(last - {COVERED}, 0)), 0) from "  # noqa: S608 - fixed
                f"(select logs.log, own.device, {_LAST.format('own.device')} as last from logs, "
                f"(select ?1 as device union all {_ENDED}) own) l "
                "left join acknowledged a on a.log = l.log and a.device = l.device "
                "where last is not null",
                (identity.device,) if log is None else (identity.device, log),
            )[0][0]
        )

    def files(self, log: str | None = None) -> list[FileState]:
        """Every file that entries of this device name, smallest first (S7)."""
        return [
            FileState(*row)
            for row in self.database.rows(
                "select sha256, size, log, sent_at, held_at from files "
                "where ?1 is null or log = ?1 order by size, sha256",
                (log,),
            )
        ]

    def waiting_files(self, log: str | None = None) -> list[FileState]:
        """Those of the files that no receipt lists, smallest first; no others are looked at."""
        which = "" if log is None else "and log = ? "
        return [
            FileState(*row)
            for row in self.database.rows(
                "select sha256, size, log, sent_at, held_at from files "  # noqa: S608 - fixed text
                f"where held_at is null {which}order by size, sha256",
                () if log is None else (log,),
            )
        ]

    def count_files(self) -> int:
        """How many files entries of this device name, their previews left out."""
        found = self.database.rows(
            "select count(*) from files where sha256 not in (select sha256 from previews)"
        )
        return int(found[0][0])

    def awaited(self, identity: Identity) -> list[str]:
        """Digests whose entries are acknowledged and that no receipt lists, smallest file first."""
        rows = self.database.rows(
            "select f.sha256 from files f left join acknowledged a "
            "on a.log = f.log and a.device = ? "
            "where (f.seq = 0 or a.seq >= f.seq) and f.held_at is null "
            "order by f.size, f.sha256 limit ?",
            (identity.device, MOST_AWAITED),
        )
        return [sha256 for (sha256,) in rows]

    def forked(self, identity: Identity) -> bool:
        """Whether the server holds other lines of one of this device's logs (S3)."""
        found = self.database.rows(
            "select 1 from acknowledged where device = ? and state = 'forked' limit 1",
            (identity.device,),
        )
        return bool(found)

    def refusals(self) -> list[Refusal]:
        """This device's logs that the server did not take as they are."""
        return [
            Refusal(log, state, None if text is None else json.loads(text))
            for log, state, text in self.database.rows(
                "select log, state, problem from acknowledged where state in ('forked', 'refused') "
                "and device = (select value from meta where name = 'device') order by log"
            )
        ]

    # -- what the server said ---------------------------------------------------------------------

    def take(
        self,
        identity: Identity,
        answer: Answer,
        receipt: Receipt | None,
        now: int,
        asked_at: int | None = None,
        nonce: Nonce | None = None,
    ) -> bool:
        """Keep an answer in one transaction: receipt, states, changes, and then the cursor.

        The receipt and the nonce have been checked. `asked_at` is this device's clock as the
        request gave it; the server's clock less that is the offset that the server keeps with each
        segment (L9). True when the answer is of another epoch than those before: then everything is
        to be offered again (S5). Raises `answer-malformed`, `receipt-unfit` and
        `server-keys-unfit`; nothing of the answer is kept then.
        """
        changes = self.checked(identity, answer)
        epoch = answer.epoch if receipt is None else receipt.epoch
        with self.database.write("what the server answered") as tx:
            restored = epoch is not None and begin_epoch(tx, epoch)
            if receipt is not None:
                assert answer.receipt is not None  # noqa: S101 - it was read from there
                tx.execute(
                    "insert into receipts (at, payload, signature) values (?, ?, ?)",
                    (receipt.at, answer.receipt.payload, answer.receipt.signature),
                )
                acknowledge(tx, identity, receipt)
                keep_checkpoint(tx, receipt)
                if asked_at is not None:
                    _keep_clock(tx, identity, receipt, asked_at, answer.now - asked_at)
            if nonce is not None and answer.nonce is not None:
                _keep_nonce(tx, nonce, answer.nonce, now)
            for state in answer.logs:
                _take_state(tx, identity, state)
            take_changes(tx, identity, changes, now)
            put_notes(
                tx,
                {
                    "cursor": answer.cursor,
                    "clock_offset_ms": str(answer.now - now),
                    "last_contact": str(answer.now),
                },
            )
        return restored

    def checked(self, identity: Identity, answer: Answer) -> list[Change]:
        """An answer's changes, each checked; raises `answer-malformed`."""
        noted = self.database.rows("select value from meta where name = ?", (NOTE,))
        trusted = trusted_under(identity.server_key, noted[0][0] if noted else None)
        return [checked_change(change, trusted) for change in answer.changes]

    def take_keys(self, identity: Identity, statements: Sequence[SignedBytes]) -> None:
        """Keep the server's keys once they are verified (S8); raises `server-keys-unfit`."""
        with self.database.write("the server's keys") as tx:
            found = tx.execute("select value from meta where name = ?", (NOTE,)).fetchone()
            known = found[0] if found else None
            put_notes(tx, {NOTE: checked_keys(identity.server_key, statements, known)})

    def mark_sent(self, sha256: str, now: int) -> None:
        """Note that the server answered for a whole file; only a receipt says that it is held."""
        with self.database.write("what was sent") as tx:
            tx.execute("update files set sent_at = ? where sha256 = ?", (now, sha256))

    def forget_cursor(self) -> None:
        """Forget how far changes were read, so that all of them come anew."""
        with self.database.write("the settings") as tx:
            tx.execute("delete from meta where name = 'cursor'")

    def colleague_lines(self, identity: Identity) -> int:
        """How many lines of other devices are here."""
        found = self.database.rows(
            "select count(*) from lines where device <> ?", (identity.device,)
        )
        return int(found[0][0])

    def wants_nonce(self, now: int) -> bool:
        """Whether the newest nonce was taken more than an hour ago by this device's clock (L9)."""
        found = self.database.rows("select value from meta where name = 'nonce_taken'")
        return not found or not 0 <= now - int(found[0][0]) < NONCE_AGE_MS

    def checkpoint_alarm(self) -> str | None:
        """Why the server's checkpoints do not follow each other, if they do not (S13)."""
        found = self.database.rows("select value from meta where name = 'checkpoint_alarm'")
        return found[0][0] if found else None

    def receipts(self) -> list[tuple[bytes, bytes]]:
        """Payload and signature of every receipt, oldest first."""
        return [
            (payload, signature)
            for payload, signature in self.database.rows(
                "select payload, signature from receipts order by id"
            )
        ]


def begin_epoch(tx: Connection, epoch: int) -> bool:
    """S5: a server restored from a backup is offered again everything it may have lost.

    What the older epoch acknowledged counts no more; its receipts stay, as proof. Where each log
    had come to is kept as the place to ask at. True when the epoch is another one.
    """
    found = tx.execute("select value from meta where name = 'epoch'").fetchone()
    another = found is not None and int(found[0]) != epoch
    if another:
        tx.execute("update acknowledged set state = 'again', problem = null")
        tx.execute("update files set sent_at = null, held_at = null")
        # S3: what it has lost of ended generations is carried over anew.
        tx.execute(
            "update meta set value = json_set(value, '$.adopted', json('false')) "
            "where name >= ? and name < ?",
            (FORMER, FORMER[:-1] + "0"),
        )
        to_be_offered(tx)
    put_notes(tx, {"epoch": str(epoch)})
    return another


def acknowledge(tx: Connection, identity: Identity, receipt: Receipt) -> None:
    """Keep what a checked receipt says is held; raises `receipt-unfit`."""
    if receipt.device != identity.device:
        raise problem("receipt-unfit", why="it is another device's")
    for one in receipt.logs:
        if one.device != identity.device and not _is_offered(tx, one.device, one.log):
            continue
        found = tx.execute(
            "select h from lines where log = ? and device = ? and seq = ?",
            (one.log, one.device, one.seq),
        ).fetchone()
        if found is None and _is_sealed(tx, one.log, one.seq):
            continue  # what was held safely before it went from here says nothing new
        if found is None or found[0].hex() != one.h:
            why = f"entry {one.seq} of {one.log} is another one here"
            raise problem("receipt-unfit", why=why)
        _put_state(tx, one.device, one.log, one.seq, "held", None)
    tx.executemany(
        "update files set held_at = ?1, sent_at = coalesce(sent_at, ?1) where sha256 = ?2",
        [(receipt.at, sha256) for sha256 in receipt.files],
    )


def _is_sealed(tx: Connection, log: str, seq: int) -> bool:
    found = tx.execute("select 1 from sealed_visits where log = ? and seq >= ?", (log, seq))
    return found.fetchone() is not None


def _keep_nonce(tx: Connection, nonce: Nonce, signed: SignedBytes, now: int) -> None:
    kept = {
        "id": nonce.id,
        "at": nonce.at,
        "signed": {
            "payload": encode_key(signed.payload),
            "signature": encode_key(signed.signature),
        },
    }
    put_notes(tx, {"nonce": json.dumps(kept), "nonce_taken": str(now)})


def keep_checkpoint(tx: Connection, receipt: Receipt) -> None:
    """S13: within an epoch the server's checkpoints only go on; one that goes back is told.

    Work goes on all the same: nothing recorded is kept from the server for it.
    """
    if receipt.checkpoint is None:
        return
    n, checkpoint = receipt.checkpoint
    found = tx.execute("select value from meta where name = 'checkpoint'").fetchone()
    if found is not None:
        epoch, at, known, known_id = json.loads(found[0])
        if epoch == receipt.epoch:
            if receipt.at < at:
                return  # an answer from before
            if n < known or (n == known and checkpoint != known_id):
                why = f"after checkpoint {known} it names checkpoint {n} as its newest"
                if n == known:
                    why = f"it names another checkpoint {n} than before"
                put_notes(tx, {"checkpoint_alarm": why})
    kept = [receipt.epoch, receipt.at, n, checkpoint]
    put_notes(tx, {"checkpoint": json.dumps(kept)})


def _keep_clock(
    tx: Connection, identity: Identity, receipt: Receipt, asked_at: int, offset_ms: int
) -> None:
    tx.executemany(
        "insert or ignore into clocks (log, at, offset_ms) values (?, ?, ?)",
        [
            (one.log, asked_at, offset_ms)
            for one in receipt.logs
            if one.device == identity.device and one.log != DEVICE_LOG
        ],
    )


def _take_state(tx: Connection, identity: Identity, state: LogState) -> None:
    """A gap says where to go on from; a fork or a refusal is kept and told. `held` says nothing:
    only a signed receipt acknowledges.
    """
    own = state.device == identity.device
    if state.state == "held" or not (own or _is_offered(tx, state.device, state.log)):
        return
    if state.state == "gap":
        _go_back(tx, state.device, state.log, max(state.seq - 1, 0))
        return
    if _asks_from_the_start(tx, state, "held" if own else "asked"):
        return
    said = None if state.problem is None else json.dumps(state.problem, ensure_ascii=False)
    tx.execute(
        "insert into acknowledged (log, device, seq, state, problem) values (?1, ?2, 0, ?3, ?4) "
        "on conflict (log, device) do update set state = ?3, problem = ?4",
        (state.log, state.device, state.state, said),
    )


def _is_offered(tx: Connection, device: str, log: str) -> bool:
    """Whether this log of another device is offered back, and no receipt covers it yet (S5)."""
    found = tx.execute(
        "select 1 from acknowledged where log = ? and device = ? and state in ('again', 'asked')",
        (log, device),
    )
    return found.fetchone() is not None


def _go_back(tx: Connection, device: str, log: str, seq: int) -> None:
    """Send a log again from after `seq` on. Nobody signed this, so it only takes back what was
    acknowledged; a log of an epoch that is over (S5) waits for a receipt all the same.
    """
    tx.execute(
        "update acknowledged set seq = ?1, problem = null, "
        "state = case when state in ('again', 'asked') then 'asked' else 'held' end "
        "where log = ?2 and device = ?3 and seq > ?1",
        (seq, log, device),
    )


def _asks_from_the_start(tx: Connection, state: LogState, kept_as: str) -> bool:
    """S3: lines that do not follow what the server holds are offered from the first one on.

    A server that was put back may hold another copy's lines before them: only from the start of
    the log can it tell where that left it. Refused from there too, the log stays refused.
    """
    if state.problem is None or state.problem.get("code") != "segment-signature":
        return False
    found = tx.execute(
        "select seq from acknowledged where log = ? and device = ?", (state.log, state.device)
    ).fetchone()
    if found is None or not found[0]:
        return False
    _put_state(tx, state.device, state.log, 0, kept_as, None)
    return True


def _put_state(
    tx: Connection, device: str, log: str, seq: int, state: str, said: str | None
) -> None:
    tx.execute(
        "insert into acknowledged (log, device, seq, state, problem) values (?1, ?2, ?3, ?4, ?5) "
        "on conflict (log, device) do update set seq = ?3, state = ?4, problem = ?5",
        (log, device, seq, state, said),
    )


def checked_change(change: Change, trusted: Keys) -> Change:
    """A published text must be the one that its digest names, a list of safeguarding keys the one
    that the server signed (L8).
    """
    if change.kind in TEXTS and change.body is not None:
        body = change.body
        members = ("name", "digest", "version", "body")
        if not isinstance(body, dict) or not all(isinstance(body.get(m), str) for m in members):
            raise problem("answer-malformed", why=f"the {change.kind} {change.ref} is not whole")
        if hashlib.sha256(body["body"].encode("utf-8")).hexdigest() != body["digest"]:
            why = f"the {change.kind} {body['name']} is not the one that its digest names"
            raise problem("answer-malformed", why=why)
    elif change.body is not None and not isinstance(change.body, dict):
        raise problem("answer-malformed", why=f"the {change.kind} {change.ref} is not an object")
    if change.kind == safeguarding.CHANGE and change.body is not None:
        safeguarding.read_recipients(trusted, change.body)
    return change


def take_changes(
    tx: Connection, identity: Identity, changes: Sequence[Change], now: int = 0
) -> None:
    """Keep checked changes, the server's keys among them; raises `server-keys-unfit`.

    What does not verify of colleagues' lines is asked for again a day after `now` (UTC ms).
    """
    for change in changes:
        if change.kind != CHANGE:
            if not take_shared(tx, identity, change, now):
                take_change(tx, change)
            if change.kind == "assignment":
                confirm(tx, identity)  # S9: it says who else is assigned
            continue
        found = tx.execute("select value from meta where name = ?", (NOTE,)).fetchone()
        known = found[0] if found else None
        new = checked_keys(identity.server_key, read_statements(change.body), known)
        put_notes(tx, {NOTE: new})


def take_change(tx: Connection, change: Change) -> None:
    """Keep one checked change: the whole body of a document, or that it is gone."""
    if change.body is None:
        tx.execute("delete from documents where kind = ? and ref = ?", (change.kind, change.ref))
        return
    if change.kind in TEXTS:
        # Kept by digest for good: an inspection under way goes on with the text it began with.
        tx.execute(
            "insert into texts (digest, kind, name, version, body) values (?, ?, ?, ?, ?) "
            "on conflict (digest) do nothing",
            tuple(
                change.kind if member == "kind" else change.body[member]
                for member in ("digest", "kind", "name", "version", "body")
            ),
        )
        # Which one of a name applies now is its document: the newest that arrived.
        ref, body = change.body["name"], {"digest": change.body["digest"]}
    else:
        ref, body = change.ref, change.body
    tx.execute(
        "insert into documents (kind, ref, body) values (?1, ?2, ?3) "
        "on conflict (kind, ref) do update set body = ?3",
        (change.kind, ref, json.dumps(body, ensure_ascii=False)),
    )


def encode_key(raw: bytes) -> str:
    """Raw key bytes as base64 text, as they are kept and sent."""
    return base64.b64encode(raw).decode("ascii")
