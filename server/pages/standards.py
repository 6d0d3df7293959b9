"""The page of the standard's versions: what is in force where, what waits for a second person."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from server.pages.browse import page_asked
from server.services import proposing
from server.services.browse_effects import show_effects
from server.services.browse_versions import show_versions
from server.web import ctx, principal
from sync.problems import Problem, problem

_SHOWN_AGAIN = frozenset(
    {"already-published", "fields-malformed", "proposal-decided", "proposal-own"}
)


def show() -> Response:
    return _page(None)


def decide(proposal: str) -> Response:
    """Approve a proposal, or refuse it with a reason."""
    form = request.form
    try:
        if form.get("ruling") == "approved":
            proposing.approve(ctx(), principal(), proposal)
        elif form.get("ruling") == "refused":
            proposing.refuse(ctx(), principal(), proposal, form.get("reason", ""))
        else:
            raise problem("fields-malformed", why="ruling: approved or refused")
    except Problem as exc:
        if exc.code not in _SHOWN_AGAIN:
            raise
        return _page(exc)
    return redirect(url_for("pages.standards"), 303)


def effects(proposal: str) -> str:
    """What a proposal that waits would change of the reader's facilities' grades."""
    view = show_effects(ctx(), principal(), proposal, page_asked("page"))
    return render_template("effects.html", view=view)


def _page(found: Problem | None) -> Response:
    page = render_template("standards.html", view=show_versions(ctx(), principal()), problem=found)
    return make_response(page, 200 if found is None else found.status)
