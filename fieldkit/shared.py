"""Colleagues' lines of a shared inspection on this device: taken after proof, told, given on.

It does not matter how they come: by sync, or in a file. They lie beside this device's own lines;
where one is withheld, only its chain hash does. Rules cited: L2, L4, L7, S5, S8.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit.confirmed import (
    await_the_office,
    office_says,
    office_takes_back,
    settle_waiting,
)
from fieldkit.database import Database
from fieldkit.server_keys import NOTE, trusted_under
from fieldkit.store import FORMER, Identity, Store
from sync.extract import (
    Extract,
    Hole,
    Proof,
    count_vouched,
    extract_from_json,
    is_withheld,
    parted,
    verify_extract,
)
from sync.log import Head, device_id, genesis, read_line, sign_head
from sync.problems import Problem, problem
from sync.receipt import Keys, SignedBytes, read_certificate
from sync.session import Change, Pending, plan_segments

CERTIFICATE, LINES, INSPECTION = "certificate", "lines", "inspection"  # kinds of changes
RETRY_MS = 24 * 3_600_000

Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]  # what a reading statement gives


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another device that recorded on an inspection, as far as its lines are here.

    `vouched` counts those lines that the server vouches for and the device did not sign so that it
    shows; `withheld` those of which only the chain hash is here because tracks stay at the office.
    `waiting` counts those, here or not, that do not count or not yet (S9). `at` is the last line's
    claim.
    """

    device: str
    person: str
    name: str
    entries: int
    withheld: int
    vouched: int
    at: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A run of a colleague's log that did not verify, and what is wrong with it."""

    log: str
    device: str
    problem: Mapping[str, Any]


# -- certificates (S8) -----------------------------------------------------------------------------


def take_certificate(tx: Connection, identity: Identity, device: str, body: object) -> None:
    """Keep a device's certificate; raises `receipt-signature` unless the server signed it so."""
    if device_id(_public_key(_certified(_trusted(_within(tx), identity), body))) != device:
        raise problem("receipt-signature")
    tx.execute(
        "insert into documents (kind, ref, body) values (?1, ?2, ?3) "
        "on conflict (kind, ref) do update set body = ?3",
        (CERTIFICATE, device, json.dumps(body)),
    )


def _formers(rows: Rows) -> set[str]:
    """This device's generations that ended (S3)."""
    end = FORMER[:-1] + chr(ord(FORMER[-1]) + 1)
    found = rows("select name from meta where name >= ? and name < ?", (FORMER, end))
    return {name.removeprefix(FORMER) for (name,) in found}


def _within(tx: Connection) -> Rows:
    return lambda sql, given: tx.execute(sql, given).fetchall()


def _trusted(rows: Rows, identity: Identity) -> Keys:
    """Every receipt key that the server is known to have had (S8)."""
    found = rows("select value from meta where name = ?", (NOTE,))
    return trusted_under(identity.server_key, found[0][0] if found else None)


def _certified(server_keys: Keys, body: object) -> dict[str, Any]:
    try:
        if not isinstance(body, dict):
            raise ValueError("not an object")
        signed = SignedBytes(*(base64.b64decode(body[m]) for m in ("payload", "signature")))
    except (KeyError, TypeError, ValueError) as exc:
        raise problem("receipt-signature") from exc
    return read_certificate(server_keys, signed)


