"""Staff rule on entries that were set aside (S9): admit them, refuse them, and think again."""

from __future__ import annotations

from server.context import Context
from server.permissions import Principal
from server.services import access, sharing
from server.services.accounts import find_person
from server.services.audit import CONSOLE, who_is
from server.services.authority import authority_at
from server.services.identifiers import day_of
from server.services.inspections import Loaded, Owners, load_inspection, part_log
from server.services.late import late_in
from server.services.texts import check_text
from server.store import admissions, audit, facilities, gradings, logs
from server.store.admissions import ADMITTED, REFUSED, Admission
from server.store.changes import tell_all
from server.store.transaction import Tx
from sync.inspection import About
from sync.inspection_reader import read_about
from sync.log import Entry
from sync.problems import problem

PERMISSION = "logs.admit"
LONGEST_REASON = 1000


def rule(
    ctx: Context,
    who: Principal,
    inspection: str,
    device: str,
    ruling: str,
    reason: str,
    upto: int | None = None,
) -> Admission:
    """An officer admits or refuses what a log holds beyond its person's assignments.

    It holds for entries up to `upto`, which is what was shown; for all that are here where that is
    not told. Raises `not-found`, `not-permitted`, `own-work`, `nothing-aside`, `fields-malformed`.
    """
    person = who.person or ""

    def work(tx: Tx) -> Admission:
        loaded = _loaded(tx, inspection)
        access.facility_for(tx, who, PERMISSION, loaded.facility or "")
        if person in loaded.auditors:
            raise problem("own-work")
        return _rule(tx, ctx.now(), who_is(who), person, loaded, device, ruling, reason, upto)

    return ctx.db.write(work)


def rule_at_console(
    ctx: Context, login: str, inspection: str, device: str, ruling: str, reason: str
) -> Admission:
    """The same on the server's own machine, in the name of the person who decided.

    Raises `noun-unknown`, `not-found`, `own-work`, `nothing-aside` and `fields-malformed`.
    """

    def work(tx: Tx) -> Admission:
        person = find_person(tx, login)
        loaded = _loaded(tx, inspection)
        if person.id in loaded.auditors:
            raise problem("own-work")
        return _rule(tx, ctx.now(), CONSOLE, person.id, loaded, device, ruling, reason, None)

    return ctx.db.write(work)


def settle_where_open(tx: Tx, facility: str) -> None:
    """Settle what inspections of a facility are, where somebody who may has said it (S9)."""
    for row in logs.inspections_at(tx, facility):
        if not row.settled:
            _settle(tx, row.id, facility)


def _loaded(tx: Tx, inspection: str) -> Loaded:
    loaded = load_inspection(tx, inspection)
    if loaded is None:
        raise problem("not-found")
    return loaded


def _rule(
    tx: Tx,
    now: int,
    by: str,
    person: str,
    loaded: Loaded,
    device: str,
    ruling: str,
    reason: str,
    upto: int | None,
) -> Admission:
    reason = check_text("reason", reason, LONGEST_REASON)
    if ruling not in (ADMITTED, REFUSED):
        raise problem("fields-malformed", why=f"ruling: give {ADMITTED} or {REFUSED}")
    found = next((one for one in loaded.aside if one.log.device == device), None)
    if found is None:
        raise problem("nothing-aside")
    last = found.log.seq
    seq = last if upto is None else upto
    if not 1 <= seq <= last:
        raise problem("fields-malformed", why=f"seq: give 1 to {last}")
    new = Admission(device, loaded.id, seq, ruling, reason, person, now)
    admissions.rule(tx, new)
    if loaded.facility is not None:
        _settle(tx, loaded.id, loaded.facility)
        gradings.mark_stale(tx, loaded.facility, day_of(now), now)
    detail = {"ruling": ruling, "reason": reason, "person": person, "upto": seq}
    audit.record(tx, now, by, "log.rule", f"log:{device}/{loaded.id}", detail)
    # S5: colleagues have what was admitted, and are told too when that is taken back.
    if ADMITTED in (ruling, None if found.ruling is None else found.ruling.ruling):
        tell_all(tx, sharing.news_of_ruling(tx, device, loaded.id, now))
    return new


def _settle(tx: Tx, inspection: str, facility: str) -> None:
    """Facility and mode by the first `about` that counts and names this facility, if there is one.

    Where none counts any more, the next one who may settles them anew.
    """
    row = logs.find_inspection(tx, inspection)
    if row is None or facilities.get(tx, facility) is None:
        return
    about = _first_about(tx, inspection, facility)
    if about is None:
        logs.settle(tx, inspection, facility, row.mode or "live", row.creator, settled=False)
    elif not row.settled:
        logs.settle(tx, inspection, facility, about.mode, about.written.by, settled=True)


def _first_about(tx: Tx, inspection: str, facility: str) -> About | None:
    authority = authority_at(tx, facility, [inspection])
    marked = late_in(tx, inspection)
    rows = logs.logs_of(tx, inspection)
    owners = Owners(tx, rows)
    for log in rows:
        late = marked.get(log.device, frozenset())
        for record in part_log(tx, authority, log, late, owners).counted:
            if isinstance(record, Entry) and record.path == "about":
                about = read_about(record)
                if about is not None and about.facility == facility:
                    return about
    return None
