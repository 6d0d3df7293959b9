"""The fixtures of the stories: a running server, the enrolled laptops of one auditor or two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from once import Once
from small_region import Region, free_port, region_in
from team import joined

from server.demo.processes import Stage


@pytest.fixture
def region(tmp_path: Path, once: Once) -> Iterator[Region]:
    """A set-up server that is running, and an enrolled, prepared laptop."""
    made = region_in(Stage(tmp_path, "127.0.0.1", free_port()), once)
    yield made
    made.end()


@pytest.fixture
def team(tmp_path: Path, once: Once) -> Iterator[Region]:
    """The region with a second auditor, whose laptop is enrolled and prepared too."""
    made = Region(Stage(tmp_path, "127.0.0.1", free_port()))
    try:
        made.begin_as(once.made("team", lambda folder: joined(folder, once)))
        yield made
    finally:
        made.end()
