"""An officer rules out an adverse answer that nobody proves (scoring rule 3), with a reason.

It is an entry in the log that the server keeps for the officer's account (S9), at a path of its
own. It names what was shown: where anything of that changes, it no longer applies (docs/adr/0024).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from checklists.scoring import score
from checklists.scoring.items import UNPROVEN
from checklists.scoring.rulings import evidence_digest, files_digest
from server.context import Context
from server.permissions import Principal
from server.services.account_log import append_entry
from server.services.audit import who_is
from server.services.basis import Basis, basis_of
from server.services.deciding import deciding_on
from server.services.identifiers import letters
from server.services.inspections import Loaded
from server.services.texts import check_text
from server.store import audit
from server.store.transaction import Tx
from sync.inspection import Inspection
from sync.problems import problem
from sync.ruling import RULED, rulings

PERMISSION = "conflicts.resolve"
LONGEST_REASON = 1000
CODE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Unproven:
    """A place whose adverse answers have too little evidence, as it stands: `heads` are the chain
    hashes of the answers, `files` and `evidence` digests of what is known of their files.
    """

    item: str
    instance: str
    heads: tuple[str, ...]
    files: str
    evidence: str

    @property
    def code(self) -> str:
        """What tells the place as it stands from what stood there before."""
        told = "\n".join((*self.heads, self.files, self.evidence))
        return hashlib.sha256(told.encode()).hexdigest()[:CODE_LENGTH]


def unproven_places(basis: Basis, inspection: Inspection) -> tuple[Unproven, ...]:
    """The places of a visit that hold the grade back for want of evidence, in order."""
    places = [
        (one.item.id, name)
        for one in score(basis.inspection).outcomes
        if one.status == UNPROVEN
        for name, standing in one.places
        if standing.status == UNPROVEN
    ]
    unread = frozenset(basis.visit.unread)
    return tuple(_at(basis, inspection, *place) for place in places if place not in unread)


def rule_out(
    ctx: Context, who: Principal, inspection: str, place: tuple[str, str], seen: str, reason: str
) -> str:
    """Rule out the unproven adverse answers at a place (item, instance), as `seen` stands for it.

    Returns the entry's chain hash, also where the same person said so before. Raises `not-found`,
    `not-permitted`, `own-work`, `fields-malformed`, and `ruling-moved` where the place is not as
    it was shown, or is being assessed anew.
    """

    def work(tx: Tx) -> str:
        loaded, person = deciding_on(tx, who, PERMISSION, inspection)
        why = check_text("reason", reason, LONGEST_REASON)
        said = _said_before(loaded, person.id, place, seen)
        if said:  # the form was sent twice
            return said
        basis = basis_of(tx, loaded)
        open_ones = () if basis is None else unproven_places(basis, loaded.inspection)
        shown = [one for one in open_ones if ((one.item, one.instance), one.code) == (place, seen)]
        if not shown:
            raise problem("ruling-moved", item=place[0][:80])
        value = {
            "heads": list(shown[0].heads),
            "files": shown[0].files,
            "evidence": shown[0].evidence,
            "reason": why,
        }
        path = f"{RULED}{place[0]}/{place[1]}/{letters(ctx, 26)}"
        h = append_entry(ctx, tx, person, inspection, path, value, ())
        detail = {
            "item": place[0],
            "instance": place[1],
            "heads": list(shown[0].heads),
            "reason": why,
            "entry": h,
            "person": person.id,
            "name": person.name,
        }
        subject = f"inspection:{inspection}"
        audit.record(tx, ctx.now(), who_is(who), "answer.rule-out", subject, detail)
        return h

    return ctx.db.write(work)


def _at(basis: Basis, inspection: Inspection, item: str, instance: str) -> Unproven:
    answers = [a for a in basis.visit.answers if (a.item, a.instance) == (item, instance)]
    return Unproven(
        item,
        instance,
        tuple(sorted(a.entry for a in answers if not a.replaced)),
        files_digest(inspection, item, instance),
        evidence_digest(answers),
    )


def _said_before(loaded: Loaded, person: str, place: tuple[str, str], seen: str) -> str:
    """The chain hash of what this person ruled about exactly this, or an empty text."""
    for one in rulings(loaded.current):
        shown = Unproven(one.item, one.instance, tuple(sorted(one.heads)), one.files, one.evidence)
        if ((one.item, one.instance), shown.code, one.written.by) == (place, seen, person):
            return one.written.h
    return ""
