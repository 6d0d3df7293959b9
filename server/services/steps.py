"""How far a long piece of work is, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What is under way; `done` of `total` bytes, where the total is known."""

    doing: str
    done: int = 0
    total: int = 0


Tell = Callable[[Step], None]


def silent(_step: Step) -> None:
    """For work that nobody watches."""
