"""An officer acknowledges an urgent hazard (S7): who may, what it says, and how it travels."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import NORTH, PASSWORD, Browser, Office, assign_auditor, make_office
from region import Clock, Device, enrolled_device, fix
from sqlalchemy import delete, update

from server import create_app
from server.context import Context, open_context
from server.schedule import run_once
from server.services import accounts
from server.services.audit import CONSOLE
from server.services.backup import make_backup
from server.services.changes import changes_after
from server.services.enrolment import revoke_device
from server.services.inspections import Loaded, load_inspection
from server.services.intake import receive
from server.services.rebuild import rebuild
from server.services.restore import Surroundings, restore
from server.services.verify import verify
from server.settings import read_settings
from server.store import audit, devices, hazards, logs, people
from server.store.hazards import HazardRow
from server.store.tables import hazards as table
from sync.entry import Entry
from sync.extract import extract_from_json
from sync.hazard import ACKNOWLEDGED, PREFIX
from sync.log import Segment, records_of
from sync.session import Request, read_answer, write_request

VISIT = "11111111-2222-4333-8444-555555555555"
DAM = "The dam of pond 3 is about to fail."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    assign_auditor(made)
    yield made
    made.ctx.db.close()


@pytest.fixture
def laptop(office: Office) -> Device:
    """The auditor's, whose hazard is at the office."""
    made = enrolled_device(office.ctx, "auditor")
    made.person = office.person_id("auditor")
    made.start(VISIT, NORTH)
    tell(made, DAM)
    made.send()
    return made


def tell(device: Device, text: str, severity: str = "immediate", **more: Any) -> str:
    value = {"value": severity, "note": text, "fix": fix()}
    return device.record(VISIT, f"{PREFIX}h1", value, **more)


def page(who: Browser, path: str = f"/inspections/{VISIT}") -> str:
    answer = who.call("GET", path)
    assert answer.status_code == 200, answer.text
    without_times = re.sub(r"</?time[^>]*>", "", answer.text)
    return html.unescape(" ".join(without_times.split()))


def form_of(who: Browser, reason: str = "Everybody was called away.") -> dict[str, str]:
    """The form as it stands on the page."""
    (form,) = re.findall(r'/acknowledgement">(.*?)</form>', page(who))
    given = dict(re.findall(r'name="(csrf|hazard|seen)" value="([^"]*)"', form))
    return {**given, "reason": reason}


def send(who: Browser, form: dict[str, str]) -> Any:
    return who.call("POST", f"/inspections/{VISIT}/acknowledgement", data=form)


def loaded(ctx: Context) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None
    return found


def kept(ctx: Context) -> HazardRow:
    with ctx.db.read() as tx:
        return hazards.of_inspection(tx, VISIT)["h1"]


def in_account(office: Office) -> list[Entry]:
    """What stands in the log of the officer's account."""
    found = [log for log in loaded(office.ctx).logs if log.kind == devices.ACCOUNT]
    with office.ctx.db.read() as tx:
        return [
            one
            for log in found
            for one in records_of(logs.lines_of(tx, log.id), log.public_key, log.device, VISIT)
            if isinstance(one, Entry)
        ]


def test_an_officer_acknowledges_and_both_pages_say_who_when_and_why(
    office: Office, laptop: Device
) -> None:
    """S7, S9: it is an entry in the log that the server keeps for the officer's account."""
    officer = office.logged_in("officer")
    office.clock.at += 60_000
    answer = send(officer, form_of(officer, "The <b>village was called."))
    assert (answer.status_code, answer.location) == (303, f"/inspections/{VISIT}#hazards")
    (entry,) = in_account(office)
    person = office.person_id("officer")
    heads = [laptop.hashes[VISIT][-1].hex()]
    assert re.fullmatch(f"{ACKNOWLEDGED}h1/[a-z2-7]{{26}}", entry.path)
    assert (entry.by, entry.replaces) == (person, ())
    assert entry.value == {"heads": heads, "reason": "The <b>village was called."}
    for path in ("/facilities", f"/inspections/{VISIT}"):
        shown = page(officer, path)
        said = "Acknowledged by <bdi>Made-up Officer</bdi>, 23 Nov 2026, 07:01 (UTC+7)"
        assert f"{said}: <bdi>The <b>village was called.</bdi>" in shown
        assert "Urgent hazard, acknowledged:" in shown and DAM in shown
        assert "in danger now" not in shown and 'role="alert"' not in shown
    assert "The &lt;b&gt;village" in officer.call("GET", f"/inspections/{VISIT}").text
    assert "/acknowledgement" not in page(officer)
    with office.ctx.db.read() as tx:
        trail = [one for one in audit.lines(tx) if one["action"] == "hazard.acknowledge"]
    assert [(one["who"], one["detail"]["name"], one["detail"]["entry"]) for one in trail] == [
        (f"person:{person}", "Made-up Officer", entry.h)
    ]
    assert verify(office.ctx).faults == ()


