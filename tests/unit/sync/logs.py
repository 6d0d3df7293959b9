"""Devices and logs made for the tests of the lowest floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.log import Head, Record, Segment, device_id, genesis, link, read_line, sign_head
from sync.log import write_line as write

INSPECTION = "0f8fad5b-d9cb-469f-a165-70867728950e"


@dataclass
class Device:
    """A key and one log on one inspection."""

    seed: int
    inspection: str = INSPECTION
    lines: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    person: str = "p-aaaaaaaa"

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)
        self.public_key = self.key.public_key().public_bytes_raw()
        self.id = device_id(self.public_key)
        self.start = Head(0, genesis(self.public_key, self.inspection))

    @property
    def head(self) -> Head:
        return Head(len(self.lines), self.hashes[-1]) if self.lines else self.start

    def write(
        self, path: str, value: Any, *, at: int = 1_000, replaces: list[str] | None = None
    ) -> str:
        """Append an entry; its chain hash in hex."""
        line = write(len(self.lines) + 1, at, self.person, path, value, replaces)
        return self.write_raw(line)

    def write_raw(self, line: bytes) -> str:
        h = link(self.head.h, line)
        self.lines.append(line)
        self.hashes.append(h)
        return h.hex()

    def segment(self, first: int = 1, last: int | None = None) -> Segment:
        end = last or len(self.lines)
        return Segment(
            self.id,
            self.inspection,
            first,
            tuple(self.lines[first - 1 : end]),
            sign_head(self.key, self.hashes[end - 1]),
        )

    def records(self) -> list[Record]:
        return [
            read_line(line, self.id, self.inspection, i + 1, self.hashes[i].hex())
            for i, line in enumerate(self.lines)
        ]
