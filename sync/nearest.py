"""What somebody may have meant: the nearest of the words that are known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[object], count: int = 3) -> str:
    """The nearest of the known words, for a message; all of them where they are few."""
    words = [str(k) for k in known]
    if not words:
        return "none are here"
    by_folded = {w.casefold(): w for w in words}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=count, cutoff=0.4)
    chosen = [by_folded[c] for c in close] or sorted(words)[: 2 * count]
    return ", ".join(chosen)
