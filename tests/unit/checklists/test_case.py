from __future__ import annotations

from datetime import date
from typing import Any

from discrepancy_cases import SHA, VISIT, declared, use

from checklists.discrepancies.case import Case, build_case
from checklists.discrepancies.days import day_of, visit_day
from checklists.discrepancies.settings_file import default_settings
from sync.inspection import Inspection
from sync.inspection_reader import read_inspection
from sync.log import Entry
from sync.merge import merge

DEVICE, OTHER = "a" * 32, "b" * 32
MORNING = 1772406000000  # 2026-03-01 23:00 UTC, the next morning in Thailand
FIX = {"lat": "8.1500", "lon": "98.1000", "accuracy_m": "6"}
FACILITY = {"id": "made-up-mine", "name": "Made-up Mine", "country": "TH"}
FACTS = {"exif": True, "gps_block": "position", "lat": "8.2", "lon": "98.2", "sha256": SHA}


def inspection(*values: tuple[str, Any] | tuple[str, Any, str]) -> Inspection:
    about = {
        "facility": "made-up-mine",
        "checklist": "rare-earth-site/1",
        "purpose": "periodic",
        "mode": "live",
        "fix": FIX,
    }
    all_values: list[Any] = [("about", about), *values]
    entries = [
        Entry(v[2] if len(v) > 2 else DEVICE, VISIT, n, f"{n:064x}", MORNING + n, "p-x", v[0], v[1])
        for n, v in enumerate(all_values)
    ]
    return read_inspection(VISIT, merge(entries))


def evidence(sha: str = SHA, device: str = DEVICE, **changes: Any) -> tuple[str, Any, str]:
    value = {
        "kind": "photo",
        "source": "taken-here",
        "media_type": "image/jpeg",
        "size": 1000,
        "name": "IMG_0001.jpg",
        "fix": FIX,
    }
    return f"evidence/{sha}/{device}", {**value, **changes}, device


def built(of: Inspection, facts: dict[str, Any] | None = None, **changes: Any) -> Case:
    given: dict[str, Any] = {
        "facility": FACILITY,
        "declaration": declared(),
        "photo_facts": facts or {},
        "unreadable": {},
        "other_uses": {},
        "uses_complete": True,
        "settings": default_settings(),
        **changes,
    }
    return build_case(of, **given)


def labels(of: Inspection, facts: dict[str, Any] | None = None) -> list[str]:
    return [p.label for p in built(of, facts).points]


def test_the_day_of_the_visit_is_the_local_one() -> None:
    of = inspection()
    assert visit_day(of, "TH") == date(2026, 3, 2)
    assert visit_day(of, "XX") == date(2026, 3, 1)
    assert built(of).visited_on == "2026-03-02"
    assert visit_day(read_inspection(VISIT, merge([])), "TH") is None
    assert day_of(2**53) is None


def test_start_end_answers_observations_and_pictures_give_points() -> None:
    of = inspection(
        ("outcome", {"outcome": "visited", "fix": FIX}),
        ("answers/ISL-E1/pond-2", {"level": "fully", "fix": FIX}),
        ("answers/ISL-E3/-", {"level": "fully"}),
        ("observed/operating/warm-kiln", {"value": "yes", "fix": FIX}),
        evidence(),
    )
    assert labels(of) == [
        "the answer to ISL-E1 at pond-2",
        "the end of the visit",
        "the observation of warm-kiln",
        "the photo IMG_0001.jpg (abababab)",
        "the start of the visit",
    ]


def test_whoever_was_turned_away_did_not_end_the_visit_on_site() -> None:
    for outcome in ("refused-at-the-gate", "unsafe-and-left", "evacuated"):
        of = inspection(("outcome", {"outcome": outcome, "fix": FIX}))
        assert labels(of) == ["the start of the visit"]
        assert built(of).outcome == outcome


