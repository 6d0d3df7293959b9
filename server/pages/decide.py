"""What an officer decides on an inspection's page: each form is answered with the page as it is."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from server.pages.browse import pictures
from server.services import acknowledging, admission, resolution, ruling_out
from server.services.browse_inspection import show_inspection
from server.services.resolution import Choice
from server.web import ctx, principal
from sync.problems import Problem

OTHER = "other"  # the choice of none of the values that stand there

_SHOWN_AGAIN = frozenset(
    {
        "answer-incomplete",
        "conflict-keep-only",
        "conflict-moved",
        "conflict-unread",
        "fields-malformed",
        "hazard-moved",
        "level-unknown",
        "nothing-aside",
        "outcome-unknown",
        "reading-malformed",
        "ruling-moved",
    }
)


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


def resolve(inspection_id: str) -> Response:
    """End a conflict by keeping one of its values or giving another (L6)."""
    form = request.form
    keep, words = form.get("keep", ""), form.get("level", "") or form.get("words", "")
    choice = Choice("" if keep == OTHER else keep[:64], words, form.get("second", ""))
    try:
        resolution.resolve(
            ctx(),
            principal(),
            inspection_id,
            form.get("path", "")[:400],
            form.get("seen", "")[:64],
            choice,
            form.get("reason", ""),
        )
    except Problem as exc:
        return _again(inspection_id, exc)
    return redirect(
        url_for("pages.inspection", inspection_id=inspection_id, _anchor="conflicts"), 303
    )


def acknowledge(inspection_id: str) -> Response:
    """Say that the office has seen an urgent hazard (S7)."""
    form = request.form
    try:
        acknowledging.acknowledge(
            ctx(),
            principal(),
            inspection_id,
            form.get("hazard", "")[:64],
            form.get("seen", "")[:64],
            form.get("reason", ""),
        )
    except Problem as exc:
        return _again(inspection_id, exc)
    return redirect(
        url_for("pages.inspection", inspection_id=inspection_id, _anchor="hazards"), 303
    )


def rule_out(inspection_id: str) -> Response:
    """Rule out an adverse answer that nobody proves (scoring rule 3)."""
    form = request.form
    item, instance = form.get("item", "")[:80], form.get("instance", "")[:80]
    try:
        ruling_out.rule_out(
            ctx(),
            principal(),
            inspection_id,
            (item, instance),
            form.get("seen", "")[:64],
            form.get("reason", ""),
        )
    except Problem as exc:
        return _again(inspection_id, exc)
    anchor = f"item-{item}"
    return redirect(url_for("pages.inspection", inspection_id=inspection_id, _anchor=anchor), 303)


def _again(inspection_id: str, found: Problem) -> Response:
    """The page as it stands now, with what was not right; nothing was decided."""
    if found.code not in _SHOWN_AGAIN:
        raise found
    view = show_inspection(ctx(), principal(), inspection_id)
    page = render_template("inspection.html", view=view, problem=found, **pictures(view))
    return make_response(page, found.status)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
