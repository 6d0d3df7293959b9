"""What of an inspection the server did not simply take, or this device cannot read: told plainly.

Each with what is so, what is safe and what to do. Rules cited: L4, S3 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldkit.authors import authors
from fieldkit.confirmed import SET_ASIDE
from fieldkit.generations import formers
from fieldkit.ledger import Ledger
from fieldkit.store import Store
from sync.log import DEVICE_LOG


@dataclass(frozen=True, slots=True)
class Aside:
    """One thing to know: `kind` is forked, refused, not-carried, carried, set-aside, unconfirmed
    or unread.

    `entries` is how many it concerns, 0 where that is not known.
    """

    kind: str
    entries: int
    happened: str
    safe: str
    remedy: str


def held_aside(store: Store, inspection: str, unread: int) -> list[Aside]:
    """Everything of this inspection, and of the device's own log, that does not simply count.

    `unread` is how many lines of the inspection cannot be read.
    """
    return [
        *_refused(store, inspection),
        *_carried(store, inspection),
        *_waiting(store, inspection),
        *_unread(unread),
    ]


def _refused(store: Store, inspection: str) -> list[Aside]:
    found: list[Aside] = []
    for one in Ledger(store.database).refusals():
        if one.log not in (inspection, DEVICE_LOG):
            continue
        where = "the device's own log" if one.log == DEVICE_LOG else "this inspection's log"
        if one.state == "forked":
            happened = f"Another copy of this folder sent other entries of {where}."
            remedy = "Run fieldkit sync: this folder goes on under a new key by itself."
        else:
            said = (one.problem or {}).get("title", "")
            happened = f"The server refused {where}. {said}".rstrip()
            remedy = str((one.problem or {}).get("remedy", "")) or "Tell your office."
        found.append(Aside(one.state, 0, happened, "Nothing of it is lost here.", remedy))
    return found


def _carried(store: Store, inspection: str) -> list[Aside]:
    found: list[Aside] = []
    for former in formers(store):
        if former.adopted:
            continue
        waiting = store.count_lines(inspection, former.device)
        if waiting:
            found.append(
                Aside(
                    "not-carried",
                    waiting,
                    "Entries were recorded under this device's earlier key.",
                    "They are all here.",
                    "Run fieldkit sync: what the server does not hold is carried over.",
                )
            )
    if not store.carriers(inspection):
        return found
    came = {r.h: r.adopted.signed for r in store.records(inspection) if r.adopted is not None}
    unsigned = sum(not signed for signed in came.values())
    how = f", {unsigned} of them unsigned, for their key is gone" if unsigned else ""
    happened = f"{len(came)} entries of an earlier key were carried over{how}."
    safe = "They count as they were recorded, and say which device they are of."
    return [*found, Aside("carried", len(came), happened, safe, "Nothing has to be done.")]


def _waiting(store: Store, inspection: str) -> list[Aside]:
    """Colleagues' entries that do not count, or not yet (S9)."""
    rows = store.database.rows(
        "select device, why, count(*) from aside where log = ? group by device, why order by 1, 2",
        (inspection,),
    )
    known = authors(store) if rows else {}
    found: list[Aside] = []
    for device, why, count in rows:
        whose = known[device].name if device in known else device
        entries = f"{count} {'entry' if count == 1 else 'entries'} of {whose}"
        if why == SET_ASIDE:
            happened = f"{entries} {'is' if count == 1 else 'are'} set aside at the office."
            safe = "They are kept there, and count nowhere until staff admit them."
            remedy = "Ask your office if they should count."
            found.append(Aside("set-aside", count, happened, safe, remedy))
        else:
            happened = (
                f"{entries} came by bundle and {'is' if count == 1 else 'are'} not confirmed."
            )
            safe = "They are kept here, go along in bundles for the office, and do not count yet."
            remedy = "Sync: they count once the office says so."
            found.append(Aside("unconfirmed", count, happened, safe, remedy))
    return found


def _unread(count: int) -> Sequence[Aside]:
    if not count:
        return ()
    happened = f"{count} {'line' if count == 1 else 'lines'} cannot be read by this version."
    safe = "They are kept and signed like all others, and hold up nothing."
    return (Aside("unread", count, happened, safe, "Bring this program up to date."),)