def test_an_imported_photograph_stands_where_its_own_exif_says() -> None:
    of = inspection(evidence(source="imported"))
    (point,) = [p for p in built(of, {SHA: FACTS}).points if p.evidence]
    assert (point.fix.lat, point.fix.lon, point.fix.accuracy_m) == ("8.2", "98.2", None)
    assert point.source == "imported"
    for facts in (None, {**FACTS, "gps_block": "without-position"}, {**FACTS, "lat": None}):
        assert labels(of, {SHA: facts}) == ["the start of the visit"]


def test_aerial_pictures_scans_documents_and_interviews_give_no_point() -> None:
    for changes in (
        {"source": "aerial"},
        {"source": "scan"},
        {"kind": "document"},
        {"kind": "interview"},
        {"kind": "document", "source": "imported"},
    ):
        assert labels(inspection(evidence(**changes)), {SHA: FACTS}) == ["the start of the visit"]


def test_items_answered_off_site_give_no_point() -> None:
    of = inspection(
        ("answers/GEN-E4/-", {"level": "fully", "fix": FIX}),
        evidence(items=["GEN-E4/upstream"], kind="sample"),
        evidence("cd" * 32, items=["GEN-E4/-", "ISL-E1/-"]),
    )
    assert labels(of) == ["the photo IMG_0001.jpg (cdcdcdcd)", "the start of the visit"]


def test_signs_that_contradict_each_other_are_unsure() -> None:
    of = inspection(
        ("observed/operating/warm-kiln", {"value": "yes"}, DEVICE),
        ("observed/operating/warm-kiln", {"value": "no"}, OTHER),
        ("observed/operating/discharge", {"value": "yes"}, DEVICE),
        ("observed/operating/discharge", {"value": "yes"}, OTHER),
        ("observed/operating/moving-plant", {"value": "no"}),
        ("observed/stock/ammonium-sulfate", {"value": "12.5"}),
    )
    assert built(of).signs == {"warm-kiln": "unsure", "discharge": "yes", "moving-plant": "no"}


def test_a_file_attached_twice_is_judged_once_and_most_strictly() -> None:
    of = inspection(evidence(), evidence(device=OTHER, source="imported"))
    (photo,) = built(of, {SHA: FACTS}).photos
    assert photo.source == "imported"
    assert photo.digest_holds


def test_what_is_known_of_a_file_is_passed_on() -> None:
    of = inspection(evidence())
    (absent,) = built(of).photos
    assert (absent.facts, absent.unreadable) == (None, "")
    (broken,) = built(of, unreadable={SHA: "cut"}).photos
    assert broken.unreadable == "cut"
    (changed,) = built(of, {SHA: {**FACTS, "sha256": "cd" * 32}}).photos
    assert not changed.digest_holds


def test_uses_within_the_visit_itself_are_left_out() -> None:
    uses = (use(at=2, inspection="later"), use(at=1, inspection="earlier"), use(inspection=VISIT))
    of = built(inspection(evidence()), other_uses={SHA: uses, "cd" * 32: (use(inspection=VISIT),)})
    assert [u.inspection for u in of.other_uses[SHA]] == ["earlier", "later"]
    assert set(of.other_uses) == {SHA}


def test_numbers_that_were_observed_come_with_what_is_uncertain_about_them() -> None:
    of = inspection(
        ("observed/survey/heap-1", {"value": "12000", "u": "600", "unit": "m3"}, DEVICE),
        ("observed/survey/heap-1", {"value": "12500", "unit": "m3"}, OTHER),
        ("observed/headcount/own-staff", {"value": "24", "unit": "people"}),
        ("observed/headcount/drivers", {"value": "many"}),
        ("observed/stock/REO", {"value": "3", "u": "about 1"}),
        ("observed/operating/discharge", {"value": "yes"}),
    )
    assert [(s.what, s.instance, s.value, s.uncertainty) for s in built(of).observed] == [
        ("headcount", "own-staff", "24", None),
        ("survey", "heap-1", "12000", "600"),
        ("survey", "heap-1", "12500", None),
    ]
