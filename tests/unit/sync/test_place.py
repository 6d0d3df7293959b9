from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.inspection import Fix
from sync.place import (
    convert,
    distance_m,
    distances_m,
    parse_fix,
    system_name,
    within_use,
)
from sync.problems import Problem

SHARED = Path(__file__).resolve().parents[3] / "../shared"


def code_of(call: object, *args: object) -> str:
    with pytest.raises(Problem) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


# -- fixes ----------------------------------------------------------------------------------------


def test_a_typed_fix_is_kept_as_the_decimals_that_were_typed() -> None:
    assert parse_fix("20.450, +99.88,6") == Fix("20.450", "99.88", "6")
    assert parse_fix("-3.5,114.25") == Fix("-3.5", "114.25", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20.45",
        "a,b",
        "91,10",
        "10,180.5",
        "1,2,3,4",
        "1,2,0",
        "1,2,-5",
        "nan,1",
        "1e3,4",
        "1,,2",
    ],
)
def test_a_malformed_fix_is_a_catalogue_error(text: str) -> None:
    assert code_of(parse_fix, text) == "place-malformed"


def test_a_degree_of_longitude_on_the_equator_is_111_320_metres_less_the_millimetres() -> None:
    # WGS 84: the equator is 2 pi times 6,378,137 m long.
    assert distance_m((0, 0), (0, 1)) == pytest.approx(math.pi * 6378137 / 180, abs=1e-6)
    assert distance_m(Fix("0", "0"), (0, 1)) == distance_m((0, 1), Fix("0", "0"))


def test_many_distances_are_each_what_one_is() -> None:
    starts, ends = [(0.0, 0.0), (8.15, 98.1), (-3.0, 179.9)], [(0.0, 1.0), (8.16, 98.1), (4.0, 9.0)]
    assert distances_m(starts, ends) == [
        distance_m(a, b) for a, b in zip(starts, ends, strict=True)
    ]
    assert distances_m([], []) == []


# -- coordinate systems ---------------------------------------------------------------------------

V13 = [
    ("EPSG:3375", "598300.912", "440096.567", 3.98, 103.38, [("EPSG:3168", 194.1)]),
    (
        "EPSG:3405",
        "335103.502",
        "2478086.285",
        22.40,
        103.40,
        [("EPSG:32648", 222.6), ("EPSG:32647", 617973)],
    ),
    ("EPSG:24047", "594664.869", "2211381.190", 20.00, 99.90, [("EPSG:32647", 626.4)]),
]


@pytest.mark.parametrize(("crs", "x", "y", "lat", "lon", "misread"), V13)
def test_worked_offsets_of_misread_systems_hold(
    crs: str, x: str, y: str, lat: float, lon: float, misread: list[tuple[str, float]]
) -> None:
    """V13: the numbers of the domain brief, section 4."""
    right = convert(x, y, crs, "xy")
    assert distance_m((right.lat, right.lon), (lat, lon)) < 0.01
    for other, offset in misread:
        wrong = convert(x, y, other, "xy")
        away = distance_m((right.lat, right.lon), (wrong.lat, wrong.lon))
        assert away == pytest.approx(offset, abs=0.5 if offset > 1000 else 0.1)


def test_published_control_points_are_met_within_their_tolerance() -> None:
    """IOGP GIGS and EPSG Guidance Note 7-2: the projected and the geographic reading agree."""
    file = SHARED / "data/crs/control_points_dev.json"
    if not file.exists():
        pytest.skip("the folder of shared test files is not here")
    rows = json.loads(file.read_text())
    assert rows
    for row in rows:
        east, north = f"{row['easting']:.4f}", f"{row['northing']:.4f}"
        flat = convert(east, north, f"EPSG:{row['proj_epsg']}", "xy")
        lat, lon = f"{row['lat']:.12f}", f"{row['lon']:.12f}"
        round_ = convert(lat, lon, f"EPSG:{row['geog_epsg']}", "yx")
        if flat.operation.split(" + ")[-1] != round_.operation.split(" + ")[-1]:
            pytest.fail(f"different datum operations: {flat.operation} / {round_.operation}")
        away = distance_m((flat.lat, flat.lon), (round_.lat, round_.lon))
        assert away <= row["tolerance_m"], row


