"""Urgent hazards and previews as staff see them (S7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import NORTH, PASSWORD, Browser, Office, assign_auditor, make_office
from region import Clock, Device, enrolled_device, fix, jpeg

from server.services import accounts, photos
from server.services.audit import CONSOLE
from server.services.enrolment import revoke_device
from server.store import audit
from sync.hazard import PREFIX

VISIT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    assign_auditor(made)
    yield made
    made.ctx.db.close()


@pytest.fixture
def laptop(office: Office) -> Device:
    made = enrolled_device(office.ctx, "auditor")
    made.person = office.person_id("auditor")
    made.start(VISIT, NORTH)
    return made


def hazard(device: Device, text: str, severity: str = "immediate", name: str = "h1") -> None:
    device.record(VISIT, PREFIX + name, {"value": severity, "note": text, "fix": fix()})


def page(who: Browser, path: str) -> str:
    answer = who.call("GET", path)
    assert answer.status_code == 200
    return answer.text


def test_a_hazard_stands_first_on_the_officers_pages_and_in_the_audit_trail(
    office: Office, laptop: Device
) -> None:
    """S7"""
    hazard(laptop, "The dam of <b>pond 3</b> is about to fail.")
    laptop.send()
    officer = office.logged_in("officer")
    for path in ("/facilities", f"/inspections/{VISIT}"):
        shown = page(officer, path)
        assert "The dam of &lt;b&gt;pond 3&lt;/b&gt; is about to fail." in shown
        assert "people are in danger now" in shown and 'role="alert"' in shown
    with office.ctx.db.read() as tx:
        trail = audit.lines(tx, f"inspection:{VISIT}")
    assert [(one["action"], one["detail"]["severity"]) for one in trail] == [
        ("hazard.reported", "immediate")
    ]


def test_a_hazard_that_is_over_leaves_the_list_and_stays_on_its_inspection(
    office: Office, laptop: Device
) -> None:
    """S7"""
    hazard(laptop, "Smoke from the store.", "soon")
    laptop.send()
    hazard(laptop, "The fire is out.", "over")
    laptop.send()
    officer = office.logged_in("officer")
    assert "Urgent hazard" not in page(officer, "/facilities")
    shown = page(officer, f"/inspections/{VISIT}")
    assert "Urgent hazard, over:" in shown and "The fire is out." in shown


def test_a_hazard_that_was_told_and_is_over_in_one_sending_was_never_open(
    office: Office, laptop: Device
) -> None:
    """S7: both come at once, after days without a network."""
    hazard(laptop, "Smoke from the store.", "soon")
    hazard(laptop, "The fire is out.", "over")
    laptop.send()
    assert "Urgent hazard" not in page(office.logged_in("officer"), "/facilities")


def test_who_may_not_speak_calls_no_hazard_over(office: Office, laptop: Device) -> None:
    """S7, S8, S9: neither a revoked device nor somebody who is not assigned."""
    hazard(laptop, "The dam is about to fail.")
    laptop.send()
    stranger = enrolled_device(office.ctx, "reader", 2)
    stranger.person = office.person_id("reader")
    hazard(stranger, "All is well.", "over")
    stranger.send()
    revoke_device(office.ctx, CONSOLE, laptop.id, "stolen")
    hazard(laptop, "All is well.", "over")
    laptop.send()
    shown = page(office.logged_in("officer"), "/facilities")
    assert "The dam is about to fail." in shown and "All is well." not in shown


def test_a_hazard_is_open_while_anybody_beside_says_so(office: Office, laptop: Device) -> None:
    """S7, L6: two devices that did not see each other's entries, in whichever order they come."""
    other = enrolled_device(office.ctx, "auditor", 2)
    other.person = laptop.person
    hazard(laptop, "The dam is about to fail.")
    laptop.send()
    other.record(VISIT, PREFIX + "h1", {"value": "over", "note": "No dam here."}, replaces=[])
    other.send()
    assert "The dam is about to fail." in page(office.logged_in("officer"), "/facilities")
    heads = [device.hashes[VISIT][-1].hex() for device in (laptop, other)]
    laptop.record(VISIT, PREFIX + "h1", {"value": "over", "note": "It holds."}, replaces=heads)
    laptop.send()
    assert "Urgent hazard" not in page(office.logged_in("officer"), "/facilities")


def test_a_hazard_is_seen_within_its_jurisdiction_alone(office: Office, laptop: Device) -> None:
    hazard(laptop, "The dam is about to fail.")
    laptop.send()
    accounts.add_person(
        office.ctx,
        CONSOLE,
        login="neighbour",
        name="Made-up Neighbour",
        password=PASSWORD,
        grants=[("officer", "south")],
    )
    assert "Urgent hazard" in page(office.logged_in("officer"), "/facilities")
    assert "Urgent hazard" not in page(office.logged_in("neighbour"), "/facilities")


@pytest.mark.parametrize("value", [{}, {"value": 3}, [], {"value": "immediate", "fix": "here"}])
def test_a_hazard_that_cannot_be_read_is_unread_and_holds_up_nothing(
    office: Office, laptop: Device, value: object
) -> None:
    """L4"""
    laptop.record(VISIT, f"{PREFIX}h1", value)
    hazard(laptop, "This one is told.", name="h2")
    laptop.send()
    shown = page(office.logged_in("officer"), "/facilities")
    assert shown.count("Urgent hazard") == 1 and "This one is told." in shown


def test_a_preview_stands_in_until_the_photograph_arrives_and_is_no_evidence(
    office: Office, laptop: Device
) -> None:
    """S7"""
    photo, small = jpeg(1) * 2, jpeg(2)
    sha256, preview = (hashlib.sha256(one).hexdigest() for one in (photo, small))
    value = {"kind": "photo", "source": "taken-here", "media_type": "image/jpeg", "items": []}
    value |= {"size": len(photo), "preview": {"sha256": preview, "size": len(small)}}
    laptop.record(VISIT, f"evidence/{sha256}/{laptop.id}", value)
    assert set(laptop.send().missing) == {sha256, preview}
    officer = office.logged_in("officer")
    told = "Preview; the photograph has not arrived."
    assert told not in page(officer, f"/inspections/{VISIT}")
    laptop.send_file(small)
    photos.read_new(office.ctx)
    shown = page(officer, f"/inspections/{VISIT}")
    assert told in shown and f"/previews/{preview}" in shown
    assert "0 of 1 file held here" in shown
    assert officer.call("GET", f"/previews/{preview}").mimetype == "image/jpeg"
    laptop.send_file(photo)
    photos.read_new(office.ctx)
    shown = page(officer, f"/inspections/{VISIT}")
    assert told not in shown and f"/previews/{sha256}" in shown
    assert "1 of 1 file held here" in shown


@pytest.mark.parametrize(
    "said",
    [7, {"sha256": "0" * 64}, {"sha256": "x", "size": 9}, {"sha256": "1" * 64, "size": 10**7}],
)
def test_what_is_no_small_picture_is_not_taken_for_a_preview(laptop: Device, said: object) -> None:
    value = {"kind": "photo", "source": "scan", "media_type": "image/png", "size": 1}
    laptop.record(VISIT, f"evidence/{'a' * 64}/{laptop.id}", {**value, "preview": said})
    assert laptop.send().missing == ("a" * 64,)
