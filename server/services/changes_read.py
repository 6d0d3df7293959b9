"""The body of each change, as things are when a device reads it, and for whom they are then (S5).

What was told to a person while it was theirs, and is not any more, comes as a tombstone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from server.context import Context
from server.services import safeguarding, sharing
from server.services.sharing import Circle, Passing, Told
from server.services.standards import told_of
from server.store import assignments, declarations, devices, documents, facilities, logs
from server.store.logs import LogKey, LogRow
from server.store.transaction import Tx
from sync import server_keys
from sync.extract import Extract, extract_to_json, make_extract, vouch
from sync.log import link
from sync.safeguarding import CHANGE as SAFEGUARDING
from sync.sealed import WITHDRAWN
from sync.session import Change

Thing = tuple[str, str]  # a change's kind and ref


class Reader:
    """Reads the changes of one page for one person's device; what several need is asked once."""

    def __init__(
        self, ctx: Context, tx: Tx, person: str, device: str, things: Sequence[Thing]
    ) -> None:
        self.ctx = ctx
        self.tx = tx
        self.person = person
        self.device = device
        self._things = things

    def change(self, kind: str, ref: str) -> Change | None:
        """One change, a tombstone (no body) of what is theirs no more, or None: nothing to say."""
        told = sharing.read_ref(kind, ref)
        if told is not None:
            return self._of_log(kind, told)
        if kind == sharing.INSPECTION:
            return None if self._receives(ref) else Change(kind, ref, None)
        if kind == "facility":
            return Change(kind, ref, self._facility(ref))
        if kind == "declaration":
            return self._declaration(ref)
        if kind == "assignment":
            return self._assignment(ref)
        if kind == sharing.CERTIFICATE:
            # One's own devices know each other; an older row may name one that is now another's.
            owner = devices.find(self.tx, ref)
            mine = owner is not None and owner.person == self.person
            return self._change(kind, ref, devices.certificate(self.tx, ref) if mine else None)
        if kind == server_keys.CHANGE:
            # Whichever keys were meant then: those of now are what a device has to know.
            return Change(kind, ref, server_keys.write_statements(self.ctx.key_statements))
        if kind == SAFEGUARDING:
            return self._change(kind, ref, safeguarding.as_change(self.ctx, self.tx))
        if kind == WITHDRAWN:
            return Change(kind, ref, {"id": ref})
        return self._change(kind, ref, documents.as_change(self.tx, ref))

    def _change(self, kind: str, ref: str, body: object) -> Change | None:
        return None if body is None else Change(kind, ref, body)

    # -- what an assignment brings ----------------------------------------------------------------

    @cached_property
    def _facilities(self) -> frozenset[str]:
        """The facilities that the person is assigned to."""
        mine = assignments.of_person(self.tx, self.person)
        return frozenset(one.facility for one in mine if one.ended_at is None)

    def _facility(self, ref: str) -> dict[str, Any] | None:
        found = facilities.get(self.tx, ref) if ref in self._facilities else None
        if found is None:
            return None
        applying = told_of(self.tx, found, self.ctx.now())
        return facilities.as_json(found) | ({"applying": applying} if applying else {})

    def _declaration(self, ref: str) -> Change | None:
        found = declarations.find(self.tx, ref)
        raw = declarations.body(self.tx, ref)
        if found is None or raw is None:
            return None
        mine = found.facility in self._facilities
        return Change("declaration", ref, json.loads(raw) if mine else None)

    def _assignment(self, ref: str) -> Change | None:
        found = assignments.get(self.tx, ref)
        if found is None or found.person != self.person:
            return None
        if found.ended_at is not None:
            return Change("assignment", ref, None)
        # S9, S10: whose entries count where a colleague hands them over without a network.
        others = sorted({one.person for one in sharing.together(self.tx, found)})
        named = {"colleagues": others} if others else {}
        return Change("assignment", ref, assignments.as_json(found) | named)

    # -- other devices' lines of shared inspections -----------------------------------------------

    @cached_property
    def _told(self) -> list[Told]:
        found = (sharing.read_ref(kind, ref) for kind, ref in self._things)
        return [one for one in found if one is not None]

    @cached_property
    def _circles(self) -> dict[str, Circle]:
        named = {one.inspection for one in self._told}
        named |= {ref for kind, ref in self._things if kind == sharing.INSPECTION}
        return sharing.circles(self.tx, logs.find_inspections(self.tx, named))

    @cached_property
    def _logs(self) -> dict[LogKey, LogRow]:
        return logs.find_logs(self.tx, {(one.device, one.inspection) for one in self._told})

    @cached_property
    def _passing(self) -> dict[LogKey, Passing]:
        return sharing.passing(self.tx, list(self._logs.values()), self._circles)

    @cached_property
    def _certificates(self) -> dict[str, dict[str, str]]:
        return devices.certificates(self.tx, {one.device for one in self._told})

    def _receives(self, inspection: str) -> bool:
        return self.person in self._circles.get(inspection, sharing.NOBODY).receivers

    def _of_log(self, kind: str, told: Told) -> Change | None:
        log = self._logs.get((told.device, told.inspection))
        if log is None or told.device == self.device or not self._receives(told.inspection):
            return None
        passing = self._passing[told.device, told.inspection]
        if kind == sharing.CERTIFICATE:
            known = self._certificates.get(told.device) if passing.given else None
            return self._change(kind, told.device, known)
        ref = f"{told.device}/{told.inspection}/{told.first}"
        if not passing.given:
            return Change(kind, ref, None)  # S9: what was admitted before is set aside again
        run = self._run(log, told.first, min(told.last, log.seq), passing.aside)
        return None if run is None else Change(kind, ref, extract_to_json(run))

    def _run(self, log: LogRow, first: int, last: int, aside: Collection[int]) -> Extract | None:
        """A run of a log without what is withheld or set aside; None where its rows are damaged,
        or none of them are there (any more).
        """
        lines: list[bytes] = []
        hashes: list[bytes] = []
        signed: dict[int, bytes] = {}
        begins = first
        for n, run in enumerate(logs.runs_of(self.tx, log.id, first, last)):
            begins = run.first if n == 0 else begins
            lines += run.lines
            if run.hashes is not None:
                hashes += run.hashes
            else:
                h = logs.hash_at(self.tx, log, run.first - 1)
                for line in run.lines:
                    h = link(h, line)
                    hashes.append(h)
            signed[run.first + len(run.lines) - 1] = run.signature
        cut = slice(first - begins, last - begins + 1)
        if last < first or len(lines) != len(hashes) or len(lines[cut]) != last - first + 1:
            return None  # `tapak admin verify` names it; others' sync does not stop for it

        def vouched(seq: int, h: bytes) -> bytes:
            return vouch(self.ctx.key, log.device, log.inspection, seq, h)

        return make_extract(
            log.device, log.inspection, first, lines[cut], hashes[cut], signed, vouched, aside
        )
