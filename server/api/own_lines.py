"""/api/lines: a device asks for its own log again, of an inspection that it had sealed (S11)."""

from __future__ import annotations

from typing import Any

from server.api.describe import Blueprint, problems
from server.services import own_lines
from server.web import ctx, principal
from sync.own_lines import OwnLines

blueprint = Blueprint(
    "lines",
    __name__,
    url_prefix="/api/lines",
    description="A device's own entries, given back to it.",
)


@blueprint.get("/<device>/<inspection>/<int:after>")
@blueprint.doc(security=[{"device": []}])
@blueprint.response(200, OwnLines)
@problems("device-not-yours")
def again(device: str, inspection: str, after: int) -> dict[str, Any]:
    """The entries of one log of the person's device, behind a position

    At most 2,000 of them, or a megabyte; `seq` says how far the server holds the log.
    """
    person = principal().person or ""
    seq, lines = own_lines.own_lines(ctx(), person, device, inspection, after)
    return {"seq": seq, "lines": lines}
