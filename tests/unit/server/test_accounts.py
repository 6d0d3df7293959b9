"""Passwords, failed logins, sessions and their cookies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from office import PASSWORD, STAFF, Office, make_office
from region import Clock
from sqlalchemy import select

from server import create_app
from server.services import accounts
from server.services.audit import CONSOLE
from server.store import audit, tables
from sync.problems import Problem

MINUTE = 60_000


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    yield made
    made.ctx.db.close()


def fail(office: Office, times: int, login: str = "officer") -> None:
    for _ in range(times):
        with pytest.raises(Problem, match="login-failed"):
            accounts.log_in(office.ctx, login, "not the password")


def actions(office: Office) -> list[str]:
    with office.ctx.db.read() as tx:
        return [line["action"] for line in audit.lines(tx)]


# -- passwords ------------------------------------------------------------------------------------


def test_a_password_is_kept_as_an_argon2_hash_only(office: Office) -> None:
    with office.ctx.db.read() as tx:
        hashes = list(tx.execute(select(tables.people.c.password)).scalars())
    assert len(set(hashes)) == len(STAFF)
    assert all(one.startswith("$argon2id$") for one in hashes)
    stored = b"".join(path.read_bytes() for path in office.ctx.settings.data.glob("tapak.sqlite*"))
    assert PASSWORD.encode() not in stored


@pytest.mark.parametrize("password", ["", "too short", "x" * 201, "half a pair \ud800 of text"])
def test_a_password_that_cannot_serve_is_refused(office: Office, password: str) -> None:
    with pytest.raises(Problem, match=r"fields-malformed.*password"):
        accounts.set_password(office.ctx, CONSOLE, "officer", password)
    assert accounts.log_in(office.ctx, "officer", PASSWORD)


def test_a_new_password_ends_the_old_one_and_every_session(office: Office) -> None:
    browser = office.logged_in("officer")
    accounts.set_password(office.ctx, CONSOLE, "officer", "another made-up password")
    assert browser.call("GET", "/api/session").status_code == 401
    fail(office, 1)
    with pytest.raises(Problem, match="login-failed"):
        accounts.log_in(office.ctx, "officer", PASSWORD)
    assert accounts.log_in(office.ctx, "officer", "another made-up password")


@pytest.mark.parametrize("login", ["x", "Ünïcode", "with space", "a/b", "-begins", "y" * 41])
def test_a_login_name_is_plain(office: Office, login: str) -> None:
    with pytest.raises(Problem, match=r"fields-malformed.*login"):
        accounts.add_person(
            office.ctx, CONSOLE, login=login, name="Made-up", password=PASSWORD, grants=[]
        )


def test_a_person_is_added_once_and_with_roles_that_exist(office: Office) -> None:
    def add(login: str, grant: tuple[str, str]) -> None:
        accounts.add_person(
            office.ctx, CONSOLE, login=login, name="Made-up", password=PASSWORD, grants=[grant]
        )

    with pytest.raises(Problem, match="already-there"):
        add("Officer", ("officer", "north"))
    for grant in (("owner", "north"), ("officer", "nowhere"), ("device", "north")):
        with pytest.raises(Problem, match="noun-unknown"):
            add("somebody", grant)
    with office.ctx.db.read() as tx, pytest.raises(Problem, match="noun-unknown"):
        accounts.find_person(tx, "somebody")


# -- logging in -----------------------------------------------------------------------------------


def test_nobody_learns_whether_name_or_password_was_wrong(office: Office) -> None:
    told = []
    for login in ("officer", "nobody-here", "Ünïcode", "x" * 80):
        body = {"login": login, "password": "not the password"}
        answer = office.anonymous().call("POST", "/api/session", json=body)
        assert answer.status_code == 401
        told.append(answer.data)
    assert len(set(told)) == 1


def test_a_login_name_is_taken_in_any_case(office: Office) -> None:
    assert accounts.log_in(office.ctx, " Officer ", PASSWORD).person == office.person_id("officer")


def test_ten_failures_block_the_name_for_fifteen_minutes(office: Office, clock: Clock) -> None:
    fail(office, 10)
    with pytest.raises(Problem, match=r"login-blocked.*Wait 15 minutes"):
        accounts.log_in(office.ctx, "officer", PASSWORD)
    clock.at += 15 * MINUTE - 1
    with pytest.raises(Problem, match=r"login-blocked.*Wait 1 minutes"):
        accounts.log_in(office.ctx, "officer", PASSWORD)
    assert accounts.log_in(office.ctx, "reader", PASSWORD), "others are not blocked"
    clock.at += 1
    assert accounts.log_in(office.ctx, "officer", PASSWORD)
    assert actions(office).count("login.blocked") == 1


def test_a_name_that_nobody_has_is_blocked_too(office: Office) -> None:
    fail(office, 10, "nobody-here")
    with pytest.raises(Problem, match="login-blocked"):
        accounts.log_in(office.ctx, "nobody-here", PASSWORD)


def test_a_login_starts_the_count_anew(office: Office) -> None:
    fail(office, 9)
    accounts.log_in(office.ctx, "officer", PASSWORD)
    fail(office, 9)
    assert accounts.log_in(office.ctx, "officer", PASSWORD)


def test_failures_of_long_ago_do_not_add_up(office: Office, clock: Clock) -> None:
    for _ in range(12):
        clock.at += 15 * MINUTE
        fail(office, 1)
    assert accounts.log_in(office.ctx, "officer", PASSWORD)


def test_counts_survive_a_restart(office: Office) -> None:
    fail(office, 10)
    office.ctx.db.close()
    again = create_app(replace(office.ctx)).test_client()
    body = {"login": "officer", "password": PASSWORD}
    assert again.post("/api/session", json=body).json["code"] == "login-blocked"


# -- sessions -------------------------------------------------------------------------------------


def test_only_the_digest_of_a_sessions_token_is_stored(office: Office) -> None:
    session = accounts.log_in(office.ctx, "officer", PASSWORD)
    with office.ctx.db.read() as tx:
        stored = tx.execute(select(tables.sessions.c.token_digest)).scalar_one()
    assert stored == hashlib.sha256(session.token.encode()).hexdigest()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(office: Office) -> None:
    body = {"login": "officer", "password": PASSWORD}
    answer = office.anonymous().call("POST", "/api/session", json=body)
    name, *flags = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("tapak=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} <= set(flags)
    assert "Secure" not in flags
    assert answer.json["csrf"] not in answer.headers["Set-Cookie"]


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(office: Office) -> None:
    settings = replace(office.ctx.settings, secure_cookies=True)
    client = create_app(replace(office.ctx, settings=settings)).test_client()
    answer = client.post("/api/session", json={"login": "officer", "password": PASSWORD})
    name, *flags = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("__Host-tapak=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(flags)
    assert not [flag for flag in flags if flag.startswith("Domain")]
    assert "Strict-Transport-Security" in answer.headers


def test_a_session_ends_after_its_hours(office: Office, clock: Clock) -> None:
    browser = office.logged_in("officer")
    clock.at += 12 * 60 * MINUTE - 1
    assert browser.call("GET", "/api/session").json["name"] == "Made-up Officer"
    clock.at += 1
    assert browser.call("GET", "/api/session").json["code"] == "login-needed"


def test_logging_out_ends_the_session_on_the_server(office: Office) -> None:
    browser = office.logged_in("officer")
    cookie = browser.client.get_cookie("tapak")
    assert cookie is not None
    assert browser.call("DELETE", "/api/session").status_code == 204
    assert browser.client.get_cookie("tapak") is None
    browser.client.set_cookie("tapak", cookie.value)
    assert browser.call("GET", "/api/session").status_code == 401
    assert actions(office)[-2:] == ["login", "logout"]


def test_somebody_who_left_is_out_at_once(office: Office) -> None:
    browser, device = office.logged_in("auditor"), office.device("auditor")
    leave = tables.people.update().where(tables.people.c.login == "auditor").values(active=False)
    office.ctx.db.write(lambda tx: tx.execute(leave))
    assert browser.call("GET", "/api/session").status_code == 401
    assert device.call("POST", "/api/sync", data=b"").json["code"] == "token-unknown"
    fail(office, 1, "auditor")
    with pytest.raises(Problem, match="login-failed"):
        accounts.log_in(office.ctx, "auditor", PASSWORD)


def test_a_login_form_on_another_site_is_refused(office: Office) -> None:
    body = {"login": "officer", "password": PASSWORD}
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        answer = office.anonymous().call("POST", "/api/session", json=body, headers=headers)
        assert answer.json["code"] == "form-expired"
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = office.anonymous().call("POST", "/api/session", json=body, headers=headers)
    assert answer.status_code == 200


def test_each_login_has_a_token_of_its_own(office: Office) -> None:
    first, second = (accounts.log_in(office.ctx, "officer", PASSWORD) for _ in range(2))
    assert first.token != second.token and first.csrf != second.csrf
