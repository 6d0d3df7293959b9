from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from discrepancy_cases import case, declared, document, only, ring
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.activity import R16
from checklists.discrepancies.declaration import GivenPoint, in_force, read_declaration
from sync.problems import Problem

VISIT = date(2026, 3, 2)


def why(doc: Any) -> str:
    with pytest.raises(Problem) as caught:
        read_declaration(doc)
    assert caught.value.code == "declaration-malformed"
    return str(caught.value.detail["why"])


def test_coordinates_and_unknown_members_are_kept_as_they_were_given() -> None:
    doc = document(capacity_t_reo_per_year="600", example=True, something={"new": [1, None]})
    read = read_declaration(doc)
    assert read.document == doc
    assert read.boundary is not None
    assert read.boundary.crs == "EPSG:32647"
    assert read.boundary.rings[0][0] == GivenPoint("400000", "900000")
    assert read.location is not None
    assert read.location.rings == ((GivenPoint("401000", "901000"),),)


def test_the_digest_names_the_whole_filing_in_canonical_json() -> None:
    doc = document(operator="Perusahaan Contoh – ตัวอย่าง")
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert read_declaration(doc).digest == digest
    assert read_declaration(dict(reversed(doc.items()))).digest == digest
    assert read_declaration(document(example=False)).digest != digest


def test_boundary_and_location_may_be_missing_and_since_follows_the_period() -> None:
    read = declared(boundary=None, location=None, status={"state": "care"})
    assert (read.boundary, read.location) == (None, None)
    assert read.state_since == "2026-01-01"


def test_every_field_at_fault_is_named_at_once() -> None:
    text = why(
        document(
            facility="Not A Slug",
            speaks_of="1 January",
            filed=20260101,
            status={"state": "sleeping", "since": "2026-02-30"},
        )
    )
    for field in ("facility", "speaks_of", "filed", "status.state", "status.since"):
        assert field in text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": "tapak-declaration/9"}, "format"),
        ({"filed": None}, "filed"),
        ({"filed": "20260110"}, "filed"),
        ({"status": None}, "status"),
        ({"status": "active"}, "status"),
        ({"processes": "in-situ-leaching"}, "processes"),
        ({"boundary": []}, "boundary"),
        ({"boundary": {"crs": "EPSG:4326", "axes": "xy", "rings": [ring()]}}, "boundary.source"),
        ({"boundary": {"crs": "x", "axes": "ne", "source": "s", "rings": [ring()]}}, "axes"),
        ({"boundary": {"crs": "x", "axes": "xy", "source": "s", "rings": []}}, "boundary.rings"),
        ({"boundary": {"crs": "x", "axes": "xy", "source": "s", "rings": [[]]}}, "rings"),
        (
            {"boundary": {"crs": "x", "axes": "xy", "source": "s", "rings": [[["1", 2]]]}},
            "boundary.rings",
        ),
        (
            {"boundary": {"crs": "x", "axes": "xy", "source": "s", "rings": [[["1", "1e3"]]]}},
            "boundary.rings",
        ),
        (
            {
                "boundary": {
                    "crs": "x",
                    "axes": "xy",
                    "source": "s",
                    "rings": [[["1", "2"]] * 100_001],
                }
            },
            "boundary.rings",
        ),
        ({"location": {"crs": "x", "axes": "xy", "source": "s"}}, "location.point"),
        ({"location": {"crs": "x", "axes": "xy", "source": "s", "point": "1,2"}}, "location.point"),
        ({"extra": float("nan")}, "document"),
        ({"extra": {1, 2}}, "document"),
        ({"extra": "\ud800"}, "document"),
    ],
)
def test_a_malformed_field_is_a_catalogue_error_that_names_it(
    changes: dict[str, Any], field: str
) -> None:
    assert field in why(document(**changes))


@pytest.mark.parametrize("doc", [None, [], "text", {}])
def test_what_is_no_declaration_at_all_is_a_catalogue_error(doc: Any) -> None:
    why(doc)


# -- two times ------------------------------------------------------------------------------------


def test_what_speaks_of_the_latest_time_holds() -> None:
    old = declared(speaks_of="2025-01-01", filed="2025-01-05")
    new = declared(speaks_of="2026-01-01", filed="2025-12-20")
    late_correction = declared(speaks_of="2025-06-01", filed="2026-02-01")
    assert in_force([new, late_correction, old], VISIT) == new


def test_a_filing_of_the_day_of_the_visit_counts_and_of_the_next_day_does_not() -> None:
    assert in_force([declared(filed="2026-03-02")], VISIT) is not None
    assert in_force([declared(filed="2026-03-03")], VISIT) is None


def test_a_filing_about_a_later_time_does_not_hold_yet() -> None:
    assert in_force([declared(speaks_of="2026-03-03", filed="2026-01-01")], VISIT) is None
    assert in_force([], VISIT) is None


days = st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(lambda d: d.isoformat())


@given(st.lists(st.tuples(days, days), max_size=6), st.randoms(use_true_random=False))
def test_later_and_backdated_filings_change_nothing_whatever_they_speak_of(
    filings: list[tuple[str, str]], random: Any
) -> None:
    on_file = [declared(speaks_of=s, filed=f) for s, f in filings]
    known = [d for d in on_file if d.filed <= VISIT.isoformat()]
    random.shuffle(on_file)
    assert in_force(on_file, VISIT) == in_force(known, VISIT)


@given(days, days.filter(lambda d: d > VISIT.isoformat()))
def test_a_backdated_declaration_never_removes_a_flag(speaks_of: str, filed: str) -> None:
    closed = declared(status={"state": "closed", "since": "2025-06-01"})
    answer = declared(speaks_of=speaks_of, filed=filed, status={"state": "active"})
    signs = {"warm-kiln": "yes", "discharge": "yes"}
    before = only(R16, case(declaration=in_force([closed], VISIT), signs=signs))
    after = only(R16, case(declaration=in_force([answer, closed], VISIT), signs=signs))
    assert before == after


def test_the_example_of_the_documentation_can_be_read() -> None:
    page = Path(__file__).resolve().parents[3] / "docs/discrepancies.md"
    (block,) = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert read_declaration(json.loads(block)).state == "active"
