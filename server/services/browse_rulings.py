"""What of an inspection waits for staff or was ruled on by them: entries that were set aside (S9),
and sign-offs that cover what is not here (L7), in words that a page can show.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.permissions import Principal
from server.services.access import visible
from server.services.inspections import Aside, Loaded
from server.store.admissions import Admission
from server.store.browsing import FacilityRow
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader of a page may decide about this inspection, and whether it is their own."""

    admit: bool
    resolve: bool
    acknowledge: bool
    own: bool


@dataclass(frozen=True, slots=True)
class AsideView:
    """What of one log is set aside: whose it is, how much, from when to when it claims to be."""

    device: str
    device_name: str
    person_name: str
    entries: int
    revoked: int
    of: int
    first_at: int | None
    last_at: int | None
    paths: tuple[str, ...]
    ruling: Admission | None
    ruled_by: str
    open: bool


def rights_of(tx: Tx, who: Principal, row: FacilityRow, loaded: Loaded) -> Rights:
    """What this person may decide here; nobody decides about their own work."""
    own = who.person in loaded.auditors

    def may(permission: str) -> bool:
        return not own and row.jurisdiction in visible(tx, who, permission)

    return Rights(may("logs.admit"), may("conflicts.resolve"), may("hazards.acknowledge"), own)


def asides(loaded: Loaded, ruled_by: dict[str, str]) -> tuple[AsideView, ...]:
    """The logs of which something is set aside or was ruled on; what is open comes first."""
    found = [_aside(one, loaded, ruled_by) for one in loaded.aside]
    return tuple(sorted(found, key=lambda one: (not one.open, one.device)))


def _aside(one: Aside, loaded: Loaded, ruled_by: dict[str, str]) -> AsideView:
    times = [record.at for record in one.records if record.at]
    paths = dict.fromkeys(record.path or "a line that cannot be read" for record in one.records)
    ruling = one.ruling
    return AsideView(
        one.log.device,
        loaded.devices.get(one.log.device, one.log.device),
        loaded.people.get(one.log.person, one.log.person),
        len(one.records),
        sum(record.seq in one.late for record in one.records),
        one.log.seq,
        min(times, default=None),
        max(times, default=None),
        tuple(paths),
        ruling,
        "" if ruling is None else ruled_by.get(ruling.person, ruling.person),
        one.open,
    )
