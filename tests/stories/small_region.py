"""A small real region for the stories: real processes, real files, one facility, one auditor."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

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

    def set_up(self) -> None:
        """What staff do first; on SQLite and a folder of files it is done once and copied."""
        if type(self.stage) is Stage and not self.stage.database:
            shutil.copytree(_set_up_once(), self.stage.server_data)
        else:
            self.set_up_anew()

    def set_up_anew(self) -> None:
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


@functools.cache
def _set_up_once() -> Path:
    """A data folder as the real commands leave it; gone with the test run."""
    folder = Path(tempfile.mkdtemp(prefix="tapak-set-up-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Region(Stage(folder, "127.0.0.1", 0))
    made.set_up_anew()
    return made.stage.server_data
