from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, needs, only, row

from checklists.discrepancies.case import Case
from checklists.discrepancies.imported import Imported, RiskArea
from checklists.discrepancies.shipments import R28

LIST = "a made-up list"
AREAS = (RiskArea("MM-11", "2024-01-01", LIST), RiskArea("XX", "2024-01-01", LIST))


def sent(
    origin: str | None = "TH",
    transit: tuple[str, ...] = (),
    areas: tuple[RiskArea, ...] | None = AREAS,
    **changes: Any,
) -> Case:
    lots = [row("shipments", origin=origin, transit=list(transit))]
    return case(
        declaration=filing(**{"shipments": lots, **changes}), imported=Imported(areas=areas)
    )


def test_an_origin_without_a_declared_mine_is_critical() -> None:
    flag = only(R28, sent("LA"))
    assert (flag.severity, flag.subject, flag.key) == ("critical", "operations", "origin LA")
    assert "1 shipments of origin LA (lot-7), and mines in TH only" in flag.explanation


@pytest.mark.parametrize("origin", ["TH", "TH-57", "LA"])
def test_the_sites_own_country_and_those_of_declared_mines_are_origins(origin: str) -> None:
    mines = [{"name": "Made-up Mine", "country": "LA"}]
    assert R28.find(sent(origin, mines=mines)) == ()


def test_a_plant_that_mines_nothing_needs_mines_elsewhere() -> None:
    flag = only(R28, sent("TH", processes=["separation"]))
    assert flag.severity == "critical"
    assert "and no mine." in flag.explanation


def test_where_mines_are_not_mentioned_at_all_it_asks() -> None:
    flag = only(R28, sent("LA", mines=None))
    assert flag.severity == "query"
    assert "not mentioned" in flag.explanation


@pytest.mark.parametrize("place", ["MM-11", "XX", "XX-03"])
def test_a_way_through_a_listed_area_that_is_not_declared_is_critical(place: str) -> None:
    flag = only(R28, sent(transit=("TH", place)))
    assert (flag.severity, flag.key) == ("critical", f"way {place}")
    assert LIST in flag.explanation


@pytest.mark.parametrize("place", ["MM-12", "LA"])
def test_a_way_beside_the_listed_area_is_no_flag(place: str) -> None:
    assert R28.find(sent(transit=(place,))) == ()


def test_a_way_through_a_country_of_which_a_part_is_listed_is_asked() -> None:
    flag = only(R28, sent(transit=("MM",)))
    assert flag.severity == "query"
    assert "Whether the way goes through that part of MM is not declared" in flag.explanation


@pytest.mark.parametrize("named", ["MM", "MM-11"])
def test_an_area_that_is_declared_is_no_flag(named: str) -> None:
    some = {"statement": "some", "on": "2026-01-15", "areas": [named]}
    assert R28.find(sent(transit=("MM-11",), conflict_area=some)) == ()
    elsewhere = {**some, "areas": ["CN"]}
    assert len(flags(R28, sent(transit=("MM-11",), conflict_area=elsewhere))) == 1
    assert len(flags(R28, sent(transit=("MM-11",), conflict_area=None))) == 1


def test_what_was_listed_after_the_lot_left_does_not_count() -> None:
    later = (RiskArea("XX", "2026-01-21", LIST),)
    assert R28.find(sent(transit=("XX",), areas=later)) == ()
    assert len(flags(R28, sent(transit=("XX",), areas=(RiskArea("XX", "2026-01-20", LIST),)))) == 1


def test_the_origin_is_a_part_of_the_way() -> None:
    mines = [{"name": "Made-up Mine", "country": "MM"}]
    assert only(R28, sent("MM-11", mines=mines)).key == "way MM-11"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R28, case(declaration=None))[0]
    assert "shipments" in needs(R28, sent(shipments=None))[0]
    assert "a list of conflict-affected" in needs(R28, sent(areas=None))[0]
    assert "the origin of lot-7" in needs(R28, sent(None))[0]
    assert R28.find(sent(areas=None, shipments=[])) == ()
