"""An officer ends a conflict (L6): through the account's log (S9), once, with reason and name."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import NORTH, PASSWORD, Browser, Office, make_office
from region import Clock, Device, enrolled_device, fix

from server.services import accounts, enrolment
from server.services.account_log import account_key
from server.services.assess import assess_facility
from server.services.changes import changes_after
from server.services.generations import next_generation
from server.services.inspections import Loaded, load_inspection
from server.services.programme import assign
from server.services.verify import verify
from server.store import assessments, audit, changes, devices, documents, logs, people
from sync.conflicts import RESOLVED
from sync.entry import Entry
from sync.generation import prove
from sync.log import records_of
from sync.problems import Problem

VISIT = "0f8fad5b-d9cb-469f-a165-70867728950e"
PATH = "answers/GEN-G1/-"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    yield made
    made.ctx.db.close()


def auditor(office: Office, login: str, seed: int) -> Device:
    """A device of somebody who is assigned to the northern facility."""
    person = office.person_id(login)
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


@pytest.fixture
def both(office: Office) -> tuple[Device, Device]:
    """Two auditors who answered the same question without having seen each other's answer."""
    first, second = auditor(office, "auditor", 1), auditor(office, "reader", 2)
    with office.ctx.db.read() as tx:
        published = documents.newest(tx, "checklist", "rare-earth-site")
    assert published is not None
    first.start(VISIT, NORTH, checklist=published.digest)
    first.record(VISIT, PATH, {"level": "fully", "note": "on the board"}, replaces=[])
    first.record(VISIT, "outcome", {"outcome": "visited"})
    office.clock.at += 60_000
    value = {"level": "does-not-meet", "fix": fix()}
    second.record(VISIT, PATH, value, replaces=[])
    for one in (first, second):
        one.send()
    return first, second


def loaded(office: Office) -> Loaded:
    with office.ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None
    return found


def form_of(office: Office, **more: str) -> dict[str, str]:
    (conflict,) = loaded(office).conflicts
    given = {"path": conflict.path, "seen": conflict.code, "reason": "the register was shown"}
    return {**given, "keep": conflict.sides[0].record.h, **more}


def decide(browser: Browser, form: dict[str, str]) -> Any:
    return browser.call("POST", f"/inspections/{VISIT}/resolution", data=form)


def page(browser: Browser) -> str:
    answer = browser.call("GET", f"/inspections/{VISIT}")
    assert answer.status_code == 200, answer.text
    return html.unescape(" ".join(answer.text.split()))


