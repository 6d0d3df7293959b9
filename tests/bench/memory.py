"""Memory high-water marks: many pictures beside few, a large upload beside a small one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from server.demo.pictures import picture
from tests.bench.figure import Figure, once
from tests.bench.load import run
from tests.bench.office import Laptop, Office, office

FEW, MANY = 100, 2000
SMALL, LARGE = 1_000_000, 300_000_000
PIECE = 8 * 1024**2

# Prints its own high-water mark and that of the largest of its children, in kB. What rusage says
# of the process itself counts the one that started it, before it became another program.
_MEASURED = """
import resource, runpy, sys
sys.argv = ["fieldkit", *sys.argv[1:]]
try:
    runpy.run_module("fieldkit", run_name="__main__")
finally:
    with open("/proc/self/status") as status:
        own = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def figures(folder: Path) -> Iterator[Figure]:
    cards = folder / "few", folder / "many"
    for card, count in zip(cards, (FEW, MANY), strict=True):
        _fill(card, count)
    few, many = (_facts(card) for card in cards)
    floor = f"of {FEW}"
    yield once(f"facts of {MANY} pictures, its own memory", "MB", many[0], floor, few[0])
    yield once(f"facts of {MANY} pictures, its reader's memory", "MB", many[1], floor, few[1])
    with office(folder / "server", 1) as made:
        small = _upload(made, SMALL)
        large = _upload(made, LARGE)
    name = f"the server's memory after an upload of {LARGE // 10**6} MB"
    yield once(name, "MB", large, f"of {SMALL // 10**6} MB", small)


def _fill(card: Path, count: int) -> None:
    card.mkdir()
    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    base = picture("kiln", 1, lat=5.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)
    for n in range(count):
        (card / f"IMG_{n:04}.JPG").write_bytes(base + f"<{n}>".encode())


def _facts(card: Path) -> tuple[float, float]:
    words = [sys.executable, "-c", _MEASURED, "facts", str(card), "--json"]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    own, child = (int(line) for line in done.stderr.split()[-2:])
    return own / 1000, child / 1000


def _upload(made: Office, size: int) -> float:
    """The high-water mark of the serving process once a file of this size is held, in MB."""
    laptop = made.laptops[0]
    block = os.urandom(1_000_000)
    digest = hashlib.sha256()
    for _ in range(size // len(block)):
        digest.update(block)
    run(made.port, [[laptop.sync(laptop.naming(laptop.facilities[0], digest.hexdigest(), size))]])
    run(made.port, [_pieces(laptop, digest.hexdigest(), block, size)])
    return max(_high_water(child) for child in psutil.Process(made.process.pid).children())


def _pieces(laptop: Laptop, digest: str, block: bytes, size: int) -> list[bytes]:
    many = PIECE // len(block) * len(block)
    pieces = [laptop.begin(digest, size)]
    for at in range(0, size, many):
        data = block * (min(many, size - at) // len(block))
        pieces.append(laptop.go_on(digest, at, data))
    return pieces


def _high_water(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000
