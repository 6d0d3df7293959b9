"""Workbooks made to harm: refused with a problem of the catalogue, within bounded memory."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from checklists.xlsform.workbook import MAX_BYTES, MAX_OTHER_TAGS, MAX_TAGS, MAX_UNPACKED
from tests.unit.checklists.xlsform_forms import MAIN, SHEET, cells, changed, sheet, workbook

RELATIONS = "xl/_rels/workbook.xml.rels"
MOST_MEMORY = 400_000_000  # bytes, of the whole process


def relations(old: str, new: str) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook())) as given:
        return given.read(RELATIONS).decode().replace(old, new)


HEAD = cells(1, "type", "name", "label")
DOCTYPE = '<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/hostname"><!ENTITY b "bbbbbbbb">]>'
ENTITIES = DOCTYPE + sheet(HEAD + cells(2, "integer", "n", "&a;&b;"))


def lying() -> bytes:
    """A workbook whose sheet says that it is smaller than it is."""
    body = sheet(HEAD + " " * 17_000_000)
    return changed({SHEET: body}).replace(struct.pack("<I", len(body)), struct.pack("<I", 1_000))


def locked() -> bytes:
    """A workbook that says that its parts are encrypted."""
    data = bytearray(workbook())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data)


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes": ("xlsform-unreadable", lambda: b""),
    "a text": ("xlsform-unreadable", lambda: b"| survey |\n| | type | name |"),
    "XML": ("xlsform-unreadable", lambda: b"<?xml version='1.0'?><h:html/>"),
    "an old workbook": ("xlsform-unreadable", lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 4_000),
    "cut off": ("xlsform-unreadable", lambda: workbook()[:2_000]),
    "another archive": ("xlsform-unreadable", lambda: archive({"a.txt": "a"})),
    "with a password": ("xlsform-unreadable", locked),
    "a sheet that is not there": (
        "xlsform-malformed",
        lambda: changed({RELATIONS: relations("sheet1.xml", "sheet77.xml")}),
    ),
    "a sheet outside of it": (
        "xlsform-malformed",
        lambda: changed({RELATIONS: relations("worksheets/sheet1.xml", "../../etc/passwd")}),
    ),
    "entities": ("xlsform-unreadable", lambda: changed({SHEET: ENTITIES})),
    "entities in UTF-16": (
        "xlsform-unreadable",
        lambda: changed(
            {SHEET: f'<?xml version="1.0" encoding="UTF-16"?>{ENTITIES}'.encode("utf-16")}
        ),
    ),
    "entities in a part of another name": (
        "xlsform-unreadable",
        lambda: changed(
            {
                RELATIONS: relations("worksheets/sheet1.xml", "sheet1.bin"),
                "xl/sheet1.bin": ENTITIES,
            }
        ),
    ),
    "a text that is not there": (
        "xlsform-unreadable",
        lambda: changed({SHEET: sheet('<row r="1"><c r="A1" t="s"><v>999</v></c></row>')}),
    ),
    "a column that is not there": (
        "xlsform-unreadable",
        lambda: changed({SHEET: sheet('<row r="1"><c r="ZZZZZ1"><v>1</v></c></row>')}),
    ),
    "a large file": ("xlsform-too-large", lambda: b"PK" + b"\0" * MAX_BYTES),
    "many parts": (
        "xlsform-too-large",
        lambda: changed({f"xl/media/{n}": "" for n in range(2_001)}),
    ),
    "parts that unpack to much": (
        "xlsform-too-large",
        lambda: changed(
            {f"xl/media/{n}": b"\0" * 4_000_000 for n in range(MAX_UNPACKED // 4_000_000 + 1)}
        ),
    ),
    "a sheet that unpacks to much": (
        "xlsform-too-large",
        lambda: changed({SHEET: sheet(HEAD + " " * 17_000_000)}),
    ),
    "a sheet that lies about its size": ("xlsform-unreadable", lying),
    "a million rows": (
        "xlsform-too-large",
        lambda: changed({SHEET: sheet(HEAD + "<row><c><v>1</v></c></row>" * 1_000_000)}),
    ),
    "a row far below": (
        "xlsform-too-large",
        lambda: changed({SHEET: sheet(HEAD + cells(99_999_999_999, "integer", "n"))}),
    ),
    "many columns": (
        "xlsform-too-large",
        lambda: changed({SHEET: sheet(HEAD + '<row><c r="XFD1"><v>1</v></c></row>' * 200)}),
    ),
    "as many elements as may be": (
        "xlsform-malformed",
        lambda: changed({SHEET: sheet(HEAD + "<a/>" * (MAX_TAGS - 100))}),
    ),
    "more elements than may be": (
        "xlsform-too-large",
        lambda: changed({SHEET: sheet(HEAD + "<a/>" * (MAX_TAGS + 100))}),
    ),
    "many styles": (
        "xlsform-too-large",
        lambda: changed(
            {"xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{"<xf/>" * MAX_OTHER_TAGS}</styleSheet>'}
        ),
    ),
    "elements nested deep": (
        "xlsform-malformed",
        lambda: changed({SHEET: sheet(HEAD + "<a>" * 100_000 + "</a>" * 100_000)}),
    ),
}


def archive(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, body in parts.items():
            made.writestr(name, body)
    return out.getvalue()


CHILD = """\
import json, sys
from pathlib import Path
from tests.unit.checklists.xlsform_forms import refusal
codes = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    codes[path.name] = refusal(path.read_bytes()).code
# Not getrusage: its mark begins with what the process was forked from.
highest = next(x for x in open("/proc/self/status") if x.startswith("VmHWM"))
json.dump([codes, int(highest.split()[1]) * 1024], sys.stdout)
"""


def test_each_is_refused_with_a_problem_and_memory_stays_bounded(tmp_path: Path) -> None:
    """In a process of their own, whose memory at its highest is held against a bound."""
    for name, (_, made) in HOSTILE.items():
        (tmp_path / name).write_bytes(made())
    words = [sys.executable, "-c", CHILD, str(tmp_path)]
    root = Path(__file__).parents[3]
    run = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    codes, memory = json.loads(run.stdout)
    assert codes == {name: code for name, (code, _) in HOSTILE.items()}
    assert memory < MOST_MEMORY
