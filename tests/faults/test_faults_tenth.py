"""A tenth of the fault laboratory: stories under every fault (L2, L4, L6, S1, S2, S3, S4, S5, S6).

The seed stands here, so that a change is held against the same stories as the one before it;
TAPAK_SEED gives another. `make faults` draws a new one each time.
"""

from __future__ import annotations

import os

import pytest

from .run import KILLS, STORIES, kill, simulate

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def seed() -> int:
    drawn = int(os.environ.get("TAPAK_SEED", "20261129"))
    print(f"TAPAK_SEED={drawn}")
    return drawn


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_tenth_of_the_kills_of_real_processes_loses_nothing(seed: int, database: str) -> None:
    """S2, S4, S6"""
    done = kill(seed, database, KILLS // 20)
    assert done.failures == {}


def test_a_tenth_of_the_stories_ends_with_nothing_lost_doubled_or_overwritten(seed: int) -> None:
    done = simulate(seed, range(STORIES // 10))
    assert done.failures == {}
    assert done.faults >= done.stories * 8
