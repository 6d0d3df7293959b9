"""An officer rules out an adverse answer that nobody proves (scoring rule 3)."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office import NORTH, PASSWORD, Browser, Office, assign_auditor, make_office
from region import Clock, Device, enrolled_device, jpeg

from checklists.scoring import inputs_digest, inputs_from_json, score, score_bytes
from server.schedule import run_once
from server.services import accounts
from server.services.audit import CONSOLE
from server.services.changes import changes_after
from server.services.inspections import Loaded, load_inspection
from server.services.rebuild import rebuild
from server.services.score_inputs import whole_inputs
from server.services.verify import verify
from server.store import assessments, audit, devices, documents, logs, people
from sync.entry import Entry
from sync.log import records_of
from sync.ruling import RULED

VISIT = "11111111-2222-4333-8444-555555555555"
ITEM = "GEN-G5"
WHY = "The photographs were lost with the <b>camera."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    assign_auditor(made)
    yield made
    made.ctx.db.close()


@pytest.fixture
def laptop(office: Office) -> Device:
    """The auditor's, whose signed visit has an adverse answer and no file."""
    made = enrolled_device(office.ctx, "auditor")
    made.person = office.person_id("auditor")
    with office.ctx.db.read() as tx:
        published = documents.newest(tx, "checklist", "rare-earth-site")
    assert published is not None
    made.start(VISIT, NORTH, checklist=published.digest)
    made.record(VISIT, f"answers/{ITEM}/-", {"level": "does-not-meet"})
    made.record(VISIT, "outcome", {"outcome": "visited"})
    sign(office, made)
    return made


def sign(office: Office, device: Device) -> None:
    device.sign_off(VISIT)
    device.send()
    run_once(office.ctx)


def stored(office: Office, scope: str = "inspection", subject: str = VISIT) -> dict[str, Any]:
    with office.ctx.db.read() as tx:
        found = assessments.find(tx, scope, subject)
    assert found is not None
    whole: dict[str, Any] = json.loads(found.score)
    return whole


def line(office: Office) -> dict[str, Any]:
    (found,) = [one for one in stored(office)["items"] if one["item"] == ITEM]
    return dict(found)


def reasons(office: Office, scope: str = "inspection", subject: str = VISIT) -> set[str]:
    return {one["code"] for one in stored(office, scope, subject)["reasons"]}


def loaded(office: Office) -> Loaded:
    with office.ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None
    return found


def page(who: Browser) -> str:
    answer = who.call("GET", f"/inspections/{VISIT}")
    assert answer.status_code == 200, answer.text
    without_times = re.sub(r"</?time[^>]*>", "", answer.text)
    return html.unescape(" ".join(without_times.split()))


def form_of(who: Browser, reason: str = WHY) -> dict[str, str]:
    """The form as it stands on the page."""
    (form,) = re.findall(r'/ruling">(.*?)</form>', page(who))
    given = dict(re.findall(r'name="(csrf|item|instance|seen)" value="([^"]*)"', form))
    return {**given, "reason": reason}


def send(who: Browser, form: dict[str, str]) -> Any:
    return who.call("POST", f"/inspections/{VISIT}/ruling", data=form)


def rule(office: Office) -> None:
    """Rule it out, and let the score know."""
    officer = office.logged_in("officer")
    assert send(officer, form_of(officer)).status_code == 303
    run_once(office.ctx)


def in_account(office: Office) -> list[Entry]:
    """What stands in the logs of officers' accounts."""
    found = [log for log in loaded(office).logs if log.kind == devices.ACCOUNT]
    with office.ctx.db.read() as tx:
        return [
            one
            for log in found
            for one in records_of(logs.lines_of(tx, log.id), log.public_key, log.device, VISIT)
            if isinstance(one, Entry)
        ]


