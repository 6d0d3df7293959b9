"""What an officer decides on an inspection's page: each form is answered with the page as it is."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from server.pages.browse import draw_map
from server.services import admission
from server.services.browse_inspection import show_inspection
from server.web import ctx, principal
from sync.problems import Problem

_SHOWN_AGAIN = frozenset({"fields-malformed", "nothing-aside"})


def admit(inspection_id: str) -> Response:
    """Admit or refuse what of a log was set aside (S9)."""
    form = request.form
    try:
        admission.rule(
            ctx(),
            principal(),
            inspection_id,
            form.get("device", "")[:80],
            form.get("ruling", ""),
            form.get("reason", ""),
            _number(form.get("upto", "")),
        )
    except Problem as exc:
        return _again(inspection_id, exc)
    return redirect(url_for("pages.inspection", inspection_id=inspection_id, _anchor="aside"), 303)


def _again(inspection_id: str, found: Problem) -> Response:
    """The page as it stands now, with what was not right; nothing was decided."""
    if found.code not in _SHOWN_AGAIN:
        raise found
    view = show_inspection(ctx(), principal(), inspection_id)
    page = render_template("inspection.html", view=view, site=draw_map(view), problem=found)
    return make_response(page, found.status)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
