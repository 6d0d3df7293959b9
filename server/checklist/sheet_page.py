"""A checklist's sheet as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

import server

_TEMPLATES = Path(__file__).parent / "templates"
_TOKENS = Path(server.__file__).parent / "pages" / "static" / "tokens.css"


def page(laid: Mapping[str, Any]) -> bytes:
    """The page of a sheet (checklists/sheet.py), its style in it: it asks for no other file."""
    env = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    made = env.get_template("sheet.html").render(
        sheet=laid,
        tokens=_TOKENS.read_text(encoding="utf-8"),
        style=(_TEMPLATES / "sheet.css").read_text(encoding="utf-8"),
    )
    return made.encode()
