"""The fixture of the stories: a running server and an enrolled laptop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_region import Region, free_port

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
