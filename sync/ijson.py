"""I-JSON as L3 narrows it: parsed strictly, and its nesting found without parsing (S12).

Rules cited are those of the sync protocol, version 1 (docs/protocol.md).
"""

from __future__ import annotations

import json
from typing import Any

MAX_NESTING = 16
MAX_INTEGER = 2**53 - 1


def nesting(data: bytes) -> int:
    """The deepest nesting of arrays and objects in JSON bytes, found without parsing them (S12)."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return deepest


def too_deep(data: bytes) -> bool:
    """Whether JSON bytes nest deeper than is allowed (S12)."""
    # Most lines open few brackets in all, so they cannot be deep: counting is far cheaper.
    return data.count(b"[") + data.count(b"{") > MAX_NESTING and nesting(data) > MAX_NESTING


def strict_json(data: bytes) -> Any:
    """Parse I-JSON (RFC 7493) as L3 narrows it: no duplicate keys, no lone surrogates, integers
    within 2^53, no other numbers. Raises ValueError saying what is wrong.
    """
    if too_deep(data):
        raise ValueError(f"nested deeper than {MAX_NESTING}")
    text = data.decode("utf-8")
    value = _STRICT.decode(text)
    if "\\u" in text:
        _no_surrogates(value)
    return value


def shortly(exc: BaseException) -> str:
    """What an error says, short enough to be shown."""
    return str(exc)[:120]


# -- inside ---------------------------------------------------------------------------------------


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for n, key in enumerate(keys) if key in keys[:n])
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return found


def _bounded_int(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("an integer is beyond 2^53")
    return int(text)


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not an integer; measured values are decimal strings")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_int=_bounded_int,
    parse_float=_no_float,
    parse_constant=_no_float,
)


def _no_surrogates(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list):
        for inner in value:
            _no_surrogates(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            key.encode("utf-8")
            _no_surrogates(inner)
