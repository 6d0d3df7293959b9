"""How long `fieldkit status` takes with much behind it: 100,000 entries beside 100, in one run."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

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
FACILITY = {"id": "bukit-contoh", "name": "Bukit Contoh", "country": "MY", "example": True}


def figures(folder: Path) -> Iterator[Figure]:
    small, large = _device(folder / "small", SMALL), _device(folder / "large", LARGE)
    yield _status("status, 100,000 entries in 1,000 inspections", large, small)
    for home in (small, large):
        set_passphrase(home, WORDS, Cost(1, 64, 1))
    yield _status("status, the same under a passphrase", large, small)


def _status(name: str, large: Home, small: Home) -> Figure:
    return beside(name, "ms", lambda: _ms(large), "with 100", lambda: _ms(small), ROUNDS)


def _ms(home: Home) -> float:
    """One command in this process: what is measured is the work, not the start of Python."""
    begin = time.perf_counter()
    words = ["--home", str(home.folder), "--json", "status"]
    done = CliRunner().invoke(cli, words, env={"FIELDKIT_PASSPHRASE": WORDS})
    taken = (time.perf_counter() - begin) * 1000
    if done.exit_code != 0 or json.loads(done.stdout)["facility"] != FACILITY["id"]:
        raise RuntimeError(done.output) from done.exception
    return taken


def _device(folder: Path, entries: int) -> Home:
    """A fictional device with so many entries in earlier inspections, and one under way."""
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
        for log in (str(uuid.UUID(int=n + 1)) for n in range(entries // VISIT)):
            tx.executemany(
                "insert into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)",
                _lines(public, device, log, digest),
            )
    recorder = Recorder(store, Library(store.database), store.identity(), NOW)
    begun = start(recorder, str(FACILITY["id"]), new=True)
    for item in ("GEN-G1", "GEN-G2", "GEN-G3"):
        answer(recorder, begun.inspection, item, ["FM"])
    store.database.close()
    return home


def _lines(
    public: bytes, device: str, log: str, checklist: str
) -> Iterator[tuple[str, str, int, str, bytes, bytes]]:
    h = genesis(public, log)
    about = {"facility": FACILITY["id"], "checklist": checklist, "mode": "live"}
    for seq in range(1, VISIT + 1):
        path = "about" if seq == 1 else f"observed/headcount/place-{seq}"
        value = about if seq == 1 else {"value": str(seq)}
        line = write_line(seq, NOW + seq, "p-1", path, value, None)
        h = link(h, line)
        yield log, device, seq, path, line, h
