"""An officer ends a conflict (L6): one value is kept or another one given, with a reason.

It is an entry in the log that the server keeps for the officer's account (S9), so it travels to
the devices of the people who share the inspection like any other entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from checklists.deciding import Words, decided_value
from server.context import Context
from server.permissions import Principal
from server.services.account_log import append_entry
from server.services.audit import who_is
from server.services.browse_inspection import checklist_of
from server.services.deciding import deciding_on
from server.services.texts import check_text
from server.store import audit
from server.store.transaction import Tx
from sync.conflicts import Conflict, kept_value
from sync.problems import problem

PERMISSION = "conflicts.resolve"
LONGEST_REASON = 1000
LONGEST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """How it is to end: the chain hash of the value to keep, or another value in words."""

    keep: str = ""
    words: str = ""
    second: str = ""


def resolve(
    ctx: Context, who: Principal, inspection: str, path: str, seen: str, choice: Choice, reason: str
) -> str:
    """End a conflict by an entry that replaces exactly the values that `seen` stands for.

    Or adjudicate one that an auditor of it ended (scoring rule 5).

    Returns the entry's chain hash. Raises `not-found`, `not-permitted`, `own-work`,
    `conflict-moved` where others stand there by now, `conflict-unread`, and an answer's problems.
    """

    def work(tx: Tx) -> str:
        loaded, person = deciding_on(tx, who, PERMISSION, inspection)
        why = check_text("reason", reason, LONGEST_REASON)
        open_ones = (*loaded.conflicts, *loaded.unsettled)
        conflict = next((one for one in open_ones if one.path == path), None)
        name = path.partition("/")[2].removesuffix("/-") or path
        if conflict is None or conflict.code != seen:
            raise problem("conflict-moved", what=name)
        if choice.keep:
            value = _kept(conflict, choice.keep, name, why)
        else:
            said = choice.words[:LONGEST_WORDS].split()
            own = (person.id, person.login, person.name)
            words = Words(said, why, reason=why, second=choice.second[:120], own=own)
            value = decided_value(conflict, checklist_of(tx, loaded), words)
            if value.get("special") != "not-applicable":
                value.pop("reason", None)  # why the officer decided so is not part of an answer
                value.pop("second", None)
        h = append_entry(ctx, tx, person, inspection, path, value, conflict.heads)
        detail = {
            "path": path,
            "reason": why,
            "entry": h,
            "replaces": list(conflict.heads),
            "kept": choice.keep or None,
            "person": person.id,
            "name": person.name,
        }
        subject = f"inspection:{inspection}"
        audit.record(tx, ctx.now(), who_is(who), "conflict.resolve", subject, detail)
        return h

    return ctx.db.write(work)


def _kept(conflict: Conflict, h: str, name: str, why: str) -> dict[str, object]:
    side = next((one for one in conflict.sides if one.record.h == h), None)
    if side is None:
        raise problem("conflict-moved", what=name)
    value = kept_value(side, why)
    if value is None:
        raise problem("conflict-unread", what=name)
    return value