def test_who_may_not_acknowledge_is_refused(office: Office, laptop: Device) -> None:
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
    assert DAM in page(own) and "/acknowledgement" not in page(own)
    refused = send(own, form)
    assert refused.status_code == 403
    assert "You worked on this inspection yourself" in refused.text
    assert in_account(office) == [] and kept(office.ctx).seen_by is None


def test_of_what_was_told_meanwhile_nothing_is_acknowledged_unseen(
    office: Office, laptop: Device
) -> None:
    """S7: the entry names exactly what the officer was shown."""
    officer = office.logged_in("officer")
    form = form_of(officer)
    tell(laptop, "It runs over now.")
    laptop.send()
    late = send(officer, form)
    assert late.status_code == 409 and "something arrived about it" in late.text
    assert "It runs over now." in late.text and in_account(office) == []
    for wrong in ({"hazard": "h2"}, {"hazard": "h" * 900}, {"seen": ""}, {"seen": "\x00"}):
        assert send(officer, {**form_of(officer), **wrong}).status_code == 409
    assert send(officer, form_of(officer)).status_code == 303
    assert len(in_account(office)) == 1


def test_a_hazard_that_is_told_again_is_unseen_again(office: Office, laptop: Device) -> None:
    """S7: for the page, the list, and the next acknowledgement."""
    officer = office.logged_in("officer")
    send(officer, form_of(officer, "Called at six."))
    tell(laptop, "The crest is wet now.")
    laptop.send()
    for path in ("/facilities", f"/inspections/{VISIT}"):
        shown = page(officer, path)
        assert "The crest is wet now." in shown and "people are in danger now" in shown
        assert "Called at six." not in shown and 'role="alert"' in shown
    assert send(officer, form_of(officer, "Called again.")).status_code == 303
    assert "Called again." in page(officer, "/facilities")


def test_what_somebody_else_says_beside_it_makes_it_unseen_too(
    office: Office, laptop: Device
) -> None:
    """S7, L6: also where the other says that it is over, which it then is not."""
    officer = office.logged_in("officer")
    send(officer, form_of(officer))
    other = enrolled_device(office.ctx, "auditor", 2)
    other.person = laptop.person
    tell(other, "No dam here.", "over", replaces=[])
    other.send()
    for path in ("/facilities", f"/inspections/{VISIT}"):
        assert "Urgent hazard, people are in danger now:" in page(officer, path)


def test_a_form_that_is_sent_twice_says_it_once_and_two_officers_say_it_twice(
    office: Office, laptop: Device
) -> None:
    """S7: at paths of their own, so nobody has a conflict to end (L6)."""
    accounts.add_person(
        office.ctx,
        CONSOLE,
        login="rosa",
        name="Made-up Rosa",
        password=PASSWORD,
        grants=[("officer", "north")],
    )
    officer, rosa = office.logged_in("officer"), office.logged_in("rosa")
    first, second = form_of(officer), form_of(rosa, "I drove there.")
    for who, form in ((officer, first), (officer, first), (rosa, second)):
        office.clock.at += 1000
        assert send(who, form).status_code == 303
    assert len(in_account(office)) == 2 and loaded(office.ctx).conflicts == ()
    shown = page(officer)
    assert shown.index("Made-up Officer</bdi>, 23 Nov") < shown.index("Made-up Rosa</bdi>, 23 Nov")
    assert kept(office.ctx).seen_by == office.person_id("officer")


def test_what_is_over_is_not_acknowledged(office: Office, laptop: Device) -> None:
    officer = office.logged_in("officer")
    form = form_of(officer)
    tell(laptop, "It holds.", "over")
    laptop.send()
    assert "/acknowledgement" not in page(officer)
    assert send(officer, form).status_code == 409
    code = loaded(office.ctx).current.observed["urgent-hazard", "h1"].heads[0].written.h
    assert send(officer, {**form, "seen": code[:16]}).status_code == 409


