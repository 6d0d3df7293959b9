"""place X Y: a declared point on the map, by which operation, and how accurately."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fieldkit.cli import cli
from sync.place import distance_m


def run(*given: str) -> Result:
    return CliRunner().invoke(cli, ["place", *given])


def place(*given: str, exit_code: int = 0) -> Any:
    ran = run(*given, "--json")
    assert ran.exit_code == exit_code, ran.output
    return json.loads(ran.stdout)


def test_a_point_is_brought_to_wgs84_with_its_operation_and_accuracy(tmp_path: Path) -> None:
    """V13, the first worked point of the domain brief, section 4; no device is needed for it."""
    home = tmp_path / "nothing-here"
    found = place("598300.912", "440096.567", "--epsg", "3375", "--home", str(home))
    assert distance_m((found["lat"], found["lon"]), (3.98, 103.38)) < 0.01
    assert found["operation"].endswith("GDM2000 to WGS 84 (1)")
    assert (found["accuracy"], found["accuracy_m"]) == ("stated", 1.0)
    assert (found["name"], found["unit"]) == ("GDM2000 / Peninsula RSO", "metre")
    assert found["notes"] == []
    assert not home.exists()


def test_an_accuracy_that_nobody_states_is_unknown() -> None:
    """PROJ answers -1 for it; Kachin has no operation from Indian 1954."""
    found = place("97.5", "25.5", "--epsg", "4239")
    assert (found["accuracy"], found["accuracy_m"]) == ("unknown", None)
    assert "not corrected" in found["notes"][0]
    assert "unknown: nobody states it" in run("97.5", "25.5", "--epsg", "4239").output


MD2000 = "+proj=utm +zone=47 +ellps=evrst30 +towgs84=246.632,784.833,276.923 +units=m"


def test_a_proj_string_needs_its_source_and_has_an_unknown_accuracy() -> None:
    """Myanmar Datum 2000 has no EPSG code."""
    found = place("500000", "2300000", "--proj", MD2000, "--source", "letter of the survey")
    assert found["crs"] == MD2000
    assert found["source"] == "letter of the survey"
    assert found["accuracy_m"] is None
    without = run("500000", "2300000", "--proj", MD2000)
    assert without.exit_code == 2
    assert "--source" in without.output


def test_negative_numbers_are_numbers() -> None:
    found = place("114.25", "-3.5", "--epsg", "4326")
    assert (found["lat"], found["lon"]) == (-3.5, 114.25)
    assert place("-3.5", "114.25", "--axes", "yx", "--epsg", "4326")["lat"] == -3.5
    assert run("--camra-offset", "-08:00").exit_code == 2


def test_a_system_in_other_units_is_read_in_them() -> None:
    # The Malayan grid counts in chains of 20.12 m.
    grid = place("103.38", "3.98", "--epsg", "4326", "--to", "24571")["to"]
    assert "chain" in grid["unit"]
    back = place(grid["x"], grid["y"], "--epsg", "24571")
    assert distance_m((back["lat"], back["lon"]), (3.98, 103.38)) < 0.05
    assert back["unit"] == grid["unit"]


def test_to_another_system_the_same_step_between_datums_falls_out() -> None:
    grid = place("98.0", "19.5", "--epsg", "4239", "--to", "23947")
    assert grid["accuracy_m"] == 21.0
    assert grid["to"]["accuracy_m"] == 0.0
    other = place("98.0", "19.5", "--epsg", "4239", "--to", "24047")
    assert other["to"]["accuracy_m"] == 26.0  # 21 m and 5 m
    north = place("97.5", "25.5", "--epsg", "4239", "--to", "24047")
    assert north["to"]["accuracy"] == "unknown"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("2211381.190", "594664.869", "--epsg", "24047"), "axes swapped (--axes yx)"),
        (("1962929.5", "1443886.4", "--epsg", "3375"), "read as feet"),
        (("598.300912", "440.096567", "--epsg", "3375"), "read as kilometres"),
    ],
)
def test_numbers_that_do_not_fit_say_how_else_they_may_be_meant(
    given: tuple[str, ...], says: str
) -> None:
    found = place(*given)
    assert any(says in note for note in found["notes"]), found["notes"]
    assert any("outside the area" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (("20", "99.9", "--epsg", "4326"), "place-malformed", "axes swapped (--axes yx)"),
        (("594664,869", "2211381,19", "--epsg", "24047"), "place-malformed", "with a point"),
        (("594 664.869", "2211381.19", "--epsg", "24047"), "place-malformed", "not a decimal"),
        (("1.94e6", "20", "--epsg", "24047"), "place-malformed", "not a decimal"),
        (("1", "2", "--epsg", "99999"), "crs-unknown", "not in the registry"),
        (("1", "2", "--epsg", "7"), "crs-unknown", "not in the registry"),
        (("1", "2", "--epsg", "5773"), "crs-unknown", "horizontal"),
        (("1", "2", "--epsg", "-5"), "crs-unknown", "EPSG code"),
        (("1", "2", "--proj", "+init=epsg:4326", "--source", "x"), "crs-unknown", "PROJ string"),
        (("1", "2", "--epsg", "4326", "--to", "99999"), "crs-unknown", "not in the registry"),
    ],
)
def test_what_cannot_be_read_is_a_catalogue_error(
    given: tuple[str, ...], code: str, says: str
) -> None:
    found = place(*given, exit_code=1)
    assert found["code"] == code
    assert says in found["title"]


@pytest.mark.parametrize(
    "given",
    [
        ("1", "2"),
        ("1", "--epsg", "4326"),
        ("--epsg", "4326"),
        ("1", "2", "--epsg", "4326", "--proj", MD2000, "--source", "x"),
    ],
)
def test_half_a_question_is_wrong_use(given: tuple[str, ...]) -> None:
    assert run(*given).exit_code == 2


def test_words_say_what_the_numbers_were_taken_for() -> None:
    said = run(
        "2211381.190", "594664.869", "--epsg", "24047", "--axes", "yx", "--to", "4240"
    ).output
    assert "first north, then east, in units of 1 metre" in said
    assert "Indian 1975 / UTM zone 47N" in said
    assert "20.000000" in said
    assert "±3 m" in said
