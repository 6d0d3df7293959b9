"""What a decision would make of the grade stands beside it, before it is made (scoring rule 10)."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from office import NORTH, Office, assign_auditor, make_office
from region import Clock, Device, enrolled_device, jpeg

from checklists import published
from checklists.load import load_checklist
from server.pages.wording import change_line
from server.permissions import Principal
from server.schedule import run_once
from server.services import ruling_out, weighing
from server.services.browse_inspection import InspectionView, show_inspection
from server.services.resolution import Choice, resolve
from server.services.weighing import Change, Stand, Weighed
from server.store import assessments, documents, people

VISIT = "11111111-2222-4333-8444-555555555555"
KINDS = ("photo", "photo", "photo", "document", "sample", "interview", "track")
CHECKLIST = load_checklist(published.checklist_bytes("rare-earth-site"), "checklist")
CRITICAL, BARE = "GEN-G1", "GEN-G5"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    yield made
    made.ctx.db.close()


def auditor(office: Office, login: str, seed: int) -> Device:
    person = office.person_id(login)
    if login != "auditor":
        office.ctx.db.write(lambda tx: people.grant(tx, person, "auditor", "north"))
    assign_auditor(office, person=login)
    return enrolled_device(office.ctx, person, seed)


def said_of(data: bytes, kind: str, items: list[str]) -> dict[str, Any]:
    told = {"source": "taken-here", "media_type": "image/jpeg", "size": len(data)}
    return {**told, "kind": kind, "name": "one.jpg", "items": items}


def attach(
    device: Device, seed: int, kind: str, items: list[str], **more: Any
) -> tuple[str, bytes]:
    """Name a file as evidence; its path and bytes."""
    data = jpeg(seed)
    path = f"evidence/{hashlib.sha256(data).hexdigest()}/{device.id}"
    device.record(VISIT, path, said_of(data, kind, items), **more)
    return path, data


def answered(device: Device) -> dict[str, list[str]]:
    """Answer everything; what the places are, by item."""
    places: dict[str, list[str]] = {}
    for _, item in CHECKLIST.items():
        if item.id in (CRITICAL, BARE):
            continue
        names = (
            ["-"] if item.instances is None else [f"w{n}" for n in range(item.instances.at_least)]
        )
        value: dict[str, Any] = {"level": "substantially"}
        if item.analytes:
            value = {"special": "not-applicable", "reason": "none here", "second": "p-second"}
        for name in names:
            device.record(VISIT, f"answers/{item.id}/{name}", value)
        places[item.id] = names
    return places


CHOICES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "answers": (f"answers/{CRITICAL}/-", {"level": "fully"}, {"level": "does-not-meet"}),
    "outcome": ("outcome", {"outcome": "visited"}, {"outcome": "evacuated"}),
    "observed": ("observed/operating/warm-kiln", {"value": "yes"}, {"value": "no"}),
}


def visit(office: Office, torn: set[str], proven: bool = True) -> tuple[Device, Device]:
    """A signed visit with everything answered, adversely at one item, which a document proves or
    nothing does; of the families in `torn` two auditors said otherwise.
    """
    first, second = auditor(office, "auditor", 1), auditor(office, "reader", 2)
    with office.ctx.db.read() as tx:
        digest = documents.newest(tx, "checklist", "rare-earth-site")
    assert digest is not None
    first.start(VISIT, NORTH, checklist=digest.digest)
    places = answered(first)
    items = [f"{item}/-" for item in (*places, CRITICAL)]
    files = [attach(first, seed, kind, items)[1] for seed, kind in enumerate(KINDS)]
    first.record(VISIT, f"answers/{BARE}/-", {"level": "does-not-meet"})
    for family, (path, mine, theirs) in CHOICES.items():
        first.record(VISIT, path, mine, replaces=[])
        if family in torn:
            second.record(VISIT, path, theirs, replaces=[])
    if proven:
        path, data = attach(first, 90, "document", [f"{BARE}/-"], replaces=[])
        files.append(data)
        if "evidence" in torn:
            second.record(VISIT, path, said_of(data, "photo", [f"{BARE}/-"]), replaces=[])
    others = {}
    if second.logs:
        second.send()
        others[second.id] = (len(second.logs[VISIT]), second.hashes[VISIT][-1].hex())
    first.sign_off(VISIT, others)
    first.send()
    for one in files:
        first.send_file(one)
    run_once(office.ctx)
    return first, second


def officer(office: Office) -> Principal:
    return Principal(
        "person", office.person_id("officer"), "Made-up Officer", None, (("officer", "north"),)
    )


def page(office: Office) -> InspectionView:
    return show_inspection(office.ctx, officer(office), VISIT)


def stands(office: Office) -> tuple[Stand, Stand]:
    """What is stored of the inspection and of its facility."""
    with office.ctx.db.read() as tx:
        rows = [
            assessments.find(tx, scope, subject)
            for scope, subject in (("inspection", VISIT), ("facility", NORTH))
        ]
    found: list[Stand] = []
    for row in rows:
        assert row is not None
        said: Mapping[str, Any] = json.loads(row.score)
        found.append(Stand(said["grade"], said["grade_state"], said["raw"], said["capped"]))
    return found[0], found[1]


def before_and_after(told: Weighed) -> tuple[tuple[Stand, Stand], tuple[Stand, Stand]]:
    assert told.facility is not None
    own, whole = told.inspection, told.facility
    return (own.before, whole.before), (own.after, whole.after)


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("family", ["answers", "outcome", "observed", "evidence"])
def test_what_is_said_of_each_choice_is_what_comes_of_it(
    office: Office, family: str, mine: bool
) -> None:
    """Scoring rule 10, L6: at the inspection and at its facility."""
    first, _ = visit(office, {family})
    view = page(office)
    (conflict,) = view.loaded.conflicts
    assert view.weighed is not None
    (keep,) = [s.record.h for s in conflict.sides if (s.record.device == first.id) is mine]
    before, after = before_and_after(view.weighed.kept[keep])
    assert before == stands(office)
    who = officer(office)
    resolve(office.ctx, who, VISIT, conflict.path, conflict.code, Choice(keep), "seen on site")
    assert page(office).weighed is None, "while it is being assessed nothing is said"
    run_once(office.ctx)
    assert after == stands(office)
    # Of two outcomes the one without a grade counted before; so did the kind that proves nothing.
    assert (before != after) is (mine or family in ("answers", "observed"))


def test_what_is_said_of_a_ruling_is_what_comes_of_it(office: Office) -> None:
    """Scoring rules 3 and 10."""
    visit(office, set(), proven=False)
    view = page(office)
    ((place,),) = view.rulings.open.values()
    assert view.weighed is not None and place.item == BARE
    told = view.weighed.ruled[place.code]
    before, after = before_and_after(told)
    assert before == stands(office) and before[0].state == "withheld"
    shown = html.unescape(office.logged_in("officer").call("GET", f"/inspections/{VISIT}").text)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", shown))
    assert f"This inspection and its facility: {change_line(told.inspection)}" in words
    ruling_out.rule_out(office.ctx, officer(office), VISIT, (BARE, "-"), place.code, "lost")
    run_once(office.ctx)
    assert after == stands(office)
    assert (after[0].grade, after[0].state) == ("B", "graded")


def test_the_page_says_it_beside_each_value_and_to_nobody_who_may_not_decide(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(office, {"answers", "observed", "evidence"})
    shown = html.unescape(office.logged_in("officer").call("GET", f"/inspections/{VISIT}").text)
    part = shown[shown.index('id="conflicts"') : shown.index('id="flags"')]
    assert part.count('class="weighed') == 6 and "not worked out" not in shown
    monkeypatch.setattr(weighing, "MOST", 3)
    shown = html.unescape(office.logged_in("officer").call("GET", f"/inspections/{VISIT}").text)
    assert shown.count('class="weighed') == 3
    words = " ".join(shown.split())
    monkeypatch.setattr(weighing, "MOST_FILES", len(page(office).loaded.current.evidence))
    assert len((page(office).weighed or weighing.WeighedView({}, {})).kept) == 1
    assert "4 choices more are not worked out: there are too many at once." in words
    person = office.person_id("auditor")
    office.ctx.db.write(lambda tx: people.grant(tx, person, "officer", "north"))
    own = office.logged_in("auditor").call("GET", f"/inspections/{VISIT}").text
    assert 'class="weighed' not in own and "Beside each choice" not in own


def test_of_ones_own_word_among_others_nothing_is_said(office: Office) -> None:
    """Scoring rule 5: whose word among others it is, a decision ends no disagreement."""
    first, _ = visit(office, {"answers"})
    (conflict,) = page(office).loaded.conflicts
    keep = conflict.sides[0].record.h
    resolve(office.ctx, officer(office), VISIT, conflict.path, conflict.code, Choice(keep), "so")
    first.record(VISIT, conflict.path, {"level": "fully"}, replaces=[])
    first.send()
    run_once(office.ctx)
    view = page(office)
    assert len(view.loaded.conflicts) == 1
    assert view.weighed is not None and view.weighed.kept == {}


def stand(grade: str | None, state: str, raw: str | None, capped: str | None = None) -> Stand:
    return Stand(grade, state, raw, raw if capped is None else capped)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (stand("C", "graded", "61.234"), stand("C", "graded", "61.234"), "Keeps C · 61.2"),
        (stand("C", "graded", "61.2"), stand("B", "graded", "70.4"), "C → B · 61.2 → 70.4"),
        (
            stand("C", "provisional", "61.2"),
            stand("C", "graded", "61.2"),
            "C, provisional → C · 61.2",
        ),
        (
            stand(None, "withheld", "67.1", "39.000"),
            stand("B", "graded", "70.2"),
            "Grade withheld → B · 39.0 (from 67.1) → 70.2",
        ),
        (
            stand(None, "withheld", "61.2"),
            stand(None, "withheld", "61.2"),
            "Grade still withheld · 61.2",
        ),
        (stand(None, "none", "61.2"), stand(None, "none", None), "Still no grade"),
    ],
)
def test_a_change_in_words(before: Stand, after: Stand, words: str) -> None:
    assert change_line(Change(before, after)) == words
