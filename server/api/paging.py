"""How long lists are read: by the last id of the page before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from marshmallow import Schema, fields, validate

T = TypeVar("T")


class PageSchema(Schema):
    """Where a page starts: after this id, or at the beginning."""

    after = fields.String(load_default="", validate=validate.Length(max=80))


def page_of(
    read: Callable[[str, int], list[T]], after: str, limit: int, name: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of at most `limit` things, and the id to go on after, or None at the end."""
    found = read(after, limit + 1)
    return found[:limit], name(found[limit - 1]) if len(found) > limit else None
