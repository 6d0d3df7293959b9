"""Files whose entries are at the server while the files themselves are not."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from small_region import Region

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that an acknowledged entry names, and the token of the device that named it."""

    path: Path
    sha256: str
    size: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0"}

    @property
    def metadata(self) -> str:
        return f"sha256 {base64.b64encode(self.sha256.encode()).decode()}"


def named(region: Region, *sizes: int) -> list[Evidence]:
    """Files of about these sizes (whole MB); the device has their bytes no more."""
    region.fieldkit("start", "bukit-contoh")
    home = region.stage.home(region.person)
    found = []
    for size in sizes:
        path = region.stage.folder / f"recording-{os.urandom(4).hex()}.bin"
        with path.open("wb") as file:
            for _ in range(size // MB):
                file.write(os.urandom(MB))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        region.fieldkit("attach", str(path), "--kind", "document", "--item", "GEN-G1")
        (home / "files" / digest[:2] / digest).unlink()
        found.append((path, digest, size))
    region.fieldkit("sync", ends_with=1)  # entries go, and that the files are gone is said
    with contextlib.closing(sqlite3.connect(home / "store.sqlite")) as db:
        (token,) = db.execute("select value from meta where name = 'token'").fetchone()
    return [Evidence(*one, token) for one in found]


def held(region: Region, one: Evidence) -> bool:
    """Whether the server has the file, byte for byte."""
    folder = region.stage.server_data / "files" / one.sha256[:2]
    path = folder / one.sha256[2:]
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256
