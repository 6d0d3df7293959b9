"""What `fieldkit status` takes with much behind it: 100,000 entries beside 100, in one run.

In milliseconds of the processor's time, so that a busy machine tells the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from checklists import published
from fieldkit.capture import Recorder, answer, start
from fieldkit.cli import cli
from fieldkit.home import Home
from fieldkit.keys import public_bytes
from fieldkit.ledger import encode_key
from fieldkit.library import Library
from fieldkit.passphrase import set_passphrase
from fieldkit.vault import Cost
from sync.log import device_id, genesis, link, write_line
from tests.bench.figure import Figure, beside

SMALL, LARGE = 100, 100_000
VISIT = 100  # entries of an inspection
WORDS = "a passphrase for measuring"
NOW = 1_795_600_000_000
ROUNDS = 7
TRACK = {
    "source": "recorded",
    "file": "a" * 64,
    "lat_e7": [40000000, 10, 10],
    "lon_e7": [1010000000, 10, 10],
    "segments": [0],
}
LEVEL = {"level": "fully"}
KINDS = (
    # name, path, value
    ("answers at one place", "answers/GEN-G1/-", LEVEL),
    ("tracks", "track/{device}/{n}", TRACK),
    ("observations at as many places", "observed/headcount/place-{n}", {"value": "7"}),
    ("answers at as many places", "answers/ISL-E2/well-{n}", LEVEL),
)
FACILITY = {"id": "bukit-contoh", "name": "Bukit Contoh", "country": "MY", "example": True}


def figures(folder: Path) -> Iterator[Figure]:
    small, large = _device(folder / "small", SMALL), _device(folder / "large", LARGE)
    yield _status("status, 100,000 entries in 1,000 inspections", large, small)
    for home in (small, large):
        set_passphrase(home, WORDS, Cost(1, 64, 1))
    yield _status("status, the same under a passphrase", large, small)
    for name, path, value in KINDS:
        homes = [
            _device(folder / f"{name}-{entries}", entries, (path, value))
            for entries in (LARGE, SMALL)
        ]
        yield from _one_inspection(f"100,000 {name} in one inspection", *homes)


def _one_inspection(name: str, large: Home, small: Home) -> Iterator[Figure]:
    """Read for the first time; then an entry and a status after it, in turn; then sealed."""
    yield _beside(f"the first status, {name}", large, small, _ms, rounds=1)
    yield _beside(f"an entry, {name}", large, small, _append)
    yield _beside(f"status after an entry, {name}", large, small, _after_an_entry)
    for home in (small, large):
        set_passphrase(home, WORDS, Cost(1, 64, 1))
    yield _beside(f"the same under a passphrase, {name}", large, small, _after_an_entry)


def _status(name: str, large: Home, small: Home) -> Figure:
    return _beside(name, large, small, _ms)


def _beside(
    name: str, large: Home, small: Home, ms: Callable[[Home], float], rounds: int = 0
) -> Figure:
    return beside(name, "ms", lambda: ms(large), "with 100", lambda: ms(small), rounds or ROUNDS)


def _ms(home: Home) -> float:
    """One status in this process: what is measured is the work, not the start of Python."""
    taken, said = _run(home, "status")
    if said["facility"] != FACILITY["id"]:
        raise RuntimeError(said)
    return taken


def _append(home: Home) -> float:
    """One answer, another one than before."""
    level = "PM" if _run(home, "answer", "GEN-G2", "FM")[1]["new"] else "FM"
    return _run(home, "answer", "GEN-G2", level)[0]


def _after_an_entry(home: Home) -> float:
    _append(home)
    return _ms(home)


def _run(home: Home, *words: str) -> tuple[float, dict[str, Any]]:
    begin = time.process_time()
    done = CliRunner().invoke(
        cli, ["--home", str(home.folder), "--json", *words], env={"FIELDKIT_PASSPHRASE": WORDS}
    )
    taken = (time.process_time() - begin) * 1000
    if done.exit_code != 0:
        raise RuntimeError(done.output) from done.exception
    said: dict[str, Any] = json.loads(done.stdout)
    return taken, said


def _device(folder: Path, entries: int, one: tuple[str, Any] | None = None) -> Home:
    """A fictional device with so many entries in earlier inspections, and one under way; or with
    all of them in the `one` under way, at this path (n is the entry's number) and of this value.
    """
    home = Home(folder)
    store = home.open_store()
    key = home.load_or_make_key()
    public = public_bytes(key)
    store.set_notes(
        device=device_id(public),
        public_key=encode_key(public),
        person="p-1",
        person_name="An Auditor",
        server="https://tapak.example",
        server_name="An Office",
        server_key=encode_key(os.urandom(32)),
        token="a fictional token",
    )
    text = published.checklist_bytes("rare-earth-site")
    digest = hashlib.sha256(text).hexdigest()
    facility = {**FACILITY, "checklist": "rare-earth-site"}
    with store.database.write("the documents") as tx:
        put = "insert into documents (kind, ref, body) values (?, ?, ?)"
        tx.execute(put, ("facility", FACILITY["id"], json.dumps(facility)))
        tx.execute(put, ("checklist", "rare-earth-site", json.dumps({"digest": digest})))
        tx.execute(
            "insert into texts (digest, kind, name, version, body) values (?, ?, ?, ?, ?)",
            (digest, "checklist", "rare-earth-site", "1", text.decode()),
        )
        device = device_id(public)
        path, value = one or ("observed/headcount/place-{n}", {"value": "7"})
        each = VISIT if one is None else entries
        for log in (str(uuid.UUID(int=n + 1)) for n in range(entries // each)):
            tx.executemany(
                "insert into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)",
                _lines(public, device, log, digest, each, path.replace("{device}", device), value),
            )
    if one is not None:
        store.database.close()
        return home
    recorder = Recorder(store, Library(store.database), store.identity(), NOW)
    begun = start(recorder, str(FACILITY["id"]), new=True)
    for item in ("GEN-G1", "GEN-G2", "GEN-G3"):
        answer(recorder, begun.inspection, item, ["FM"])
    store.database.close()
    return home


def _lines(
    public: bytes, device: str, log: str, checklist: str, count: int, path: str, value: Any
) -> Iterator[tuple[str, str, int, str, bytes, bytes]]:
    h = genesis(public, log)
    about = {"facility": FACILITY["id"], "checklist": checklist, "mode": "live"}
    for seq in range(1, count + 1):
        at = "about" if seq == 1 else path.replace("{n}", str(seq))
        line = write_line(seq, NOW + seq, "p-1", at, about if seq == 1 else value, None)
        h = link(h, line)
        yield log, device, seq, at, line, h
