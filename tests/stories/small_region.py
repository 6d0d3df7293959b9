"""A small real region for the stories: real processes, real files, one facility, one auditor."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from once import Once

from server.demo.processes import Stage, stop
from server.demo.region import SITES, declaration, facility

SITE = SITES[0]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Region:
    """A server that can be started, stopped and killed, and one enrolled laptop."""

    stage: Stage
    person: str = "aminah"
    password: str = "rahsia-contoh-1"
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        process = self.stage.serve(*words)
        self.processes.append(process)
        return process

    def fieldkit(self, *words: str, ends_with: int = 0) -> str:
        return self.stage.fieldkit(self.person, *words, ends_with=ends_with)

    def begin(self) -> None:
        """Set up the server, start it, enrol and prepare the laptop: each by its real command."""
        self.set_up()
        self.serve()
        self.enrol()

    def begin_as(self, made: Path) -> None:
        """Begin with copies of a server and of laptops that are at that point, and serve."""
        shutil.copytree(made, self.stage.folder, dirs_exist_ok=True)
        for laptop in self.stage.folder.glob("laptop-of-*"):
            reach(laptop, self.stage.port)
        self.serve()

    def set_up(self) -> None:
        tapak = self.stage.tapak
        tapak("admin", "publish", "--builtin")
        tapak("admin", "jurisdiction", "add", "asean", "ASEAN", "--kind", "region")
        listed = facility(SITE) | {"jurisdiction": "asean"}
        tapak("admin", "facility", "add", "-", given=json.dumps(listed))
        tapak("admin", "declare", "-", given=json.dumps(declaration(SITE)))
        for login, role in (("aminah", "auditor"), ("rosa", "officer")):
            words = ("person", "add", login, "--name", login.title(), "--role", role)
            where = ("--jurisdiction", "asean", "--password-stdin")
            tapak("admin", *words, *where, given=self.password + "\n")
        when = ("--from", "2026-01-01", "--to", "2036-01-01", "--purpose", "yearly")
        tapak("admin", "assign", SITE.id, "aminah", *when)

    def enrol(self) -> None:
        link = json.loads(self.stage.tapak("admin", "invite", self.person, "--json"))["link"]
        self.fieldkit("enrol", link)
        self.fieldkit("prepare")

    def end(self) -> None:
        for process in self.processes:
            stop(process)


def region_in(stage: Stage, once: Once) -> Region:
    """A region in the stage's folder, as far as `begin` brings it; on SQLite and a folder of files
    that is done once and copied.
    """
    region = Region(stage)
    try:
        if type(stage) is Stage and not stage.database:
            region.begin_as(once.made("region", _begun))
        else:
            region.begin()
    except BaseException:
        region.end()
        raise
    return region


def _begun(folder: Path) -> None:
    region = Region(Stage(folder, "127.0.0.1", free_port()))
    try:
        region.begin()
    finally:
        region.end()


def reach(laptop: Path, port: int) -> None:
    """Have a laptop reach its server through this port."""
    with contextlib.closing(sqlite3.connect(laptop / "store.sqlite")) as db, db:
        address = f"http://127.0.0.1:{port}"
        changed = db.execute("update meta set value = ? where name = 'server'", (address,))
        assert changed.rowcount == 1
