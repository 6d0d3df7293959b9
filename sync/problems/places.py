"""Places, outlines and tracks."""

from __future__ import annotations

from sync.problems.kind import KEPT, NOTHING_STORED, Kind

KINDS = (
    Kind(
        "track-unreadable",
        422,
        "{name} cannot be read as a track: {why}. {read}",
        "The file itself was not touched, and nothing was attached.",
        "Save the track again as GPX 1.1 or NMEA, a long one in parts; a damaged file is kept by "
        "fieldkit attach --kind track.",
    ),
    Kind(
        "track-none",
        409,
        "The inspection has no track with times in it.",
        KEPT,
        "Attach one with fieldkit track FILE, then place the photos again.",
    ),
    Kind(
        "offset-malformed",
        422,
        "{text!r} is not how far a clock is from UTC.",
        KEPT,
        "Write it as a zone, such as +08:00, or in seconds, such as +37 for a clock that is fast.",
    ),
    Kind(
        "place-malformed",
        422,
        "{text!r} is not a position: {why}.",
        KEPT,
        "Write decimals with a point: where you are as latitude,longitude,accuracy, such as "
        "20.4513,99.8802,6; a declared point as two numbers with their system and order of axes.",
    ),
    Kind(
        "crs-unknown",
        422,
        "{crs!r} is not a coordinate system that can be used here: {why}.",
        NOTHING_STORED,
        "Give an EPSG code such as EPSG:3375, or a PROJ string with its source.",
    ),
    Kind(
        "polygon-malformed",
        422,
        "The boundary cannot be used: {why}.",
        NOTHING_STORED,
        "Give each ring as four or more points, the last the same as the first.",
    ),
)
