"""The safeguarding person's page: what is sealed, taking it away, withdrawing consent (L8)."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from server.services.sealed import list_sealed, take, withdraw_for
from server.web import ctx, principal
from sync.problems import Problem

_MOST_TAKEN = 1000


def show() -> tuple[str, int]:
    return _page(None, 200)


def download() -> Response:
    entries = request.form.getlist("entry")[:_MOST_TAKEN]
    response = Response(take(ctx(), principal(), entries), mimetype="application/zip")
    name = f"sealed-{entries[0][:8]}" if len(entries) == 1 else "sealed"
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "-"))
    response.headers["Content-Disposition"] = f'attachment; filename="{plain}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


def withdraw(entry: str) -> Answer | tuple[str, int]:
    """Withdraw, or show the page again with what was not right."""
    try:
        withdraw_for(ctx(), principal(), entry, request.form.get("reason", ""))
    except Problem as exc:
        if exc.code not in ("fields-malformed", "sealed-key-unfit"):
            raise
        return _page(exc, exc.status)
    return redirect(url_for("pages.sealed"), 303)


def _page(found: Problem | None, status: int) -> tuple[str, int]:
    given = request.args.get("page", "1")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1
    listed = list_sealed(ctx(), principal(), number)
    return render_template("sealed.html", found=listed, problem=found), status
