"""Workbooks (.xlsx) as bytes -> sheets of texts, and back, by openpyxl, within fixed bounds.

What a workbook may hold is looked at before openpyxl opens it: a small file can unpack to much,
and openpyxl keeps the texts and styles of a workbook in memory.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from checklists.xlsform.book import Cell, Place, Sheet, Table
from sync.problems import Problem, problem

MAX_BYTES = 5_000_000  # the file
MAX_PARTS = 2_000
MAX_SHEET = 16_000_000  # a sheet unpacked
MAX_TEXTS = 8_000_000  # the texts of all sheets, unpacked
MAX_OTHER = 1_000_000  # any other part of XML, such as the styles
MAX_UNPACKED = 40_000_000  # all parts together
MAX_TAGS = 1_000_000  # in a sheet or the texts: the parser keeps some hundred bytes of each
MAX_OTHER_TAGS = 40_000
MAX_VISITED = 2_000_000  # rows and cells, empty ones among them
MAX_CELLS = 250_000
MAX_TEXT = 32_767  # characters in a cell: what spreadsheets themselves allow
_WANTED = frozenset(("survey", "choices", "settings"))
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml\Z")
_ENTITIES = (b"<!DOCTYPE", b"<!ENTITY")
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - a workbook's dates have no zone


def read_workbook(data: bytes, name: str) -> tuple[dict[str, Sheet], list[str]]:
    """The sheets survey, choices and settings, whatever their case, and the names of all others.

    Raises `xlsform-unreadable` for what is not a workbook, and `xlsform-too-large`.
    """
    _look(data, name)
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to load, and rarely wanted

    try:
        with warnings.catch_warnings():
            # It warns of what it leaves out (extensions, validation): none of that is read here.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            found: dict[str, Any] = {}
            others: list[str] = []
            for title in book.sheetnames:
                key = title.strip().casefold()
                # A sheet of charts has no rows.
                if key in _WANTED - found.keys() and hasattr(book[title], "iter_rows"):
                    found[key] = book[title]
                else:
                    others.append(title)
            visited = itertools.count(1)
            read = {key: _sheet(sheet, key, name, visited) for key, sheet in found.items()}
            return read, others
    except Problem:
        raise
    except MemoryError as exc:
        raise problem("xlsform-too-large", name=name, what="what it unpacks to") from exc
    except Exception as exc:
        # On bytes that no spreadsheet wrote openpyxl fails in whatever way comes first.
        why = f"its parts do not make a workbook ({type(exc).__name__})"
        raise problem("xlsform-unreadable", name=name, why=why) from exc


def write_workbook(tables: Iterable[Table]) -> bytes:
    """The tables as the sheets of a workbook: texts only, the same tables the same bytes."""
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = _EPOCH
    for table in tables:
        sheet = book.create_sheet(table.name)
        sheet.freeze_panes = "A2"
        sheet.append(table.columns)
        for row in table.rows:
            cells: list[Any] = []
            for column in table.columns:
                cell = WriteOnlyCell(sheet, row.get(column))
                if cell.value is not None:
                    cell.data_type = "s"  # never a formula, whatever the text begins with
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return _without_moments(out.getvalue())


def _without_moments(data: bytes) -> bytes:
    """The same archive with one date on all of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w") as made:
        for part in given.infolist():
            info = zipfile.ZipInfo(part.filename)
            info.compress_type = zipfile.ZIP_DEFLATED
            body = given.read(part)
            if part.filename == "docProps/core.xml":
                body = re.sub(rb"(W3CDTF\">)[^<]*<", rb"\g<1>1980-01-01T00:00:00Z<", body)
            made.writestr(info, body)
    return out.getvalue()


# -- before openpyxl ------------------------------------------------------------------------------


