"""The page of the standard's versions, and what an inspection's page says of versions."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Browser, Office
from pond_region import make_ponds, officer
from ponds import digest, limits, ponds
from region import AUDITOR, VISIT_1, Clock, Device, enrolled_device

from server import create_app
from server.services.assess import assess_facility
from server.services.proposing import propose
from server.store import proposals

OLD = ponds()
NEW = ponds("2", ask="Is it lined and drained?", severity="critical")
TODAY = "2026-11-23"


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    ctx = make_ponds(tmp_path, clock)
    yield Office(ctx, create_app(ctx), clock)
    ctx.db.close()


def proposed(office: Office, body: bytes = NEW, kind: str = "checklist", day: str = TODAY) -> str:
    return propose(office.ctx, officer(office.ctx, "ana"), kind, body, "new.yaml", {"north": day})[
        0
    ].id


def words(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def decide(browser: Browser, proposal: str, ruling: str, reason: str = "", code: int = 303) -> str:
    form = {"csrf": browser.csrf, "ruling": ruling, "reason": reason}
    answer = browser.call("POST", f"/standards/{proposal}", data=form)
    assert answer.status_code == code, answer.text
    return answer.text


def test_a_second_person_approves_on_the_page(office: Office) -> None:
    waiting = proposed(office)
    ana, bo = office.logged_in("ana"), office.logged_in("bo")
    assert "Standard</a>" in ana.call("GET", "/facilities").text
    own = ana.call("GET", "/standards").text
    assert "Take back" in own and 'value="approved"' not in own
    assert "You proposed version 2" in words(decide(ana, waiting, "approved", code=403))
    page = bo.call("GET", "/standards").text
    assert 'value="approved"' in page
    assert "1 item changed, answers to 1 of them to be looked at again" in words(page)
    decide(bo, waiting, "approved")
    after = words(bo.call("GET", "/standards").text)
    assert "Nothing waits" in after
    assert "Version 2 In force North from 23 Nov 2026 Decided by Ana , 23 Nov 2026" in after
    assert "and Bo , 23 Nov 2026" in after and digest(NEW) in after
    assert "At the server's console" in after, "version 1 was nobody's but the console's"
    assert "was approved already" in words(decide(bo, waiting, "approved", code=409))


def test_what_comes_and_what_is_over_is_told_apart(office: Office) -> None:
    bo = office.logged_in("bo")
    decide(bo, proposed(office), "approved")
    decide(bo, proposed(office, ponds("3"), day="2026-12-01"), "approved")
    office.clock.at += 1
    decide(bo, proposed(office, ponds("4")), "approved")
    said = words(bo.call("GET", "/standards").text)
    assert "Version 2 In force North from 23 Nov 2026, over" in said.replace(" ,", ",")
    assert "Version 3 In force North from 1 Dec 2026 (not yet)" in said
    assert "Version 4 In force North from 23 Nov 2026 Decided" in said
    assert "Version 1 In force everywhere Decided" in said


def test_a_refusal_needs_a_reason_and_is_listed(office: Office) -> None:
    waiting = proposed(office)
    bo = office.logged_in("bo")
    assert "reason" in words(decide(bo, waiting, "refused", code=422))
    assert "ruling" in words(decide(bo, waiting, "perhaps", code=422))
    decide(bo, waiting, "refused", "Weights <b>are</b> not agreed.")
    page = bo.call("GET", "/standards").text
    assert "&lt;b&gt;are&lt;/b&gt; not agreed." in page and "Nothing waits" in page


def test_nobody_decides_outside_their_grant(office: Office) -> None:
    waiting = proposed(office)
    chi = office.logged_in("chi")
    page = chi.call("GET", "/standards").text
    assert "outside your grant" in page and "Approve" not in page
    decide(chi, waiting, "approved", code=403)
    with office.ctx.db.read() as tx:
        found = proposals.get(tx, waiting)
    assert found is not None and found.ruling is None
    assert decide(office.logged_in("bo"), "v-nothing", "approved", code=404)


def test_limits_are_compared_too(office: Office) -> None:
    proposed(office, limits("2", "0.005"), "limits")
    said = words(office.logged_in("bo").call("GET", "/standards").text)
    assert "Against version 1 : 1 limit changed" in said.replace("1:", "1 :")


# -- an inspection --------------------------------------------------------------------------------


def a_visit(office: Office) -> Device:
    """Two answers to version 1; then the device moved to version 2, and signed nothing yet."""
    device = enrolled_device(office.ctx, AUDITOR)
    about = {"facility": "hill", "purpose": "visit", "mode": "live"}
    device.record(VISIT_1, "about", {**about, "checklist": digest(OLD)})
    for item in ("PND-E1", "PND-E2"):
        device.record(VISIT_1, f"answers/{item}/-", {"level": "fully", "checklist": digest(OLD)})
    office.clock.at += 60_000
    device.record(VISIT_1, "about", {**about, "checklist": digest(NEW)})
    device.send()
    return device


def inspected(office: Office) -> str:
    assess_facility(office.ctx, "hill")
    answer = office.logged_in("bo").call("GET", f"/inspections/{VISIT_1}")
    assert answer.status_code == 200
    return words(answer.text)


def test_an_inspection_that_moved_lists_what_is_to_be_looked_at_again(office: Office) -> None:
    decide(office.logged_in("bo"), proposed(office), "approved")
    device = a_visit(office)
    said = inspected(office)
    assert "Ponds, 2 begun with version 1" in said
    assert "1 answered item of another version of the checklist, 1 to be looked at again" in said
    assert "PND-E2 asks something else now; look at it again (version 1 : question" in said.replace(
        "1:", "1 :"
    )
    assert "Began 23 Nov 2026, 07:00" in said, "the move does not make it begin later"
    device.record(VISIT_1, "answers/PND-E2/-", {"level": "fully", "checklist": digest(NEW)})
    device.send()
    assert "of another version of the checklist" not in inspected(office)


def test_a_second_device_on_the_older_version_is_told_apart(office: Office) -> None:
    """L6"""
    decide(office.logged_in("bo"), proposed(office), "approved")
    device = a_visit(office)
    device.record(VISIT_1, "answers/PND-E2/-", {"level": "fully", "checklist": digest(NEW)})
    device.send()
    other = enrolled_device(office.ctx, AUDITOR, seed=2)
    value = {"level": "partially", "checklist": digest(OLD)}
    other.record(VISIT_1, "answers/PND-E2/-", value)
    other.send()
    said = inspected(office)
    assert "2 answers stand side by side" in said
    assert "1 answered item of another version" in said


def test_an_inspection_on_one_version_says_nothing_of_versions(office: Office) -> None:
    device = enrolled_device(office.ctx, AUDITOR)
    device.start(VISIT_1, "hill", checklist=digest(OLD))
    device.record(VISIT_1, "answers/PND-E1/-", {"level": "fully"})
    device.send()
    said = inspected(office)
    assert "Ponds, 1" in said and "begun with" not in said and "another version" not in said