def test_the_order_of_axes_is_the_declared_one_and_not_the_registry_s() -> None:
    # The registry gives Singapore's grid as northing, easting; the declaration says its own order.
    one = convert("28001.642", "38744.572", "EPSG:3414", "xy")
    other = convert("38744.572", "28001.642", "EPSG:3414", "yx")
    assert (one.lat, one.lon) == (other.lat, other.lon)
    assert distance_m((one.lat, one.lon), (1.366666666, 103.833333333)) < 0.1


def test_the_accuracy_of_an_operation_is_kept_and_unknown_is_none() -> None:
    assert convert("598300.912", "440096.567", "EPSG:3168", "xy").accuracy_m == 15.0
    assert convert("594664.869", "2211381.190", "EPSG:24047", "xy").accuracy_m == 3.0
    assert convert("500000", "2000000", "EPSG:32647", "xy").accuracy_m == 0.0
    own = "+proj=utm +zone=47 +ellps=evrst30 +towgs84=246.6,784.8,276.9 +units=m"
    assert convert("500000", "2000000", own, "xy").accuracy_m is None


def test_the_operation_is_chosen_for_the_place_and_a_missing_one_is_said() -> None:
    # Indian 1954 has a published operation around Thailand (21 m) and none for Kachin.
    south = convert("19.5", "98.0", "EPSG:4239", "yx")
    north = convert("25.5", "97.5", "EPSG:4239", "yx")
    assert south.accuracy_m == 21.0
    assert south.notes == ()
    assert north.accuracy_m is None
    assert "Ballpark" in north.operation
    assert any("not corrected" in note for note in north.notes)


def test_a_missing_grid_is_said_and_never_an_ordinary_warning() -> None:
    # NAD27 needs grid files for its finest operations; they are not shipped.
    ottawa = convert("45.4", "-75.7", "EPSG:4267", "yx")
    assert any("grid file" in note for note in ottawa.notes)


def test_a_point_outside_the_area_of_use_is_converted_with_a_note() -> None:
    far = convert("99.9", "20", "EPSG:4298", "xy")
    assert not within_use("EPSG:4298", far)
    assert any("outside the area" in note for note in far.notes)
    near = convert("598300.912", "440096.567", "EPSG:3375", "xy")
    assert within_use("EPSG:3375", near)


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:99999",
        "EPSG:5773",
        "EPSG:4978",
        "3375",
        "WGS84",
        "/etc/passwd",
        "+proj=nonsense",
        "+proj=longlat +ellps=bessel +nadgrids=some.gsb",
        "+proj=pipeline +step +proj=utm",
        "+proj=longlat +init=epsg:4326",
        "+proj=utm +zone=47\n+datum=WGS84",
        "",
    ],
)
def test_a_system_that_cannot_be_used_is_a_catalogue_error(crs: str) -> None:
    assert code_of(convert, "100", "20", crs, "xy") == "crs-unknown"


@pytest.mark.parametrize(
    ("first", "second", "crs", "axes"),
    [
        ("abc", "20", "EPSG:4326", "xy"),
        ("1e5", "20", "EPSG:4326", "xy"),
        ("nan", "inf", "EPSG:4326", "xy"),
        ("20", "100", "EPSG:4326", "xy"),
        ("20", "100", "EPSG:4326", "ne"),
        ("900000000", "900000000000", "EPSG:3375", "xy"),
    ],
)
def test_numbers_that_are_nowhere_on_earth_are_a_catalogue_error(
    first: str, second: str, crs: str, axes: str
) -> None:
    assert code_of(convert, first, second, crs, axes) == "place-malformed"


def test_names_of_systems_come_from_the_registry() -> None:
    assert system_name("EPSG:24047") == "Indian 1975 / UTM zone 47N"


def test_conversions_from_several_threads_agree() -> None:
    def one(_: int) -> tuple[float, float]:
        c = convert("594664.869", "2211381.190", "EPSG:24047", "xy")
        return c.lat, c.lon

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(64)))) == 1
