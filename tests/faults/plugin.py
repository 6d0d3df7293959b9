"""For pytest: puts the breakage in place that the environment names, before anything is tested."""

from __future__ import annotations

import os

from .broken import ENVIRONMENT, every


def pytest_configure() -> None:
    """Break what is to be broken, for the whole run."""
    name = os.environ[ENVIRONMENT]
    (broken,) = [one for one in every() if one.name == name]
    for where, member, value in broken.swaps():
        setattr(where, member, value)
