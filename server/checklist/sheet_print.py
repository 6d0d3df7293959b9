"""A checklist's sheet on paper: set by Typst, with fonts for the region's scripts.

Typst and the fonts are the extra `print` of the program: 34 MB that a field laptop need not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from server.checklist import sheet_fonts
from sync.problems import problem

if TYPE_CHECKING:
    import typst

_TEMPLATE = Path(__file__).parent / "templates" / "sheet.typ"
_NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')


def pdf(laid: Mapping[str, Any], fonts: Sequence[Path] = ()) -> bytes:
    """The sheet (checklists/sheet.py) as PDF/UA, tagged so that it can be read aloud.

    `fonts` are folders with more fonts. The same sheet gives the same bytes. Raises `print-missing`
    where the extra is not installed and `glyphs-missing` where a character is in no font.
    """
    return _set(laid, fonts, "pdf")[0]


def pictures(laid: Mapping[str, Any], ppi: int, fonts: Sequence[Path] = ()) -> list[bytes]:
    """The pages of the sheet as PNG, so many pixels an inch."""
    return _set(laid, fonts, "png", ppi)


def _set(
    laid: Mapping[str, Any],
    more: Sequence[Path],
    kind: Literal["pdf", "png"],
    ppi: int | None = None,
) -> list[bytes]:
    if find_spec("typst") is None or not sheet_fonts.complete():
        raise problem("print-missing")
    import typst  # noqa: PLC0415 - the extra may not be there

    paths = [str(one) for one in (*sheet_fonts.folders(), *more)]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=paths)
    try:
        made = typst.compile(
            _TEMPLATE.read_bytes(),
            font_paths=fonts,
            format=kind,
            ppi=ppi,
            sys_inputs={"sheet": json.dumps(laid)},
            pdf_standards=["ua-1"] if kind == "pdf" else [],
        )
    except typst.TypstError as exc:
        raise _glyphs(exc) from exc
    return made if isinstance(made, list) else [made]


def _glyphs(exc: typst.TypstError) -> Exception:
    missing = dict.fromkeys("".join(_NO_GLYPH.findall(exc.diagnostic)))
    if not missing:
        return exc
    shown = ", ".join(f"{one} (U+{ord(one):04X})" for one in list(missing)[:8])
    return problem("glyphs-missing", shown=shown, count=len(missing))
