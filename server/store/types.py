"""Column types that mean the same on both databases: text in the order of its bytes, counters."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Dialect, Integer, TypeDecorator
from sqlalchemy.types import TypeEngine

# A number that goes on for the life of a server. SQLite's rowid, which numbers by itself, is
# spelled INTEGER; its integers have 64 bits however they are spelled.
Counter = BigInteger().with_variant(Integer(), "sqlite")

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST_KEY = 400
_SHOWN = 200


def storable(text: str) -> str:
    """The text with U+FFFD for what no text column holds: NUL, and halves of surrogate pairs.

    What a device said stays whole in its log's bytes; columns only repeat it to be found by.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def storable_key(text: str) -> str:
    """A text that an index can hold: one of more than 400 characters by its beginning and digest.

    PostgreSQL's index entries end at 2,704 bytes.
    """
    whole = storable(text)
    if len(whole) <= _LONGEST_KEY:
        return whole
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{whole[:_SHOWN]}… SHA-256 {digest}"


class Text(TypeDecorator[str]):
    """Text that is compared and sorted by its bytes, wherever the database is set up to live."""

    impl = sqlalchemy.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(sqlalchemy.Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Key(Text):
    """Text of any length that clients send and that is looked up by."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable_key(value)
