"""Clocks that go wrong: back a year, to 1970, to 2099, far ahead; and right again."""

from __future__ import annotations

import random
from dataclasses import dataclass

NOON = 1_795_435_200_000  # 2026-11-23, 12:00 UTC
HOUR, DAY, YEAR = 3_600_000, 86_400_000, 365 * 86_400_000
WRONG = {
    "back an hour": -HOUR,
    "back a year": -YEAR,
    "to 1970": -NOON + DAY,
    "to 2099": 73 * YEAR,
    "ahead a day": DAY,
    "ahead a year": YEAR,
}


@dataclass
class World:
    """The time that it really is, UTC milliseconds; it moves with every look at a clock."""

    now: int = NOON

    def pass_by(self, milliseconds: int) -> None:
        self.now += milliseconds


@dataclass
class Clock:
    """One computer's clock: what it shows is wrong by so many milliseconds."""

    world: World
    wrong: int = 0

    def __call__(self) -> int:
        self.world.pass_by(250)
        return max(self.world.now + self.wrong, 0)

    def jump(self, dice: random.Random) -> str:
        """Go wrong in one of the known ways; which one."""
        how = dice.choice(sorted(WRONG))
        self.wrong = WRONG[how]
        return how

    def set_right(self) -> None:
        self.wrong = 0
