"""Draws docs/img/previews: one page of each checklist, as `tapak checklist preview --pdf` sets it.

Run after a change to a checklist or to the sheet, and look at what it draws:
python -m tests.pictures
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

from checklists import published
from checklists.load import load_checklist
from checklists.sheet import sheet
from server.checklist.sheet_print import pictures

FOLDER = Path(__file__).parents[1] / "docs" / "img" / "previews"
PPI, COLOURS = 90, 32
# The language and the page, which is one that the checklist does not share with all others.
PAGES = {
    "closed-site": ("en", 7),
    "cracking-plant": ("ms", 10),
    "hard-rock-mine": ("id", 10),
    "in-situ-leaching-mine": ("my", 11),
    "logistics-hub": ("vi", 9),
    "magnet-factory": ("en", 9),
    "metal-making": ("id", 10),
    "rare-earth-chain": ("en", 16),
    "rare-earth-site": ("th", 8),
    "recycling-plant": ("ms", 10),
    "residue-storage": ("th", 9),
    "separation-plant": ("my", 11),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (language, number) in PAGES.items():
        laid = sheet(load_checklist(published.checklist_bytes(name), name), language)
        body = pictures(laid, PPI)[number - 1]
        (FOLDER / f"{name}.png").write_bytes(small(body))
        print(f"{name}: page {number}, {language}")


def small(body: bytes) -> bytes:
    """The picture with few colours, which is enough for ink on paper."""
    out = BytesIO()
    # The octree keeps the one accent, which the median cut gives up for more greys.
    drawn = Image.open(BytesIO(body)).convert("RGB")
    drawn = drawn.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
