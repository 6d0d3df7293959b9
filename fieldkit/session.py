"""Being unlocked (S11): the data key in memory that a switched-off computer does not keep.

The key lies in a file below XDG_RUNTIME_DIR, of its owner only, and only where that is a file
system in memory. It counts until it was not used for a while, and until `lock`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fieldkit.disk import write_file
from fieldkit.vault import KEY_BYTES

IDLE_MINUTES = 30
_IN_MEMORY = ("tmpfs", "ramfs")


def awake_seconds() -> float:
    """Seconds since the computer was started, those asleep included; no clock that can be set."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class Session:
    """Where the key of one device folder is held while it is unlocked; `clock` counts seconds."""

    path: Path
    clock: Callable[[], float] = awake_seconds

    def hold(self, data_key: bytes, minutes: int = IDLE_MINUTES) -> None:
        """Keep the key until it was not used for that many minutes. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        said = {"key": data_key.hex(), "minutes": minutes, "used": self.clock()}
        write_file(self.path, json.dumps(said).encode(), mode=0o600)

    def take(self) -> bytes | None:
        """The key while it counts, which then counts anew; else None, and it is gone."""
        try:
            said = json.loads(self.path.read_bytes())
            key = bytes.fromhex(said["key"])
            minutes, used = int(said["minutes"]), float(said["used"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if len(key) != KEY_BYTES or not 0 <= self.clock() - used < minutes * 60:
            self.forget()
            return None
        with suppress(OSError):
            self.hold(key, minutes)
        return key

    def forget(self) -> bool:
        """Overwrite and remove the key; whether there was one."""
        try:
            with self.path.open("r+b") as file:
                file.write(bytes(self.path.stat().st_size))
            self.path.unlink()
        except OSError:
            return False
        return True


def session_of(folder: Path) -> Session | None:
    """The session of a device folder, or None where no key can be held in memory only."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    if not given or not Path(given).is_dir() or not in_memory(Path(given)):
        return None
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return Session(Path(given) / "tapak" / name)


def in_memory(folder: Path) -> bool:
    """Whether a folder is on a file system in memory, as far as the system says so."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    there = folder.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        _, point, fs, *_ = line.split(" ")
        at = Path(point.replace("\\040", " "))
        if (at == there or at in there.parents) and len(at.parts) >= best:
            best, kind = len(at.parts), fs
    return kind in _IN_MEMORY
