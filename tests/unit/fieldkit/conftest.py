"""Real stores, files and keys in a fresh folder; the office is the one of the contract tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "contract"))

from field_device import FieldDevice, busy_office
from memory_server import Office


@pytest.fixture
def office() -> Office:
    """An office that has something for its auditors: a facility and all that a visit needs."""
    return busy_office()


@pytest.fixture
def device(tmp_path: Path, office: Office) -> FieldDevice:
    """A device that is enrolled and has synced once."""
    made = FieldDevice(tmp_path / "device", office)
    made.enrol()
    made.sync()
    return made
