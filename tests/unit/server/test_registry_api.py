"""Facilities, declarations, assignments and published documents, over HTTP where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office import (
    NORTH,
    SOUTH,
    Browser,
    Office,
    assign_auditor,
    facility_fields,
    filing,
    make_office,
)
from region import Clock
from sqlalchemy import select
from werkzeug.test import TestResponse

from checklists import published
from server import create_app
from server.services import publishing, registry
from server.services.audit import CONSOLE
from server.store import audit, changes, declarations, gradings, tables
from sync.problems import CATALOGUE, Problem

DECLARATIONS = f"/api/facilities/{NORTH}/declarations"


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    yield made
    made.ctx.db.close()


@pytest.fixture
def administrator(office: Office) -> Browser:
    return office.logged_in("administrator")


@pytest.fixture
def officer(office: Office) -> Browser:
    return office.logged_in("officer")


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json", answer.text
    return answer.status_code, answer.json["code"]


def told(office: Office) -> list[str]:
    with office.ctx.db.read() as tx:
        return [kind for _, kind, _ in changes.after(tx, office.person_id("auditor"), 0)]


def last_line(office: Office) -> dict[str, Any]:
    with office.ctx.db.read() as tx:
        return audit.lines(tx)[-1]


def settle(office: Office) -> None:
    office.ctx.db.write(lambda tx: tx.execute(tables.gradings.update().values(stale=False)))


def stale(office: Office) -> set[str]:
    query = select(tables.gradings.c.facility).where(tables.gradings.c.stale)
    with office.ctx.db.read() as tx:
        return set(tx.execute(query).scalars())


# -- facilities -----------------------------------------------------------------------------------


def test_a_facility_is_added_listed_and_shown(office: Office, administrator: Browser) -> None:
    fields = facility_fields("new-pit", "north", name="Kolam Baharu — ကုန်း")
    added = administrator.call("POST", "/api/facilities", json=fields)
    assert (added.status_code, added.json) == (201, fields)
    assert administrator.call("GET", "/api/facilities/new-pit").json == fields
    listed = administrator.call("GET", "/api/facilities").json
    assert [one["id"] for one in listed["facilities"]] == ["new-pit", NORTH]
    assert listed["next"] is None
    line = last_line(office)
    assert (line["who"], line["action"], line["subject"]) == (
        f"person:{office.person_id('administrator')}",
        "facility.add",
        "facility:new-pit",
    )


def test_a_list_is_read_in_pages(office: Office) -> None:
    for n in range(5):
        registry.add_facility(office.ctx, CONSOLE, facility_fields(f"pit-{n}", "north"))
    small = replace(office.ctx, settings=replace(office.ctx.settings, max_page_rows=2))
    browser = Office(small, create_app(small), office.clock).logged_in("reader")
    found, after, pages = [], "", 0
    while after is not None:
        page = browser.call("GET", "/api/facilities", query_string={"after": after}).json
        found += [one["id"] for one in page["facilities"]]
        after, pages = page["next"], pages + 1
    assert found == [NORTH, *(f"pit-{n}" for n in range(5))]
    assert pages == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": NORTH}, (409, "already-there")),
        ({"id": "No Slug"}, (422, "fields-malformed")),
        ({"country": "th"}, (422, "fields-malformed")),
        ({"name": "   "}, (422, "fields-malformed")),
        ({"name": 7}, (422, "fields-malformed")),
        ({"owner": "somebody"}, (422, "fields-malformed")),
        ({"jurisdiction": "south"}, (403, "not-permitted")),
        ({"jurisdiction": "nowhere"}, (403, "not-permitted")),
        ({"checklist": "rare-earth-sight"}, (404, "noun-unknown")),
        ({"limits": "nowhere"}, (404, "noun-unknown")),
    ],
)
def test_a_facility_that_does_not_fit_is_refused_and_not_stored(
    office: Office, administrator: Browser, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    fields = {**facility_fields("new-pit", "north"), **changes}
    answer = administrator.call("POST", "/api/facilities", json=fields)
    assert code(answer) == expected
    with office.ctx.db.read() as tx:
        stored = set(tx.execute(select(tables.facilities.c.id)).scalars())
    assert stored == {NORTH, SOUTH}


def test_a_misspelt_name_is_answered_with_the_nearest(administrator: Browser) -> None:
    fields = facility_fields("new-pit", "north", checklist="rare-earth-sight")
    answer = administrator.call("POST", "/api/facilities", json=fields).json
    assert answer["title"] == "There is no published checklist called 'rare-earth-sight'."
    assert "rare-earth-site" in answer["remedy"]


# -- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"{", "application/json", (400, "request-malformed")),
        (b"", "application/json", (400, "request-malformed")),
        (b"\xff\xfe", "application/json", (400, "request-malformed")),
        (b"[" * 100_000, "application/json", (400, "request-malformed")),
        (b'{"id":1e3}', "application/json", (400, "request-malformed")),
        (b'{"id":NaN}', "application/json", (400, "request-malformed")),
        (b'{"id":"a","id":"b"}', "application/json", (400, "request-malformed")),
        (b'{"id":"\\ud800"}', "application/json", (400, "request-malformed")),
        (b"[]", "application/json", (422, "fields-malformed")),
        (b"7", "application/json", (422, "fields-malformed")),
        (b"{}", "text/plain", (415, "media-type")),
        (b"id=a", "application/x-www-form-urlencoded", (415, "media-type")),
        (b" " * (1024**2 + 1), "application/json", (413, "request-too-large")),
    ],
)
def test_what_cannot_be_read_is_answered_from_the_catalogue(
    administrator: Browser, data: bytes, kind: str, expected: tuple[int, str]
) -> None:
    for path in ("/api/facilities", "/api/assignments"):
        assert code(administrator.call("POST", path, data=data, content_type=kind)) == expected


def test_every_fault_of_the_fields_is_named(administrator: Browser) -> None:
    answer = administrator.call("POST", "/api/facilities", json={"id": 7, "colour": "red"})
    for field in ("id", "name", "country", "jurisdiction", "checklist", "colour"):
        assert f"{field}: " in answer.json["title"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_method_that_is_not_taken_is_said_with_those_that_are(
    administrator: Browser, method: str
) -> None:
    answer = administrator.call(method, "/api/facilities")
    assert code(answer) == (405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_an_address_that_does_not_exist_is_answered_in_kind(office: Office) -> None:
    machine, person = office.anonymous(), office.anonymous()
    assert code(machine.call("GET", "/api/nowhere")) == (404, "not-found")
    page = person.call("GET", "/nowhere")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is nothing here that you may see." in page.text


# -- declarations ---------------------------------------------------------------------------------


def test_a_filing_is_kept_byte_for_byte(office: Office, officer: Browser) -> None:
    body = json.dumps(filing(NORTH), indent=3).encode() + b"\n"
    answer = officer.call("POST", DECLARATIONS, data=body, content_type="application/json")
    assert answer.status_code == 201
    with office.ctx.db.read() as tx:
        assert declarations.body(tx, answer.json["id"]) == body
    assert officer.call("GET", DECLARATIONS).json == {"declarations": [answer.json]}
    assert answer.json["received_at"] == office.clock.at


def test_the_same_filing_again_changes_nothing(office: Office, officer: Browser) -> None:
    first = officer.call("POST", DECLARATIONS, json=filing(NORTH))
    office.clock.at += 1000
    with office.ctx.db.read() as tx:
        lines = audit.count(tx)
    again = officer.call("POST", DECLARATIONS, json=filing(NORTH))
    assert (again.status_code, again.json) == (200, first.json)
    with office.ctx.db.read() as tx:
        assert audit.count(tx) == lines
    later = officer.call("POST", DECLARATIONS, json=filing(NORTH, state="closed"))
    assert later.status_code == 201
    assert len(officer.call("GET", DECLARATIONS).json["declarations"]) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"facility": SOUTH}, "declaration-malformed"),
        ({"format": "another/1"}, "declaration-malformed"),
        ({"filed": "2026-02-30"}, "declaration-malformed"),
        ({"filed": "2027-06-01"}, "declaration-malformed"),
        ({"status": {"state": "asleep"}}, "declaration-malformed"),
        ({"boundary": 7}, "declaration-malformed"),
    ],
)
def test_a_filing_that_does_not_fit_is_refused_and_not_stored(
    office: Office, officer: Browser, changes: dict[str, Any], expected: str
) -> None:
    answer = officer.call("POST", DECLARATIONS, json={**filing(NORTH), **changes})
    assert code(answer) == (422, expected)
    assert officer.call("GET", DECLARATIONS).json == {"declarations": []}


def test_coordinates_that_cannot_be_used_are_refused_when_they_are_filed(officer: Browser) -> None:
    def filed(part: str, **changes: Any) -> tuple[int, str]:
        document = filing(NORTH)
        document[part] |= changes
        return code(officer.call("POST", DECLARATIONS, json=document))

    assert filed("location", crs="EPSG:99999") == (422, "crs-unknown")
    assert filed("boundary", crs="nonsense") == (422, "crs-unknown")
    assert filed("boundary", rings=[[["1", "1"], ["2", "2"]]]) == (422, "polygon-malformed")


def test_s5_a_filing_is_told_to_whoever_is_assigned(office: Office, officer: Browser) -> None:
    assign_auditor(office)
    before = len(told(office))
    officer.call("POST", DECLARATIONS, json=filing(NORTH))
    assert told(office)[before:] == ["declaration"]
    registry.file_declaration(office.ctx, CONSOLE, json.dumps(filing(SOUTH)).encode())
    assert told(office)[before:] == ["declaration"]


def test_a_filing_asks_for_the_grade_to_be_worked_out_again(
    office: Office, officer: Browser
) -> None:
    settle(office)
    officer.call("POST", DECLARATIONS, json=filing(NORTH))
    assert stale(office) == {NORTH}


# -- assignments ----------------------------------------------------------------------------------

ASSIGNMENT = {
    "facility": NORTH,
    "person": "auditor",
    "purpose": "made-up inspection",
    "not_before": "2026-11-01",
    "not_after": "2026-12-31",
}


def test_s5_an_assignment_brings_everything_the_inspection_needs(
    office: Office, officer: Browser
) -> None:
    officer.call("POST", DECLARATIONS, json=filing(NORTH))
    made = officer.call("POST", "/api/assignments", json=ASSIGNMENT)
    assert made.status_code == 201
    drawn = {"id": made.json["id"], "person": office.person_id("auditor"), "ended_at": None}
    drawn |= {"grace_days": 14, "conflict": False}
    assert made.json == ASSIGNMENT | drawn
    assert told(office) == [
        "facility",
        "declaration",
        "checklist",
        "limits",
        "profile",
        "rules",
        "assignment",
    ]
    assert officer.call("GET", "/api/assignments").json == {
        "assignments": [made.json],
        "next": None,
    }


def test_s5_an_assignment_is_ended_with_a_reason_by_whoever_may_assign(
    office: Office, officer: Browser
) -> None:
    made = officer.call("POST", "/api/assignments", json=ASSIGNMENT).json
    end = f"/api/assignments/{made['id']}/end"
    assert officer.call("POST", end, json={}).status_code == 422
    assert officer.call("POST", end, json={"reason": " "}).json["code"] == "fields-malformed"
    assert (
        officer.call("POST", "/api/assignments/a-no/end", json={"reason": "x"}).status_code == 404
    )
    ended = officer.call("POST", end, json={"reason": "moved to another team"})
    assert ended.json == made | {"ended_at": office.clock()}
    line = last_line(office)
    assert (line["action"], line["subject"]) == ("assignment.end", f"assignment:{made['id']}")
    assert line["detail"] == {"reason": "moved to another team"}
    assert told(office)[-2:] == ["assignment", "facility"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"facility": SOUTH}, (404, "not-found")),
        ({"facility": "nowhere"}, (404, "not-found")),
        ({"person": "nobody-here"}, (404, "noun-unknown")),
        ({"person": "reader"}, (422, "not-an-auditor")),
        ({"not_after": "2026-10-31"}, (422, "fields-malformed")),
        ({"not_before": "yesterday"}, (422, "fields-malformed")),
        ({"not_before": "20261101"}, (422, "fields-malformed")),
        ({"purpose": " "}, (422, "fields-malformed")),
        ({"id": "a-chosen"}, (422, "fields-malformed")),
    ],
)
def test_an_assignment_that_does_not_fit_is_refused(
    office: Office, officer: Browser, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = officer.call("POST", "/api/assignments", json={**ASSIGNMENT, **changes})
    assert code(answer) == expected
    assert told(office) == []


def test_the_same_assignment_again_is_refused(officer: Browser) -> None:
    assert officer.call("POST", "/api/assignments", json=ASSIGNMENT).status_code == 201
    again = officer.call("POST", "/api/assignments", json=ASSIGNMENT)
    assert code(again) == (409, "already-there")


def test_visit_plans_are_read_by_those_who_make_them_only(office: Office) -> None:
    assign_auditor(office)
    for login in ("reader", "auditor"):
        answer = office.logged_in(login).call("GET", "/api/assignments")
        assert code(answer) == (403, "not-permitted")


# -- published documents --------------------------------------------------------------------------


def newer(kind: str = "checklist", version: str = "made-up-2") -> bytes:
    shipped = {
        "checklist": published.checklist_bytes("rare-earth-site"),
        "limits": published.limits_bytes("example"),
        "profile": published.profile_bytes("default"),
    }[kind].decode()
    first = next(line for line in shipped.splitlines() if line.startswith("version:"))
    return shipped.replace(first, f'version: "{version}"', 1).encode()


@pytest.mark.parametrize("kind", ["checklist", "limits", "profile"])
def test_s5_a_newer_version_is_told_and_asks_for_grades(office: Office, kind: str) -> None:
    assign_auditor(office)
    settle(office)
    before = len(told(office))
    office.clock.at += 1000
    document, new = publishing.publish(office.ctx, CONSOLE, kind, newer(kind), "newer.yaml")
    assert new and document.version == "made-up-2"
    assert told(office)[before:] == [kind]
    assert stale(office) == {NORTH, SOUTH}
    fields = facility_fields("new-pit", "north")
    registry.add_facility(office.ctx, CONSOLE, fields)
    assign_auditor(office, "new-pit")
    with office.ctx.db.read() as tx:
        refs = [r for _, k, r in changes.after(tx, office.person_id("auditor"), 0) if k == kind]
    assert refs[-1] == document.digest, "the newest published applies"


def test_the_same_bytes_again_change_nothing(office: Office) -> None:
    with office.ctx.db.read() as tx:
        lines = audit.count(tx)
    assert not any(
        new for _, new in publishing.publish_builtin(office.ctx, CONSOLE, ["rare-earth-site"])
    )
    with office.ctx.db.read() as tx:
        assert audit.count(tx) == lines


def test_a_published_version_never_changes(office: Office) -> None:
    changed = published.checklist_bytes("rare-earth-site") + b"\n# changed\n"
    with pytest.raises(Problem, match="already-published"):
        publishing.publish(office.ctx, CONSOLE, "checklist", changed, "changed.yaml")


def test_what_its_loader_refuses_is_not_published(office: Office) -> None:
    for kind in ("checklist", "limits", "profile"):
        with pytest.raises(Problem, match="checklist-malformed"):
            publishing.publish(office.ctx, CONSOLE, kind, b"format: nonsense\n", "bad.yaml")
    with pytest.raises(Problem, match="thresholds-malformed"):
        publishing.publish(office.ctx, CONSOLE, "rules", b"nonsense", "bad.yaml")
    with pytest.raises(Problem, match="noun-unknown"):
        publishing.publish(office.ctx, CONSOLE, "poem", b"nonsense", "bad.yaml")


# -- whatever is sent -----------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_the_answer_is_a_success_or_of_the_catalogue(
    officer: Browser, administrator: Browser, data: st.DataObject
) -> None:
    path, usual = data.draw(
        st.sampled_from(
            [
                ("/api/facilities", facility_fields("new-pit", "north")),
                (DECLARATIONS, filing(NORTH)),
                ("/api/assignments", ASSIGNMENT),
            ]
        )
    )
    field = data.draw(st.sampled_from(sorted(usual)))
    body = {**usual, field: data.draw(ANYTHING)}
    browser = administrator if path == "/api/facilities" else officer
    answer = browser.call("POST", path, json=body)
    if answer.status_code not in (200, 201):
        assert CATALOGUE[answer.json["code"]].status == answer.status_code < 500


def test_a_facility_is_graded_from_its_first_day(office: Office) -> None:
    with office.ctx.db.read() as tx:
        found = gradings.find(tx, NORTH)
    assert found is not None and found.as_of == "2026-11-23"