def test_the_page_shows_both_values_with_who_when_and_where_latest_first(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6"""
    shown = page(office.logged_in("officer"))
    part = shown[shown.index('id="conflicts"') : shown.index('id="flags"')]
    assert part.index("Does not meet") < part.index("Fully meets")
    for words in ("Made-up Reader", "Made-up Auditor", "laptop 1", "on the board", "± 6 m"):
        assert words in part
    assert "20.45000° N, 99.88000° E" in part and "23 Nov 2026, 07:01 (UTC+7)" in part


def test_keeping_one_writes_a_signed_entry_that_names_all_heads(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6, S9: through a log that the server keeps for the officer's account."""
    form = form_of(office)
    heads = loaded(office).conflicts[0].heads
    answer = decide(office.logged_in("officer"), form)
    assert (answer.status_code, answer.location) == (303, f"/inspections/{VISIT}#conflicts")
    found = loaded(office)
    assert found.conflicts == ()
    (account,) = [log for log in found.logs if log.kind == devices.ACCOUNT]
    with office.ctx.db.read() as tx:
        lines = logs.lines_of(tx, account.id)
        trail = [one for one in audit.lines(tx) if one["action"] == "conflict.resolve"]
    (entry,) = records_of(lines, account.public_key, account.device, VISIT)
    assert isinstance(entry, Entry)
    assert entry.replaces == heads and entry.by == office.person_id("officer")
    assert entry.value["level"] == "does-not-meet"
    assert entry.value[RESOLVED] == {"kept": form["keep"], "reason": form["reason"]}
    (line,) = trail
    assert line["who"] == f"person:{entry.by}"
    assert (line["detail"]["reason"], line["detail"]["name"]) == (
        form["reason"],
        "Made-up Officer",
    )
    assert verify(office.ctx).faults == ()
    assert "Not signed at the source" in page(office.logged_in("officer"))


def test_another_value_may_be_given_in_the_words_of_the_question(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6"""
    officer = office.logged_in("officer")
    again = decide(officer, form_of(office, keep="other", level="wonderful"))
    assert again.status_code == 422 and 'role="alert"' in again.text
    assert decide(officer, form_of(office, keep="other", level="partially")).status_code == 303
    (answer,) = loaded(office).current.answers["GEN-G1", "-"].heads
    assert (answer.level, answer.reason, answer.written.signed) == ("partially", "", False)


def test_of_two_officers_at_once_the_second_sees_the_first_ones_decision(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6: the second's values are not those that stand there any more."""
    accounts.add_person(
        office.ctx,
        "console",
        login="rosa",
        name="Made-up Rosa",
        password=PASSWORD,
        grants=[("officer", "north")],
    )
    form = form_of(office)
    assert decide(office.logged_in("officer"), form).status_code == 303
    late = decide(office.logged_in("rosa"), {**form, "reason": "I think otherwise"})
    assert late.status_code == 409
    assert "something arrived or was decided meanwhile" in late.text
    assert "Made-up Officer" in late.text
    kept = [log for log in loaded(office).logs if log.kind == devices.ACCOUNT]
    assert len(kept) == 1


def test_who_may_not_decide_is_refused(office: Office, both: tuple[Device, Device]) -> None:
    """Permissions, one's own work, the form's token, and a reason."""
    form = form_of(office)
    officer = office.logged_in("officer")
    assert decide(officer, {**form, "reason": " "}).status_code == 422
    assert decide(officer, {**form, "keep": "ff" * 32}).status_code == 409
    assert decide(office.logged_in("auditor"), form).status_code == 403
    token, officer.csrf = officer.csrf, "another"
    assert decide(officer, form).status_code == 400
    officer.csrf = token
    person = office.person_id("auditor")
    office.ctx.db.write(lambda tx: people.grant(tx, person, "officer", "north"))
    own = office.logged_in("auditor")
    assert "Decide</summary>" not in page(own) and "a colleague decides" in page(own)
    assert "You worked on this inspection yourself" in decide(own, form).text
    assert len(loaded(office).conflicts) == 1


def test_the_decision_travels_to_the_devices_that_share_the_inspection(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6, S5"""
    decide(office.logged_in("officer"), form_of(office))
    (account,) = [log for log in loaded(office).logs if log.kind == devices.ACCOUNT]
    for one in both:
        came = changes_after(office.ctx, one.person, one.id, None).changes
        assert [c.ref for c in came if c.kind == "certificate" and c.ref == account.device]
        (run,) = [c for c in came if c.kind == "lines" and c.ref.startswith(account.device)]
        assert run.body is not None


def test_a_conflict_holds_the_grade_back_and_the_decision_says_it_was_not_signed_there(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6, L7, S9: what is assessed is what was signed, with officers' decisions."""
    first, second = both
    first.sign_off(VISIT, {second.id: (1, second.hashes[VISIT][1].hex())})
    first.send()

    def score() -> dict[str, Any]:
        assess_facility(office.ctx, NORTH)
        with office.ctx.db.read() as tx:
            found = assessments.find(tx, "inspection", VISIT)
        assert found is not None
        whole: dict[str, Any] = json.loads(found.score)
        return whole

    assert "conflict" in [reason["code"] for reason in score()["reasons"]]
    decide(office.logged_in("officer"), form_of(office))
    after = score()
    assert "conflict" not in [reason["code"] for reason in after["reasons"]]
    assert loaded(office).signed is not None
    (item,) = [one for one in after["items"] if one["item"] == "GEN-G1"]
    (log,) = [one for one in loaded(office).logs if one.kind == devices.ACCOUNT]
    assert item["unsigned"] == [log.h.hex()]


def test_an_auditor_who_disagreed_settles_nothing_and_an_officer_may_adjudicate(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6, scoring rule 5: at a critical item, which two auditors answered apart."""
    first, _ = both
    heads = loaded(office).conflicts[0].heads
    first.record(VISIT, PATH, {"level": "fully"}, replaces=list(heads))
    first.send()
    found = loaded(office)
    (open_one,) = found.unsettled
    assert found.conflicts == () and len(open_one.sides) == 2

    def asked() -> bool:
        assess_facility(office.ctx, NORTH)
        with office.ctx.db.read() as tx:
            row = assessments.find(tx, "inspection", VISIT)
        assert row is not None
        items = {one["item"]: one for one in json.loads(row.score)["items"]}
        return "adjudicate" in items["GEN-G1"]

    assert asked()
    officer = office.logged_in("officer")
    shown = page(officer)
    part = shown[shown.index('id="adjudicate"') : shown.index('id="flags"')]
    assert part.index("Fully meets") < part.index("Does not meet") and "Decide</summary>" in part
    assert "Auditors disagree: somebody who is none of them has to adjudicate." in shown
    form = {"path": PATH, "seen": open_one.code, "reason": "seen on site", "keep": heads[0]}
    kept = next(one.record.h for one in open_one.sides)
    assert decide(officer, {**form, "keep": kept}).status_code == 303
    assert loaded(office).unsettled == () and not asked()
    assert 'id="adjudicate"' not in page(officer)
    assert decide(officer, form).status_code == 409


def test_the_accounts_key_lies_nowhere_but_where_the_servers_own_does(
    office: Office, both: tuple[Device, Device]
) -> None:
    """S9: and another epoch or another receipt key begins another log."""
    ctx = office.ctx
    person = office.person_id("officer")
    decide(office.logged_in("officer"), form_of(office))
    with ctx.db.read() as tx:
        epoch, _ = changes.position(tx)
    key = account_key(ctx, person, epoch)
    secret = key.private_bytes_raw()
    for file in ctx.settings.data.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert secret not in data and secret.hex().encode() not in data
    public = {key.public_key().public_bytes_raw()}
    with ctx.db.read() as tx:
        assert public == {d.public_key for d in devices.every(tx) if d.kind == devices.ACCOUNT}
    public.add(account_key(ctx, person, epoch + 1).public_key().public_bytes_raw())
    public.add(account_key(ctx, "p-another", epoch).public_key().public_bytes_raw())
    rotated = replace(ctx, key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    public.add(account_key(rotated, person, epoch).public_key().public_bytes_raw())
    assert len(public) == 4


def test_the_form_offers_what_may_be_decided(office: Office, both: tuple[Device, Device]) -> None:
    shown = page(office.logged_in("officer"))
    assert len(re.findall(r'type="radio" name="keep"', shown)) == 3
    for word in ("substantially", "not-observed", "not-applicable"):
        assert f'<option value="{word}">' in shown


def test_the_log_of_an_account_is_never_enrolled_as_a_device(
    office: Office, both: tuple[Device, Device]
) -> None:
    """S9, S8: its certificate tells everybody its key; its entries stay marked as the office's."""
    decide(office.logged_in("officer"), form_of(office))
    person = office.person_id("officer")
    key = account_key(office.ctx, person, 1)
    code = enrolment.invite(office.ctx, "officer", "console").partition("#")[2].partition(".")[0]
    with pytest.raises(Problem, match="device-of-another"):
        enrolment.enrol(office.ctx, code, key.public_key().public_bytes_raw(), "a laptop")
    mine = enrolled_device(office.ctx, person, 7)
    raw = key.public_key().public_bytes_raw()
    with pytest.raises(Problem, match="device-of-another"):
        next_generation(office.ctx, mine.id, raw, prove(mine.key, raw))
    assert len(loaded(office).accounts) == 1


def test_a_value_that_arrived_after_the_page_was_read_is_not_replaced_unseen(
    office: Office, both: tuple[Device, Device]
) -> None:
    """L6: the entry names exactly what the officer was shown."""
    form = form_of(office)
    third = auditor(office, "administrator", 3)
    third.record(VISIT, PATH, {"level": "partially"}, replaces=[])
    third.send()
    officer = office.logged_in("officer")
    assert decide(officer, form).status_code == 409
    (conflict,) = loaded(office).conflicts
    assert len(conflict.sides) == 3
    assert decide(officer, form_of(office)).status_code == 303
    assert loaded(office).conflicts == ()
