"""What this device has recorded: its logs, line by line, as the bytes first written (L2, L4)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from fieldkit import merged
from fieldkit.database import Database
from fieldkit.places import Places
from sync.adopted import expand
from sync.log import (
    DEVICE_LOG,
    MAX_LOG_LINES,
    Entry,
    Head,
    Record,
    genesis,
    link,
    read_line,
    write_line,
)
from sync.merge import PathState, merge
from sync.problems import problem
from sync.written import FAMILY

FORMER = "former/"  # notes of ended generations (S3): FORMER + device; see fieldkit.generations


# Goes from device to device through the index: the lines in between are not read. Crossed, here and
# elsewhere, keeps the order of looking up, which SQLite and SQLCipher choose differently.
_DEVICES = (
    "with recursive devices (device) as (select min(device) from lines where log = ?1 union all "
    "select (select min(device) from lines where log = ?1 and device > devices.device) "
    "from devices where device is not null) "
)
_ENDS = _DEVICES + (  # noqa: S608 - fixed text
    "select device, (select max(seq) from lines where log = ?1 and device = d.device) "
    "from devices d where device is not null"
)
# `counting` are the lines without those of colleagues that do not count, or not yet (S9).
_HEADS = _DEVICES + (  # noqa: S608 - fixed text
    "select l.device, l.seq, l.h from devices d cross join lines l on l.log = ?1 "
    "and l.device = d.device and l.seq = (select seq from counting where log = ?1 "
    "and device = d.device order by seq desc limit 1) order by l.device"
)
_RECORDS = "select device, seq, line, h from counting where log = ? order by device, seq"
_ALL_RECORDS = "select device, seq, line, h from lines where log = ? order by device, seq"


# Goes from log to log through the index: the lines in between are not read.
LOGS = (
    "with recursive logs (log) as (select min(log) from lines union all "
    "select (select min(log) from lines where log > logs.log) from logs where log is not null) "
)
# The row of `about` stands for the beginning; where it is not here yet, the first row of all.
_INSPECTIONS = LOGS + (  # noqa: S608 - fixed text
    "select log from logs where log is not null and log <> ? order by coalesce("
    "(select min(rowid) from lines l where l.log = logs.log and l.path = 'about'), "
    "(select min(rowid) from lines l where l.log = logs.log))"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who records: the device by its key, the person who is logged in, and the server's office."""

    device: str
    public_key: bytes
    person: str
    person_name: str
    server: str
    server_name: str
    server_key: bytes
    token: str


@dataclass(frozen=True, slots=True)
class LogLines:
    """The lines of one log that are here, in order, with the position and chain hash of each.

    Of a colleague's log some may be withheld (S5).
    """

    log: str
    device: str
    lines: tuple[bytes, ...]
    hashes: tuple[bytes, ...]
    seqs: tuple[int, ...]


