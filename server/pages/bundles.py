"""Bundles for people: a file field, and what became of what was in it."""

from __future__ import annotations

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from server.services.audit import who_is
from server.services.bundle_intake import Imported, read_bundle
from server.services.bundle_report import file_counts, log_words
from server.store import devices
from server.web import ctx, principal
from sync.problems import Problem, problem


def show() -> Response:
    """The form."""
    return _page()


def take() -> Response:
    """Read the bundle that was chosen, and say what became of it."""
    given = request.files.get("bundle")
    words = request.form.get("passphrase") or None
    try:
        if given is None or not given.filename:
            raise problem("bundle-not-chosen")
        name = given.filename[-200:]
        done = read_bundle(ctx(), who_is(principal()), given.stream, name=name, passphrase=words)
    except Problem as exc:
        return _page(trouble=exc)
    return _page(done, trouble=done.trouble)


def _page(done: Imported | None = None, trouble: Problem | None = None) -> Response:
    logs, counts, answer = [], {}, None
    if done is not None:
        with ctx().db.read() as tx:
            names = devices.names(tx, {state.device for state in done.logs.values()})
            by = None if done.opening is None else devices.find(tx, done.opening.device or "")
        logs = [
            (state.log, names.get(state.device, state.device[:12]), state.state, log_words(state))
            for state in done.logs.values()
        ]
        counts = file_counts(done)
        if by is not None and by.status == devices.ACTIVE and by.id in done.people:
            answer = by.id
    page = render_template(
        "bundles.html", done=done, problem=trouble, logs=logs, counts=counts, answer=answer
    )
    return make_response(page, 200 if trouble is None else trouble.status)
