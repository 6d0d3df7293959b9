"""Where a person may do what: a grant holds for a jurisdiction and everything below it."""

from __future__ import annotations

from server.permissions import Principal, jurisdictions_granted
from server.store import facilities, jurisdictions
from server.store.facilities import Facility
from server.store.transaction import Tx
from sync.problems import problem


def visible(tx: Tx, principal: Principal, permission: str) -> set[str]:
    """The ids of the jurisdictions in which the person has this permission."""
    return jurisdictions.below(tx, jurisdictions_granted(principal, permission))


def facility_for(tx: Tx, principal: Principal, permission: str, facility: str) -> Facility:
    """A facility on which the person has this permission.

    Raises `not-found` for one that is outside what the person may see, exactly as for one that
    does not exist, and `not-permitted` for one that the person may see without having it.
    """
    found = facilities.get(tx, facility)
    if found is None:
        raise problem("not-found")
    if found.jurisdiction not in visible(tx, principal, permission):
        seen = found.jurisdiction in visible(tx, principal, "registry.read")
        raise problem("not-permitted" if seen else "not-found")
    return found


def must_cover(tx: Tx, principal: Principal, permission: str, jurisdiction: str) -> None:
    """Raise `not-permitted` unless the person has the permission in this jurisdiction."""
    if jurisdiction not in visible(tx, principal, permission):
        raise problem("not-permitted")
