"""Stories that Hypothesis tells and, where one does not hold, shrinks (L4, L6, S1 to S6)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Laboratory

pytestmark = pytest.mark.xdist_group("faults")


def test_no_story_that_hypothesis_finds_loses_doubles_or_overwrites_anything() -> None:
    run_state_machine_as_test(
        Laboratory,
        settings=settings(
            max_examples=8,
            stateful_step_count=14,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Laboratory.tally.kinds
