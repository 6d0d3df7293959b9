"""The page of what is held aside, and the raw lines of a branch to take away."""

from __future__ import annotations

from flask import Response, make_response, render_template

from server.services.browse_aside import branch_lines, show_aside
from server.web import ctx, principal


def held_aside() -> str:
    return render_template("held_aside.html", view=show_aside(ctx(), principal()))


def branch(root: str) -> Response:
    name, lines = branch_lines(ctx(), principal(), root)
    response = make_response(lines)
    response.mimetype = "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
