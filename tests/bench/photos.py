"""Reading a photograph's facts, beside a bare Pillow open that decodes the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from server.demo.pictures import picture
from sync.photo import read_photo

Case = tuple[str, str, Callable[[], int], str, Callable[[], int]]
BATCH = 10


def cases(_folder: Path) -> Iterator[Case]:
    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    data = picture("kiln", 1, lat=5.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)

    def facts() -> int:
        for _ in range(BATCH):
            read_photo(data)
        return BATCH

    def bare() -> int:
        for _ in range(BATCH):
            with Image.open(io.BytesIO(data)) as image:
                image.load()
        return BATCH

    yield "photo facts read", "1/s", facts, "bare Pillow decode", bare
