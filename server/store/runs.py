"""A run of lines as one value: packed when it is stored, cut into its lines when it is read."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_HASH = 32


def pack(lines: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The lines, each with a line feed behind it, and their lengths (4 bytes each, big-endian)."""
    return b"\n".join([*lines, b""]), pack_numbers([len(line) for line in lines])


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Numbers below 2^32 as a column holds them: 4 bytes each, big-endian."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def numbers_in(packed: bytes) -> list[int]:
    """What `pack_numbers` was given; what is left of a damaged one is left out."""
    return list(struct.unpack(f">{len(packed) // 4}I", packed[: len(packed) // 4 * 4]))


def cut(packed: bytes, lengths: bytes) -> list[bytes]:
    """The lines that `pack` was given.

    Where bytes were damaged, the lines around them still come out as they lie there: a line whose
    line feed is gone carries what stands in its place, so that its hash shows it.
    """
    found: list[bytes] = []
    at = 0
    for length in numbers_in(lengths):
        found.append(packed[at : at + length + 1].removesuffix(b"\n"))
        at += length + 1
    return found


def fits(packed: bytes, lengths: bytes, hashes: bytes | None, count: int) -> bool:
    """Whether the columns of a run agree on how many lines it has and how long they are."""
    told = numbers_in(lengths)
    marks = len(lengths) == 4 * count and (hashes is None or len(hashes) == _HASH * count)
    return marks and sum(told) + count == len(packed)


def hashes_in(hashes: bytes | None) -> Iterator[bytes]:
    """The chain hashes that stand in a run's column, in order."""
    for at in range(0, len(hashes or b""), _HASH):
        yield (hashes or b"")[at : at + _HASH]


def hash_in(hashes: bytes, n: int) -> bytes:
    """The n-th chain hash of a run, from 0."""
    return hashes[n * _HASH : (n + 1) * _HASH]