def _look(data: bytes, name: str) -> None:
    if len(data) > MAX_BYTES:
        raise problem("xlsform-too-large", name=name, what=f"more than {MAX_BYTES} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise problem("xlsform-too-large", name=name, what=f"{len(parts)} parts")
            if "[Content_Types].xml" not in {part.filename for part in parts}:
                why = "it is an archive of other things"
                raise problem("xlsform-unreadable", name=name, why=why)
            unpacked = sum(part.file_size for part in parts)
            if unpacked > MAX_UNPACKED:
                what = f"{unpacked} bytes unpacked"
                raise problem("xlsform-too-large", name=name, what=what)
            for part in parts:
                _look_at(archive, part, name)
    except zipfile.BadZipFile as exc:
        raise problem("xlsform-unreadable", name=name, why=_kind(data)) from exc
    except (RuntimeError, NotImplementedError, OSError, EOFError, ValueError, zlib.error) as exc:
        raise problem("xlsform-unreadable", name=name, why="its archive is damaged") from exc


def _look_at(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    # Any part can be made a sheet by the relations, so all are looked at; pictures may be large.
    most, tags = MAX_BYTES, MAX_OTHER_TAGS
    if _SHEET.match(part.filename):
        most, tags = MAX_SHEET, MAX_TAGS
    elif part.filename == "xl/sharedStrings.xml":
        most, tags = MAX_TEXTS, MAX_TAGS
    elif part.filename.endswith((".xml", ".rels")):
        most = MAX_OTHER
    if part.file_size > most:  # zipfile never gives more bytes of a part than it says here
        raise problem(
            "xlsform-too-large", name=name, what=f"{part.filename}, {part.file_size} bytes unpacked"
        )
    with archive.open(part) as body:
        before = b""
        while piece := body.read(1 << 16):
            # Looked for without the zeros, by which UTF-16 would hide them.
            seen = (before + piece).replace(b"\0", b"")
            if any(word in seen for word in _ENTITIES):
                why = f"{part.filename} declares entities, which no spreadsheet does"
                raise problem("xlsform-unreadable", name=name, why=why)
            before = piece[-32:]
            tags -= piece.count(b"<") - piece.count(b"</")
            if tags < 0:
                what = f"{part.filename} has more elements than a form needs"
                raise problem("xlsform-too-large", name=name, what=what)


def _kind(data: bytes) -> str:
    """What a file that is no archive seems to be, for the message."""
    if not data:
        return "it holds no bytes"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "it is a workbook of the old kind (.xls), or one with a password"
    if data.startswith(b"PK"):
        return "its archive is cut off or damaged"
    if data.lstrip().startswith(b"|"):
        return "it is a table written as text"
    if data.lstrip().startswith(b"<"):
        return "it is XML or HTML, such as a form that was converted already"
    return "it is not an archive, as workbooks are"


# -- cells ----------------------------------------------------------------------------------------


def _sheet(sheet: Any, key: str, name: str, visited: itertools.count[int]) -> Sheet:
    sheet.reset_dimensions()  # what a sheet says of its size need not be so
    rows: list[dict[int, Cell]] = []
    held = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells: dict[int, Cell] = {}
        for column, one in enumerate((None, *row)):
            if next(visited) > MAX_VISITED:
                what = f"more than {MAX_VISITED} rows and cells, up to row {number} of {key}"
                raise problem("xlsform-too-large", name=name, what=what)
            if one is None or one.value is None:
                continue
            cell = _cell(one, Place(key, number, column))
            if cell.text or cell.trouble:
                cells[column] = cell
        held += len(cells)
        if held > MAX_CELLS:
            what = f"more than {MAX_CELLS} cells with something in them in {key}"
            raise problem("xlsform-too-large", name=name, what=what)
        if cells:
            rows.append(cells)
    return Sheet(key, tuple(rows))


def _cell(one: Any, place: Place) -> Cell:
    value = one.value
    if one.data_type == "f":
        return Cell("", place, "a formula")
    if one.data_type == "e":
        return Cell("", place, f"the error value {str(value)[:20]}")
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", place)
    if isinstance(value, float):
        # Spreadsheets keep every number as a binary one: 3 comes back as 3.0.
        return Cell(
            str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value), place
        )
    if isinstance(value, datetime | date | time):
        return Cell(value.isoformat(), place)
    text = str(value).strip()
    if len(text) > MAX_TEXT:
        return Cell("", place, f"{len(text)} characters; a cell holds {MAX_TEXT} at most")
    return Cell(text, place)
