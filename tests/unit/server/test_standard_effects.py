"""What a version does to grades: before it is decided, on its own page, and after its day."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from office import Browser, Office
from pond_region import make_ponds, officer
from ponds import digest, limits, ponds
from region import (
    AUDITOR,
    DAY_MS,
    VISIT_1,
    VISIT_2,
    Clock,
    enrolled_device,
    jpeg,
)

from checklists.load import load_checklist
from checklists.published import profile_bytes
from server import create_app
from server.cli import main
from server.schedule import run_once
from server.services import accounts
from server.services.grading import regrade
from server.services.proposing import approve, propose, refuse
from server.services.rebuild import rebuild
from server.services.rescoring import effects
from server.store import assessments

OLD = ponds()
LIGHTER = ponds("2", severity="minor")
TODAY, LATER = "2026-11-23", "2026-12-01"
SITES = {"hill": VISIT_1, "delta": VISIT_2}


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    """Both facilities visited: fenced, and nobody was let in to see whether they are lined."""
    ctx = make_ponds(tmp_path, clock)
    device = enrolled_device(ctx, AUDITOR)
    for facility, visit in SITES.items():
        device.start(visit, facility, checklist=digest(OLD))
        picture = jpeg(len(facility))
        device.photo(visit, picture, ["PND-E1/-"])
        device.record(visit, "answers/PND-E1/-", {"level": "fully", "checklist": digest(OLD)})
        refused = {"special": "refused", "reason": "the gate was shut", "checklist": digest(OLD)}
        device.record(visit, "answers/PND-E2/-", refused)
        device.record(visit, "outcome", {"outcome": "visited"})
        device.sign_off(visit)
        device.send()
        device.send_file(picture)
    run_once(ctx)
    yield Office(ctx, create_app(ctx), clock)
    ctx.db.close()


def proposed(office: Office, body: bytes = LIGHTER, kind: str = "checklist", **days: str) -> str:
    days = days or {"north": LATER}
    return propose(office.ctx, officer(office.ctx, "ana"), kind, body, "new.yaml", days)[0].id


def words(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def shown(browser: Browser, proposal: str, code: int = 200) -> str:
    answer = browser.call("GET", f"/standards/{proposal}/effects")
    assert answer.status_code == code, answer.text
    return words(answer.text)


def grades(office: Office) -> dict[str, str | None]:
    with office.ctx.db.read() as tx:
        found = {site: assessments.find(tx, "facility", site) for site in SITES}
    return {site: row and row.grade for site, row in found.items()}


# -- before it is decided -------------------------------------------------------------------------


def test_the_page_tells_each_grade_before_and_after_and_why(office: Office) -> None:
    assert grades(office) == {"hill": "E", "delta": "E"}
    waiting = proposed(office, north=LATER, south=LATER)
    bo = office.logged_in("bo")
    assert f"/standards/{waiting}/effects" in bo.call("GET", "/standards").text
    said = shown(bo, waiting)
    assert "Facilities where it would apply 2 Another grade or state 2" in said
    assert "E 25.0 → becomes C 50.0" in re.sub(r" +", " ", said)
    assert "~ PND-E2 refused 0, weight 3, environment → refused 0, weight 1, environment" in said
    assert "because severity: major → minor" in said
    assert grades(office) == {"hill": "E", "delta": "E"}, "nothing is stored"


def test_only_facilities_of_the_readers_jurisdictions_are_counted_and_named(office: Office) -> None:
    waiting = proposed(office, north=LATER, south=LATER)
    said = shown(office.logged_in("chi"), waiting)
    assert "Facilities where it would apply 1 Another grade or state 1" in said
    assert "Made-up delta" in said and "Made-up hill" not in said
    said = shown(office.logged_in("chi"), proposed(office, ponds("3")))
    assert "None of the facilities" in said and "Made-up hill" not in said


def test_who_may_not_read_the_standard_or_no_score_is_told_nothing(office: Office) -> None:
    waiting = proposed(office)
    for login, role in (("rita", "reader"), ("adam", "administrator")):
        accounts.add_person(
            office.ctx,
            "console",
            login=login,
            name=login.title(),
            password="a made-up password",
            grants=[(role, "example")],
        )
    shown(office.logged_in("rita"), waiting, code=403)
    assert "None of the facilities" in shown(office.logged_in("adam"), waiting)


def test_a_proposal_that_is_not_there_or_decided_is_said(office: Office) -> None:
    bo, waiting = office.logged_in("bo"), proposed(office)
    shown(bo, "v-nothing", code=404)
    profile = profile_bytes("default")
    other = proposed(office, profile.replace(b'version: "', b'version: "9', 1), "profile")
    shown(bo, other, code=404)
    refuse(office.ctx, officer(office.ctx, "bo"), waiting, "not agreed")
    assert "refused" in shown(bo, waiting, code=409)


def test_where_a_nearer_jurisdiction_has_its_own_nothing_would_change(office: Office) -> None:
    approve(office.ctx, officer(office.ctx, "bo"), proposed(office, ponds("3"), north=TODAY))
    run_once(office.ctx)
    waiting = proposed(office, example=LATER)
    said = shown(office.logged_in("bo"), waiting)
    assert "Facilities where it would apply 1 " in said
    assert "Made-up delta" in said and "Made-up hill" not in said


def test_a_limits_table_that_no_item_reads_changes_nothing(office: Office) -> None:
    said = shown(office.logged_in("bo"), proposed(office, limits("2", "0.005"), "limits"))
    assert "Nothing changes 1" in said and "It changes no number at this facility" in said


def test_many_facilities_come_a_page_at_a_time(office: Office) -> None:
    waiting = proposed(office, north=LATER, south=LATER)
    few = replace(office.ctx, settings=replace(office.ctx.settings, max_page_rows=1))
    browser = Office(few, create_app(few), office.clock).logged_in("bo")
    first = browser.call("GET", f"/standards/{waiting}/effects").text
    assert "1 of 2 facilities" in words(first) and "Made-up delta" in first
    assert "Made-up hill" not in first and "effects?page=2" in first
    second = browser.call("GET", f"/standards/{waiting}/effects?page=2").text
    assert "Made-up hill" in second and "Made-up delta" not in second


# -- in the terminal ------------------------------------------------------------------------------


def rescored(office: Office, *given: str) -> str:
    env = {"TAPAK_DATA": str(office.ctx.settings.data), "COLUMNS": "200"}
    found = CliRunner(env=env).invoke(main, ["checklist", "rescore", *given])
    assert found.exit_code == 0, (found.stdout, found.stderr, found.exception)
    return found.stdout


def test_a_proposal_is_named_by_its_id_and_a_draft_by_what_it_would_replace(
    office: Office, tmp_path: Path
) -> None:
    assert "grade: E → C" in rescored(office, proposed(office))
    draft = tmp_path / "draft.yaml"
    draft.write_bytes(LIGHTER.replace(b"id: pond-check", b"id: pond-draft", 1))
    alone = rescored(office, str(draft))
    assert "No facility uses pond-draft" in alone and "--for NAME" in alone
    assert "Scored again: 0, of which 0 change." in alone
    said = rescored(office, str(draft), "--for", "pond-check")
    assert "facility hill, as of 2026-11-23" in said and "grade: E → C" in said
    assert "Scored again: 2, of which 2 change." in said
    assert "Inspections that keep the version they name: 2." in said


def test_an_inspection_goes_by_the_version_it_names_now(office: Office) -> None:
    """L6: it moved to a draft, which nobody has published, and was not graded since."""
    visit = "2f8fad5b-d9cb-469f-a165-70867728950e"
    device = enrolled_device(office.ctx, AUDITOR, seed=5)
    device.start(visit, "hill", checklist=digest(OLD))
    refused = {"special": "refused", "reason": "shut", "checklist": digest(OLD)}
    for item in ("PND-E1", "PND-E2"):
        device.record(visit, f"answers/{item}/-", refused)
    device.send()
    run_once(office.ctx)
    draft = load_checklist(LIGHTER, "draft.yaml")

    def touched() -> tuple[set[str], int]:
        with office.ctx.db.read() as tx:
            found = effects(tx, draft)
        return {one.after.subject for one in found.touched}, found.named

    assert touched() == ({"hill", "delta"}, 3)
    about = {"facility": "hill", "purpose": "visit", "mode": "live", "checklist": digest(LIGHTER)}
    device.record(visit, "about", about)
    device.send()
    assert touched() == ({"hill", "delta", visit}, 2)


# -- after its day --------------------------------------------------------------------------------


def page_of(office: Office, facility: str) -> str:
    return words(office.logged_in("bo").call("GET", f"/facilities/{facility}").text)


def test_from_its_day_on_the_facilitys_page_says_what_changed_and_why(office: Office) -> None:
    approve(office.ctx, officer(office.ctx, "bo"), proposed(office))
    run_once(office.ctx)
    assert grades(office) == {"hill": "E", "delta": "E"}
    assert "The standard changed" not in page_of(office, "hill")
    office.clock.at += 8 * DAY_MS
    regrade(office.ctx)
    run_once(office.ctx)
    assert grades(office) == {"hill": "C", "delta": "E"}
    said = page_of(office, "hill")
    assert "The standard changed on 1 Dec 2026 Checklist 2 instead of 1" in said
    assert "E 25.0 → becomes C 50.0" in said
    assert "because severity: major → minor" in said
    assert "The standard changed" not in page_of(office, "delta")
    rebuild(office.ctx)
    assert page_of(office, "hill") == said


def test_a_change_that_moves_no_number_is_said_to(office: Office) -> None:
    asked = ponds("2", ask="Is it lined and drained?")
    approve(office.ctx, officer(office.ctx, "bo"), proposed(office, asked, north=TODAY))
    before = page_of(office, "hill")
    assert "The standard changed" not in before, "it was not graded by the newer one yet"
    run_once(office.ctx)
    said = page_of(office, "hill")
    assert "The standard changed on 23 Nov 2026 Checklist 2 instead of 1" in said
    assert "No number of this score is another by that" in said


def test_what_changed_on_one_day_is_told_together(office: Office) -> None:
    bo = officer(office.ctx, "bo")
    approve(office.ctx, bo, proposed(office, ponds("3", severity="critical"), north="2026-11-22"))
    approve(office.ctx, bo, proposed(office, north=TODAY))
    approve(office.ctx, bo, proposed(office, limits("2", "0.005"), "limits", north=TODAY))
    run_once(office.ctx)
    said = page_of(office, "hill")
    assert "Checklist 2 instead of 3 , Limits 2 instead of 1 ." in said
    assert "severity: critical → minor" in said


def test_the_last_change_that_has_begun_is_told_and_no_earlier_or_coming_one(
    office: Office,
) -> None:
    bo = officer(office.ctx, "bo")
    table = proposed(office, limits("2", "0.005"), "limits", north="2026-11-22")
    approve(office.ctx, bo, table)
    approve(office.ctx, bo, proposed(office, north=TODAY))
    approve(office.ctx, bo, proposed(office, ponds("3"), north=LATER))
    run_once(office.ctx)
    said = page_of(office, "hill")
    assert "The standard changed on 23 Nov 2026 Checklist 2 instead of 1 . The same" in said
