"""Who may decide something about an inspection: with the permission there, and not on own work."""

from __future__ import annotations

from server.permissions import Principal
from server.services import access
from server.services.inspections import Loaded, load_inspection
from server.store import people
from server.store.people import Person
from server.store.transaction import Tx
from sync.problems import problem


def deciding_on(tx: Tx, who: Principal, permission: str, inspection: str) -> tuple[Loaded, Person]:
    """The inspection, and the person who is about to decide something about it.

    Raises `not-found`, `not-permitted`, and `own-work` for one of its auditors.
    """
    loaded = load_inspection(tx, inspection)
    if loaded is None:
        raise problem("not-found")
    access.facility_for(tx, who, permission, loaded.facility or "")
    person = people.by_id(tx, who.person or "")
    if person is None:
        raise problem("not-permitted")
    if person.id in loaded.auditors:
        raise problem("own-work")
    return loaded, person
