"""A real S3 server for tests: rclone, over a folder, on a port that it takes itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY, SECRET = "made-up-key", "made-up-secret"
BUCKET = "evidence"


@dataclass
class S3Server:
    """`folder` holds the buckets; every object is a file in it."""

    folder: Path
    process: subprocess.Popen[str] | None = None
    endpoint: str = ""
    said: list[str] = field(default_factory=list)

    def start(self) -> S3Server:
        (self.folder / BUCKET).mkdir(parents=True, exist_ok=True)
        beside = Path(sys.executable).with_name("rclone")
        program = str(beside) if beside.exists() else shutil.which("rclone")
        assert program, "rclone is missing; install the development dependencies"
        self.process = subprocess.Popen(
            [
                *(program, "serve", "s3", str(self.folder), "--config", ""),
                *("--addr", "127.0.0.1:0", "--auth-key", f"{KEY},{SECRET}"),
                *("--vfs-cache-mode", "off"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        # It names its address once it listens there.
        for line in self._lines():
            found = re.search(r"Starting s3 server on \[(http://[^]]+?)/?\]", line)
            if found:
                self.endpoint = found[1]
                threading.Thread(target=lambda: list(self._lines()), daemon=True).start()
                return self
        raise AssertionError("\n".join(self.said))

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self, prefix: str = "", **changes: str) -> str:
        """What TAPAK_FILES would say of a place in this server's bucket."""
        words = {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            **changes,
        }
        query = "&".join(f"{name}={value}" for name, value in words.items())
        return f"s3://{BUCKET}/{prefix}?{query}"

    def _lines(self) -> Any:
        assert self.process is not None and self.process.stderr is not None
        with_pipe = self.process.stderr
        for line in with_pipe:
            self.said.append(line)
            yield line
        with_pipe.close()
