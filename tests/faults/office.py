"""The server in the laboratory: its real files and services, started, ended, restored.

Nothing here is a real site, operator or person.
"""

from __future__ import annotations

import atexit
import functools
import json
import logging
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask

from server import create_app
from server.context import Context, open_context
from server.schedule import Worker
from server.services import enrolment, programme, publishing, registry, safeguarding
from server.services.backup import make_backup
from server.services.restore import Surroundings, restore
from server.settings import read_settings
from server.store import people
from server.store.jurisdictions import Jurisdiction
from server.store.people import Person
from sync.problems import Problem

from . import seams
from .chance_age import key_of
from .clock import Clock
from .power import Medium
from .process import Died, Process, Tally, nobody
from .wire import Answered, AwayError, Sent, ask_application

CONSOLE = "console"
HILL, VALLEY = "example-hill", "example-valley"
ANA, BEN, CAM = "p-ana22222", "p-ben22222", "p-cam22222"
OFFICER = "p-off22222"
KEEPER = key_of(b"a made-up safeguarding person..!")  # whose key is on no server and no device
# When people are expected from: whatever any clock says, or only a while after stories begin (S9).
ALWAYS, SOON = "1960-01-01", "2026-11-25"
ASSIGNED = {HILL: (ANA, BEN), VALLEY: (ANA, CAM)}
T = TypeVar("T")


