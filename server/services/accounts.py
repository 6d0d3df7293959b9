"""People's accounts: adding them, passwords, logging in and out."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.context import Context
from server.permissions import GRANTABLE, Principal
from server.services.audit import acted
from server.services.identifiers import digest_of, letters
from server.services.texts import check_text
from server.store import audit, jurisdictions, people, sessions
from server.store.people import Failures, Person
from server.store.transaction import Tx
from sync.problems import Problem, problem

FAILURES_ALLOWED = 10
BLOCK_MS = 15 * 60_000
PASSWORD_LENGTH = range(10, 201)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}\Z")

# Memory 19 MiB, 2 passes, 1 lane: OWASP's Password Storage Cheat Sheet, for argon2id.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session just opened. Only the digest of `token` is stored; `expires_at` is UTC ms."""

    token: str
    csrf: str
    person: str
    person_name: str
    expires_at: int


# -- people ---------------------------------------------------------------------------------------


def add_person(
    ctx: Context,
    by: str,
    *,
    login: str,
    name: str,
    password: str,
    grants: Iterable[tuple[str, str]],
) -> Person:
    """Add a person with grants as (role, jurisdiction).

    Raises `fields-malformed`, `already-there` for the login, `noun-unknown` for a jurisdiction.
    """
    login = login.strip().lower()
    if not _LOGIN.match(login):
        raise problem("fields-malformed", why="login: use 2 to 40 of a-z, 0-9, dot, - and _")
    name = check_text("name", name, 120)
    hashed = _hash(password)
    new = Person(f"p-{letters(ctx, 8)}", login, name, hashed, True, ctx.now())
    granted = sorted(set(grants))

    def work(tx: Tx) -> Person:
        if people.by_login(tx, login) is not None:
            raise problem("already-there", noun="login", name=login)
        people.add(tx, new)
        for role, jurisdiction in granted:
            _check_grant(tx, role, jurisdiction)
            people.grant(tx, new.id, role, jurisdiction)
        return new

    detail = {"login": login, "grants": [list(one) for one in granted]}
    return acted(ctx, by, "person.add", f"person:{new.id}", work, detail)


def set_password(ctx: Context, by: str, login: str, password: str) -> None:
    """Give a person a new password and end all of the person's sessions.

    Raises `noun-unknown` and `fields-malformed`.
    """
    hashed = _hash(password)
    with ctx.db.read() as tx:
        person = find_person(tx, login)

    def work(tx: Tx) -> None:
        people.set_password(tx, person.id, hashed)
        people.forget_failures(tx, person.login)
        sessions.end_all(tx, person.id)

    acted(ctx, by, "person.password", f"person:{person.id}", work)


def find_person(tx: Tx, login_or_id: str) -> Person:
    """The person with this login or id; raises `noun-unknown`."""
    found = people.by_id(tx, login_or_id) or people.by_login(tx, login_or_id.strip().lower())
    if found is None:
        known = ", ".join(one.login for one in people.every(tx)[:8]) or "nobody yet"
        raise problem("noun-unknown", noun="person", name=login_or_id[:80], nearest=known)
    return found


def _check_grant(tx: Tx, role: str, jurisdiction: str) -> None:
    if role not in GRANTABLE:
        raise problem("noun-unknown", noun="role", name=role, nearest=", ".join(GRANTABLE))
    if jurisdictions.find(tx, jurisdiction) is None:
        known = ", ".join(one.id for one in jurisdictions.every(tx)[:8]) or "none yet"
        raise problem("noun-unknown", noun="jurisdiction", name=jurisdiction, nearest=known)


# -- logging in and out ---------------------------------------------------------------------------


def log_in(ctx: Context, login: str, password: str) -> Session:
    """Open a session for a login name and password.

    Raises `login-failed`, the same whether name or password is wrong, and `login-blocked` for
    15 minutes after 10 failures in a row.
    """
    now = ctx.now()
    found = _proven(ctx, login, password, now)
    session = Session(
        ctx.token(32),
        ctx.token(24),
        found.id,
        found.name,
        now + ctx.settings.session_hours * 3_600_000,
    )

    def work(tx: Tx) -> Session:
        # Failures that were counted while the password was being verified count as well.
        _check_not_blocked(people.failures(tx, found.login), now)
        people.forget_failures(tx, found.login)
        digest = digest_of(session.token)
        sessions.add(tx, digest, found.id, session.csrf, now, session.expires_at)
        return session

    return acted(ctx, f"person:{found.id}", "login", f"person:{found.id}", work)


def identify(ctx: Context, login: str, password: str) -> Principal:
    """Who it is that types this login and password at the console; raises what `log_in` does."""
    found = _proven(ctx, login, password, ctx.now())
    with ctx.db.read() as tx:
        _check_not_blocked(people.failures(tx, found.login), ctx.now())
        granted = people.grants_of(tx, found.id)
    return Principal("person", found.id, found.name, None, tuple(granted))


def _proven(ctx: Context, login: str, password: str, now: int) -> Person:
    login = login.strip().lower()
    with ctx.db.read() as tx:
        _check_not_blocked(people.failures(tx, login), now)
        person = people.by_login(tx, login)
    # An unknown name costs a verification too, so that the time taken tells nothing.
    right = _verified(_nobody() if person is None else person.password, password)
    if person is None or not person.active or not right:
        raise _failed(ctx, login, now)
    return person


def log_out(ctx: Context, person: str, token: str) -> None:
    """End the session with this token; one that has ended already changes nothing."""
    who = f"person:{person}"
    acted(ctx, who, "logout", who, lambda tx: sessions.end(tx, digest_of(token)))


def _check_not_blocked(found: Failures, now: int) -> None:
    left = found.last_at + BLOCK_MS - now
    if found.in_a_row >= FAILURES_ALLOWED and left > 0:
        raise problem("login-blocked", minutes=math.ceil(left / 60_000))


def _failed(ctx: Context, login: str, now: int) -> Problem:
    """Count the failure; the trail tells of a name being blocked, not of each wrong password."""

    def work(tx: Tx) -> None:
        if people.count_failure(tx, login, now, now - BLOCK_MS) == FAILURES_ALLOWED:
            audit.record(tx, now, "anonymous", "login.blocked", f"login:{login}")

    if _LOGIN.match(login):  # what cannot be anybody's login is not worth a row
        ctx.db.write(work)
    return problem("login-failed")


def _hash(password: str) -> str:
    if len(password) not in PASSWORD_LENGTH:
        least, most = PASSWORD_LENGTH[0], PASSWORD_LENGTH[-1]
        why = f"password: give {least} to {most} characters"
        raise problem("fields-malformed", why=why)
    try:
        return _HASHER.hash(password)
    except UnicodeEncodeError as exc:
        raise problem("fields-malformed", why="password: it is not valid text") from exc


def _verified(hashed: str, password: str) -> bool:
    if len(password) > PASSWORD_LENGTH[-1]:
        return False
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@functools.cache
def _nobody() -> str:
    return _HASHER.hash("nobody logs in with this")
