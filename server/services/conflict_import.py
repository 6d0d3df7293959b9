"""Importing conflict events and lists of areas: staged in batches, swapped in at once, or refused.

What is staged is seen by nobody, so a file of any size takes little memory and nobody's turn to
write. The swap marks the facilities that have events in reach, of the old data or the new, and
those of which it was unknown before whether there are any, or is now.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from checklists.conflict.areas import Area, read_areas
from checklists.conflict.event import Event, Rejected
from checklists.conflict.sources import SOURCES, Source, read_events, read_ids, source_of
from server.context import Context
from server.services.conflict import CAHRA
from server.services.conflict_position import Placed, concerned, placed
from server.services.conflict_staging import (
    BATCH,
    Counting,
    Turn,
    alone,
    batches,
    clear,
    forget_staged,
    opened,
    refuse,
)
from server.services.identifiers import day_of
from server.services.steps import Step, Tell, silent
from server.store import audit, conflict, gradings
from server.store.conflict import CURRENT, STAGING, WORLD, Snapshot
from server.store.transaction import Tx
from sync.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of a file: days are YYYY-MM-DD, empty ones are taken from the rows.

    `covers` are the countries that it speaks of (ISO 3166-1 alpha-2, or "world"), `until` the last
    day. `add` lays it over what is there; `withdrawn` lists events that are to go.
    """

    file: Path
    source: str
    version: str = ""
    accessed: str = ""
    covers: tuple[str, ...] = ()
    until: str = ""
    add: bool = False
    withdrawn: Path | None = None
    skip_faulty: bool = False
    accept_terms: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the snapshot that counts now, and the facilities to be graded again."""

    snapshot: Snapshot
    marked: tuple[str, ...]


def import_file(ctx: Context, by: str, given: Given, tell: Tell = silent) -> Imported:
    """Import a file of conflict events, or of areas (source "cahra"), in place of the last one.

    Raises `conflict-source`, `conflict-terms` (first of all, before anything is read),
    `conflict-header`, `conflict-file`, `conflict-empty`, `conflict-add`, `conflict-busy`, file
    problems, and `conflict-rows` where a row is refused and faulty rows are not to be skipped;
    what counted before then counts on.
    """
    source = None if given.source == CAHRA else _source(given)
    _check(given)
    with alone(ctx) as turn, opened(given.file) as file:
        forget_staged(ctx)
        run = _Run(ctx, given, source, file, tell, turn)
        try:
            return run.areas(by) if source is None else run.events(by, source)
        except Problem:
            run.undo()
            raise


def _source(given: Given) -> Source:
    if given.source not in SOURCES:
        known = ", ".join((*SOURCES, CAHRA))
        raise problem("conflict-source", source=given.source, known=known)
    source = source_of(given.source)
    if source.terms and not given.accept_terms:
        raise problem("conflict-terms", source=source.name, terms=" ".join(source.terms))
    return source


def _check(given: Given) -> None:
    for name, day in (("accessed", given.accessed), ("until", given.until)):
        try:
            good = not day or date.fromisoformat(day).isoformat() == day
        except ValueError:
            good = False
        if not good:
            raise problem("fields-malformed", why=f"{name}: is not a day as YYYY-MM-DD")
    for country in given.covers:
        if country != WORLD and not (len(country) == 2 and country.isalpha() and country.isupper()):
            why = f"covers: {country!r} is neither two capital letters (ISO 3166) nor {WORLD}"
            raise problem("fields-malformed", why=why)


class _Run:
    """One import under way."""

    def __init__(
        self,
        ctx: Context,
        given: Given,
        source: Source | None,
        file: Counting,
        tell: Tell,
        turn: Turn,
    ) -> None:
        self.ctx, self.given, self.file, self.tell, self.turn = ctx, given, file, tell, turn
        self.name = given.file.name
        self.size = given.file.stat().st_size
        now = ctx.now()
        self.snapshot = Snapshot(
            0,
            given.source,
            STAGING,
            self.name,
            "",
            self.size,
            given.version,
            "" if source is None else source.licence,
            given.accessed or day_of(now),
            (),
            "",
            "",
            0,
            0,
            0,
            now,
        )
        self.first = ""
        self.rejected = 0

    # -- events ------------------------------------------------------------------------------------

    def events(self, by: str, source: Source) -> Imported:
        with self.ctx.db.read() as tx:
            before = conflict.current(tx).get(source.id)
        if self.given.add and before is None:
            raise problem("conflict-add", source=source.name)
        number = self._begin()
        if self.given.add and before is not None:
            self._copy(before, number)
        stream = io.BufferedReader(self.file)
        for batch in batches(read_events(stream, source, self.name)):
            good = [one for one in batch if isinstance(one, Event)]
            bad = [one for one in batch if isinstance(one, Rejected)]
            self._write(number, good, bad, self.name)
        if self.given.withdrawn is not None:
            self._withdraw(number, source, self.given.withdrawn)
        self._judge(number)
        with self.ctx.db.read() as tx:
            held = conflict.held(tx, number)
            facilities = list(placed(tx))
        if not held.events:
            raise problem("conflict-empty", name=self.name)
        adding = before if self.given.add else None
        countries = self.given.covers or held.countries
        self.snapshot = replace(
            self.snapshot,
            sha256=self.file.sha256.hexdigest(),
            countries=tuple(sorted({*countries, *(adding.countries if adding else ())})),
            begins=min([held.begins, *([adding.begins] if adding else [])]),
            ends=max([self.given.until or held.ends, *([adding.ends] if adding else [])]),
            events=held.events,
            coarse=held.coarse,
            rejected=self.rejected,
        )
        return self._swap(by, before, facilities)

    def _begin(self) -> int:
        number = self.ctx.db.write(lambda tx: conflict.add_snapshot(tx, self.snapshot))
        self.snapshot = replace(self.snapshot, id=number)
        return number

    def _copy(self, before: Snapshot, number: int) -> None:
        self.tell(Step("copying what is there"))
        at = ""
        while True:
            self.turn.extend()

            def work(tx: Tx, after: str = at) -> str:
                return conflict.copy_events(tx, before.id, number, after, BATCH)

            at = self.ctx.db.write(work)
            if not at:
                return

    def _write(self, number: int, good: list[Event], bad: list[Rejected], name: str) -> None:
        self.turn.extend()
        self._count(bad)

        def work(tx: Tx) -> None:
            conflict.put_events(tx, number, good)
            conflict.put_rejected(tx, number, name, bad)

        self.ctx.db.write(work)
        self.tell(Step("reading", self.file.done, self.size))

    def _count(self, bad: list[Rejected]) -> None:
        if bad and not self.first:
            self.first = f"Row {bad[0].row}: {bad[0].why}."
        self.rejected += len(bad)

    def _withdraw(self, number: int, source: Source, path: Path) -> None:
        with opened(path) as file:
            stream = io.BufferedReader(file)
            for batch in batches(read_ids(stream, source, path.name)):
                ids = [one for one in batch if isinstance(one, str)]
                bad = [one for one in batch if isinstance(one, Rejected)]
                self._count(bad)

                def work(
                    tx: Tx, ids: list[str] = ids, bad: list[Rejected] = bad, name: str = path.name
                ) -> None:
                    conflict.withdraw(tx, number, ids)
                    conflict.put_rejected(tx, number, f"withdrawn: {name}", bad)

                self.ctx.db.write(work)

    # -- areas -------------------------------------------------------------------------------------

    def areas(self, by: str) -> Imported:
        with self.ctx.db.read() as tx:
            before = conflict.current(tx).get(CAHRA)
        number = self._begin()
        listed: list[Area] = []
        stream = io.BufferedReader(self.file)
        for batch in batches(read_areas(stream, self.name)):
            bad = [one for one in batch if isinstance(one, Rejected)]
            good = [one for one in batch if isinstance(one, Area)]
            listed += good
            self._count(bad)

            def work(tx: Tx, good: list[Area] = good, bad: list[Rejected] = bad) -> None:
                conflict.put_areas(tx, number, good)
                conflict.put_rejected(tx, number, self.name, bad)

            self.ctx.db.write(work)
        self._judge(number)
        if not listed:
            raise problem("conflict-empty", name=self.name)
        days = sorted(one.day for one in listed)
        self.snapshot = replace(
            self.snapshot,
            sha256=self.file.sha256.hexdigest(),
            countries=tuple(sorted({one.region[:2] for one in listed})),
            begins=days[0],
            ends=self.given.until or days[-1],
            events=len(listed),
            rejected=self.rejected,
        )
        with self.ctx.db.read() as tx:
            facilities = list(placed(tx))
        return self._swap(by, before, facilities)

    # -- all or nothing ----------------------------------------------------------------------------

    def _judge(self, number: int) -> None:
        if self.rejected and not self.given.skip_faulty:
            raise problem(
                "conflict-rows",
                count=self.rejected,
                name=self.name,
                first=self.first,
                snapshot=number,
            )

    def undo(self) -> None:
        if self.snapshot.id and self.snapshot.state == STAGING:
            digest = self.file.sha256.hexdigest()
            refuse(self.ctx, replace(self.snapshot, sha256=digest, rejected=self.rejected))

    def _swap(self, by: str, before: Snapshot | None, facilities: list[Placed]) -> Imported:
        new, now = self.snapshot, self.ctx.now()

        def work(tx: Tx) -> tuple[str, ...]:
            marked = tuple(sorted(concerned(tx, before, new, facilities)))
            conflict.swap(tx, new)
            gradings.mark_again(tx, marked, now)
            detail: dict[str, Any] = {
                "sha256": new.sha256,
                "version": new.version,
                "events": new.events,
                "rejected": new.rejected,
                "facilities": len(marked),
                "terms_accepted": self.given.accept_terms,
            }
            audit.record(tx, now, by, "conflict.import", f"conflict:{new.source}", detail)
            return marked

        self.tell(Step("swapping in"))
        marked = self.ctx.db.write(work)
        self.snapshot = replace(new, state=CURRENT)
        if before is not None:
            clear(self.ctx, before.id)
        return Imported(self.snapshot, marked)
