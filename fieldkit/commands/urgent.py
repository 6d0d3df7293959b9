"""hazard: what cannot wait for the rest of the visit."""

from __future__ import annotations

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, fix_option, inspection_option
from sync.hazard import IMMEDIATE, SEVERITIES
from sync.inspection import Fix


@click.command()
@click.argument("text")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default=IMMEDIATE,
    show_default=True,
    help="People are in danger now, or within days.",
)
@click.option("--over", metavar="ID", help="The hazard with this id is over; TEXT says how.")
@click.option("--lat", help="Latitude in degrees WGS 84.")
@click.option("--lon", help="Longitude in degrees WGS 84.")
@fix_option
@inspection_option
@desk
def hazard(
    at: Desk,
    text: str,
    severity: str,
    over: str | None,
    lat: str | None,
    lon: str | None,
    fix: Fix | None,
    inspection: str | None,
) -> None:
    """Record an urgent hazard, such as: "The dam of pond 3 is about to fail".

    The next sync sends it before all else. Name no person in it.
    """
    from fieldkit.fixes import read_fix
    from fieldkit.hazards import report

    if (lat is None) != (lon is None) or (lat is not None and fix is not None):
        raise click.UsageError("Give --lat and --lon together, or --fix.")
    where = read_fix(f"{lat},{lon}") if lat is not None else fix
    recorded = report(at.recorder(), at.inspection(inspection), text, severity, where, over)
    known = recorded.path.rpartition("/")[2]
    if not at.json and where is None:
        show.warn("No position was given; --lat and --lon, or --fix, say where it is.")
    at.say(
        [
            ("hazard", known[:8]),
            ("severity", str(recorded.value["value"])),
            ("kept", "now, on this device alone"),
            ("next", "fieldkit sync: it goes before all else"),
        ],
        {"hazard": known, "path": recorded.path, "value": recorded.value, "new": recorded.new},
    )
