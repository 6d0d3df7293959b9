"""Merged inspections as visits (scoring rules 2, 3 and 11; protocol L6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import pytest
import scoring_world as w

from checklists.scoring import EvidenceState, score, visit_of
from sync.inspection import Evidence
from sync.inspection_reader import read_inspection
from sync.log import Entry
from sync.merge import merge
from sync.problems import Problem

INSPECTION = "0b8f5a0e-53d2-4f3c-9a0a-6a1d7d9e0001"
PHOTO = hashlib.sha256(b"a picture").hexdigest()


class Device:
    """Writes entries of one device's log, as they look after reading."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []

    def write(self, path: str, value: Any, replaces: Iterable[str] | None = None) -> str:
        seq = len(self.entries) + 1
        h = hashlib.sha256(f"{self.name}/{seq}".encode()).hexdigest()
        given = None if replaces is None else tuple(replaces)
        self.entries.append(
            Entry(self.name, INSPECTION, seq, h, w.NOW + seq, f"p-{self.name}", path, value, given)
        )
        return h

    def photo(self, *items: str, taken_at: int | None = None) -> None:
        value = {"kind": "photo", "source": "taken-here", "media_type": "image/jpeg", "size": 9}
        value |= {"items": list(items)} | ({"taken_at": taken_at} if taken_at is not None else {})
        self.write(f"evidence/{PHOTO}/{self.name}", value)


def held(_: Evidence) -> EvidenceState:
    return EvidenceState(held=True)


def visit(*devices: Device, state: Any = held):
    entries = [entry for device in devices for entry in device.entries]
    return visit_of(read_inspection(INSPECTION, merge(entries)), state, w.NOW)


def status(*devices: Device) -> tuple[str, str | None]:
    document = score(w.inputs(w.checklist([w.item("I")]), [visit(*devices)])).to_json()
    return document["items"][0]["status"], document["items"][0]["effective"]


def test_an_answer_comes_with_its_entry_its_author_and_its_evidence() -> None:
    a = Device("a")
    a.write("outcome", {"outcome": "visited"})
    a.photo("I/-", taken_at=w.NOW - 9)
    h = a.write("answers/I/-", {"level": "fully"})
    got = visit(a)
    (given,) = got.answers
    assert (got.inspection, got.at, got.outcome) == (INSPECTION, w.NOW, "visited")
    assert (given.entry, given.auditor, given.level, given.conflict) == (h, "p-a", "fully", False)
    assert [(f.sha256, f.made_at, f.held) for f in given.evidence] == [(PHOTO, w.NOW - 9, True)]


@pytest.mark.parametrize(
    ("names", "digests", "found"),
    [
        (("I/well-1",), [], True),
        (("I/-",), [], True),
        ((), [PHOTO], True),
        (("I/well-2",), [], False),
        (("J/well-1",), [], False),
        (("I/well-1", "I/-"), [PHOTO], True),
    ],
)
def test_evidence_supports_the_places_it_names_or_that_name_it(
    names: tuple[str, ...], digests: list[str], found: bool
) -> None:
    a = Device("a")
    a.photo(*names)
    a.write("answers/I/well-1", {"level": "fully", "evidence": digests})
    (given,) = visit(a).answers
    assert [f.sha256 for f in given.evidence] == ([PHOTO] if found else [])


def test_what_the_scoring_side_knows_of_evidence_goes_along() -> None:
    a = Device("a")
    a.photo("I/-")
    a.write("answers/I/-", {"level": "fully"})
    known = EvidenceState(False, False, ("R13", "R12"), "blurred", "2027-01-01")
    (given,) = visit(a, state=lambda _: known).answers
    (fact,) = given.evidence
    assert (fact.held, fact.signed, fact.flagged) == (False, False, ("R12", "R13"))
    assert (fact.rejected, fact.expires, fact.made_at) == ("blurred", "2027-01-01", w.NOW + 1)


def test_values_side_by_side_all_go_in_marked() -> None:
    """Protocol L6."""
    a, b = Device("a"), Device("b")
    a.write("answers/I/-", {"level": "fully"})
    b.write("answers/I/-", {"level": "partially"})
    got = visit(a, b)
    assert sorted((g.level, g.conflict) for g in got.answers) == [
        ("fully", True),
        ("partially", True),
    ]


def test_the_last_words_of_who_was_overruled_go_in_until_somebody_else_decides() -> None:
    """Protocol L6, scoring rule 5: their evidence supports all of them."""
    a, b, c = Device("a"), Device("b"), Device("c")
    a.photo()
    first = a.write("answers/I/-", {"level": "partially", "evidence": [PHOTO]})
    rival = b.write("answers/I/-", {"level": "fully"})
    assert status(a, b) == ("counted", "0.3")
    mine = b.write("answers/I/-", {"level": "fully"}, replaces=[first, rival])
    got = visit(a, b)
    assert sorted((g.level, g.overruled, g.replaced, g.conflict) for g in got.answers) == [
        ("fully", False, False, False),
        ("partially", True, True, False),
    ]
    assert all(g.evidence for g in got.answers)
    assert status(a, b) == ("counted", "0.3")
    c.write("answers/I/-", {"level": "fully", "evidence": [PHOTO]}, replaces=[mine])
    assert status(a, b, c) == ("counted", "1")


@pytest.mark.parametrize("adverse", [{"level": "does-not-meet"}, {"special": "refused"}])
def test_not_observed_on_the_same_path_does_not_displace_what_was_adverse(
    adverse: dict[str, str],
) -> None:
    """Rule 2."""
    a = Device("a")
    a.photo("I/-")
    a.write("answers/I/-", adverse)
    a.write("answers/I/-", {"special": "not-observed"})
    assert status(a)[1] == "0"


def test_a_mistake_that_is_corrected_with_evidence_is_gone() -> None:
    a = Device("a")
    a.photo("I/-")
    a.write("answers/I/-", {"level": "does-not-meet"})
    a.write("answers/I/-", {"level": "fully"})
    assert status(a) == ("counted", "1")


def test_a_correction_without_evidence_does_not_erase_what_was_adverse() -> None:
    """Rules 2 and 3: it counts as not observed."""
    a = Device("a")
    a.write("answers/I/-", {"level": "does-not-meet"})
    a.write("answers/I/-", {"level": "fully"})
    assert status(a) == ("adverse-unproven", None)


def test_a_value_that_is_not_understood_is_never_the_value_before_it() -> None:
    """Protocol L6."""
    a = Device("a")
    a.photo("I/-")
    a.write("answers/I/-", {"level": "fully"})
    a.write("answers/I/-", {"level": "from a later version"})
    assert visit(a).unread == (("I", "-"),)
    assert status(a) == ("unanswered", None)


def test_among_outcomes_side_by_side_one_without_a_grade_is_taken() -> None:
    """Rule 2, protocol L6."""
    a, b = Device("a"), Device("b")
    a.write("outcome", {"outcome": "evacuated"})
    b.write("outcome", {"outcome": "visited"})
    assert visit(a, b).outcome == "evacuated"
    assert visit().outcome == ""


def test_a_training_inspection_has_no_score() -> None:
    """Rule 11."""
    a = Device("a")
    about = {"facility": "example-mine", "checklist": "c" * 64, "purpose": ""}
    a.write("about", about | {"mode": "training"})
    a.write("about", about | {"mode": "live"})
    with pytest.raises(Problem) as caught:
        visit(a)
    assert caught.value.code == "training-not-scored"