def test_an_officer_rules_it_out_and_page_score_and_trail_say_who_and_why(
    office: Office, laptop: Device
) -> None:
    """Scoring rules 3 and 10, S9: an entry of the officer's account, an input of the score."""
    assert line(office)["status"] == "adverse-unproven"
    for scope, subject in (("inspection", VISIT), ("facility", NORTH)):
        assert "adverse-unproven" in reasons(office, scope, subject)
    officer = office.logged_in("officer")
    answer = send(officer, form_of(officer))
    assert (answer.status_code, answer.location) == (303, f"/inspections/{VISIT}#item-{ITEM}")
    (entry,) = in_account(office)
    assert re.fullmatch(f"{RULED}{ITEM}/-/[a-z2-7]{{26}}", entry.path)
    person = office.person_id("officer")
    assert (entry.by, entry.replaces) == (person, ())
    assert entry.value["heads"] == [laptop.hashes[VISIT][2].hex()]
    assert entry.value["reason"] == WHY
    assert "It is being assessed." in page(officer)
    run_once(office.ctx)
    now = line(office)
    assert (now["status"], now["effective"], now["low"], now["high"]) == (
        "not-observed",
        None,
        "0",
        "1",
    )
    assert now["why"] == f"ruled out for want of evidence: {WHY.rstrip('.')}"
    (told,) = now["ruled_out"]
    assert (told["by"], told["reason"], told["entry"]) == (person, WHY, entry.h)
    for scope, subject in (("inspection", VISIT), ("facility", NORTH)):
        found = reasons(office, scope, subject)
        assert "adverse-unproven" not in found and "ruled-out" in found
    shown = page(officer)
    assert "Ruled out</strong> by <bdi>Made-up Officer</bdi>, 23 Nov 2026, 07:00 (UTC+7): " in shown
    assert f"<bdi>{WHY}</bdi>" in shown and '/ruling"' not in shown
    assert "the &lt;b&gt;camera" in officer.call("GET", f"/inspections/{VISIT}").text
    with office.ctx.db.read() as tx:
        trail = [one for one in audit.lines(tx) if one["action"] == "answer.rule-out"]
    assert [(one["who"], one["detail"]["name"], one["detail"]["entry"]) for one in trail] == [
        (f"person:{person}", "Made-up Officer", entry.h)
    ]
    assert verify(office.ctx).faults == ()


def test_the_exported_inputs_give_the_same_digits_and_so_does_a_rebuild(
    office: Office, laptop: Device
) -> None:
    """Scoring rule 10: officers' rulings are an input."""
    rule(office)
    with office.ctx.db.read() as tx:
        row = assessments.find(tx, "inspection", VISIT)
        assert row is not None
        document = whole_inputs(tx, row)
    (ruling,) = document["visits"][0]["rulings"]
    assert (ruling["item"], ruling["instance"], ruling["reason"]) == (ITEM, "-", WHY)
    assert score_bytes(score(inputs_from_json(document), inputs_digest(document))) == row.score
    rebuild(office.ctx)
    run_once(office.ctx)
    with office.ctx.db.read() as tx:
        assert assessments.find(tx, "inspection", VISIT) == row


def test_a_changed_answer_is_not_ruled_out(office: Office, laptop: Device) -> None:
    """Scoring rule 3: the ruling names the answers that were shown."""
    rule(office)
    laptop.record(VISIT, f"answers/{ITEM}/-", {"level": "partially"})
    sign(office, laptop)
    assert line(office)["status"] == "adverse-unproven" and "ruled_out" not in line(office)
    shown = page(office.logged_in("officer"))
    assert "Ruled out before by" in shown and "what it was about has changed" in shown
    rule(office)
    assert line(office)["status"] == "not-observed"


def prove(office: Office, laptop: Device) -> list[tuple[str, dict[str, Any]]]:
    """Attach and deliver all that the item asks for; the entries, to be taken back."""
    said = []
    for seed, kind in enumerate(("document", "photo", "photo")):
        data = jpeg(seed)
        path = f"evidence/{hashlib.sha256(data).hexdigest()}/{laptop.id}"
        value: dict[str, Any] = {"kind": kind, "source": "taken-here", "media_type": "image/jpeg"}
        value |= {"size": len(data), "name": f"{seed}.jpg", "items": [f"{ITEM}/-"]}
        laptop.record(VISIT, path, value)
        said.append((path, value))
    laptop.sign_off(VISIT)
    laptop.send()
    for seed in range(len(said)):
        laptop.send_file(jpeg(seed))
    run_once(office.ctx)
    return said


def test_evidence_that_comes_counts_and_withdrawing_it_brings_no_ruling_back(
    office: Office, laptop: Device
) -> None:
    """Scoring rule 3: hiding never raises a grade."""
    rule(office)
    said = prove(office, laptop)
    assert (line(office)["status"], line(office)["effective"]) == ("counted", "0")
    for path, value in said:
        laptop.record(VISIT, path, {**value, "items": []})
    sign(office, laptop)
    assert line(office)["status"] == "adverse-unproven"


