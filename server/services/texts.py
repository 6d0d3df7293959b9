"""Texts that people type for others to read: how long they may be, and that they can be stored."""

from __future__ import annotations

from server.store.types import storable
from sync.problems import problem


def check_text(field: str, text: str, longest: int) -> str:
    """The text without the space around it; raises `fields-malformed` when it cannot be kept."""
    if not text.strip() or len(text) > longest:
        raise problem("fields-malformed", why=f"{field}: give 1 to {longest} characters")
    if storable(text) != text:
        raise problem("fields-malformed", why=f"{field}: it holds a character that is none")
    return text.strip()
