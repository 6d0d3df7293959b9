"""Which colleagues' lines count on this device: those the office says, else those of people it said
are assigned with this one (S5, S9, S10).

A line that does not count stays: it is shown as waiting, handed on like any other, and nothing is
merged, scored or signed with it. What the office says of a line stands, whatever a bundle brings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from fieldkit.store import Identity, records_at
from sync.extract import Extract, Hole
from sync.log import Entry
from sync.ranges import Ranges, ranges_of

SET_ASIDE = "office"  # the office says that it does not count there
UNCONFIRMED = "unconfirmed"  # a colleague handed it over, and whether it counts is not known here
ACCOUNT = "account"  # the kind, in a certificate, of a log that the server keeps itself

Place = tuple[str, str, int]  # log, device, seq
CertificateOf = Callable[[str], Mapping[str, Any] | None]
Rows = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]  # what a reading statement gives


def office_says(tx: Connection, extract: Extract) -> None:
    """Keep what a run from the office says: its lines count, what is set aside in it does not."""
    aside: list[Place] = []
    counted: list[Place] = []
    for seq, row in enumerate(extract.rows, start=extract.first):
        held_back = isinstance(row, Hole) and row.aside
        (aside if held_back else counted).append((extract.log, extract.device, seq))
    _put_aside(tx, aside, SET_ASIDE)
    tx.executemany("delete from aside where log = ? and device = ? and seq = ?", counted)


def office_takes_back(tx: Connection, log: str, device: str, first: int) -> None:
    """Nothing of a colleague's log counts from here on, whatever counted before."""
    found = tx.execute(
        "select seq from lines where log = ?1 and device = ?2 and seq >= ?3 "
        "union select seq from holes where log = ?1 and device = ?2 and seq >= ?3",
        (log, device, first),
    ).fetchall()
    _put_aside(tx, [(log, device, seq) for (seq,) in found], SET_ASIDE)


def await_the_office(tx: Connection, log: str, device: str, seqs: Iterable[int]) -> None:
    """Lines that a colleague handed over count once it is known that they may."""
    tx.executemany(
        "insert or ignore into aside (log, device, seq, why) values (?, ?, ?, ?)",
        [(log, device, seq, UNCONFIRMED) for seq in seqs],
    )


def _put_aside(tx: Connection, places: Iterable[Place], why: str) -> None:
    tx.executemany(
        "insert into aside (log, device, seq, why) values (?, ?, ?, ?) "
        "on conflict (log, device, seq) do update set why = excluded.why",
        [(*place, why) for place in places],
    )


def not_counted(rows: Rows, log: str) -> dict[str, Ranges]:
    """Device -> the positions of its log of an inspection that do not count, or not yet; those of
    which only the chain hash is here too.
    """
    found: dict[str, list[int]] = {}
    for device, seq in rows(
        "select device, seq from aside where log = ? order by device, seq", (log,)
    ):
        found.setdefault(device, []).append(seq)
    return {device: ranges_of(seqs) for device, seqs in found.items()}


def settle_waiting(
    tx: Connection, identity: Identity, certificate_of: CertificateOf, log: str | None = None
) -> None:
    """Let lines count whose writers are known by now to be assigned where this person is.

    Their own other devices are, and logs that the server keeps. Looks at one inspection or at all.
    """
    waiting = tx.execute(
        "select distinct log, device from aside where why = ?1 and (?2 is null or log = ?2)",
        (UNCONFIRMED, log),
    ).fetchall()
    if not waiting:
        return
    together = _assigned_together(tx, identity)
    for one, device in waiting:
        said = certificate_of(device) or {}
        mine = said.get("person") == identity.person or said.get("kind") == ACCOUNT
        if mine or said.get("person") in _expected(tx, one, together, identity, certificate_of):
            tx.execute(
                "delete from aside where log = ? and device = ? and why = ?",
                (one, device, UNCONFIRMED),
            )


def _assigned_together(tx: Connection, identity: Identity) -> dict[str, set[str]]:
    """Facility -> who the office said is assigned there at the same time as this person."""
    found: dict[str, set[str]] = {}
    for (raw,) in tx.execute("select body from documents where kind = 'assignment'"):
        body = json.loads(raw)
        others = body.get("colleagues", ())
        if isinstance(others, list):
            found.setdefault(str(body.get("facility")), {identity.person}).update(map(str, others))
    return found


def _expected(
    tx: Connection,
    log: str,
    together: Mapping[str, set[str]],
    identity: Identity,
    certificate_of: CertificateOf,
) -> set[str]:
    """Who may record on an inspection: those assigned to where it is, as one of them said."""
    found: set[str] = set()
    for about in records_at(tx, log, "about", waiting=True):
        device = about.device if about.adopted is None else about.adopted.by
        said = {"person": identity.person} if device == identity.device else certificate_of(device)
        value = about.value if isinstance(about, Entry) else None
        facility = value.get("facility") if isinstance(value, dict) else None
        there = together.get(facility, set()) if isinstance(facility, str) else set()
        if (said or {}).get("person") in there:
            found |= there
    return found
