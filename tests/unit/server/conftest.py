"""A fresh real server for each test: tables, files and keys in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from region import Clock, make_context, make_region

from server.context import Context


@pytest.fixture(scope="session")
def region_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region made once; tests work on copies of the whole folder."""
    folder = tmp_path_factory.mktemp("region")
    make_region(folder).db.close()
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def region(region_folder: Path, tmp_path: Path, clock: Clock) -> Iterator[Context]:
    """The made-up region of region.py, with nothing inspected yet."""
    shutil.copytree(region_folder / "server", tmp_path / "server")
    ctx = make_context(tmp_path, clock)
    yield ctx
    ctx.db.close()
