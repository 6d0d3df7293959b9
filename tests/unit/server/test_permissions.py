"""Every route by every role: what is allowed stands here once more, written out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from office import NORTH, SOUTH, STAFF, Browser, Office, make_office
from region import Clock
from werkzeug.routing import Rule

from server.permissions import GRANTABLE, ROLES, ROUTES, Principal, may, permissions_of
from server.services import access

EVERYBODY = {
    "health.healthz",
    "api-docs.openapi_json",
    "enrol.enrol",
    "enrol.greet",
    "session.log_in",
    "pages.login",
    "pages.login_post",
    "pages.static",
    "files.discover",
}
PEOPLE = EVERYBODY | {"session.show", "session.log_out", "pages.logout", "pages.home"}
READER = PEOPLE | {
    "facilities.list_facilities",
    "facilities.get_facility",
    "declarations.list_declarations",
    "pages.facilities",
    "pages.facility",
    "pages.score_export",
}
ALLOWED = {
    "anonymous": EVERYBODY,
    "device": EVERYBODY
    | {"generation.next_generation", "generation.held", "generation.hashes", "lines.again"}
    | {"sync.exchange", "files.create", "files.ask", "files.append", "files.discard"},
    "auditor": PEOPLE,
    "reader": READER,
    "officer": READER
    | {
        "pages.entries",
        "pages.evidence",
        "pages.acknowledgement",
        "pages.admission",
        "pages.resolution",
        "pages.ruling",
        "pages.inspection",
        "pages.held_aside",
        "pages.branch",
        "pages.file",
        "pages.preview",
        "pages.effects",
        "pages.standards",
        "pages.standards_post",
        "pages.bundles",
        "pages.bundles_post",
        "bundles.take",
        "bundles.answer",
        "declarations.file_declaration",
        "assignments.list_assignments",
        "assignments.create_assignment",
        "assignments.end_assignment",
    },
    "safeguarding": PEOPLE | {"pages.sealed", "pages.sealed_take", "pages.sealed_withdraw"},
    "administrator": PEOPLE
    | {
        "pages.effects",
        "pages.standards",
        "pages.standards_post",
        "pages.bundles",
        "pages.bundles_post",
        "bundles.take",
        "bundles.answer",
        "facilities.list_facilities",
        "facilities.get_facility",
        "facilities.create_facility",
        "declarations.list_declarations",
        "declarations.file_declaration",
        "assignments.list_assignments",
        "assignments.create_assignment",
        "assignments.end_assignment",
    },
}
REFUSED = {"token-missing", "login-needed", "not-permitted"}
VALUES = {"sha256": "0" * 64, "filename": "site.css", "scope": "facility", "subject": NORTH}
VALUES |= {"former": "none", "root": "none", "device": "none"}
VALUES |= {"facility": NORTH, "facility_id": NORTH, "inspection_id": "none", "assignment": "none"}
VALUES |= {"entry": "none", "inspection": "none", "after": 0, "proposal": "none"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = make_office(tmp_path_factory.mktemp("office"), Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture(scope="module")
def askers(office: Office) -> dict[str, Browser]:
    found = {login: office.logged_in(login) for login in STAFF}
    return {"anonymous": office.anonymous(), "device": office.device(), **found}


def rules(office: Office) -> list[tuple[Rule, str]]:
    """Every address with every method it takes."""
    return [
        (rule, method)
        for rule in office.app.url_map.iter_rules()
        for method in sorted(methods_of(rule))
    ]


def methods_of(rule: Rule) -> set[str]:
    """HEAD and OPTIONS come with every address; they count where there is nothing else."""
    found = rule.methods or set()
    return found - {"HEAD", "OPTIONS"} or found - {"OPTIONS"} or found


def address(office: Office, rule: Rule) -> str:
    with office.app.test_request_context():
        adapter = office.app.create_url_adapter(None) or office.app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments})


def refused(browser: Browser, method: str, path: str) -> bool:
    """Whether the asker is turned away for who they are, before anything else is looked at."""
    answer = browser.call(method, path)
    if answer.status_code == 303:
        return answer.headers["Location"].startswith("/login?next=")
    if answer.status_code not in (401, 403):
        return False
    if method == "HEAD":
        return True  # an answer to HEAD has no body that could say more
    if answer.mimetype == "application/problem+json":
        return answer.json["code"] in REFUSED
    return any(code in answer.text for code in REFUSED)


def test_every_address_has_a_permission_and_every_permission_an_address(office: Office) -> None:
    assert {rule.endpoint for rule, _ in rules(office)} == set(ROUTES)
    granted = frozenset().union(*ROLES.values())
    assert set(ROUTES.values()) <= granted
    assert granted - set(ROUTES.values()) == {"flags.read"}  # decides what a page shows


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_reaches_exactly_what_is_written_here(
    office: Office, askers: dict[str, Browser], role: str
) -> None:
    reached = set()
    for rule, method in rules(office):
        ends = rule.endpoint in ("session.log_out", "pages.logout") and role in STAFF
        asker = office.logged_in(role) if ends else askers[role]
        if not refused(asker, method, address(office, rule)):
            reached.add(rule.endpoint)
    assert reached == ALLOWED[role]


def test_an_address_that_nobody_listed_is_refused_to_everybody(tmp_path: Path) -> None:
    office = make_office(tmp_path, Clock())
    office.app.add_url_rule("/api/unlisted", "unlisted", lambda: "seen")
    for asker in (office.anonymous(), office.device(), office.logged_in("administrator")):
        answer = asker.call("GET", "/api/unlisted")
        assert (answer.status_code, answer.json["code"]) == (403, "not-permitted")


def test_what_changes_something_needs_the_token_of_the_session(office: Office) -> None:
    for rule, method in rules(office):
        if method == "GET" or rule.endpoint not in ALLOWED["administrator"] - EVERYBODY:
            continue
        for token in ("", "not the token", "ünïcode"):
            browser = office.logged_in("administrator")
            browser.csrf = token
            answer = browser.call(method, address(office, rule))
            assert answer.status_code == 400 and "form-expired" in answer.text, rule
            assert browser.call("GET", "/api/session").status_code == 200


def test_a_form_may_carry_the_token_in_a_field(office: Office) -> None:
    browser = office.logged_in("reader")
    token, browser.csrf = browser.csrf, ""
    assert browser.call("POST", "/logout", data={"csrf": "another"}).status_code == 400
    assert browser.call("POST", "/logout", data={"csrf": token}).status_code == 303


def test_a_device_needs_no_such_token(office: Office) -> None:
    answer = office.device(seed=7).call("POST", "/api/sync", data=b"")
    assert answer.json["code"] == "media-type"


def test_a_token_that_is_not_known_is_refused_even_where_none_is_needed(office: Office) -> None:
    browser = office.anonymous()
    for token in ("nonsense", "", "ÿþ"):
        headers = {"Authorization": f"Bearer {token}"}
        answer = browser.call("GET", "/healthz", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "token-unknown")


def test_what_lies_outside_ones_jurisdiction_looks_as_if_it_did_not_exist(office: Office) -> None:
    for login in ("officer", "reader", "administrator"):
        browser = office.logged_in(login)
        for rest in ("", "/declarations"):
            outside = browser.call("GET", f"/api/facilities/{SOUTH}{rest}")
            missing = browser.call("GET", f"/api/facilities/nowhere{rest}")
            assert outside.status_code == missing.status_code == 404
            assert outside.data == missing.data


def test_a_grant_holds_for_everything_below_its_jurisdiction(office: Office) -> None:
    above = Principal("person", "p-made", grants=(("reader", "example"), ("officer", "north")))
    with office.ctx.db.read() as tx:
        assert access.visible(tx, above, "registry.read") == {"example", "north", "south"}
        assert access.visible(tx, above, "inspections.read") == {"north"}
        assert access.visible(tx, Principal("device", "p-made"), "registry.read") == set()


def test_a_role_that_is_not_known_gives_nothing(office: Office) -> None:
    stray = Principal("person", "p-made", grants=(("owner", "north"), ("device", "north")))
    assert permissions_of(stray) == ROLES["anonymous"] | ROLES["person"]
    assert not may(stray, "sync.exchange")
    with office.ctx.db.read() as tx:
        assert access.visible(tx, stray, "sync.exchange") == set()


def test_a_device_has_none_of_its_persons_grants() -> None:
    device = Principal("device", "p-made", grants=(("administrator", "north"),))
    assert permissions_of(device) == ROLES["anonymous"] | ROLES["device"]


def test_every_role_that_can_be_granted_is_described() -> None:
    assert set(GRANTABLE) | {"anonymous", "device", "person"} == set(ROLES)
