"""Settings that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tapak", deadline=None, print_blob=True)
settings.load_profile("tapak")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files beside the project; tests that need it skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of shared real files is not beside the project")
    return folder
