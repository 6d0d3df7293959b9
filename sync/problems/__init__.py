"""The error catalogue: what happened, what is safe, what to do. Both ends speak it."""

from __future__ import annotations

from typing import Any

from sync.problems import (
    backups,
    bundles,
    conflict,
    device,
    files,
    inspections,
    log,
    people,
    places,
    protected,
    standard,
    talking,
)
from sync.problems.kind import Kind, Problem

__all__ = ["CATALOGUE", "Kind", "Problem", "problem"]

CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        *log.KINDS,
        *inspections.KINDS,
        *files.KINDS,
        *places.KINDS,
        *conflict.KINDS,
        *standard.KINDS,
        *device.KINDS,
        *talking.KINDS,
        *bundles.KINDS,
        *protected.KINDS,
        *backups.KINDS,
        *people.KINDS,
    )
}


def problem(code: str, **detail: Any) -> Problem:
    """The catalogue error `code` with its blanks filled from `detail`; an unknown code is a bug."""
    return Problem(CATALOGUE[code], detail)
