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
    Kind(
        "conflict-rows",
        422,
        "{count} rows of {name} cannot be used. {first}",
        _AS_BEFORE,
        "Mend them and import again; tapak conflict rejected {snapshot} lists them all. With "
        "--skip-faulty the others are imported without them.",
    ),
    Kind(
        "conflict-empty",
        422,
        "There is nothing in {name} below its header that can be used.",
        _AS_BEFORE,
        "Export the file again: an empty one would look like a quiet country.",
    ),
    Kind(
        "conflict-terms",
        409,
        "{source} has terms that are to be accepted before its data are imported. {terms}",
        NOTHING_STORED,
        "Import again with --accept-terms, if you accept them and your use is allowed.",
    ),
    Kind(
        "conflict-busy",
        409,
        "Another import of conflict events is under way.",
        NOTHING_STORED,
        "Try again when it is done; one that was broken off is forgotten after ten minutes.",
    ),
    Kind(
        "conflict-add",
        409,
        "There is no {source} data yet that a file could be laid over.",
        NOTHING_STORED,
        "Import a whole export first, without --add.",
    ),
)
