"""The fonts of the extra `print`: folders for Typst, and what a page carries along of them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

# Packages that bring fonts, and the folder in each: Latin, then Thai, Lao, Khmer and Burmese.
_PACKAGES = (("fontpkg_noto_sans", "files"), ("justmytype_intl_sea", "fonts"))
# Where the region's own scripts begin; every system has fonts for Latin.
_FIRST = 0x0E00


def folders() -> list[Path]:
    """The folders of the fonts, one for each package that is installed."""
    found = []
    for package, folder in _PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent / folder)
    return found


def complete() -> bool:
    """Whether all packages are installed."""
    return len(folders()) == len(_PACKAGES)


def faces(text: str) -> str:
    """CSS that carries the fonts for the characters of the text that are not Latin, no more than
    them; empty where it has none or the extra is not installed.
    """
    # A shaper takes Thai and Lao sara am apart, so what it is made of has to be there too.
    wanted = {ord(c) for c in text + normalize("NFKD", text) if ord(c) >= _FIRST}
    return "".join(_faces(wanted)) if wanted and complete() else ""


def _faces(wanted: set[int]) -> Iterator[str]:
    from fontTools import subset  # noqa: PLC0415 - comes with the extra
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    for file in sorted(folders()[-1].rglob("*.ttf")):
        # The dates in a font stay as they are, so that a page has the same bytes each time.
        font = TTFont(file, recalcTimestamp=False)
        here = wanted & set(font.getBestCmap())
        here = {code for code in here if not 0x2000 <= code < 0x3000}
        if not here:
            continue
        family = font["name"].getDebugName(1)
        cut = subset.Subsetter(subset.Options(layout_features=["*"], recalc_timestamp=False))
        cut.populate(unicodes=here)
        cut.subset(font)
        font.flavor = "woff"
        body = BytesIO()
        font.save(body)
        data = base64.b64encode(body.getvalue()).decode()
        yield (
            f'@font-face {{ font-family: "{family}"; font-weight: 100 900;'
            f" src: url(data:font/woff;base64,{data}); }}\n"
        )
