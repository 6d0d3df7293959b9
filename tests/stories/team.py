"""Two auditors on one site: what each laptop and the server make of the same inspection."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from once import Once
from small_region import SITE, free_port, region_in

from fieldkit.authors import attributed_records
from fieldkit.home import Home
from fieldkit.store import Store
from server.context import open_context
from server.demo.processes import Stage
from server.services.inspections import load_inspection
from sync.inspection import Inspection
from sync.inspection_reader import read_inspection
from sync.merge import merge

BUDI = "budi"


def joined(folder: Path, once: Once) -> None:
    """Fill the folder with the region that a second auditor has joined, whose laptop is ready."""
    region = region_in(Stage(folder, "127.0.0.1", free_port()), once)
    try:
        tapak = region.stage.tapak
        words = ("person", "add", BUDI, "--name", "Budi", "--role", "auditor")
        where = ("--jurisdiction", "asean", "--password-stdin")
        tapak("admin", *words, *where, given=region.password + "\n")
        when = ("--from", "2026-02-01", "--to", "2036-01-01", "--purpose", "yearly")
        tapak("admin", "assign", SITE.id, BUDI, *when)
        link = json.loads(tapak("admin", "invite", BUDI, "--json"))["link"]
        for given in (("enrol", link), ("prepare",)):
            region.stage.fieldkit(BUDI, *given)
    finally:
        region.end()


def state(inspection: Inspection) -> bytes:
    """An inspection's merged state as bytes; tracks never leave the office."""
    lists = {"unread": (), "conflicts": tuple(sorted(inspection.conflicts))}
    return repr(replace(inspection, tracks={}, **lists)).encode()


def on_laptop(stage: Stage, person: str, inspection: str) -> bytes:
    store: Store = Home(stage.home(person)).open_store()
    return state(read_inspection(inspection, merge(attributed_records(store, inspection))))


def on_server(stage: Stage, inspection: str) -> bytes:
    ctx = open_context(stage.settings())
    with ctx.db.read() as tx:
        loaded = load_inspection(tx, inspection)
    ctx.db.close()
    assert loaded is not None
    return state(loaded.current)
