"""Of the catalogue: conflict events, the files they come in, and lists of areas of high risk."""

from __future__ import annotations

from sync.problems.kind import NOTHING_STORED, Kind

_AS_BEFORE = "What was imported before stays in use; nothing of this file was put in its place."

KINDS = (
    Kind(
        "conflict-source",
        422,
        "{source!r} is not a source of conflict events that is known here: {known}.",
        NOTHING_STORED,
        "Name one of those.",
    ),
    Kind(
        "conflict-header",
        422,
        "{name} does not begin with the columns that are expected: {why}.",
        _AS_BEFORE,
        "Export the file again with all its columns, or name the source that it came from.",
    ),
    Kind(
        "conflict-file",
        422,
        "{name} cannot be read as a table: {why}.",
        _AS_BEFORE,
        "Save it again as comma-separated values in UTF-8.",
    ),
)
