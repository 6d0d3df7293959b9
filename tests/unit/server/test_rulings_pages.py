"""What officers see and decide on an inspection's page: set aside (S9), signed, not here (L7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import NORTH, Browser, Office, make_office
from region import DAY_MS, Clock, Device, enrolled_device, visit

from server.services.inspections import Loaded, load_inspection
from server.services.intake import receive
from server.services.programme import assign
from server.store import audit, people
from sync.log import Segment, sign_head
from sync.session import Request, write_request

VISIT = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return make_office(tmp_path, Clock())


@pytest.fixture
def officer(office: Office) -> Browser:
    return office.logged_in("officer")


def device(office: Office, login: str = "auditor", seed: int = 1, assigned: bool = True) -> Device:
    """A device of this person, who is assigned to the northern facility unless not wanted."""
    person = office.person_id(login)
    if assigned:
        if login != "auditor":
            office.ctx.db.write(lambda tx: people.grant(tx, person, "auditor", "north"))
        assign(
            office.ctx,
            "console",
            facility=NORTH,
            person=person,
            purpose="visit",
            not_before="2026-11-20",
            not_after="2026-11-30",
        )
    return enrolled_device(office.ctx, person, seed)


def page(browser: Browser, inspection: str = VISIT) -> str:
    answer = browser.call("GET", f"/inspections/{inspection}")
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


# -- set aside ------------------------------------------------------------------------------------


def test_an_officer_admits_what_was_set_aside_and_takes_it_back(
    office: Office, officer: Browser
) -> None:
    """S9"""
    stranger = device(office, assigned=False)
    visit(stranger, VISIT, NORTH)
    shown = page(officer)
    assert "5 entries of 5 set aside" in shown and "Admit: let them count" in shown
    path = f"/inspections/{VISIT}/admission"
    form = {"device": stranger.id, "upto": "5", "ruling": "admitted", "reason": "she <b>stood in"}
    answer = officer.call("POST", path, data=form)
    assert (answer.status_code, answer.location) == (303, f"/inspections/{VISIT}#aside")
    shown = page(officer)
    assert "all 5 entries count" in shown and "she &lt;b&gt;stood in" in shown
    assert "Admitted up to entry 5 by <bdi>Made-up Officer</bdi>" in shown
    officer.call("POST", path, data={**form, "ruling": "refused", "reason": "she did not"})
    assert "Refused up to entry 5" in page(officer)
    with office.ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
        trail = [one for one in audit.lines(tx) if one["action"] == "log.rule"]
    assert found is not None and found.counted == 0
    assert [one["detail"]["reason"] for one in trail] == ["she <b>stood in", "she did not"]


def test_a_ruling_without_a_reason_shows_the_page_again_and_decides_nothing(
    office: Office, officer: Browser
) -> None:
    stranger = device(office, assigned=False)
    visit(stranger, VISIT, NORTH)
    path = f"/inspections/{VISIT}/admission"
    form = {"device": stranger.id, "ruling": "admitted", "reason": " "}
    answer = officer.call("POST", path, data=form)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert "reason: give 1 to" in answer.text
    answer = officer.call("POST", path, data={**form, "device": "nobody", "reason": "so"})
    assert answer.status_code == 409 and "Nothing of that log is set aside" in answer.text
    officer.csrf = "another"
    assert officer.call("POST", path, data={**form, "reason": "so"}).status_code == 400
    assert "5 entries of 5 set aside" in page(office.logged_in("officer"))


def test_nobody_rules_on_their_own_work(office: Office, officer: Browser) -> None:
    """S9"""
    own = device(office, "officer", assigned=False)
    visit(own, VISIT, NORTH)
    assert "Admit: let them count" not in page(officer)
    assert "a colleague decides" in page(officer)
    form = {"device": own.id, "ruling": "admitted", "reason": "mine"}
    answer = officer.call("POST", f"/inspections/{VISIT}/admission", data=form)
    assert answer.status_code == 403 and "You worked on this inspection yourself" in answer.text


# -- signed, but not here -------------------------------------------------------------------------


def send_only(device: Device, upto: int) -> None:
    """Send the first lines of the device's log, as if the network ended there."""
    lines, hashes = device.logs[VISIT], device.hashes[VISIT]
    segment = Segment(device.id, VISIT, 1, tuple(lines[:upto]), sign_head(device.key, hashes[upto]))
    body = write_request(Request(device.id, None, (), (segment,), device.ctx.now()))
    receive(device.ctx, device.id, device.person, body)


def test_a_sign_off_over_entries_that_have_not_arrived_says_so(
    office: Office, officer: Browser
) -> None:
    """L7: what was signed is exactly what it lists; until all of that is here, nothing is."""
    first, second = device(office), device(office, "officer", 2)
    first.start(VISIT, NORTH)
    first.record(VISIT, "outcome", {"outcome": "visited"})
    second.record(VISIT, "answers/GEN-G1/-", {"level": "fully"})
    second.record(VISIT, "answers/GEN-G2/-", {"level": "fully"})
    second.record(VISIT, "answers/GEN-G3/-", {"level": "fully"})
    first.sign_off(VISIT, {second.id: (3, second.hashes[VISIT][3].hex())})
    first.send()
    shown = page(officer)
    unknown = "3 entries of <bdi>a device that is not known here</bdi> have not arrived yet."
    assert f"Signed on <bdi>laptop 1</bdi>, but {unknown}" in shown
    send_only(second, 2)
    assert "1 entry of <bdi>laptop 2</bdi> has not arrived yet." in page(officer)
    second.send()
    shown = page(officer)
    assert "not arrived yet" not in shown and "Made-up Auditor" in shown
    with office.ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None and found.signed is not None and found.awaited == ()