def test_a_hazard_told_by_somebody_who_is_not_expected_can_be_acknowledged_too(
    office: Office, laptop: Device
) -> None:
    """S7, S9: nobody waits for a ruling where people may be in danger."""
    stranger = enrolled_device(office.ctx, "reader", 2)
    stranger.person = office.person_id("reader")
    stranger.record(VISIT, f"{PREFIX}h2", {"value": "soon", "note": "The road slides."})
    stranger.send()
    officer = office.logged_in("officer")
    send(officer, {**_second_form(officer), "reason": "The road is closed."})
    shown = page(officer)
    assert "Set aside:" in shown and "The road is closed." in shown
    listed = page(officer, "/facilities")
    assert listed.index(DAM) < listed.index("The road slides.") < listed.index("The road is closed")


def test_who_does_not_count_ends_no_hazard_that_only_they_told(
    office: Office, laptop: Device
) -> None:
    """S7, S9: it stays on both pages, and can be acknowledged, until somebody rules."""
    stranger = enrolled_device(office.ctx, "reader", 2)
    stranger.person = office.person_id("reader")
    for value in ({"value": "soon", "note": "The road slides."}, {"value": "over", "note": "Gone"}):
        stranger.record(VISIT, f"{PREFIX}h2", value)
        stranger.send()
    officer = office.logged_in("officer")
    for path in ("/facilities", f"/inspections/{VISIT}"):
        shown = page(officer, path)
        assert "The road slides." in shown and "Gone" not in shown
    sent = send(officer, {**_second_form(officer), "reason": "The road is closed."})
    assert sent.status_code == 303 and "The road is closed." in page(officer, "/facilities")


def _second_form(who: Browser) -> dict[str, str]:
    forms = re.findall(r'/acknowledgement">(.*?)</form>', page(who))
    return dict(re.findall(r'name="(csrf|hazard|seen)" value="([^"]*)"', forms[1]))


def test_nobody_acknowledges_from_a_device(office: Office, laptop: Device) -> None:
    """S9: whatever stands at such a path in a device's log is no officer's word."""
    heads = [laptop.hashes[VISIT][-1].hex()]
    laptop.record(VISIT, f"{ACKNOWLEDGED}h1/mine", {"heads": heads, "reason": "all is well"})
    laptop.send()
    officer = office.logged_in("officer")
    for path in ("/facilities", f"/inspections/{VISIT}"):
        assert "Urgent hazard, people are in danger now:" in page(officer, path)


@pytest.mark.parametrize("value", [[], {}, {"heads": []}, {"heads": ["x"], "reason": ""}])
def test_an_acknowledgement_that_cannot_be_read_is_unread_and_holds_up_nothing(
    office: Office, laptop: Device, value: object
) -> None:
    """L4"""
    laptop.record(VISIT, f"{ACKNOWLEDGED}h1/a", value)
    laptop.send()
    assert len(loaded(office.ctx).current.unread) == 1
    assert DAM in page(office.logged_in("officer"))


def test_it_travels_down_to_the_devices_that_share_the_inspection(
    office: Office, laptop: Device
) -> None:
    """S7, S5: with the certificate that says whose it is, and that it is the office's."""
    officer = office.logged_in("officer")
    send(officer, form_of(officer))
    (entry,) = in_account(office)
    came = changes_after(office.ctx, laptop.person, laptop.id, None).changes
    assert [c.ref for c in came if c.kind == "certificate"].count(entry.device) == 1
    (run,) = [c for c in came if c.kind == "lines" and c.ref.startswith(entry.device)]
    (line,) = extract_from_json(run.body).rows
    assert isinstance(line, bytes) and b'"reason":"Everybody was called away."' in line


def test_it_is_no_entry_after_the_sign_off(office: Office, laptop: Device) -> None:
    """S7, L7: nothing is to be signed again because the office has seen what was signed."""
    laptop.record(VISIT, "outcome", {"outcome": "visited"})
    laptop.sign_off(VISIT)
    laptop.send()
    officer = office.logged_in("officer")
    signed = loaded(office.ctx).signed
    send(officer, form_of(officer))
    found = loaded(office.ctx)
    assert found.amendments == () and found.signed == signed
    assert "came after" not in page(officer)
    # What stands at such a path in a device's log is an entry like any other.
    laptop.record(VISIT, f"{ACKNOWLEDGED}h1/mine", {"heads": ["0" * 64], "reason": "so"})
    laptop.send()
    assert [one.device for one in loaded(office.ctx).amendments] == [laptop.id]


