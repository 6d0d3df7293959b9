"""A fresh real server for each test: tables, files and keys in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_postgres import Postgres
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
def region(region_in_a_file: Context) -> Context:
    """The made-up region of region.py, with nothing inspected yet."""
    return region_in_a_file


@pytest.fixture
def region_in_a_file(region_folder: Path, tmp_path: Path, clock: Clock) -> Iterator[Context]:
    shutil.copytree(region_folder / "server", tmp_path / "server")
    ctx = make_context(tmp_path, clock)
    yield ctx
    ctx.db.close()


@pytest.fixture(scope="session")
def region_on_postgres(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The same region made once on PostgreSQL: its folder, and its database to be copied."""
    folder, name = tmp_path_factory.mktemp("region-on-postgres"), postgres.migrated()
    make_region(folder, database=postgres.url(name)).db.close()
    return folder, name


@pytest.fixture(params=("sqlite", "postgresql"))
def either_region(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[Context]:
    """The made-up region once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("region_in_a_file")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    folder, template = request.getfixturevalue("region_on_postgres")
    shutil.copytree(folder / "server", tmp_path / "server")
    name = postgres.copy_of(template)
    ctx = make_context(tmp_path, clock, postgres.url(name))
    yield ctx
    ctx.db.close()
    postgres.drop(name)