def workspace() -> Path:
    """Where folders of stories lie: in memory where there is room for them."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


@functools.cache
def _template(first_day: str) -> tuple[Path, Flask]:
    """A server that knows its facilities and people, expected from a day on; made once for each
    day, copied for each story.
    """
    folder = Path(tempfile.mkdtemp(prefix="tapak-faults-office-", dir=workspace()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with nobody():
        ctx = open_context(read_settings(folder / "server", environ={}))
        fill(ctx, first_day)
        _add_person(ctx, OFFICER, "officer")
        keeper = str(KEEPER.to_public())
        safeguarding.publish_key(ctx, CONSOLE, "Made-up Keeper", keeper)
        app = create_app(ctx)
        ctx.db.close()
    return folder / "server", app


def fill(ctx: Context, first_day: str = ALWAYS) -> None:
    """The published standard, two facilities, three auditors and who is assigned where."""
    registry.add_jurisdiction(
        ctx, CONSOLE, Jurisdiction("example", "Example region", None, "region")
    )
    publishing.publish_builtin(ctx, CONSOLE, ["rare-earth-site"])
    for person in (ANA, BEN, CAM):
        _add_person(ctx, person)
    for facility, assigned in ASSIGNED.items():
        registry.add_facility(ctx, CONSOLE, _facility(facility))
        for person in assigned:
            assign(ctx, facility, person, first_day)


def _add_person(ctx: Context, person: str, role: str = "auditor") -> None:
    name = f"Made-up {person[2:5].title()}"
    new = Person(person, person[2:5], name, "no password", True, ctx.now())
    ctx.db.write(lambda tx: (people.add(tx, new), people.grant(tx, person, role, "example")))


def _facility(facility: str) -> dict[str, Any]:
    return {
        "id": facility,
        "name": facility.replace("-", " ").title(),
        "country": "TH",
        "jurisdiction": "example",
        "checklist": "rare-earth-site",
        "limits": "example",
        "example": True,
    }


def assign(ctx: Context, facility: str, person: str, first_day: str) -> None:
    programme.assign(
        ctx,
        CONSOLE,
        facility=facility,
        person=person,
        purpose="made-up visit",
        not_before=first_day,
        not_after="2150-12-31",
        grace_days=0,
    )


class Office:
    """One server of a story. When its process dies it is away until it is started again."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        tally: Tally,
        dice: random.Random,
        first_day: str = ALWAYS,
    ) -> None:
        self.folder, self.clock, self.tally, self.dice = folder, clock, tally, dice
        template, self.app = _template(first_day)
        shutil.copytree(template, folder / "server")
        self.process = Process("server", folder / "server", tally)
        self.medium()
        self.ctx: Context | None = None
        self.down_for = 0
        self.restarts = self.restores = 0
        self.start()

    def medium(self) -> None:
        shadow = self.folder / f"server-shadow-{self.process_number()}"
        shadow.mkdir()
        seams.media[self.process.folder] = Medium(self.process.folder, shadow)

    def process_number(self) -> int:
        return self.process.number

    # -- its process ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server's process; it may die while it starts."""
        with self.process.running():
            opened = open_context(read_settings(self.process.folder, environ={}))
        self.ctx = replace(opened, now=self.clock, token=self._token)
        self.app.extensions["tapak"] = self.ctx

    def _token(self, count: int) -> str:
        return seams.chance.randbytes(count).hex()

    def bury(self) -> None:
        """What the dead process had in memory is gone; the next one will find its files."""
        with nobody():
            seams.end(self.process, self.dice)
        self.ctx = None
        self.process = Process("server", self.process.folder, self.tally, self.process.number + 1)
        self.down_for = self.dice.randint(0, 2)
        self.restarts += 1

    def serve(self, sent: Sent, cut: int | None) -> Answered:
        """Answer a request; raises AwayError when the server is not there, or dies over it."""
        if self.ctx is None:
            if self.down_for > 0:
                self.down_for -= 1
                raise AwayError
            self.tried(self.start)
        if self.ctx is None:
            raise AwayError
        answer = self.tried(lambda: ask_application(self.app, sent, cut), with_process=True)
        if answer is None:
            raise AwayError
        return answer

    def tried(self, work: Callable[[], T], *, with_process: bool = False) -> T | None:
        """What the work gives; None when the server's process died over it, or named a problem, as
        the worker's log and staff's terminal would tell it.
        """
        try:
            if not with_process:
                return work()
            with self.process.running():
                return work()
        except Died:
            self.bury()
        except Problem as named:
            if named.status >= 500 and named.code not in ("disk-full", "store-busy"):
                raise
        return None

    def up(self) -> Context:
        """The server, started where it is down, for whoever looks."""
        if self.ctx is None:
            self.process.forgive()
            self.start()
        assert self.ctx is not None
        return self.ctx

    # -- what staff and the worker do -------------------------------------------------------------

    def invite(self, person: str) -> str:
        with nobody():
            return enrolment.invite(self.up(), person, CONSOLE, hours=720)

    def work(self) -> None:
        """A round of the worker: old uploads are swept, what is marked is graded."""
        ctx = self.up()

        def run() -> None:
            worker = Worker(ctx, f"worker {self.process.number}")
            worker.sweep()
            worker.regrade()
            worker.read_and_grade()

        self.tried(run, with_process=True)

    def staff_assign(self, facility: str, person: str, day: int) -> None:
        """One more assignment, which devices are told of."""
        ctx = self.up()
        self.tried(
            lambda: programme.assign(
                ctx,
                CONSOLE,
                facility=facility,
                person=person,
                purpose=f"further visit {day}",
                not_before=f"2026-01-{day:02}",
                not_after="2036-12-31",
            ),
            with_process=True,
        )

    # -- backups ----------------------------------------------------------------------------------

    def back_up(self) -> Path:
        with nobody():
            place = self.folder / "backups"
            make_backup(self.up(), place)
        return place

    def restore(self) -> None:
        """The server's computer is lost, and a new one is put back from the newest backup."""
        with nobody():
            if self.ctx is not None:
                self.ctx.db.close()
            self.restores += 1
            self.restarts += 1
            folder = self.folder / f"server-{self.restores}"
            bits = seams.chance.getrandbits
            to = Surroundings(read_settings(folder, environ={}), self.clock, bits)
            restore(to, self.folder / "backups")
        self.ctx = None
        self.process = Process("server", folder, self.tally, self.process.number + 1)
        self.medium()
        self.start()

    def close(self) -> None:
        if self.ctx is not None:
            self.ctx.db.close()
        for connection in self.process.connections:
            connection.close()
        seams.media.clear()


logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL + 1)
__all__ = ["ANA", "BEN", "CAM", "HILL", "VALLEY", "Office", "json", "workspace"]
