"""A version is in force once two different people have said so: from its day, where it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ponds import NAME, digest, limits, ponds
from region import AUDITOR, CONSOLE, DAY_MS, Clock, add_person, assign_to, make_context

from checklists.published import profile_bytes
from server.context import Context
from server.permissions import Principal
from server.services import publishing, registry
from server.services.assess import assess_facility
from server.services.changes import changes_after
from server.services.grading import regrade
from server.services.proposing import approve, propose, refuse
from server.store import assessments, audit, documents, gradings, people, proposals
from server.store.jurisdictions import Jurisdiction
from server.store.people import Person
from sync.problems import Problem

TODAY, TOMORROW, LATER = "2026-11-23", "2026-11-24", "2026-12-01"
NEW = ponds("2", ask="Is it lined and drained?")
ANA, BO, CHI = (Principal("person", f"p-{name}", name.title()) for name in ("ana", "bo", "chi"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ctx(tmp_path: Path, clock: Clock) -> Context:
    """A hill in the north and a delta in the south, on version 1; three officers."""
    ctx = make_context(tmp_path, clock)
    for id_, parent in (("example", None), ("north", "example"), ("south", "example")):
        kind = "country" if parent else "region"
        registry.add_jurisdiction(ctx, CONSOLE, Jurisdiction(id_, id_, parent, kind))
    for kind, body in (("checklist", ponds()), ("limits", limits())):
        publishing.publish(ctx, CONSOLE, kind, body, "file.yaml")
    publishing.publish(ctx, CONSOLE, "profile", profile_bytes("default"), "default.yaml")
    rules = Path(publishing.__file__).parents[2] / "checklists/discrepancies/settings/default.yaml"
    publishing.publish(ctx, CONSOLE, "rules", rules.read_bytes(), "rules.yaml")
    add_person(ctx, AUDITOR)
    for facility, place in (("hill", "north"), ("delta", "south")):
        fields = {"id": facility, "name": facility, "country": "TH", "jurisdiction": place}
        registry.add_facility(
            ctx, CONSOLE, {**fields, "checklist": NAME, "limits": "pond-limits", "example": True}
        )
        assign_to(ctx, facility, AUDITOR)
    return ctx


def officer(ctx: Context, who: Principal, *places: str) -> Principal:
    person, grants = str(who.person), tuple(("officer", place) for place in places)
    new = Person(person, person[2:], who.person_name, "no password", True, ctx.now())
    ctx.db.write(lambda tx: people.add(tx, new))
    return Principal("person", person, who.person_name, None, grants)


@pytest.fixture
def ana(ctx: Context) -> Principal:
    return officer(ctx, ANA, "example")


@pytest.fixture
def bo(ctx: Context) -> Principal:
    return officer(ctx, BO, "example")


@pytest.fixture
def chi(ctx: Context) -> Principal:
    """An officer of the south alone."""
    return officer(ctx, CHI, "south")


def proposed(ctx: Context, who: Principal, body: bytes = NEW, **days: str) -> str:
    return propose(ctx, who, "checklist", body, "new.yaml", days or {"north": TODAY})[0].id


def code_of(error: pytest.ExceptionInfo[Problem]) -> str:
    return error.value.code


def used(ctx: Context, facility: str) -> str:
    """The checklist that a facility was graded by."""
    assess_facility(ctx, facility)
    with ctx.db.read() as tx:
        row = assessments.find(tx, "facility", facility)
    assert row is not None
    found: str = json.loads(row.score)["digests"]["checklist"]
    return found


def told(ctx: Context, cursor: str | None = None) -> tuple[dict[tuple[str, str], Any], str]:
    page = changes_after(ctx, AUDITOR, "d" * 16, cursor)
    return {(one.kind, one.ref): one.body for one in page.changes}, page.cursor


def marked(ctx: Context) -> set[str]:
    with ctx.db.read() as tx:
        return {one.facility for one in gradings.stale(tx)}


def test_nothing_is_in_force_before_another_person_approves(
    ctx: Context, ana: Principal, bo: Principal
) -> None:
    waiting = proposed(ctx, ana)
    with ctx.db.read() as tx:
        assert documents.by_digest(tx, digest(NEW)) is None
    with pytest.raises(Problem) as error:
        approve(ctx, ana, waiting)
    assert code_of(error) == "proposal-own"
    found, touched = approve(ctx, bo, waiting)
    assert (found.version, touched) == ("2", ["hill"])
    with ctx.db.read() as tx:
        published = documents.by_digest(tx, digest(NEW))
        assert published is not None and published.body == NEW
        (kept,) = proposals.approved(tx, digest(NEW))
        assert (kept.proposed_by, kept.ruled_by) == ("p-ana", "p-bo")
        trail = audit.lines(tx)[-2:]
    assert [(one["who"], one["action"]) for one in trail] == [
        ("person:p-ana", "document.propose"),
        ("person:p-bo", "document.approve"),
    ]


def test_it_applies_in_its_jurisdiction_and_touches_nothing_else(
    ctx: Context, ana: Principal, bo: Principal
) -> None:
    assert used(ctx, "hill") == used(ctx, "delta") == digest(ponds())
    approve(ctx, bo, proposed(ctx, ana))
    assert marked(ctx) == {"hill"}
    assert used(ctx, "hill") == digest(NEW)
    assert used(ctx, "delta") == digest(ponds())


def test_it_applies_from_its_day(ctx: Context, ana: Principal, bo: Principal, clock: Clock) -> None:
    assert used(ctx, "hill") == used(ctx, "delta") == digest(ponds())
    assert approve(ctx, bo, proposed(ctx, ana, example=TOMORROW))[1] == []
    assert marked(ctx) == set(), "nothing is graded again before the day"
    regrade(ctx)
    assert used(ctx, "hill") == digest(ponds())
    clock.at += DAY_MS
    regrade(ctx)
    assert used(ctx, "hill") == used(ctx, "delta") == digest(NEW)


def test_devices_are_told_what_comes_and_from_when(
    ctx: Context, ana: Principal, bo: Principal
) -> None:
    before, cursor = told(ctx)
    assert "applying" not in before["facility", "hill"], "where nobody decided nothing is said"
    approve(ctx, bo, proposed(ctx, ana, north=LATER))
    came, cursor = told(ctx, cursor)
    assert set(came) == {("facility", "hill"), ("checklist", digest(NEW))}
    both = [["", digest(ponds())], [LATER, digest(NEW)]]
    assert came["facility", "hill"]["applying"] == {"checklist": both}
    # Nothing that is decided elsewhere is told of this place.
    approve(ctx, bo, proposed(ctx, ana, ponds("3"), south=LATER))
    assert ("facility", "hill") not in told(ctx, cursor)[0]


def test_a_device_that_is_enrolled_later_is_told_the_same(
    ctx: Context, ana: Principal, bo: Principal
) -> None:
    approve(ctx, bo, proposed(ctx, ana, north=LATER))
    other = "p-auditor9"
    add_person(ctx, other)
    assign_to(ctx, "hill", other)
    page = changes_after(ctx, other, "e" * 16, None)
    came = {(one.kind, one.ref) for one in page.changes}
    assert {("checklist", digest(ponds())), ("checklist", digest(NEW))} <= came


def test_only_who_has_the_say_in_all_its_jurisdictions_decides(
    ctx: Context, ana: Principal, chi: Principal
) -> None:
    waiting = proposed(ctx, ana, north=TODAY, south=TODAY)
    for work in (
        lambda: approve(ctx, chi, waiting),
        lambda: refuse(ctx, chi, waiting, "not for us"),
        lambda: proposed(ctx, chi, north=TODAY),
    ):
        with pytest.raises(Problem) as error:
            work()
        assert code_of(error) == "not-permitted"
    assert approve(ctx, chi, proposed(ctx, ana, south=TODAY))[1] == ["delta"]


def test_a_proposal_is_decided_once(ctx: Context, ana: Principal, bo: Principal) -> None:
    one, two = proposed(ctx, ana), proposed(ctx, ana, ponds("3"))
    assert refuse(ctx, ana, one, "I saw a mistake.").id == one, "one's own may be taken back"
    approve(ctx, bo, two)
    for waiting, ruling in ((one, "refused"), (two, "approved")):
        with pytest.raises(Problem) as error:
            approve(ctx, bo, waiting)
        assert code_of(error) == "proposal-decided" and ruling in str(error.value)
    with pytest.raises(Problem) as error:
        approve(ctx, bo, "v-nothing")
    assert code_of(error) == "noun-unknown"


def test_a_published_version_is_never_another_one(
    ctx: Context, ana: Principal, bo: Principal
) -> None:
    with pytest.raises(Problem) as error:
        proposed(ctx, ana, ponds("1", ask="Another?"))
    assert code_of(error) == "already-published"
    one, two = proposed(ctx, ana), proposed(ctx, ana, ponds("2", ask="Another?"))
    assert proposed(ctx, bo) == one, "the same proposal waits already"
    approve(ctx, bo, one)
    with pytest.raises(Problem) as error:
        approve(ctx, bo, two)
    assert code_of(error) == "already-published"
    with pytest.raises(Problem) as error:
        proposed(ctx, ana)
    assert code_of(error) == "already-in-force"
    assert approve(ctx, bo, proposed(ctx, ana, north=TODAY, south=TODAY))[1] == ["delta"]


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        ({}, "fields-malformed", "give a jurisdiction and a day"),
        ({"north": "2026-02-30"}, "fields-malformed", "2026-02-30"),
        ({"north": "20261201"}, "fields-malformed", "20261201"),
        ({"north": "soon"}, "fields-malformed", "soon"),
        ({"mars": TODAY}, "noun-unknown", "north"),
        ({"": TODAY}, "noun-unknown", "north"),
    ],
)
def test_days_and_jurisdictions_that_cannot_be_are_said(
    ctx: Context, ana: Principal, days: Mapping[str, str], code: str, said: str
) -> None:
    with pytest.raises(Problem) as error:
        propose(ctx, ana, "checklist", NEW, "new.yaml", days)
    assert code_of(error) == code and said in str(error.value)


def test_a_file_with_a_fault_is_never_proposed(ctx: Context, ana: Principal) -> None:
    with pytest.raises(Problem) as error:
        proposed(ctx, ana, NEW.replace(b"pillar: environment", b"pillar: environs", 1))
    assert code_of(error) == "checklist-malformed" and "new.yaml:" in str(error.value)


def test_a_limits_table_goes_the_same_way(ctx: Context, ana: Principal, bo: Principal) -> None:
    new = limits("2", "0.005")
    waiting, _ = propose(ctx, ana, "limits", new, "limits.yaml", {"north": TODAY})
    assert approve(ctx, bo, waiting.id)[1] == ["hill"]
    assess_facility(ctx, "hill")
    with ctx.db.read() as tx:
        row = assessments.find(tx, "facility", "hill")
    assert row is not None and json.loads(row.score)["digests"]["limits"] == digest(new)
