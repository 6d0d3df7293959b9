"""Who is asking, whether they may, and what every answer carries: before and after each view."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, cast

from flask import Flask, Request, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from server.blobs import SPOOL
from server.context import Context
from server.permissions import ANONYMOUS, ROUTES, Principal, may
from server.services.accounts import Session
from server.services.enrolment import note_seen
from server.services.identifiers import digest_of
from server.store import devices, sessions
from sync.log import MAX_FILE_BYTES, MAX_REQUEST_BYTES
from sync.problems import Problem, problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

# What a request's body may measure, in bytes (S12); everything else that is sent is small.
BODY_LIMIT = 1024**2
BODY_LIMITS = {
    "sync.exchange": MAX_REQUEST_BYTES,
    "files.create": MAX_FILE_BYTES,
    "files.append": MAX_FILE_BYTES,
    "bundles.take": MAX_FILE_BYTES,
    "pages.bundles_post": MAX_FILE_BYTES,
}

# A body is read in such pieces, and given up when nothing of it comes for so long. Of a connection
# that is reset the last piece is lost, so it is smaller than the 64 kB that a cut may cost (S6).
BODY_PIECE = 32 * 1024
SILENT_SECONDS = 60

# Clients that can only POST name the method they mean; for uploads alone.
OVERRIDABLE = "/api/files/"
OVERRIDES = frozenset({"PATCH", "DELETE", "HEAD"})

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Uploading(Request):
    """A request whose files, sent with a form, wait on the disk of the data folder."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return cast(IO[bytes], TemporaryFile(dir=ctx().settings.incoming, prefix=SPOOL))


def ctx() -> Context:
    """The context the running application was made with."""
    context: Context = current_app.extensions["tapak"]
    return context


def principal() -> Principal:
    """Who is asking, as found before the view was called."""
    who: Principal = g.get("principal", ANONYMOUS)
    return who


def install(app: Flask) -> None:
    """Have every request admitted first and every answer carry the security headers."""
    app.request_class = Uploading
    app.before_request(_admit)
    app.after_request(_guard)
    app.wsgi_app = _Overriding(app.wsgi_app)  # type: ignore[assignment,method-assign]


def body_chunks() -> Iterator[bytes]:
    """The request's body in pieces, as far as it comes: a connection that is cut or falls silent
    ends it like its last byte does, and whoever counts them sees how many came.
    """
    left = request.content_length
    with _impatient():
        while left is None or left > 0:
            try:
                piece = request.stream.read(BODY_PIECE if left is None else min(BODY_PIECE, left))
            except (ClientDisconnected, OSError, ParseException):
                return
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece


@contextmanager
def _impatient() -> Iterator[None]:
    """A device that went out of reach in the middle must not keep its thread for ever."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(SILENT_SECONDS)
    try:
        yield
    finally:
        with suppress(OSError):
            connection.settimeout(before)


class _Overriding:
    """X-HTTP-Method-Override, before anything looks at the method."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        meant = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "")
        if (
            environ["REQUEST_METHOD"] == "POST"
            and meant in OVERRIDES
            and environ.get("PATH_INFO", "").startswith(OVERRIDABLE)
        ):
            environ["REQUEST_METHOD"] = meant
        return self.application(environ, start)


# -- sessions of people ---------------------------------------------------------------------------


def start_session(response: Response, session: Session) -> Response:
    """Set the session's cookie on the answer to a login."""
    response.set_cookie(
        _cookie_name(),
        session.token,
        max_age=ctx().settings.session_hours * 3600,
        secure=ctx().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def end_session(response: Response) -> Response:
    """Have the browser forget the session's cookie."""
    secure = ctx().settings.secure_cookies
    response.delete_cookie(_cookie_name(), path="/", secure=secure, httponly=True, samesite="Lax")
    return response


def session_token() -> str:
    """The token of the session cookie that came with the request, or an empty text."""
    return request.cookies.get(_cookie_name(), "")


def _cookie_name() -> str:
    # The prefix makes browsers refuse the cookie from another host or without TLS.
    return "__Host-tapak" if ctx().settings.secure_cookies else "tapak"


# -- before ---------------------------------------------------------------------------------------


def _admit() -> None:
    endpoint = request.endpoint
    request.max_content_length = BODY_LIMITS.get(endpoint or "", BODY_LIMIT)
    g.principal = _identify()
    if endpoint is None:
        return  # no such address: answered as such, to everybody alike
    permission = ROUTES.get(endpoint)
    if not may(g.principal, permission):
        raise _refusal(g.principal, permission)
    if request.method not in SAFE_METHODS:
        _check_origin(g.principal, permission)


def _identify() -> Principal:
    given = request.authorization
    if given is not None and given.type == "bearer":
        return _device(given.token or "")
    token = session_token()
    if token:
        with ctx().db.read() as tx:
            found = sessions.find(tx, digest_of(token), ctx().now())
        if found is not None:
            return Principal(
                "person", found.person, found.person_name, None, found.grants, found.csrf
            )
    return ANONYMOUS


def _device(token: str) -> Principal:
    with ctx().db.read() as tx:
        found = devices.by_token(tx, digest_of(token))
    if found is None:
        raise problem("token-unknown")
    device, person_name = found
    note_seen(ctx(), device)
    return Principal("device", device.person, person_name, device.id)


def _refusal(who: Principal, permission: str | None) -> Problem:
    if who.kind != "anonymous" or permission is None:
        return problem("not-permitted")
    return problem("token-missing" if may(Principal("device"), permission) else "login-needed")


def _check_origin(who: Principal, permission: str | None) -> None:
    """A request that changes something must come from our own page, or from no browser at all.

    A person's carries the session's CSRF token. A login has no session yet; there the browser's
    own word on where the form stood is taken. A device's token is never sent by a browser unasked.
    """
    if permission == "login.use":
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise problem("form-expired")
    elif who.kind == "person":
        given = request.headers.get("X-CSRF-Token", "")
        if not given and request.mimetype in FORMS:
            given = request.form.get("csrf", "")
        if not hmac.compare_digest(given.encode(), who.csrf.encode()):
            raise problem("form-expired")


# -- after ----------------------------------------------------------------------------------------


def _guard(response: Response) -> Response:
    if principal().kind == "device" and request.path.startswith("/api/"):
        # No browser shows what a device's token asks for, and each of its bytes may be paid for. An
        # answer to a POST is kept by no cache that is not told to (RFC 9111, section 3).
        if request.method != "POST":
            response.headers["Cache-Control"] = "no-store"
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if ctx().settings.secure_cookies:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.is_json or response.mimetype == "text/html" or request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "no-store"
    else:
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
