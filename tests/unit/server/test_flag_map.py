"""The picture of a flag about a place: drawn from what the rule itself held against each other."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.append(str(Path(__file__).parents[1] / "checklists"))

from discrepancy_cases import (
    EAST,
    MINUTE,
    NOON,
    SHA,
    SOUTH,
    at,
    case,
    declared,
    outline,
    photo,
    ring,
    shape,
    taken,
    trace,
    way,
)
from flask import Flask
from region import make_context

from checklists.discrepancies.case import Case, Flag
from checklists.discrepancies.catalogue import evaluate, findings_to_json
from checklists.discrepancies.reread import shape_area
from server import create_app
from server.pages.flag_map import FlagMap, Ground, draw_flag
from server.pages.map_frame import HEIGHT, WIDTH
from server.pages.map_groups import Mark
from server.store.flags import FlagRow

X, Y = 598300.912, 440096.567  # V13, in the grid of Malaysia
_AWAY = {
    "exif": True,
    "gps_block": "position",
    "lat": "8.15",
    "lon": "98.12",
    "accuracy_m": "20",
    "gps_time": "2026-03-02T05:00:05Z",
    "sha256": SHA,
}

CASES: Mapping[str, Case] = {
    "R01": case(points=(at(401000, 901000), at(402300, 901000, label="the answer to ISL-E1"))),
    "R02": case(
        photos=(photo(facts=_AWAY),),
        ways=(way((NOON, 8.15, 98.1, 5.0), (NOON + 10_000, 8.15, 98.1, 5.0)),),
    ),
    "R04": case(
        country="MY",
        declaration=declared(
            boundary=shape("EPSG:3168", "xy", ring(X - 60, X + 60, Y - 60, Y + 60)), location=None
        ),
        points=(at(X, Y, crs="EPSG:3375"),),
    ),
    "R05": case(neighbours=(outline(EAST - 300, name="Other <b>Minerals</b>"),)),
    "R06": case(traces=(trace(EAST - 400, EAST + 100, SOUTH + 500, SOUTH + 1500),)),
    "R09": case(
        fixes=(taken(NOON), taken(NOON + MINUTE, lat="8.25", accuracy=None)),
        photos=(),
    ),
}


def ground(of: Case) -> Ground:
    given = of.declaration.boundary if of.declaration else None
    visited = tuple(
        Mark(p.label, "fix", float(p.fix.lat), float(p.fix.lon), 6.0) for p in of.points
    )
    return Ground(of.declaration, shape_area(given) if given else None, visited, of.traces)


def flagged(of: Case, rule: str) -> Flag:
    found = [f for f in evaluate(of) if isinstance(f, Flag) and f.rule == rule]
    assert found, f"{rule} does not fire"
    return found[0]


def drawn(of: Case, rule: str) -> FlagMap:
    (body,) = json.loads(json.dumps(findings_to_json([flagged(of, rule)])))
    found = draw_flag(rule, body["inputs"], ground(of))
    assert found is not None
    return found


def kinds(of: FlagMap) -> list[str]:
    return [one.kind for one in of.outlines]


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize("rule", sorted(CASES))
def test_every_flag_about_a_place_has_a_picture_with_all_it_compares(rule: str) -> None:
    found = drawn(CASES[rule], rule)
    assert found.bar > 0
    assert found.words.endswith(".")
    for mark in found.marks:
        assert 0 <= mark.x <= WIDTH
        assert 0 <= mark.y <= HEIGHT
        assert mark.away_m is None


def test_r01_shows_the_boundary_and_each_position_with_its_radius() -> None:
    found = drawn(CASES["R01"], "R01")
    assert kinds(found) == ["boundary"]
    (mark,) = found.marks
    assert mark.mark.label.startswith("the answer to ISL-E1, ")
    assert mark.radius == pytest.approx(6 * found.bar / found.bar_m, abs=0.1)
    east = max(x for x, _ in corners(found.outlines[0].path))
    # 300 m east of the edge, to scale.
    assert (mark.x - east) * found.bar_m / found.bar == pytest.approx(300, rel=0.05)
    assert found.note == "Conversion of the declared coordinates: ± 0 m."


def test_r02_joins_the_photograph_and_the_track() -> None:
    found = drawn(CASES["R02"], "R02")
    assert [m.mark.kind for m in found.marks] == ["photo", "fix"]
    assert corners(found.links) == [(m.x, m.y) for m in found.marks]


def test_r04_shows_the_candidates_and_says_where_the_declared_one_is() -> None:
    found = drawn(CASES["R04"], "R04")
    assert kinds(found)[:2] == ["boundary", "candidate"]  # 194 m apart, both on the map
    first = next(o for o in found.outlines if o.kind == "candidate")
    assert (first.sign, "EPSG:3375" in first.words) == ("A", True)
    xs, ys = zip(*corners(first.path), strict=True)
    (visited,) = found.marks
    assert min(xs) < visited.x < max(xs)
    assert min(ys) < visited.y < max(ys)


def test_r04_says_how_far_off_the_map_the_boundary_lies_as_declared() -> None:
    far = declared(boundary=shape("EPSG:32647", "xy", ring(X - 60, X + 60, Y - 60, Y + 60)))
    of = case(country="MY", declaration=far, points=(at(X, Y, crs="EPSG:3375"),))
    found = draw_flag(
        "R04",
        {
            "declaration": {"digest": far.digest},
            "candidates": [{"crs": "EPSG:3375", "axes": "xy", "name": "GDM2000"}],
        },
        ground(of),
    )
    assert found is not None
    assert kinds(found) == ["candidate"]
    assert re.search(r"lies off the map, \d+[.\d]* km away", found.note)


def test_r05_and_r06_show_what_is_shared_and_what_lies_outside() -> None:
    assert kinds(drawn(CASES["R05"], "R05")) == ["boundary", "shared"]
    assert kinds(drawn(CASES["R06"], "R06")) == ["boundary", "trace", "shared"]


def test_r05_shows_a_repaired_boundary_within_the_widest_reading() -> None:
    a, b, c, d, _ = ring()
    crossed = case(declaration=declared(boundary=shape("EPSG:32647", "xy", [a, c, b, d, a])))
    assert kinds(drawn(crossed, "R05")) == ["widest", "boundary"]


def test_r09_joins_the_two_ends_and_an_unknown_accuracy_is_doubt() -> None:
    found = drawn(CASES["R09"], "R09")
    assert [m.radius is None for m in found.marks] == [False, True]
    assert found.doubtful
    assert len(corners(found.links)) == 2


def test_a_declaration_filed_since_is_not_drawn_under_an_old_flag() -> None:
    of = CASES["R01"]
    (body,) = findings_to_json([flagged(of, "R01")])
    other = ground(case(declaration=declared(filed="2026-01-11")))
    found = draw_flag("R01", body["inputs"], other)
    assert found is not None
    assert kinds(found) == []


def test_rules_about_no_place_and_flags_of_older_versions_have_no_picture() -> None:
    of = CASES["R01"]
    assert draw_flag("R16", {}, ground(of)) is None
    for rule in CASES:
        draw_flag(rule, {}, ground(of))  # nothing of what is drawn now was in it: no fault
    assert draw_flag("R05", {"fault": "x"}, Ground(None, None)) is None


def test_a_boundary_of_many_points_is_a_small_picture() -> None:
    many = [
        [
            f"{401000 + 900 * math.cos(n / 5000 * math.tau):.2f}",
            f"{901000 + 900 * math.sin(n / 5000 * math.tau):.2f}",
        ]
        for n in range(5000)
    ]
    of = case(
        declaration=declared(boundary=shape("EPSG:32647", "xy", [*many, many[0]]), location=None),
        points=(at(403000, 901000),),
    )
    assert len(drawn(of, "R01").outlines[0].path) < 4000


# -- on the page ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    ctx = make_context(tmp_path_factory.mktemp("server"))
    yield create_app(ctx)
    ctx.db.close()


def shown(app: Flask, rule: str) -> str:
    """The flag as the inspection page shows it."""
    of = CASES[rule]
    (body,) = json.loads(json.dumps(findings_to_json([flagged(of, rule)])))
    row = FlagRow("f0", "made-up-mine", "i", rule, body["severity"], body["subject"], "open", b"")
    with app.test_request_context():
        macros = app.jinja_env.get_template("_flag.html").module
        return str(macros.flag(row, body, map=draw_flag(rule, body["inputs"], ground(of))))  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_picture_stands_beside_its_flag_with_words_and_without_script_or_style(
    app: Flask, rule: str
) -> None:
    page = ElementTree.fromstring(f"<div>{shown(app, rule)}</div>")  # noqa: S314 - our own page
    (svg,) = [s for s in page.iter("svg") if s.get("role") == "img"]
    named = str(svg.get("aria-labelledby")).split()
    texts = {e.get("id"): "".join(e.itertext()) for e in svg.iter() if e.get("id")}
    assert [bool(texts[name]) for name in named] == [True, True]
    for element in page.iter():
        assert element.tag != "script"
        assert not {name for name in element.attrib if name == "style" or name.startswith("on")}
    assert "".join(svg.find("title").itertext()).startswith("Map: ")  # type: ignore[union-attr]


def test_names_from_a_register_are_text_and_no_markup(app: Flask) -> None:
    assert "Other &lt;b&gt;Minerals&lt;/b&gt;" in shown(app, "R05")
    assert "<b>" not in shown(app, "R05")
