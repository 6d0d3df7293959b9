"""A sealed inspection comes back from the server for correction (S11), held against the kept hash.

Its files stay there; which of them the server holds is asked anew at the next sync.
"""

from __future__ import annotations

from dataclasses import replace

from marshmallow import ValidationError

from fieldkit.capture import load_inspection
from fieldkit.generations import formers
from fieldkit.sealed_visits import SealedVisit, refill
from fieldkit.store import Identity, Store
from fieldkit.transport import Transport
from sync import wire
from sync.own_lines import OwnLines
from sync.problems import Problem, problem


def undo_seal(store: Store, identity: Identity, sealed: SealedVisit, transport: Transport) -> int:
    """Put a sealed inspection back as the server holds it; how many entries came.

    Raises `seal-not-there`, `lines-unfit`, `answer-malformed` and what the transport raises.
    """
    owners = [identity]
    owners += [replace(identity, device=f.device, public_key=f.public_key) for f in formers(store)]
    trouble: Problem | None = None
    for owner in owners:
        lines = _lines_of(transport, owner.device, sealed)
        if lines is None:
            continue
        try:
            came = refill(store, owner, sealed.log, lines)
        except Problem as exc:
            trouble = exc
            continue
        _name_files(store, owner, sealed.log)
        return came
    raise trouble or problem("seal-not-there", inspection=sealed.log)


def _lines_of(transport: Transport, device: str, sealed: SealedVisit) -> list[bytes] | None:
    """A device's log as far as it was sealed, or None where the server does not hold that."""
    lines: list[bytes] = []
    while len(lines) < sealed.seq:
        try:
            page = OwnLines().loads(transport.own_lines(device, sealed.log, len(lines)))
        except ValidationError as exc:
            raise problem("answer-malformed", why=wire.faults(exc)) from exc
        except (ValueError, RecursionError) as exc:
            raise problem("answer-malformed", why="it is not JSON") from exc
        if page["seq"] < sealed.seq or not page["lines"]:
            return None
        lines += page["lines"]
    return lines


def _name_files(store: Store, identity: Identity, log: str) -> None:
    """The files that this device's entries name are asked about again; it is the current one."""
    read = load_inspection(store, log)
    named: dict[str, tuple[int, int]] = {}
    for slot in read.evidence.values():
        for one in (*slot.heads, *slot.earlier):
            if one.written.device == identity.device:
                named[one.sha256] = (one.size, one.written.seq)
    with store.database.write("the files of the inspection") as tx:
        tx.executemany(
            "insert or ignore into files (sha256, size, log, seq) values (?, ?, ?, ?)",
            [(sha256, size, log, seq) for sha256, (size, seq) in named.items()],
        )
        tx.execute(
            "insert into meta (name, value) values ('current', ?1) "
            "on conflict (name) do update set value = ?1",
            (log,),
        )
