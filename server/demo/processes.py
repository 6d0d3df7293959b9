"""The demonstration's child processes: the real server, the real worker, the real client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from server.settings import Settings, read_settings

START_SECONDS = 60


class StepFailedError(Exception):
    """A command of the demonstration did not end as the story needs it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays: its folder and the address of its server.

    `database` is the URL of its database; without one it is a SQLite file in the folder.
    """

    folder: Path
    host: str
    port: int
    database: str = field(default="", repr=False)

    @property
    def server_data(self) -> Path:
        return self.folder / "server"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def home(self, person: str) -> Path:
        return self.folder / f"laptop-of-{person}"

    def environment(self) -> dict[str, str]:
        """The children's environment: nothing of a real installation leaks in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAPAK_", "FIELDKIT_"))}
        chosen = {"TAPAK_DATABASE": self.database} if self.database else {}
        return {
            **kept,
            **chosen,
            "TAPAK_DATA": str(self.server_data),
            "TAPAK_PUBLIC_URL": self.url,
            "PYTHONUTF8": "1",
            "NO_COLOR": "1",
        }

    def settings(self) -> Settings:
        """The settings that the children's server has."""
        return read_settings(self.server_data, environ=self.environment())

    def tapak(self, *words: str, given: str | None = None) -> str:
        """Run a `tapak` command to its end; its output."""
        return self._run(("-m", "server", *words), given)

    def fieldkit(self, person: str, *words: str, ends_with: int = 0) -> str:
        """Run a `fieldkit` command on this person's laptop; its output."""
        return self._run(
            ("-m", "fieldkit", "--home", str(self.home(person)), *words), None, ends_with
        )

    def _run(self, words: Sequence[str], given: str | None, ends_with: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != ends_with:
            raise StepFailedError(
                f"{' '.join(words)}\nended with {done.returncode}, not {ends_with}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a long-running `tapak` command; its log goes beside the data."""
        log = (self.folder / f"{words[0]}.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "server", *words],
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the server and return once it answers."""
        process = self.start("serve", "--host", self.host, "--port", str(self.port), *words)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                raise StepFailedError(
                    f"The server did not start; is port {self.port} free? "
                    f"Its log: {self.folder / 'serve.log'}"
                )
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return process
            except httpx.HTTPError:
                time.sleep(0.1)
        stop(process)
        raise StepFailedError(f"The server did not answer within {START_SECONDS} s.")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and wait for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
