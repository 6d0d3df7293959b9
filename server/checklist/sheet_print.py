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

from sync.problems import problem

if TYPE_CHECKING:
    import typst

_TEMPLATE = Path(__file__).parent / "templates" / "sheet.typ"
# Packages that bring fonts, and the folder in each: Latin, then Thai, Lao, Khmer and Burmese.
_FONTS = (("fontpkg_noto_sans", "files"), ("justmytype_intl_sea", "fonts"))
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
    folders: Sequence[Path],
    kind: Literal["pdf", "png"],
    ppi: int | None = None,
) -> list[bytes]:
    found = [_fonts_of(*one) for one in _FONTS]
    if find_spec("typst") is None or None in found:
        raise problem("print-missing")
    import typst  # noqa: PLC0415 - the extra may not be there

    paths = [*(str(one) for one in found), *(str(one) for one in folders)]
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


def _fonts_of(package: str, folder: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / folder


def _glyphs(exc: typst.TypstError) -> Exception:
    missing = dict.fromkeys("".join(_NO_GLYPH.findall(exc.diagnostic)))
    if not missing:
        return exc
    shown = ", ".join(f"{one} (U+{ord(one):04X})" for one in list(missing)[:8])
    return problem("glyphs-missing", shown=shown, count=len(missing))