class Writing:
    """An open write transaction on this device's logs; see `Store.writing`."""

    def __init__(self, tx: Connection, identity: Identity, now: int) -> None:
        self.tx = tx
        self.identity = identity
        self.now = now

    def standing(self, log: str, path: str) -> PathState | None:
        """What stands at a path now, entries of all devices merged; what was replaced there is
        left out.
        """
        if merged.catch_up(self.tx, log):
            return merged.state_at(self.tx, log, path)
        return merge(records_at(self.tx, log, path)).paths.get(path)

    def append(
        self,
        log: str,
        path: str,
        value: Any,
        replaces: Sequence[str] | None = None,
        at: int | None = None,
    ) -> str:
        """Append one entry to this device's log of an inspection; its chain hash in hex.

        It names what it replaces: those given, else what stands there where L6 asks for it. A
        nonce that came from the server since is quoted before it (L9). `at` is another time than
        now, for what must not tell its own (L8). Raises what `write_line` raises.
        """
        self.quote_nonce(log)
        return self._append(log, path, value, replaces, at)

    def append_as_is(self, log: str, path: str, value: Any) -> str:
        """Append one entry without quoting a nonce before it; its chain hash in hex.

        Raises what `write_line` raises.
        """
        return self._append(log, path, value)

    def _append(
        self,
        log: str,
        path: str,
        value: Any,
        replaces: Sequence[str] | None = None,
        at: int | None = None,
    ) -> str:
        identity = self.identity
        head, when = self._head(log), self.now if at is None else at
        if head.seq >= MAX_LOG_LINES:
            raise problem("log-too-long", count=head.seq + 1, limit=MAX_LOG_LINES)
        named = self._replaces(log, path) if replaces is None else list(replaces)
        line = write_line(head.seq + 1, when, identity.person, path, value, named)
        h = link(head.h, line)
        self.tx.execute(
            "insert into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)",
            (log, identity.device, head.seq + 1, path, line, h),
        )
        return h.hex()

    def append_new(self, log: str, path: str, value: Any) -> bool:
        """Append unless the very same value stands there alone already; whether it was needed."""
        state = self.standing(log, path)
        if state is not None and state.entry is not None and state.entry.value == value:
            return False
        self.append(log, path, value)
        return True

    def quote_nonce(self, log: str) -> None:
        """Quote the newest nonce in a log that does not yet (L9): whole in the device's own log."""
        kept = self.tx.execute("select value from meta where name = 'nonce'").fetchone()
        if kept is None:
            return
        nonce = json.loads(kept[0])
        path = FAMILY + nonce["id"]
        for one, value in ((DEVICE_LOG, nonce["signed"]), (log, {})):
            quoted = self.tx.execute(
                "select 1 from lines where log = ? and path = ? and device = ?",
                (one, path, self.identity.device),
            ).fetchone()
            if quoted is None:
                self._append(one, path, value)

    def name_file(self, log: str, sha256: str, size: int) -> None:
        """Note that the entry just appended to `log` names a file, which is to be sent."""
        self.tx.execute(
            "insert into files (sha256, size, log, seq) values (?, ?, ?, ?) "
            "on conflict (sha256) do nothing",
            (sha256, size, log, self._head(log).seq),
        )

    def rows(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a reading statement gives within this transaction."""
        return self.tx.execute(sql, given).fetchall()

    def heads(self, log: str) -> list[tuple[str, int, bytes]]:
        """(device, last seq that counts, its chain hash) of every log of an inspection here."""
        return self.rows(_HEADS, (log,))

    def _head(self, log: str) -> Head:
        found = self.tx.execute(
            "select seq, h from lines where log = ? and device = ? order by seq desc limit 1",
            (log, self.identity.device),
        ).fetchone()
        if found is None:
            sealed = self.tx.execute("select 1 from sealed_visits where log = ?", (log,)).fetchone()
            if sealed is not None:
                raise problem("inspection-sealed", inspection=log)
        return Head(*found) if found else Head(0, genesis(self.identity.public_key, log))

    def _replaces(self, log: str, path: str) -> list[str] | None:
        if merged.catch_up(self.tx, log):
            return merged.replaces_at(self.tx, log, path, self.identity.device)
        records = records_at(self.tx, log, path)
        own = [r for r in records if r.device == self.identity.device]
        state = merge(records).paths.get(path)
        heads = [r.h for r in state.heads] if state else []
        own_latest = [max(own, key=lambda r: r.seq).h] if own else []
        return None if heads == own_latest else sorted(heads)


class Store:
    """This device's logs and who it is. Times are UTC milliseconds."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- small facts ------------------------------------------------------------------------------

    def note(self, name: str) -> str | None:
        """A small fact of the device by its name, or None."""
        found = self.database.rows("select value from meta where name = ?", (name,))
        return found[0][0] if found else None

    def set_notes(self, **notes: str) -> None:
        """Keep small facts of the device, all or none."""
        with self.database.write("the settings") as tx:
            put_notes(tx, notes)

    def identity(self) -> Identity:
        """Who records on this device; raises `device-not-enrolled`."""
        notes = dict(self.database.rows("select name, value from meta"))
        if "token" not in notes:
            raise problem("device-not-enrolled")
        return Identity(
            notes["device"],
            base64.b64decode(notes["public_key"]),
            notes["person"],
            notes["person_name"],
            notes["server"],
            notes["server_name"],
            base64.b64decode(notes["server_key"]),
            notes["token"],
        )

    # -- writing ----------------------------------------------------------------------------------

    @contextmanager
    def writing(self, identity: Identity, now: int, what: str) -> Iterator[Writing]:
        """One transaction in which entries are appended: all of them, or none."""
        with self.database.write(what) as tx:
            yield Writing(tx, identity, now)
            merged.catch_up_all(tx)

    # -- reading ----------------------------------------------------------------------------------

    def inspections(self) -> list[str]:
        """The ids of the inspections on this device, in the order in which they were begun."""
        return [log for (log,) in self.database.rows(_INSPECTIONS, (DEVICE_LOG,))]

    def has_inspection(self, log: str) -> bool:
        """Whether there are lines of an inspection here."""
        found = self.database.rows("select 1 from lines where log = ? limit 1", (log,))
        return bool(found) and log != DEVICE_LOG

    def sealed(self) -> list[str]:
        """The inspections that were sealed and are not here any more (S11)."""
        found = self.database.rows("select log from sealed_visits order by sealed_at, log")
        return [log for (log,) in found]

    def count_lines(self, log: str, device: str) -> int:
        """How many lines of one device's log are here."""
        last, withheld = self.database.rows(
            "select last, (select count(*) from holes where log = ?1 and device = ?2 "
            "and seq < last) "
            "from (select max(seq) as last from lines where log = ?1 and device = ?2)",
            (log, device),
        )[0]
        return int(last or 0) - int(withheld)

    def records(self, log: str, *, waiting: bool = False) -> list[Record]:
        """The records of an inspection that count, of every device whose lines are here.

        With `waiting` those too that do not count, or not yet (S9).
        """
        read = [
            read_line(line, device, log, seq, h.hex())
            for device, seq, line, h in self.database.rows(
                _ALL_RECORDS if waiting else _RECORDS, (log,)
            )
        ]
        return expand(read, self.owner_of)

    def owner_of(self, device: str) -> tuple[bytes, str] | None:
        """A device's key and person by its certificate, where that is here: a colleague's too."""
        certificate = self.certificate_of(device)
        return None if certificate is None else _owner(certificate)

    def certificate_of(self, device: str) -> str | None:
        """A device's certificate as JSON, where it is here: this device's own too."""
        if device == self.note("device"):
            return self.note("certificate")
        found = self.database.rows(
            "select body from documents where kind = 'certificate' and ref = ?", (device,)
        )
        return str(found[0][0]) if found else self._former_certificate(device)

    def _former_certificate(self, device: str) -> str | None:
        said = self.note(FORMER + device)
        return None if said is None else json.dumps(json.loads(said)["certificate"])

    def logs(self, log: str) -> list[LogLines]:
        """The raw lines of every log of an inspection that is here."""
        found: dict[str, list[tuple[bytes, bytes, int]]] = {}
        for device, seq, line, h in self.database.rows(
            "select device, seq, line, h from lines where log = ? order by device, seq", (log,)
        ):
            found.setdefault(device, []).append((line, h, seq))
        return [LogLines(log, d, *zip(*rows, strict=True)) for d, rows in found.items()]

    def heads(self, log: str) -> list[tuple[str, int, bytes]]:
        """(device, last seq that counts, its chain hash) of every log of an inspection here."""
        return self.database.rows(_HEADS, (log,))

    def positions(self, log: str) -> dict[str, Places]:
        """Device -> the positions of its lines of an inspection that count here."""
        return {
            device: Places(last, self._left_out(log, device, last))
            for device, last, _ in self.heads(log)
        }

    def _left_out(self, log: str, device: str, last: int) -> list[int]:
        rows = self.database.rows(
            "select seq from holes where log = ?1 and device = ?2 and seq < ?3 "
            "union select seq from aside where log = ?1 and device = ?2 and seq < ?3 order by 1",
            (log, device, last),
        )
        return [seq for (seq,) in rows]

    def ends(self, log: str) -> dict[str, int]:
        """Device -> its last line of an inspection that is here, whether it counts or not."""
        return dict(self.database.rows(_ENDS, (log,)))

    def waiting(self, log: str) -> list[tuple[str, int, str]]:
        """(device, seq, who says so) of the lines here that do not count, or not yet (S9)."""
        return self.database.rows(
            "select a.device, a.seq, a.why from aside a join lines l on l.log = a.log "
            "and l.device = a.device and l.seq = a.seq where a.log = ? order by a.device, a.seq",
            (log,),
        )

    def carriers(self, log: str) -> frozenset[tuple[str, int]]:
        """(device, seq) of the entries that carry over lines which stand here themselves (S3)."""
        rows = self.database.rows(
            "select device, seq from lines where log = ? and path >= 'adopted/' "
            "and path < 'adopted0'",
            (log,),
        )
        return frozenset((device, seq) for device, seq in rows)

    def about(self, log: str) -> Entry | None:
        """The entry that says what an inspection is about, or None where it cannot be read."""
        state = merge(
            read_line(line, device, log, seq, h.hex())
            for device, seq, line, h in self.database.rows(
                "select device, seq, line, h from counting where log = ? and path = 'about'",
                (log,),
            )
        ).paths.get("about")
        entries = state.entries if state else ()
        return entries[0] if entries else None

    def evidence_uses(self, but_not: str) -> list[tuple[str, str, int]]:
        """(digest, inspection, claimed time) of each file named in other inspections here."""
        found: list[tuple[str, str, int]] = []
        for log, device, seq, line, h in self.database.rows(
            "select log, device, seq, line, h from counting "
            "where path like 'evidence/%' and log <> ? order by log, device, seq",
            (but_not,),
        ):
            record = read_line(line, device, log, seq, h.hex())
            if record.path is not None:
                found.append((record.path.split("/")[1], log, record.at))
        return found

    def clock(self, log: str) -> list[tuple[int, int]]:
        """This device's clock against the server's, as far as it counts for an inspection.

        (device's clock, how much the server's was ahead), both in milliseconds: as measured when
        entries of it were sent, else at the last contact, if there was one.
        """
        measured = self.database.rows(
            "select at, offset_ms from clocks where log = ? order by at, offset_ms", (log,)
        )
        if measured:
            return [(int(at), int(offset)) for at, offset in measured]
        contact, offset = self.note("last_contact"), self.note("clock_offset_ms")
        if contact is None or offset is None:
            return []
        return [(int(contact) - int(offset), int(offset))]

    # -- what the pictures say --------------------------------------------------------------------

    def facts(self) -> dict[str, tuple[str | None, str | None]]:
        """Digest -> (facts as JSON, why the picture cannot be read); one of them is None."""
        return {s: (f, p) for s, f, p in self.database.rows("select * from facts")}

    def facts_of(self, sha256: str) -> tuple[str | None, str | None]:
        """What `facts` has of one picture; (None, None) for one that was never read."""
        found = self.database.rows("select facts, problem from facts where sha256 = ?", (sha256,))
        return found[0] if found else (None, None)


def _owner(certificate: str) -> tuple[bytes, str] | None:
    """The key and person in a certificate; those that are here were checked as they came."""
    try:
        signed = json.loads(certificate)
        said = json.loads(base64.b64decode(signed["payload"]))
        return base64.b64decode(said["public_key"]), str(said["person"])
    except (ValueError, TypeError, KeyError):
        return None


def put_notes(tx: Connection, notes: dict[str, str]) -> None:
    """Keep small facts within a transaction that is open."""
    tx.executemany(
        "insert into meta (name, value) values (?, ?) "
        "on conflict (name) do update set value = excluded.value",
        list(notes.items()),
    )


def records_at(tx: Connection, log: str, path: str, *, waiting: bool = False) -> list[Record]:
    """Records of one path that count; of a colleague's adopted lines too, which stand under
    another (S3). With `waiting` those too that do not count.
    """

    def read(statement: str, *given: str) -> list[Record]:
        rows = tx.execute(statement, (log, *given))
        return [read_line(line, device, log, seq, h.hex()) for device, seq, line, h in rows]

    carried = expand(read(_ALL_CARRIED if waiting else _CARRIED), _anybody)
    return [*read(_ALL_AT if waiting else _AT, path), *(r for r in carried if r.path == path)]


def _anybody(device: str) -> None:
    """Whose a device is does not matter for what an entry says that it has seen."""


_AT = "select device, seq, line, h from counting where log = ? and path = ? order by device, seq"
_ALL_AT = "select device, seq, line, h from lines where log = ? and path = ? order by device, seq"
# Adopted entries of a log whose lines are not here as their own device's too.
_CARRIED = (
    "select l.device, l.seq, l.line, l.h from counting l where l.log = ? "
    "and l.path >= 'adopted/' and l.path < 'adopted0' and not exists (select 1 from counting o "
    "where o.log = l.log and o.device = substr(l.path, 9, 32) "
    "and o.seq = cast(substr(l.path, 42) as integer)) order by l.device, l.seq"
)
_ALL_CARRIED = _CARRIED.replace("counting", "lines")