def _public_key(certificate: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(certificate["public_key"], validate=True)
    except (KeyError, TypeError, ValueError) as exc:
        raise problem("receipt-signature") from exc


def _certificate_of(rows: Rows, identity: Identity, device: str) -> dict[str, Any] | None:
    """What the certificate of a device says, if it is here and still verifies."""
    found = rows("select body from documents where kind = ? and ref = ?", (CERTIFICATE, device))
    if not found:
        return None
    try:
        return _certified(_trusted(rows, identity), json.loads(found[0][0]))
    except (Problem, ValueError):
        return None


# -- taking lines (S5) -----------------------------------------------------------------------------


def take_lines(
    tx: Connection, identity: Identity, extract: Extract, *, office: bool = False
) -> int:
    """Keep a run of a colleague's log within an open transaction; how many lines are new here.

    What is here already is checked against it and skipped. What the `office` sends counts; what a
    colleague hands over may have to wait (fieldkit.confirmed). Raises `lines-unknown-device`,
    `lines-unfit` and `lines-unproved`; nothing of the run is written then.
    """
    if extract.device == identity.device or extract.device in _formers(_within(tx)):
        return 0  # what this device wrote itself is here as it wrote it
    if _is_sealed(tx, extract.log):
        return 0  # S11: it is not on this device any more, and does not come back so
    certificate = _certificate_of(_within(tx), identity, extract.device)
    if certificate is None:
        raise problem("lines-unknown-device", device=extract.device, log=extract.log)
    public_key = _public_key(certificate)
    server_keys = _trusted(_within(tx), identity)
    place = extract.log, extract.device
    held = _last(tx, *place)
    if extract.first > held + 1:
        raise _unfit(extract, f"entries {held + 1} to {extract.first - 1} have not come yet")
    before = Head(extract.first - 1, genesis(public_key, extract.log))
    if before.seq:
        before = Head(before.seq, _hash_at(tx, *place, before.seq))
    holed = _first_hole(tx, *place) <= before.seq
    hashes = verify_extract(public_key, server_keys, before, extract, holed=holed)
    for seq, h in enumerate(hashes, start=extract.first):
        if seq <= held and _hash_at(tx, *place, seq) != h:
            raise _unfit(extract, f"entry {seq} is another one here")
    new = [
        seq
        for seq, (row, h) in enumerate(zip(extract.rows, hashes, strict=True), start=extract.first)
        if _put(tx, *place, seq, row, h)
    ]
    tx.executemany(
        "insert or ignore into proofs (log, device, seq, vouched, signature) values (?,?,?,?,?)",
        [(*place, p.seq, int(p.vouched), p.signature) for p in extract.proofs],
    )
    tx.execute("delete from not_taken where log = ? and device = ?", place)
    if office:
        office_says(tx, extract)
    else:
        await_the_office(tx, *place, new)
    confirm(tx, identity, extract.log)
    return len(new)


def confirm(tx: Connection, identity: Identity, log: str | None = None) -> None:
    """Let colleagues' lines count that waited, where it is known by now that they may (S9)."""
    settle_waiting(tx, identity, lambda of: _certificate_of(_within(tx), identity, of), log)


def _put(tx: Connection, log: str, device: str, seq: int, row: bytes | Hole, h: bytes) -> bool:
    """Keep a line, or the hash of one that is withheld; whether it is a line that is new here."""
    if isinstance(row, Hole):
        tx.execute(
            "insert or ignore into holes (log, device, seq, h) select ?1, ?2, ?3, ?4 where not "
            "exists (select 1 from lines where log = ?1 and device = ?2 and seq = ?3)",
            (log, device, seq, h),
        )
        return False
    path = read_line(row, device, log, seq, h.hex()).path
    added = tx.execute(
        "insert or ignore into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)",
        (log, device, seq, path, row, h),
    ).rowcount
    tx.execute("delete from holes where log = ? and device = ? and seq = ?", (log, device, seq))
    return added > 0


def take_change(tx: Connection, identity: Identity, change: Change, now: int) -> bool:
    """Take a change about a shared inspection; False for one about anything else.

    A run that does not verify is left out and noted, and what else came is taken all the same.
    """
    if change.kind == LINES and change.body is not None:
        try:
            extract = extract_from_json(change.body)
        except ValueError as exc:
            device, _, rest = change.ref.partition("/")
            log = rest.partition("/")[0]
            why = problem("lines-unproved", log=log, device=device, seq=0, why=str(exc))
            note_not_taken(tx, log, device, why, now)
            return True
        try:
            take_lines(tx, identity, extract, office=True)
        except Problem as why:
            note_not_taken(tx, extract.log, extract.device, why, now)
    elif change.kind == LINES:
        device, _, rest = change.ref.partition("/")
        log, _, first = rest.partition("/")
        if device != identity.device and first.isdecimal():
            office_takes_back(tx, log, device, int(first))
    elif change.kind == CERTIFICATE and change.body is not None:
        # One that does not verify is as good as none: the lines that it speaks for are not taken.
        with suppress(Problem):
            take_certificate(tx, identity, change.ref, change.body)
    elif change.kind == INSPECTION and change.body is None:
        drop_colleagues(tx, identity, change.ref)
    else:
        return change.kind in (LINES, INSPECTION)  # of a newer server: nothing to do with it here
    return True


def _is_sealed(tx: Connection, log: str) -> bool:
    found = tx.execute("select 1 from sealed_visits where log = ? limit 1", (log,)).fetchone()
    return found is not None


def note_not_taken(tx: Connection, log: str, device: str, why: Problem, now: int) -> None:
    """Keep what was wrong with a run, so that it is told and the run is asked for again."""
    tx.execute(
        "insert into not_taken (log, device, problem, at) values (?1, ?2, ?3, ?4) "
        "on conflict (log, device) do update set problem = ?3, at = ?4",
        (log, device, json.dumps(why.to_json(), ensure_ascii=False), now),
    )


def not_taken(database: Database, log: str | None = None) -> list[NotTaken]:
    """The colleagues' logs of which a run did not verify, of one inspection or of all."""
    return [
        NotTaken(name, device, json.loads(text))
        for name, device, text in database.rows(
            "select log, device, problem from not_taken where ?1 is null or log = ?1 "
            "order by log, device",
            (log,),
        )
    ]


def retry_not_taken(database: Database, now: int) -> bool:
    """Whether to read everything anew, because something did not verify a day ago or more."""
    due = [at for (at,) in database.rows("select at from not_taken") if abs(now - at) >= RETRY_MS]
    if not due:
        return False
    with database.write("what is asked for again") as tx:
        tx.execute("update not_taken set at = ?", (now,))
    return True


def _unfit(extract: Extract, why: str) -> Problem:
    return problem("lines-unfit", device=extract.device, log=extract.log, why=why)


def _last(tx: Connection, log: str, device: str) -> int:
    found = tx.execute(
        "select max(coalesce((select max(seq) from lines where log = ?1 and device = ?2), 0), "
        "coalesce((select max(seq) from holes where log = ?1 and device = ?2), 0))",
        (log, device),
    ).fetchone()
    return int(found[0])


def _first_hole(tx: Connection, log: str, device: str) -> int:
    found = tx.execute(
        "select min(seq) from holes where log = ? and device = ?", (log, device)
    ).fetchone()
    return int(found[0]) if found[0] is not None else 2**63


def _hash_at(tx: Connection, log: str, device: str, seq: int) -> bytes:
    found = tx.execute(
        "select h from lines where log = ?1 and device = ?2 and seq = ?3 "
        "union all select h from holes where log = ?1 and device = ?2 and seq = ?3",
        (log, device, seq),
    ).fetchone()
    return bytes(found[0]) if found else b""


# -- a tombstone (S5) ------------------------------------------------------------------------------


def drop_colleagues(tx: Connection, identity: Identity, log: str) -> None:
    """Drop colleagues' lines of an inspection that is shared no more.

    What this person recorded stays, and so does what it needs to be understood: of each log, the
    lines up to where their own sign-off covers it (L7), and what their own entries are about.
    """
    needed = _signed_over(tx, identity, log)
    for device, about in _about(tx, identity, log):
        needed[device] = max(needed.get(device, 0), about)
    for (device,) in tx.execute(
        "select device from lines where log = ?1 union select device from holes where log = ?1 "
        "union select device from not_taken where log = ?1",
        (log,),
    ).fetchall():
        certificate = _certificate_of(_within(tx), identity, device)
        if certificate is None or certificate.get("person") == identity.person:
            continue  # one's own: this device, or another of the same person
        keep = needed.get(device, 0)
        for table in ("lines", "holes", "proofs", "aside"):
            tx.execute(
                f"delete from {table} where log = ? and device = ? and seq > ?",  # noqa: S608
                (log, device, keep),
            )
        tx.execute("delete from not_taken where log = ? and device = ?", (log, device))
        left = tx.execute("select 1 from lines where device = ? limit 1", (device,)).fetchone()
        if left is None:
            tx.execute("delete from documents where kind = ? and ref = ?", (CERTIFICATE, device))


def _about(tx: Connection, identity: Identity, log: str) -> list[tuple[str, int]]:
    """(device, position) where each log first says what the inspection is about, if this device
    recorded on it at all.
    """
    return tx.execute(
        "select device, min(seq) from lines where log = ?1 and path = 'about' and exists "
        "(select 1 from lines where log = ?1 and device = ?2) group by device",
        (log, identity.device),
    ).fetchall()


def _signed_over(tx: Connection, identity: Identity, log: str) -> dict[str, int]:
    """Device -> how far this person's sign-offs on this device cover its log."""
    upto: dict[str, int] = {}
    for seq, line in tx.execute(
        "select seq, line from lines where log = ? and device = ? and path = ?",
        (log, identity.device, f"sign-off/{identity.device}"),
    ):
        read = read_line(line, identity.device, log, seq, "")
        value = getattr(read, "value", None)
        for one in value.get("logs", []) if isinstance(value, dict) else []:
            upto[one["device"]] = max(upto.get(one["device"], 0), one["seq"])
    return upto


# -- telling and giving on -------------------------------------------------------------------------


def colleagues(database: Database, identity: Identity, log: str) -> list[Colleague]:
    """The other devices that recorded on an inspection, by their names."""
    found: list[Colleague] = []
    ends = Store(database).ends(log)
    withheld: dict[str, set[int]] = {}
    for device, seq in database.rows("select device, seq from holes where log = ?", (log,)):
        withheld.setdefault(device, set()).add(seq)
    for device in (ends.keys() | withheld.keys()) - _formers(database.rows) - {identity.device}:
        certificate = _certificate_of(database.rows, identity, device) or {}
        holes, end = withheld.get(device, set()), ends.get(device, 0)
        waiting = _waiting(database, log, device)
        last = database.rows(
            "select line from lines where log = ? and device = ? and seq = ?", (log, device, end)
        )
        signed = database.rows(
            "select seq from proofs where log = ? and device = ? and vouched = 0", (log, device)
        )
        found.append(
            Colleague(
                device,
                str(certificate.get("person", "")),
                str(certificate.get("person_name", "") or device),
                end - sum(1 for seq in holes | waiting if seq <= end),
                len(holes - waiting),
                count_vouched(max(end, *holes, 0), holes, [seq for (seq,) in signed], waiting),
                read_line(last[0][0] if last else b"", device, log, end, "").at,
                len(waiting),
            )
        )
    return sorted(found, key=lambda one: (one.name, one.device))


def _waiting(database: Database, log: str, device: str) -> set[int]:
    rows = database.rows("select seq from aside where log = ? and device = ?", (log, device))
    return {seq for (seq,) in rows}


def extracts_of(
    database: Database, identity: Identity, key: Ed25519PrivateKey, log: str
) -> Iterator[Extract]:
    """Everything of an inspection that is here as a colleague may see it, in runs to be sent.

    This device's own log is signed so that it needs no other word; of the others' goes on what came
    with it.
    """
    own = database.rows(
        "select line, h from lines where log = ? and device = ? order by seq",
        (log, identity.device),
    )
    lines, hashes = tuple(line for line, _ in own), tuple(h for _, h in own)
    pending = Pending(identity.device, log, 1, lines, hashes)
    segments, _ = plan_segments([pending], lambda head: sign_head(key, head), max_bytes=2**62)
    for one in segments:
        ends = hashes[one.first - 1 : one.first - 1 + len(one.lines)]
        rows: tuple[bytes | Hole, ...] = one.lines
        if is_withheld(one.lines[0]):
            rows = tuple(Hole(h) for h in ends)
        proof = Proof(one.first + len(one.lines) - 1, one.signature)
        yield Extract(one.device, log, one.first, rows, (proof,))
    for whole in _stored(database.rows, identity, log):
        yield from parted(whole)


def certificates_of(database: Database) -> dict[str, Any]:
    """Device -> its certificate's JSON, as it came."""
    return {
        device: json.loads(body)
        for device, body in database.rows(
            "select ref, body from documents where kind = ?", (CERTIFICATE,)
        )
    }


def stored_logs(database: Database, identity: Identity, log: str) -> list[Extract]:
    """The other devices' logs of an inspection, each as one run with all its proofs."""
    return list(_stored(database.rows, identity, log))


def _stored(read: Rows, identity: Identity, log: str) -> Iterator[Extract]:
    rows: dict[str, list[tuple[int, bytes | Hole]]] = {}
    for device, seq, line, h in read(
        "select device, seq, line, h from lines where log = ?1 and device <> ?2 "
        "union all select device, seq, null, h from holes where log = ?1 order by 1, 2",
        (log, identity.device),
    ):
        rows.setdefault(device, []).append((seq, Hole(h) if line is None else line))
    own = _formers(read)
    for device, placed in rows.items():
        if device in own:
            continue
        proofs = read(
            "select seq, signature, vouched from proofs where log = ? and device = ? order by seq",
            (log, device),
        )
        yield Extract(
            device,
            log,
            placed[0][0],
            tuple(row for _, row in placed),
            tuple(Proof(seq, signature, bool(vouched)) for seq, signature, vouched in proofs),
        )
