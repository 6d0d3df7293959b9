"""The fixture of the stories: a running server and an enrolled laptop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_region import SITE, Region, free_port
from team import BUDI

from server.demo.processes import Stage


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    """A set-up server that is running, and an enrolled, prepared laptop."""
    made = Region(Stage(tmp_path, "127.0.0.1", free_port()))
    try:
        made.set_up()
        made.serve()
        made.enrol()
        yield made
    finally:
        made.end()


@pytest.fixture
def team(region: Region) -> Iterator[Region]:
    """The region with a second auditor, whose laptop is enrolled and prepared too."""
    tapak = region.stage.tapak
    words = ("person", "add", BUDI, "--name", "Budi", "--role", "auditor")
    where = ("--jurisdiction", "asean", "--password-stdin")
    tapak("admin", *words, *where, given=region.password + "\n")
    when = ("--from", "2026-02-01", "--to", "2036-01-01", "--purpose", "yearly")
    tapak("admin", "assign", SITE.id, BUDI, *when)
    link = json.loads(tapak("admin", "invite", BUDI, "--json"))["link"]
    for given in (("enrol", link), ("prepare",)):
        region.stage.fieldkit(BUDI, *given)
    yield region
