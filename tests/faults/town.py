"""Real processes on this computer: `tapak serve`, workers, laptops behind a proxy; on SQLite or on
PostgreSQL.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from pyrage.x25519 import Identity

from fieldkit.bundle_sealing import NOTE
from server.context import Context, open_context
from server.services import enrolment
from server.settings import Settings, read_settings

from .book import Book, Place, Said
from .office import ANA, BEN, CONSOLE, fill
from .proxy import Proxy

ROOT = Path(__file__).parents[2]
STANDSTILL_SECONDS = 900  # what has not come by then does not come, however busy the computer is


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Command:
    """A command under way on a laptop: `mark` is what it records, `file` what it attaches."""

    words: list[str]
    mark: str = ""
    file: Path | None = None
    pid: int = 0
    began: float = 0.0
    kill_at: float | None = None

    @property
    def kind(self) -> str:
        """The command without what is given to it: `sync`, `bundle read`."""
        return " ".join(self.words[: 2 if self.words[0] == "bundle" else 1])


@dataclass
class Stick:
    """A bundle that a laptop wrote for another or, without a taker, for the office; `lines` and
    `files` are those that its reader has afterwards.
    """

    path: Path
    taker: Laptop | None
    lines: dict[Place, bytes] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    written: bool = False


@dataclass
class Desk:
    """The office's keyboard, where staff read what came on a stick; one command at a time."""

    name: str = "the office"
    program: tuple[str, ...] = ("tapak", "admin")
    doing: Command | None = None
    again: Command | None = None


@dataclass
class Laptop:
    """One device's folder; one command at a time."""

    name: str
    person: str
    home: Path
    inspection: str = ""
    doing: Command | None = None
    again: Command | None = None  # was killed, so the person types it again
    rows_before: int = 0
    key: str = ""  # what is sealed to it (S10)

    @property
    def program(self) -> tuple[str, ...]:
        return ("fieldkit", "--home", str(self.home))

    def rows(self, sql: str, *given: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.home / "store.sqlite", timeout=30)) as db:
            return db.execute(sql, given).fetchall()

    @property
    def id(self) -> str:
        return str(self.rows("select value from meta where name = 'device'")[0][0])

    def lines(self) -> dict[Place, bytes]:
        mine = self.id
        found = self.rows("select log, seq, line from lines where device = ?", mine)
        return {(mine, str(log), int(str(seq))): bytes(line) for log, seq, line in found}  # type: ignore[arg-type]