def test_who_may_not_rule_is_refused(office: Office, laptop: Device) -> None:
    """Permissions, one's own work, the form's token, a reason."""
    officer = office.logged_in("officer")
    form = form_of(officer)
    for login in ("auditor", "reader", "administrator", "safeguarding"):
        assert send(office.logged_in(login), form).status_code == 403
    again = send(officer, {**form, "reason": " "})
    assert again.status_code == 422 and "reason: give 1 to" in again.text
    token, officer.csrf = officer.csrf, "another"
    assert send(officer, {**form, "csrf": ""}).status_code == 400
    officer.csrf = token
    accounts.add_person(
        office.ctx,
        CONSOLE,
        login="neighbour",
        name="Made-up Neighbour",
        password=PASSWORD,
        grants=[("officer", "south")],
    )
    assert send(office.logged_in("neighbour"), form).status_code == 404
    person = office.person_id("auditor")
    office.ctx.db.write(lambda tx: people.grant(tx, person, "officer", "north"))
    own = office.logged_in("auditor")
    assert '/ruling"' not in page(own)
    refused = send(own, form)
    assert refused.status_code == 403
    assert "You worked on this inspection yourself" in refused.text
    for wrong in ({"item": "GEN-S6"}, {"item": "x" * 900}, {"instance": "w"}, {"seen": "\x00"}):
        assert send(officer, {**form, **wrong}).status_code == 409
    assert in_account(office) == []


def test_of_two_officers_at_once_the_second_sees_the_first_ones_decision(
    office: Office, laptop: Device
) -> None:
    """And one who sends the form twice rules once."""
    accounts.add_person(
        office.ctx,
        CONSOLE,
        login="rosa",
        name="Made-up Rosa",
        password=PASSWORD,
        grants=[("officer", "north")],
    )
    officer, rosa = office.logged_in("officer"), office.logged_in("rosa")
    first, second = form_of(officer), form_of(rosa, "I think so too.")
    for _ in range(2):
        assert send(officer, first).status_code == 303
    for _ in range(2):
        late = send(rosa, second)
        assert late.status_code == 409
        assert "somebody ruled on it" in late.text and "Made-up Officer" in late.text
        run_once(office.ctx)
    assert len(in_account(office)) == 1


def test_what_came_after_the_page_was_read_is_not_ruled_out_unseen(
    office: Office, laptop: Device
) -> None:
    officer = office.logged_in("officer")
    form = form_of(officer)
    laptop.photo(VISIT, jpeg(1), [f"{ITEM}/-"])
    laptop.sign_off(VISIT)
    laptop.send()
    for _ in range(2):  # while it is being assessed, and then
        assert send(officer, form).status_code == 409
        run_once(office.ctx)
    assert in_account(office) == []
    assert send(officer, form_of(officer)).status_code == 303


def test_it_goes_down_to_the_devices_and_is_nothing_to_sign_again(
    office: Office, laptop: Device
) -> None:
    """S5, S9, L7: with the certificate that says whose it is."""
    signed = loaded(office).signed
    rule(office)
    found = loaded(office)
    assert found.amendments == () and found.signed == signed
    assert "came after" not in page(office.logged_in("officer"))
    (entry,) = in_account(office)
    came = changes_after(office.ctx, laptop.person, laptop.id, None).changes
    assert [c.ref for c in came if c.kind == "certificate"].count(entry.device) == 1
    assert [c for c in came if c.kind == "lines" and c.ref.startswith(entry.device)]


def test_nobody_rules_from_a_device(office: Office, laptop: Device) -> None:
    """S9: whatever stands at such a path in a device's log is no officer's word."""
    rule(office)
    (entry,) = in_account(office)
    again = make_signed(office, laptop, entry.value)
    assert line(office)["status"] == "adverse-unproven", again


def make_signed(office: Office, laptop: Device, value: dict[str, Any]) -> dict[str, Any]:
    """Answer anew, and say from the device that it is ruled out."""
    h = laptop.record(VISIT, f"answers/{ITEM}/-", {"level": "partially"})
    mine = {**value, "heads": [h]}
    laptop.record(VISIT, f"{RULED}{ITEM}/-/mine", mine)
    sign(office, laptop)
    return mine


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"heads": [], "files": "0" * 64, "evidence": "0" * 64, "reason": "so"},
        {"heads": ["0" * 64], "files": "0" * 64, "evidence": "x", "reason": "so"},
        {"heads": ["0" * 64], "files": 1, "evidence": "0" * 64, "reason": "so"},
        {"heads": ["0" * 64], "files": "0" * 64, "evidence": "0" * 64, "reason": ""},
    ],
)
def test_a_ruling_that_cannot_be_read_is_unread_and_holds_up_nothing(
    office: Office, laptop: Device, value: object
) -> None:
    """L4"""
    laptop.record(VISIT, f"{RULED}{ITEM}/-/a", value)
    sign(office, laptop)
    assert len(loaded(office).current.unread) == 1
    assert line(office)["status"] == "adverse-unproven"
