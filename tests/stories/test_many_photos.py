"""A whole camera card goes in, up and onto the officer's pages, and memory stays where it was."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from once import Once
from PIL import Image
from small_region import SITE, Region, free_port, region_in

from server.demo.processes import Stage

FEW, MANY = 200, 2000

# Runs a command of the program, and says at its end how much memory it had at most, in kB.
MEASURED = """
import runpy, sys
program, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_module(program, run_name="__main__")
finally:
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


@dataclass(frozen=True)
class Marks:
    """The most memory that each process had, in kB."""

    photo: int
    sync: int
    worker: int
    serving: int


@contextmanager
def region(folder: Path, once: Once) -> Iterator[Region]:
    folder.mkdir()
    made = region_in(Stage(folder, "127.0.0.1", free_port()), once)
    try:
        yield made
    finally:
        made.end()


def fill(card: Path, count: int) -> set[str]:
    """Small pictures with positions, each of another colour; their digests."""
    card.mkdir(parents=True)
    digests = set()
    for n in range(count):
        image = Image.new("RGB", (96, 64), (n % 256, n // 256 * 16, 120))
        exif = Image.Exif()
        gps = {1: "N", 2: (5.0, 40.0, n % 60), 3: "E", 4: (101.0, 2.0, n % 50)}
        exif.get_ifd(0x8825).update(gps)
        exif.get_ifd(0x8769)[0x9003] = f"2026:11:20 09:{n // 60 % 60:02}:{n % 60:02}"
        kind = "PNG" if n % 50 == 0 else "JPEG"
        out = io.BytesIO()
        image.save(out, kind, exif=exif)
        (card / f"IMG_{n:04}.{'PNG' if kind == 'PNG' else 'JPG'}").write_bytes(out.getvalue())
        digests.add(hashlib.sha256(out.getvalue()).hexdigest())
    assert len(digests) == count
    return digests


def measured(made: Region, program: str, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, program, *words],
        env=made.stage.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stderr.split()[-1]), done.stdout


def serving(made: Region) -> int:
    children = psutil.Process(made.processes[-1].pid).children()
    found = [Path(f"/proc/{child.pid}/status").read_text("ascii") for child in children]
    return max(int(line.split()[1]) for text in found for line in text.splitlines()
               if line.startswith("VmHWM"))  # fmt: skip


def officer(made: Region) -> httpx.Client:
    client = httpx.Client(base_url=made.stage.url, follow_redirects=True, timeout=60)
    client.post("/login", data={"login": "rosa", "password": made.password}).raise_for_status()
    return client


def on_the_pages(client: httpx.Client) -> list[str]:
    """The digests on the pages of all files, as one turns them; each page is read once."""
    listed = client.get(f"/facilities/{SITE.id}").raise_for_status().text
    address = re.findall(r"/inspections/[0-9a-f-]{36}", listed)[0]
    first = client.get(address).raise_for_status()
    assert len(first.content) < 500_000
    found: list[str] = []
    page = 1
    while True:
        shown = client.get(f"{address}/evidence", params={"page": page}).raise_for_status().text
        digests = dict.fromkeys(re.findall(r"/files/([0-9a-f]{64})", shown))
        found += digests
        previews = re.findall(r"/previews/[0-9a-f]{64}", shown)
        assert client.get(previews[0]).raise_for_status().headers["Content-Type"] == "image/jpeg"
        page += 1
        if f"page={page}" not in shown:
            return found


def the_whole_way(folder: Path, once: Once, count: int) -> Marks:
    with region(folder, once) as made:
        wanted = fill(folder / "card" / "DCIM", count)
        home = ("--home", str(made.stage.home(made.person)))
        made.fieldkit("start", SITE.id)
        photo, said = measured(made, "fieldkit", *home, "photo", str(folder / "card"), "--json")
        assert [f["state"] for f in json.loads(said)["files"]] == ["attached"] * count
        _, said = measured(made, "fieldkit", *home, "photo", str(folder / "card"), "--json")
        assert {f["state"] for f in json.loads(said)["files"]} == {"already-here"}
        sync, _ = measured(made, "fieldkit", *home, "sync")
        worker, said = measured(made, "server", "worker", "--once")
        assert f"Pictures read: {count:,}" in said or f"Pictures read: {count}" in said
        with closing(officer(made)) as client:
            found = on_the_pages(client)
        assert sorted(found) == sorted(wanted)
        return Marks(photo, sync, worker, serving(made))


def test_two_thousand_photographs_take_hardly_more_memory_than_two_hundred(
    tmp_path: Path, once: Once
) -> None:
    """S4, S6, S7: all of them arrive, each once, and each is on a page."""
    few = the_whole_way(tmp_path / "few", once, FEW)
    many = the_whole_way(tmp_path / "many", once, MANY)
    print(few, many)
    assert many.photo < 1.25 * few.photo
    assert many.sync < 1.25 * few.sync
    assert many.serving < 1.25 * few.serving
    # Grading merges all that an inspection says, so it does grow: by less than 20 kB a file, most
    # of it for the flag that each of these raises.
    assert many.worker - few.worker < 20 * (MANY - FEW)
