"""A table as a file: what is written comes back, and what is not a table's file is named."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.services.backup_folder import DamagedError
from server.services.backup_part import check_part, read_rows, read_shape, write_part
from server.store.copying import Row, Shape
from sync.problems import Problem

COLUMNS = (("id", "integer"), ("name", "text"), ("body", "bytes"), ("on", "boolean"))
SHAPE = Shape("things", COLUMNS, ("id",), ("name",))

_ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(st.characters()),
        st.none() | st.binary(max_size=300),
        st.none() | st.booleans(),
    ),
    max_size=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS)
def test_any_row_comes_back_as_it_was(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "things.gz"
    path.unlink(missing_ok=True)
    part = write_part(path, SHAPE, rows)
    assert (part.table, part.rows, part.size) == ("things", len(rows), path.stat().st_size)
    assert check_part(path, part) is None
    assert read_shape(path) == SHAPE
    assert list(read_rows(path, SHAPE)) == rows


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    rows = [(n, f"{n}", b"x" * n, None) for n in range(9)]
    parts = [write_part(tmp_path / name, SHAPE, rows) for name in ("a", "b")]
    assert parts[0] == parts[1]


@pytest.mark.parametrize(
    "row", [("1", "a", b"", True), (1, b"a", b"", True), (1, "a", "b", True), (1, "a", b"", 1)]
)
def test_a_value_of_another_kind_than_its_column_is_named_by_table_and_column(
    tmp_path: Path, row: Row
) -> None:
    """SQLite keeps whatever it is given; such a row was damaged."""
    with pytest.raises(Problem) as raised:
        write_part(tmp_path / "x", SHAPE, [row])
    assert raised.value.code == "table-unreadable"
    assert "things" in raised.value.happened


HEAD = (
    b'{"table":"things","columns":[["id","integer"],["name","text"],["body","bytes"],'
    b'["on","boolean"]],"key":["id"],"to_itself":[]}\n'
)


@pytest.mark.parametrize(
    "data",
    [
        b"not gzip",
        gzip.compress(HEAD + b'[1,"a","",true]\n', mtime=0)[:-9],
        gzip.compress(HEAD + b'[1,"a",""]\n', mtime=0),
        gzip.compress(HEAD + b'[1,"a","?",true]\n', mtime=0),
        gzip.compress(HEAD + b'[1,"a",7,true]\n', mtime=0),
        gzip.compress(HEAD + b'["1","a","",true]\n', mtime=0),
        gzip.compress(HEAD + b'[1,"a","",1]\n', mtime=0),
        gzip.compress(HEAD + b"{}\n", mtime=0),
        gzip.compress(HEAD + b"[1,\n", mtime=0),
        gzip.compress(b"", mtime=0),
        gzip.compress(b"[]\n", mtime=0),
        gzip.compress(
            b'{"table":"t","columns":[["id","float"]],"key":[],"to_itself":[]}\n', mtime=0
        ),
    ],
)
def test_what_is_not_a_tables_file_is_damage_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "things.gz"
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        list(read_rows(path, read_shape(path)))


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        path = tmp_path / f"{count}.gz"
        write_part(path, SHAPE, rows(count))
        assert sum(1 for _ in read_rows(path, read_shape(path))) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def rows(count: int) -> Iterator[tuple[Any, ...]]:
        return ((n, f"row {n}", b"some bytes" * 20, True) for n in range(count))

    peak(10)
    assert peak(20_000) < 2 * peak(200) + 100_000
