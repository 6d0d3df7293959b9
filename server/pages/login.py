"""Logging in and out with a form."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from server.services import accounts
from server.web import ctx, end_session, principal, session_token, start_session
from sync.problems import Problem

_LONGEST_WAY = 2000


def show() -> Response:
    """The form; who is logged in already goes on."""
    onward = request.args.get("next", "")
    if principal().kind == "person":
        return redirect(_onward(onward), 303)
    return _form("", onward)


def log_in() -> Response:
    """Open a session, or show the form again with what was not right."""
    login, onward = request.form.get("login", ""), request.form.get("next", "")
    try:
        session = accounts.log_in(ctx(), login, request.form.get("password", ""))
    except Problem as exc:
        return _form(login[:200], onward, exc)
    return start_session(make_response(redirect(_onward(onward), 303)), session)


def log_out() -> Response:
    """End the session on both sides."""
    who = principal()
    if who.person is not None:
        accounts.log_out(ctx(), who.person, session_token())
    return end_session(make_response(redirect(url_for("pages.login"), 303)))


def _form(login: str, onward: str, found: Problem | None = None) -> Response:
    page = render_template("login.html", login=login, onward=onward[:_LONGEST_WAY], problem=found)
    return make_response(page, 200 if found is None else found.status)


def _onward(wish: str) -> str:
    """Where to go after the login: a path of this server only, never another host's address."""
    # A second slash or a backslash at the start would name a host to a browser, and a control
    # character may vanish on the way and leave one.
    plain = wish.startswith("/") and not wish.startswith(("//", "/\\")) and wish.isprintable()
    return wish if plain and len(wish) <= _LONGEST_WAY else url_for("pages.home")
