"""Files of conflict events imported whole or not at all, and the exposure they give a place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conflict_files import file_of
from region import CONSOLE, HILL, VALLEY, Clock, declaration
from sqlalchemy import func, select

from checklists.conflict.exposure import Exposure, Near
from server.cli import main
from server.context import Context
from server.schedule import run_once
from server.services import conflict_import, conflict_staging
from server.services.conflict import Looked, as_json, combined, look
from server.services.conflict_import import Given, Imported, import_file
from server.services.registry import file_declaration
from server.store import audit, conflict, gradings, tables
from sync.problems import Problem

ON = date(2024, 6, 1)
PLACE = (20.5, 97.25)
NEAR_HILL = {"latitude": "20.45", "longitude": "99.88", "country_id": 800}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def give(
    folder: Path, rows: Iterable[Mapping[str, Any]], source: str = "ucdp", /, **changes: Any
) -> Given:
    path = folder / changes.pop("name", f"{source}.csv")
    path.write_bytes(file_of(source, rows))
    return Given(path, source, accept_terms=source == "acled", **changes)


def bring(ctx: Context, given: Given) -> Imported:
    return import_file(ctx, CONSOLE, given)


def at(
    ctx: Context, lat: float = PLACE[0], lon: float = PLACE[1], **more: Any
) -> dict[str, Looked]:
    with ctx.db.read() as tx:
        return {one.source: one for one in look(tx, lat, lon, more.pop("on", ON), **more)}


def ids(ctx: Context) -> list[str]:
    return sorted(at(ctx)["ucdp"].ids)


def events_stored(ctx: Context) -> int:
    with ctx.db.read() as tx:
        return tx.execute(select(func.count()).select_from(tables.conflict_events)).scalar_one()


def problem_of(ctx: Context, given: Given) -> Problem:
    with pytest.raises(Problem) as caught:
        bring(ctx, given)
    return caught.value


def test_a_file_is_imported_with_what_it_is(region: Context, folder: Path) -> None:
    coarse = {"id": 2, "where_prec": 4}
    given = give(folder, [{}, coarse], version="25.1", accessed="2026-11-01")
    done = bring(region, given).snapshot
    assert (done.events, done.coarse, done.rejected) == (2, 1, 0)
    assert (done.begins, done.ends, done.countries) == ("2024-03-02", "2024-03-02", ("MM",))
    assert done.sha256 == hashlib.sha256(given.file.read_bytes()).hexdigest()
    assert (done.version, done.accessed, done.licence) == ("25.1", "2026-11-01", "CC BY 4.0")
    with region.db.read() as tx:
        assert conflict.current(tx) == {"ucdp": done}
        (line,) = audit.lines(tx, "conflict:ucdp")
    assert line["detail"]["sha256"] == done.sha256


def test_a_coarse_event_is_never_a_point(region: Context, folder: Path) -> None:
    rows = [{"id": n, "where_prec": n, "best": 999} for n in (4, 5, 6, 7)]
    bring(region, give(folder, rows))
    bring(region, give(folder, [{"geo_precision": 3, "fatalities": 999}], "acled"))
    seen = at(region, country="MM")
    assert all(one.exposure == Exposure(0, 0, 0) for one in seen.values())
    with region.db.read() as tx:
        said = as_json(tx, list(seen.values()), *PLACE, ON, "MM")["sources"]
    assert [(one["events"], one["coarse_events"]) for one in said] == [([], 4), ([], 1)]


def test_unknown_is_not_zero(region: Context, folder: Path) -> None:
    def state(**more: Any) -> tuple[Exposure | None, str]:
        one = at(region, **more)["ucdp"]
        return one.exposure, one.unknown

    assert state() == (None, "nothing was imported")
    bring(region, give(folder, [{"date_start": "2022-01-01"}, {"id": 2, "latitude": "28"}]))
    assert state()[0] is not None
    # Far from every event: known to be quiet only where the data cover the country.
    assert state(lat=10.0)[0] is None
    assert state(lat=10.0, country="MM") == (Exposure(0, 0, 0), "")
    assert state(lat=10.0, country="TH") == (None, "the data cover MM, not TH")
    assert "begin on 2024-03-02" in state(on=date(2024, 3, 1))[1]
    assert state(on=date(2026, 3, 2))[0] is not None
    assert "end on 2024-03-02, more than 730 days" in state(on=date(2026, 3, 3))[1]
    bring(region, give(folder, [{}], covers=("world",), until="2026-10-31"))
    assert state(lat=-33.0, on=date(2026, 11, 1), country="CL")[0] == Exposure(0, 0, 0)
    assert at(region, on=date(2026, 11, 1))["ucdp"].age_days == 1
    with region.db.read() as tx:
        assert as_json(tx, look(tx, 10.0, 10.0, date(2030, 1, 1)), 10, 10, ON)["low"] is None


def test_two_sources_are_never_added(region: Context, folder: Path) -> None:
    bring(region, give(folder, [{}]))
    alone = at(region, 20.6)["ucdp"].exposure
    bring(region, give(folder, [{}], "acled"))
    seen = at(region, 20.6)
    assert seen["ucdp"].exposure == alone
    both = combined(list(seen.values()))
    assert alone is not None and both is not None and seen["acled"].exposure is not None
    assert both.mid == alone.mid == seen["acled"].exposure.mid
    # ACLED's radius is larger: the higher figure of each.
    assert (both.low, both.high) == (alone.low, seen["acled"].exposure.high)
    assert both.high > alone.high


def test_a_new_file_takes_the_place_of_the_old_one_and_what_it_lacks_is_gone(
    region: Context, folder: Path
) -> None:
    bring(region, give(folder, [{"id": n} for n in (1, 2, 3)]))
    bring(region, give(folder, [{"id": 2}, {"id": 4}]))
    assert ids(region) == ["2", "4"]
    assert events_stored(region) == 2
    with region.db.read() as tx:
        assert [one.state for one in conflict.snapshots(tx)] == ["current", "replaced"]


def test_a_file_laid_over_the_last_one_adds_changes_and_withdraws(
    either_region: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_staging, "BATCH", 2)
    monkeypatch.setattr(conflict_import, "BATCH", 2)
    region = either_region
    rows = [{"event_id_cnty": f"MMR{n}", "timestamp": 100, "fatalities": n} for n in range(1, 6)]
    given = give(folder, rows, "acled", add=True)
    assert problem_of(region, given).code == "conflict-add"
    bring(region, replace(given, add=False))
    gone = folder / "gone.csv"
    gone.write_text("event_id_cnty\nMMR1\nMMR77\n")
    newer = [
        {"event_id_cnty": "MMR2", "timestamp": 99, "fatalities": 99},
        {"event_id_cnty": "MMR3", "timestamp": 101, "fatalities": 0, "event_date": "2024-05-01"},
        {"event_id_cnty": "MMR9", "timestamp": 101, "fatalities": 9},
    ]
    done = bring(region, give(folder, newer, "acled", name="new.csv", add=True, withdrawn=gone))
    assert (done.snapshot.events, done.snapshot.ends) == (5, "2024-05-01")
    deaths = sorted(Near(*one).deaths for one in at(region)["acled"].events.tolist())
    assert deaths == [0, 2, 4, 5, 9]


def test_one_bad_row_refuses_the_file_unless_the_person_says_otherwise(
    region: Context, folder: Path
) -> None:
    bring(region, give(folder, [{"id": 1}]))
    rows = [{"id": 5}, {"id": 6, "latitude": "north"}, {"id": 7}, {"id": 8, "best": ""}]
    given = give(folder, rows, name="bad.csv")
    found = problem_of(region, given)
    assert found.code == "conflict-rows"
    assert found.detail["count"] == 2
    assert "Row 3: latitude 'north' is not a number of degrees." in found.happened
    assert ids(region) == ["1"]
    assert events_stored(region) == 1
    with region.db.read() as tx:
        listed = list(conflict.rejected(tx, found.detail["snapshot"]))
    assert [(file, row.row) for file, row in listed] == [("bad.csv", 3), ("bad.csv", 5)]
    done = bring(region, replace(given, skip_faulty=True))
    assert (done.snapshot.events, done.snapshot.rejected) == (2, 2)
    assert ids(region) == ["5", "7"]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_where_the_reading_ends_half_way_what_counted_counts_on(
    region: Context, folder: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(conflict_staging, "BATCH", size)
    bring(region, give(folder, [{"id": 1}]))
    given = give(folder, [{"id": n} for n in range(2, 9)])
    given.file.write_bytes(given.file.read_bytes() + b"x" * 1_000_001)
    assert problem_of(region, given).code == "conflict-file"
    assert (ids(region), events_stored(region)) == (["1"], 1)
    given.file.write_bytes(file_of("ucdp", []))
    assert problem_of(region, given).code == "conflict-empty"
    assert (ids(region), events_stored(region)) == (["1"], 1)
    assert problem_of(region, replace(given, file=folder / "none.csv")).code == "file-missing"


def test_an_import_that_died_leaves_nothing_that_the_next_does_not_clear(
    region: Context, folder: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    class Dead(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Dead

    bring(region, give(folder, [{"id": 1}]))
    given = give(folder, [{"id": 2}, {"id": 3}])
    with monkeypatch.context() as patched, pytest.raises(Dead):
        patched.setattr(conflict_import._Run, "_judge", die)
        bring(region, given)
    assert (ids(region), events_stored(region)) == (["1"], 3)
    bring(region, given)
    assert (ids(region), events_stored(region)) == (["2", "3"], 2)


def test_one_import_at_a_time(region: Context, folder: Path, clock: Clock) -> None:
    given = give(folder, [{}])
    with conflict_staging.alone(region):
        assert problem_of(region, given).code == "conflict-busy"
        clock.at += 600_001  # the other one has not moved for ten minutes
        bring(region, given)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"source": "gdelt"}, "conflict-source", "ucdp, acled, cahra"),
        ({"source": "acled"}, "conflict-terms", "forbid passing the data on"),
        ({"accessed": "1.11.2026"}, "fields-malformed", "accessed"),
        ({"until": "20261101"}, "fields-malformed", "until"),
        ({"covers": ("mm",)}, "fields-malformed", "covers"),
    ],
)
def test_what_a_person_says_of_a_file_is_checked_before_it_is_read(
    region: Context, tmp_path: Path, changes: dict[str, Any], code: str, said: str
) -> None:
    found = problem_of(region, replace(Given(tmp_path / "is not there", "ucdp"), **changes))
    assert (found.code, said in found.happened) == (code, True)


# -- who is graded again --------------------------------------------------------------------------


def quiet(ctx: Context) -> None:
    """Nothing is waiting to be graded."""
    run_once(ctx)
    with ctx.db.read() as tx:
        assert gradings.stale(tx) == []


def stale(ctx: Context) -> set[str]:
    with ctx.db.read() as tx:
        return {one.facility for one in gradings.stale(tx)}


def test_only_facilities_in_reach_are_graded_again(region: Context, folder: Path) -> None:
    far = {"crs": "EPSG:4326", "axes": "xy", "source": "made up"}
    moved = declaration(
        VALLEY, location={**far, "point": ["100.5", "14.0"]}, boundary=None, speaks_of="2026-01-02"
    )
    file_declaration(region, CONSOLE, moved)
    # VALLEY was declared near HILL as well, earlier: let that be another world's.
    with region.db.engine.begin() as tx:
        tx.execute(
            tables.declarations.delete().where(
                tables.declarations.c.facility == VALLEY,
                tables.declarations.c.speaks_of == "2026-01-01",
            )
        )
    quiet(region)
    rows = [{**NEAR_HILL, "date_start": "2026-01-05", "date_end": "2026-01-05"}]
    marked = bring(region, give(folder, rows, covers=("MM",))).marked
    assert (marked, stale(region)) == ((HILL,), {HILL})
    quiet(region)
    # With the country covered, a quiet place is known to be quiet: that is new for VALLEY alone.
    assert bring(region, give(folder, rows, covers=("TH",))).marked == (HILL, VALLEY)
    quiet(region)
    assert bring(region, give(folder, rows, covers=("TH",))).marked == (HILL,)
    quiet(region)
    # Where the events went away, they are missed.
    elsewhere = [{**rows[0], "latitude": "7.0"}]
    assert bring(region, give(folder, elsewhere, covers=("TH",))).marked == (HILL,)
    assert bring(region, give(folder, elsewhere, covers=("TH",))).marked == ()


# -- areas ----------------------------------------------------------------------------------------


def test_a_list_of_areas(region: Context, folder: Path) -> None:
    path = folder / "cahra.csv"
    path.write_text(
        "region,status,date\nMM-11,conflict-affected,2026-06-30\nth-57,high-risk,2026-06-30\n"
    )
    quiet(region)
    done = bring(region, Given(path, "cahra", version="2026-06"))
    assert (done.snapshot.events, done.snapshot.countries) == (2, ("MM", "TH"))
    assert done.marked == (HILL, VALLEY)
    path.write_text("region,status,date\nKachin,x,2026-06-30\nMM-11,,2026-06-30\nMM-1,x,30.6.\n")
    found = problem_of(region, Given(path, "cahra"))
    assert (found.code, found.detail["count"]) == ("conflict-rows", 3)
    with region.db.read() as tx:
        number = conflict.current(tx)["cahra"].id
        assert [a.region for a in conflict.areas(tx, number, ["MM-11", "TH-57"])] == [
            "MM-11", "TH-57",
        ]  # fmt: skip


# -- the command ----------------------------------------------------------------------------------


def run(ctx: Context, *words: str, code: int = 0) -> Any:
    data = str(ctx.settings.data)
    done = CliRunner().invoke(main, ["conflict", words[0], "--data", data, "--json", *words[1:]])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout if code == 0 else done.stderr)


def test_the_commands(region: Context, folder: Path) -> None:
    path = folder / "events.csv"
    path.write_bytes(file_of("ucdp", [{}, {"id": 2, "where_prec": 9}]))
    unknown = run(region, "exposure", "20.5", "97.25", "--on", "2024-06-01")
    assert (unknown["state"], unknown["low"]) == ("unknown", None)
    found = run(region, "import", str(path), "--source", "ucdp", code=1)
    assert found["detail"]["faults"][0]["at"] == "events.csv, row 3"
    done = run(region, "import", str(path), "--source", "ucdp", "--skip-faulty")
    assert (done["events"], done["rejected"]) == (1, 1)
    assert run(region, "rejected", str(done["id"]))["row"] == 3
    assert [one["state"] for one in run(region, "list")] == ["current", "refused"]
    known = run(region, "exposure", "20.5", "97.25", "--on", "2024-06-01")
    expected = at(region)["ucdp"].exposure
    assert expected is not None
    assert [known[k] * 1000 for k in ("low", "mid", "high")] == pytest.approx(
        [expected.low, expected.mid, expected.high]
    )
    (event,) = known["sources"][0]["events"]
    assert (event["id"], event["distance_m"], event["age_days"]) == ("1", 0, 91)
    assert known["sources"][0]["age_days"] == 91
    assert "CC BY 4.0" in known["sources"][0]["attribution"]
    south = run(region, "exposure", "-6.2", "106.8", "--on", "2024-06-01")
    assert south["state"] == "unknown"
    assert run(region, "exposure", "1", "2", "--on", "June", code=1)["code"] == "fields-malformed"


def test_of_acleds_rows_the_command_tells_figures_and_distances(
    region: Context, folder: Path
) -> None:
    """Its terms are told before anything is read, and no row comes out again."""
    row = {"event_id_cnty": "MMR987654", "latitude": "20.5432198", "fatalities": 4711}
    path = folder / "acled.csv"
    path.write_bytes(file_of("acled", [row, {**row, "event_id_cnty": "bad id"}]))
    refused = run(region, "import", str(path), "--source", "acled", code=1)
    assert "forbid passing the data on" in refused["title"]
    given = ("import", str(path), "--source", "acled", "--accept-terms", "--skip-faulty")
    said = [
        run(region, *given),
        run(region, "list"),
        run(region, "exposure", "20.5", "97.25", "--on", "2024-06-01"),
    ]
    acled = said[2]["sources"][1]
    assert set(acled["events"][0]) == {"distance_m", "radius_m", "age_days", "adds"}
    assert "acleddata.com" in acled["attribution"]
    text = json.dumps(said)
    for secret in ("987654", "5432198", "4711", "secret actor", "secret note", '2024-03-02", "t'):
        assert secret not in text
