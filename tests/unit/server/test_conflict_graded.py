"""Conflict around a facility: into its score's inputs and its flags, and no ACLED row anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conflict_files import file_of
from office import NORTH, Office, assign_auditor, make_office
from region import CONSOLE, HILL, VISIT_1, Clock, declaration, enrolled_device, jpeg, visit

import server
from server.context import Context
from server.schedule import run_once
from server.services.conflict_import import Given, import_file
from server.services.rebuild import rebuild
from server.services.registry import file_declaration
from server.store import assessments, flags
from server.store.flags import FlagRow

# Two battles by the made-up mine, three weeks before the visit, and digits found nowhere else.
SECRETS = ("MMR987654", "987655", "4512345", "8812345", "4711", "secret actor", "secret note")
BATTLE = {
    "event_id_cnty": "MMR987654",
    "event_date": "2026-11-02",
    "latitude": "20.4512345",
    "longitude": "99.8812345",
    "iso": 764,
    "fatalities": 4711,
}


def acled(folder: Path, *rows: dict[str, Any]) -> Given:
    path = folder / "acled.csv"
    path.write_bytes(file_of("acled", rows))
    return Given(path, "acled", accept_terms=True, accessed="2026-11-20")


def ucdp(folder: Path, **row: Any) -> Given:
    path = folder / "ucdp.csv"
    near = {"latitude": "20.4512", "longitude": "99.8812", "country_id": 800, "best": 40}
    days = {"date_start": "2026-11-02", "date_end": "2026-11-02"}
    path.write_bytes(file_of("ucdp", [{**near, **days, **row}]))
    return Given(path, "ucdp", version="26.0.11", accessed="2026-11-20")


def stated(facility: str = HILL) -> bytes:
    """A filing of version 2 that declares no conflict-affected area, and no assessment."""
    filed = json.loads(declaration(facility, speaks_of="2026-02-01", filed="2026-02-02"))
    del filed["operator"]
    filed |= {
        "format": "tapak-declaration/2",
        "conflict_area": {"statement": "none", "on": "2026-02-01"},
    }
    return json.dumps(filed).encode()


def graded(ctx: Context, facility: str = HILL) -> tuple[dict[str, Any], dict[str, FlagRow]]:
    """The exposures that the scores of a facility were computed with, and its flags about them."""
    run_once(ctx)
    with ctx.db.read() as tx:
        rows = assessments.of_facility(tx, facility)
        found = {f.rule: f for f in flags.of_facility(tx, facility) if f.rule in ("R26", "R27")}
    return {row.scope: json.loads(row.inputs)["exposure"] for row in rows}, found


def test_exposure_goes_into_the_score_and_the_rules_see_it(region: Context, tmp_path: Path) -> None:
    file_declaration(region, CONSOLE, stated())
    visit(enrolled_device(region), VISIT_1, HILL)
    assert graded(region) == ({"inspection": None, "facility": None}, {})
    import_file(region, CONSOLE, ucdp(tmp_path))
    exposures, found = graded(region)
    low, mid, high = exposures["facility"]
    assert 80_000 < low < mid < high
    assert exposures["inspection"][1] >= mid  # on the day of the visit, which was earlier
    assert {rule: one.severity for rule, one in found.items()} == {
        "R26": "major",
        "R27": "critical",
    }
    body = json.loads(found["R27"].body)
    assert "UCDP GED 26.0.11, data to 2026-11-02, accessed 2026-11-20" in body["explanation"]
    assert body["inputs"]["events"][0]["id"] == "1"


def test_exposure_lowers_no_score(region: Context, tmp_path: Path) -> None:
    def points() -> list[Any]:
        with region.db.read() as tx:
            rows = assessments.of_facility(tx, HILL)
        return [[json.loads(row.score)[k] for k in ("raw", "capped")] for row in rows]

    visit(enrolled_device(region), VISIT_1, HILL, picture=jpeg(1))
    graded(region)
    before = points()
    import_file(region, CONSOLE, ucdp(tmp_path))
    assert graded(region)[0]["facility"] is not None
    assert points() == before


def test_what_is_deleted_and_worked_out_again_is_the_same(region: Context, tmp_path: Path) -> None:
    """A file that says nothing new of a place leaves what is said of it, to the byte."""
    file_declaration(region, CONSOLE, stated())
    visit(enrolled_device(region), VISIT_1, HILL)
    import_file(region, CONSOLE, ucdp(tmp_path, latitude="7.0", date_start="2020-01-01"))
    graded(region)
    other = import_file(region, CONSOLE, ucdp(tmp_path, latitude="6.5", date_start="2020-01-01"))
    assert HILL not in other.marked

    def stored() -> list[Any]:
        with region.db.read() as tx:
            return [assessments.of_facility(tx, HILL), flags.of_facility(tx, HILL)]

    before = stored()
    rebuild(region)
    assert stored() == before


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    assign_auditor(made)
    yield made
    made.ctx.db.close()


def pages(office: Office) -> list[str]:
    """The address of every page and every GET of the API, for what there is."""
    known = {
        "facility": NORTH,
        "facility_id": NORTH,
        "inspection_id": VISIT_1,
        "scope": "inspection",
        "subject": VISIT_1,
    }
    found = [f"/scores/facility/{NORTH}.json"]
    for rule in office.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= set(known):
            found.append(str(rule.build({k: known[k] for k in rule.arguments})[1]))  # type: ignore[index]
    assert len(found) > 15
    return found


def test_no_acled_row_is_in_any_page_export_or_answer(office: Office, tmp_path: Path) -> None:
    """Only figures and distances leave the server, and ACLED is named beside them."""
    ctx = office.ctx
    file_declaration(ctx, CONSOLE, stated(NORTH))
    device = enrolled_device(ctx, office.person_id("auditor"))
    visit(device, VISIT_1, NORTH)
    import_file(ctx, CONSOLE, acled(tmp_path, BATTLE, {**BATTLE, "event_id_cnty": "MMR987655"}))
    exposures, found = graded(ctx, NORTH)
    assert exposures["facility"] is not None
    assert set(found) == {"R26", "R27"}
    device.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    said = {"sync": repr(device.send())}
    for role in ("officer", "reader", "administrator"):
        browser = office.logged_in(role)
        for page in pages(office):
            said[f"{role} {page}"] = browser.call("GET", page).text
    assert "acleddata.com" in said[f"officer /inspections/{VISIT_1}"]
    assert '"exposure"' in said[f"officer /scores/facility/{NORTH}.json"]
    for where, text in said.items():
        for secret in SECRETS:
            assert secret not in text, where


def test_nothing_but_the_way_to_figures_reads_the_rows() -> None:
    """Pages, the API, bundles and devices' answers have no way to an event."""
    root = Path(server.__file__).parent
    rows = re.compile(
        r"conflict_events|server\.store\.conflict\b"
        r"|from server\.store import ([^(\n]|\([^)]*)*\bconflict\b"
    )
    readers = {str(p.relative_to(root)) for p in root.rglob("*.py") if rows.search(p.read_text())}
    assert readers == {
        "conflict.py",
        "services/conflict.py",
        "services/conflict_around.py",
        "services/conflict_import.py",
        "services/conflict_position.py",
        "services/conflict_staging.py",
        "store/conflict.py",
        "store/migrations/versions/0041_conflict_events.py",
        "store/migrations/versions/0044_conflict_lookup.py",
        "store/tables.py",
    }