def test_a_sign_off_over_what_is_set_aside_or_is_not_what_was_signed_says_so(
    office: Office, officer: Browser
) -> None:
    """L7, S9"""
    first, stranger = device(office), device(office, "reader", 2, assigned=False)
    first.start(VISIT, NORTH)
    stranger.record(VISIT, "answers/GEN-G1/-", {"level": "fully"})
    stranger.send()
    first.sign_off(VISIT, {stranger.id: (1, stranger.hashes[VISIT][1].hex())})
    first.send()
    assert "1 entry of <bdi>laptop 2</bdi> is set aside." in page(officer)
    first.sign_off(VISIT, {first.id: (1, "00" * 32)})
    first.send()
    assert "what <bdi>laptop 1</bdi> sent here is not what was signed." in page(officer)


def test_what_came_after_the_sign_off_is_listed_as_amendments(
    office: Office, officer: Browser
) -> None:
    """L7"""
    auditor = device(office)
    visit(auditor, VISIT, NORTH)
    assert "came after" not in page(officer)
    auditor.record(VISIT, "answers/GEN-G1/-", {"level": "partially"})
    auditor.send()
    shown = page(officer)
    assert "1 entry came after</a>, to be signed again" in shown
    assert "After the sign-off" in shown and "<code>answers/GEN-G1/-</code>" in shown
    auditor.sign_off(VISIT)
    auditor.send()
    assert "came after" not in page(officer)


# -- signed without some entries, or with some that do not count any more ------------------------


def loaded(office: Office) -> Loaded:
    with office.ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None
    return found


def rule(officer: Browser, of: Device, ruling: str, upto: int) -> None:
    form = {"device": of.id, "upto": str(upto), "ruling": ruling, "reason": "seen on site"}
    assert officer.call("POST", f"/inspections/{VISIT}/admission", data=form).status_code == 303


def signed_with_a_colleague(
    office: Office, without: list[list[int]] | None
) -> tuple[Device, Device]:
    """A visit signed with three entries of a colleague, who wrote the first two long before they
    were assigned, so that those are set aside.
    """
    first, colleague = device(office), device(office, "reader", 2)
    first.start(VISIT, NORTH)
    first.record(VISIT, "outcome", {"outcome": "visited"})
    first.send()
    office.clock.at -= 60 * DAY_MS
    colleague.record(VISIT, "answers/GEN-G1/-", {"level": "fully"})
    colleague.record(VISIT, "answers/GEN-G2/-", {"level": "fully"})
    colleague.send()
    office.clock.at += 60 * DAY_MS
    colleague.record(VISIT, "answers/GEN-G3/-", {"level": "fully"})
    colleague.send()
    sign_with(first, colleague, without)
    return first, colleague


def sign_with(first: Device, colleague: Device, without: list[list[int]] | None) -> None:
    head = {colleague.id: (3, colleague.hashes[VISIT][3].hex())}
    first.sign_off(VISIT, head, None if without is None else {colleague.id: without})
    first.send()


def signed_answers(office: Office) -> set[str] | None:
    signed = loaded(office).signed
    return None if signed is None else {item for item, _ in signed.answers}


def test_what_was_set_aside_when_it_was_signed_and_is_admitted_is_an_amendment(
    office: Office, officer: Browser
) -> None:
    """L7, S9: it counts and is not signed, and the page says why."""
    colleague = signed_with_a_colleague(office, [[1, 2]])[1]
    assert signed_answers(office) == {"GEN-G3"}
    assert loaded(office).awaited == () and "to be signed again" not in page(officer)
    rule(officer, colleague, "admitted", 2)
    assert signed_answers(office) == {"GEN-G3"}
    found = loaded(office)
    assert [r.path for r in found.amendments] == ["answers/GEN-G1/-", "answers/GEN-G2/-"]
    assert found.left_out == {r.h for r in found.amendments}
    shown = page(officer)
    said = "2 entries</a> were set aside when it was signed and count now, to be signed again"
    assert said in shown and "came after" not in shown
    assert shown.count("; set aside when it was signed</li>") == 2
    assert shown.count("Set aside when it was signed. What was signed, and counts:") == 2
    assert "fter the sign-off" not in shown


def test_a_signed_entry_that_is_set_aside_is_told_and_nothing_counts_as_signed(
    office: Office, officer: Browser
) -> None:
    """L7, S9: which log and how many; all counts as signed again once the office admits it."""
    first, colleague = signed_with_a_colleague(office, [[2, 2]])
    one = "Signed on <bdi>laptop 1</bdi>, but 1 entry of <bdi>laptop 2</bdi> is set aside."
    assert signed_answers(office) is None and one in page(officer)
    rule(officer, colleague, "admitted", 2)
    assert signed_answers(office) == {"GEN-G1", "GEN-G3"}
    assert [r.path for r in loaded(office).amendments] == ["answers/GEN-G2/-"]
    assert "is set aside" not in page(officer)
    rule(officer, colleague, "refused", 2)
    assert signed_answers(office) is None and one in page(officer)
    sign_with(first, colleague, [])
    assert "2 entries of <bdi>laptop 2</bdi> are set aside." in page(officer)


def test_a_sign_off_of_an_earlier_version_covers_what_counts_up_to_its_heads(
    office: Office, officer: Browser
) -> None:
    """L7: it does not say what it was without."""
    colleague = signed_with_a_colleague(office, None)[1]
    assert signed_answers(office) == {"GEN-G3"}
    rule(officer, colleague, "admitted", 2)
    assert signed_answers(office) == {"GEN-G1", "GEN-G2", "GEN-G3"}
    assert loaded(office).amendments == () and loaded(office).left_out == frozenset()
