"""Reading a photograph's facts, beside a bare Pillow open that decodes the pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from server.demo.pictures import picture
from sync.photo import read_photo
from tests.bench.figure import Figure, beside, rate

BATCH = 20


def figures(_folder: Path) -> Iterator[Figure]:
    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    data = picture("kiln", 1, lat=5.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)

    def facts() -> None:
        for _ in range(BATCH):
            read_photo(data)

    def bare() -> None:
        for _ in range(BATCH):
            with Image.open(io.BytesIO(data)) as image:
                image.load()

    yield beside(
        "photo facts",
        "1/s",
        lambda: rate(BATCH, facts),
        "a bare Pillow open that decodes the pixels",
        lambda: rate(BATCH, bare),
    )
