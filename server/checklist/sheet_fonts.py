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
# The blocks of the region's own scripts: Thai and Lao, Burmese, Khmer and the later ones of both.
# Every system has fonts for Latin, whose Vietnamese letters stand between these blocks.
_BLOCKS = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF), (0xA9E0, 0xAA7F))


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
    """CSS that carries the fonts for the characters of the region's own scripts in the text, no
    more than them; empty where it has none or the extra is not installed.
    """
    wanted = _own_letters(text)
    return "".join(_faces(wanted)) if wanted and complete() else ""


def left_to_the_reader(text: str) -> bool:
    """Whether a page with this text needs fonts that it cannot carry, for want of the extra."""
    return bool(_own_letters(text)) and not complete()


def _own_letters(text: str) -> set[int]:
    # A shaper takes Thai and Lao sara am apart, so what it is made of has to be there too.
    codes = {ord(c) for c in text + normalize("NFKD", text)}
    return {code for code in codes if any(low <= code <= high for low, high in _BLOCKS)}


def _faces(wanted: set[int]) -> Iterator[str]:
    from fontTools import subset  # noqa: PLC0415 - comes with the extra
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    for file in sorted(folders()[-1].rglob("*.ttf")):
        # The dates in a font stay as they are, so that a page has the same bytes each time.
        font = TTFont(file, recalcTimestamp=False)
        here = wanted & set(font.getBestCmap())
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