@dataclass
class Town:
    """A server with its workers, a proxy, laptops, and the processes that run."""

    folder: Path
    database: str
    serving: int
    dice: random.Random
    count: Callable[[str], None]
    book: Book = field(default_factory=Book)
    laptops: list[Laptop] = field(default_factory=list)
    desk: Desk = field(default_factory=Desk)
    sticks: list[Stick] = field(default_factory=list)
    server: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.proxy = Proxy(self.port, self.dice, self.count)
        self.proxy.calm = True
        ctx = self.context()
        fill(ctx)
        ctx.db.close()
        self.serve()
        self.zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.zygote.stdout is not None
        os.set_blocking(self.zygote.stdout.fileno(), False)
        self._heard = b""

    # -- processes --------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Nothing of a real installation leaks in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAPAK_", "FIELDKIT_"))}
        chosen = {"TAPAK_DATABASE": self.database} if self.database else {}
        more = {"TAPAK_DATA": str(self.folder / "server"), "NO_COLOR": "1", "PYTHONUTF8": "1"}
        return {**kept, **chosen, **more, "TAPAK_PUBLIC_URL": f"http://127.0.0.1:{self.proxy.port}"}

    def settings(self) -> Settings:
        return read_settings(self.folder / "server", environ=self.environment())

    def context(self) -> Context:
        return open_context(self.settings())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "server", *words],
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def serve(self) -> None:
        words = ("--port", str(self.port), "--workers", str(self.serving))
        self.server = self.start("serve", *words)

    def until_it_answers(self) -> None:
        end = time.monotonic() + STANDSTILL_SECONDS
        while time.monotonic() < end:
            assert self.server is not None
            if self.server.poll() is not None:
                self.serve()
            with suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).raise_for_status()
                return
            threading_wait(0.05)
        raise AssertionError((self.folder / "serve.log").read_text()[-2000:])

    def kill_server(self, *, whole: bool) -> bool:
        """Kill -9 one serving process, or the whole server, which is started again at once."""
        assert self.server is not None
        if whole:
            kill_group(self.server)
            self.serve()
            return True
        with suppress(psutil.Error):
            serving = psutil.Process(self.server.pid).children()
            if serving:
                self.dice.choice(sorted(serving, key=lambda one: one.pid)).kill()
                return True
        return False

    def kill_worker(self) -> bool:
        """Kill -9 a worker; another one takes its place."""
        if not self.workers:
            self.workers.append(self.start("worker"))
            return False
        gone = self.workers.pop(0)
        alive = gone.poll() is None
        kill_group(gone)
        self.workers.append(self.start("worker"))
        return alive

    def end(self) -> None:
        self.proxy.close()
        for process in (self.server, *self.workers, self.zygote):
            if process is not None:
                kill_group(process) if process is not self.zygote else process.kill()
                process.wait()
        for pipe in (self.zygote.stdin, self.zygote.stdout):
            if pipe is not None:
                pipe.close()
        for one in self.keyboards:
            if one.doing is not None and one.doing.pid:
                with suppress(ProcessLookupError):
                    os.killpg(one.doing.pid, signal.SIGKILL)

    # -- laptops ----------------------------------------------------------------------------------

    def add_laptop(self, n: int) -> Laptop:
        person = (ANA, BEN)[n % 2]
        laptop = Laptop(f"laptop-{n}", person, self.folder / f"laptop-{n}")
        ctx = self.context()
        link = enrolment.invite(ctx, person, CONSOLE)
        ctx.db.close()
        begin = ["start", "example-hill", "--new"]
        for words in (["enrol", link], ["prepare"], begin, ["bundle", "key"]):
            assert self.run(laptop, words) == 0, (laptop.home / ".." / "words.log").read_text()
        laptop.inspection = str(
            laptop.rows("select log from lines where log <> 'device' order by rowid")[0][0]
        )
        own = str(laptop.rows("select value from meta where name = ?", NOTE)[0][0])
        laptop.key = str(Identity.from_str(own).to_public())
        self.laptops.append(laptop)
        self.note(laptop)
        return laptop

    @property
    def keyboards(self) -> list[Laptop | Desk]:
        """Where commands are typed."""
        return [*self.laptops, self.desk]

    def begin(self, at: Laptop | Desk, command: Command) -> None:
        """Start a command on a laptop, or at the office."""
        words = [str(self.folder / "words.log"), *at.program, *command.words]
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(words).encode() + b"\n")
        self.zygote.stdin.flush()
        at.doing, command.began = command, time.monotonic()

    def run(self, at: Laptop | Desk, words: list[str]) -> int:
        """A command to its end; its exit code."""
        self.begin(at, Command(words))
        while True:
            for said in self.heard(5.0):
                if said[0] == "started":
                    continue
                at.doing = None
                return int(said[2])

    def heard(self, seconds: float) -> list[list[str]]:
        """What the zygote said within so many seconds; it returns with the first of it."""
        import select

        assert self.zygote.stdout is not None
        if select.select([self.zygote.stdout], [], [], max(seconds, 0))[0]:
            self._heard += self.zygote.stdout.read() or b""
        *lines, self._heard = self._heard.split(b"\n")
        return [line.decode().split() for line in lines]

    def note(self, laptop: Laptop) -> None:
        """What stands in the store counts as recorded from here on."""
        for place, line in laptop.lines().items():
            self.book.note_line(place, line)

    def said(self, laptop: Laptop, mark: str) -> None:
        self.book.said.append(Said(laptop.inspection, "", mark))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 a process that we started and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def threading_wait(seconds: float) -> None:
    import threading

    threading.Event().wait(seconds)
