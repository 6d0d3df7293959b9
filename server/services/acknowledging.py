"""An officer acknowledges an urgent hazard (S7): seen at the office, by whom, when and why.

It is an entry in the log that the server keeps for the officer's account (S9), at a path of its
own, so two officers make no conflict. It names what was shown: a hazard of which more is told
counts as unseen again.
"""

from __future__ import annotations

from server.context import Context
from server.permissions import Principal
from server.services.account_log import append_entry
from server.services.audit import who_is
from server.services.deciding import deciding_on
from server.services.identifiers import letters
from server.services.texts import check_text
from server.services.urgent import hazards_held
from server.store import audit
from server.store.transaction import Tx
from sync.hazard import ACKNOWLEDGED
from sync.problems import problem

PERMISSION = "hazards.acknowledge"
LONGEST_REASON = 1000


def acknowledge(
    ctx: Context, who: Principal, inspection: str, hazard: str, seen: str, reason: str
) -> str:
    """Say that the office has seen a hazard, as the code `seen` stands for it, and what it does.

    Returns the entry's chain hash, also where the same person said so before. Raises `not-found`,
    `not-permitted`, `own-work`, `fields-malformed`, and `hazard-moved` where it is over or told
    otherwise by now.
    """

    def work(tx: Tx) -> str:
        loaded, person = deciding_on(tx, who, PERMISSION, inspection)
        why = check_text("reason", reason, LONGEST_REASON)
        shown = [one for one in hazards_held(tx, loaded) if (one.id, one.code) == (hazard, seen)]
        if not shown or shown[0].over:
            raise problem("hazard-moved")
        said = [one for one in shown[0].acknowledged if one.written.by == person.id]
        if said:  # the form was sent twice
            return said[0].written.h
        heads = shown[0].heads
        path = f"{ACKNOWLEDGED}{hazard}/{letters(ctx, 26)}"
        h = append_entry(
            ctx, tx, person, inspection, path, {"heads": list(heads), "reason": why}, ()
        )
        detail = {
            "hazard": hazard,
            "heads": list(heads),
            "reason": why,
            "entry": h,
            "person": person.id,
            "name": person.name,
        }
        subject = f"inspection:{inspection}"
        audit.record(tx, ctx.now(), who_is(who), "hazard.acknowledge", subject, detail)
        return h

    return ctx.db.write(work)
