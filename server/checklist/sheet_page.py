"""A checklist's sheet as one HTML page that needs nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

import server
from server.checklist.sheet_fonts import faces, left_to_the_reader

_TEMPLATES = Path(__file__).parent / "templates"
_TOKENS = Path(server.__file__).parent / "pages" / "static" / "tokens.css"


def page(laid: Mapping[str, Any]) -> bytes:
    """The page of a sheet (checklists/sheet.py), its style in it: it asks for no other file.

    Fonts for the scripts of its texts are in it where the extra `print` is installed.
    """
    env = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    made = env.get_template("sheet.html").render(
        sheet=laid,
        faces=faces(_letters(laid)),
        tokens=_TOKENS.read_text(encoding="utf-8"),
        style=(_TEMPLATES / "sheet.css").read_text(encoding="utf-8"),
    )
    return made.encode()


def needs_fonts(laid: Mapping[str, Any]) -> bool:
    """Whether the page can only be read where there are fonts for its script: it carries none."""
    return left_to_the_reader(_letters(laid))


def _letters(laid: Mapping[str, Any]) -> str:
    return json.dumps(laid, ensure_ascii=False)