def test_a_ruling_that_lets_its_end_count_ends_the_hazard(office: Office, laptop: Device) -> None:
    """S7, S9: and one that takes it back opens it again."""
    stranger = enrolled_device(office.ctx, "reader", 2)
    stranger.person = office.person_id("reader")
    tell(stranger, "It holds.", "over", replaces=[laptop.hashes[VISIT][-1].hex()])
    stranger.send()
    officer = office.logged_in("officer")
    ruling = {"device": stranger.id, "upto": "1", "ruling": "admitted", "reason": "she was there"}
    for word, listed in (("admitted", False), ("refused", True)):
        answer = officer.call(
            "POST", f"/inspections/{VISIT}/admission", data={**ruling, "ruling": word}
        )
        assert answer.status_code == 303
        run_once(office.ctx)
        assert ("Urgent hazard" in page(officer, "/facilities")) is listed
    assert kept(office.ctx).received_at == Clock().at


def test_rebuilding_gives_the_same_rows(office: Office, laptop: Device) -> None:
    """S7: what is kept of hazards follows from the entries."""
    officer = office.logged_in("officer")
    office.clock.at += 60_000
    send(officer, form_of(officer))
    before = kept(office.ctx)
    assert (before.seen_by, before.seen_at) == (office.person_id("officer"), office.clock.at)
    run_once(office.ctx)
    assert kept(office.ctx) == before
    spoilt = update(table).values(seen_by=None, seen_at=None, seen_why=None, text="nothing")
    for damage in (spoilt, delete(table)):
        office.ctx.db.write(lambda tx, damage=damage: tx.execute(damage))
        office.clock.at += 86_400_000
        rebuild(office.ctx)
        assert kept(office.ctx) == before


def test_after_a_restore_it_comes_back_from_the_device_that_received_it(
    office: Office, laptop: Device, tmp_path: Path
) -> None:
    """S7, S5: one that a backup holds is there at once; one that was made after it comes back."""
    officer = office.logged_in("officer")
    make_backup(office.ctx, tmp_path / "before")
    send(officer, form_of(officer))
    make_backup(office.ctx, tmp_path / "after")
    with office.ctx.db.read() as tx:
        (log,) = [one for one in logs.logs_of(tx, VISIT) if one.kind == devices.ACCOUNT]
        (run,) = logs.segments_of(tx, log.id)
        segment = Segment(log.device, VISIT, 1, tuple(logs.lines_of(tx, log.id)), run.signature)
        account = devices.find(tx, log.device)
    assert account is not None
    with_it = _restored(office, tmp_path, "after")
    assert kept(with_it) == kept(office.ctx)
    with_it.db.close()
    ctx = _restored(office, tmp_path, "before")
    assert kept(ctx).seen_by is None
    request = Request(
        laptop.id, None, (), (segment,), ctx.now(), certificates=(account.certificate,)
    )
    answer = read_answer(receive(ctx, laptop.id, laptop.person, write_request(request)))
    assert [state.state for state in answer.logs] == ["held"]
    assert kept(ctx) == kept(office.ctx)
    shown = page(replace(office, ctx=ctx, app=create_app(ctx)).logged_in("officer"), "/facilities")
    assert "Acknowledged by <bdi>Made-up Officer</bdi>" in shown
    ctx.db.close()


def _restored(office: Office, folder: Path, backup: str) -> Context:
    to = Surroundings(
        read_settings(folder / f"new-{backup}", environ={}), office.clock, lambda _: 7
    )
    restore(to, folder / backup)
    return replace(open_context(to.settings), now=office.clock)


def test_who_is_revoked_makes_no_acknowledged_hazard_open_or_over(
    office: Office, laptop: Device
) -> None:
    """S7, S8: what comes later under the key waits for staff; the word that it is over as well."""
    officer = office.logged_in("officer")
    send(officer, form_of(officer, "Called at six."))
    revoke_device(office.ctx, CONSOLE, laptop.id, "stolen")
    tell(laptop, "All is well.", "over")
    laptop.send()
    for path in ("/facilities", f"/inspections/{VISIT}"):
        shown = page(officer, path)
        assert "Called at six." in shown and "All is well." not in shown
