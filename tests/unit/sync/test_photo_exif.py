"""EXIF as cameras and programs really write it: types, byte orders, damage, what is left out."""

from __future__ import annotations

from typing import Any

import pytest
from exif_blocks import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    SHORT,
    SLONG,
    SRATIONAL,
    UNDEFINED,
    Entry,
    ascii,
    block,
    rationals,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.photo_exif import ExifFacts, read_exif

NORTH_EAST: dict[int, Entry] = {
    1: ascii("N"),
    2: rationals((20, 1), (27, 1), (52, 10)),
    3: ascii("E"),
    4: rationals((99, 1), (52, 1), (489, 10)),
}
AT = ("20.451444444", "99.88025")


def of(**changed: Entry | None) -> ExifFacts:
    """The facts of a block with a position, some tags of it (`gps_2=`) changed or left out."""
    gps = dict(NORTH_EAST)
    for name, entry in changed.items():
        tag = int(name.removeprefix("gps_"))
        gps.pop(tag, None)
        if entry is not None:
            gps[tag] = entry
    return read_exif(block(gps=gps))


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_say_the_same(order: str) -> None:
    facts = read_exif(
        block(
            order,
            image={0x010F: ascii("Contoh"), 0x0112: (SHORT, (6,)), 0x0131: ascii("3.1")},
            exif={0x9003: ascii("2026:11:23 14:05:09"), 0x9011: ascii("+07:00")},
            gps={
                **NORTH_EAST,
                5: (BYTE, (0,)),
                6: rationals((1234, 100)),
                7: rationals((7, 1), (5, 1), (925, 100)),
                17: rationals((9000, 100)),
                29: ascii("2026:11:23"),
                31: rationals((85, 10)),
            },
        )
    )
    assert (facts.lat, facts.lon) == AT
    assert (facts.make, facts.orientation, facts.software) == ("Contoh", 6, "3.1")
    assert (facts.camera_time, facts.camera_offset) == ("2026-11-23T14:05:09", "+07:00")
    assert (facts.gps_time, facts.altitude_m) == ("2026-11-23T07:05:09.25Z", "12.34")
    assert (facts.direction_deg, facts.accuracy_m) == ("90", "8.5")


@pytest.mark.parametrize("mark", [b"", b"Exif\0\0"])
def test_the_mark_before_a_block_may_be_there_or_not(mark: bytes) -> None:
    assert read_exif(mark + block(gps=NORTH_EAST)).lat == AT[0]


@pytest.mark.parametrize(
    ("written", "lat"),
    [
        (rationals((2045144, 100000)), "20.45144"),
        (rationals((20, 1), (270866667, 10**7)), "20.451444445"),
        (rationals((20, 1), (27, 1), (0, 1)), "20.45"),
        (rationals((205, 10), (0, 1), (0, 1)), "20.5"),
        (rationals((20, 1), (27, 1), (0, 0)), "20.45"),
        (rationals((20, 1), (2750, 100), (0, 0)), "20.458333333"),
        (rationals((20, 1), (0, 0), (0, 0)), "20"),
        ((SRATIONAL, ((20, 1), (27, 1), (52, 10))), "20.451444444"),
        ((LONG, (20, 27, 5)), "20.451388889"),
        ((SHORT, (20, 27, 5)), "20.451388889"),
        ((DOUBLE, (20.5,)), "20.5"),
        (ascii("20 27 5.2"), "20.451444444"),
        (ascii("20,5"), "20.5"),
        (rationals((40, 2), (54, 2), (52, 10)), AT[0]),
    ],
)
def test_degrees_may_carry_their_decimals_in_any_part_and_type(written: Entry, lat: str) -> None:
    assert (of(gps_2=written).lat, of(gps_2=written).gps_block) == (lat, "position")


@pytest.mark.parametrize(
    "written",
    [
        rationals((20, 1), (27, 1), (52, 0)),
        rationals((0, 0), (0, 0), (0, 0)),
        rationals((0, 0), (27, 1), (5, 1)),
        rationals((20, 1), (0, 0), (5, 1)),
        rationals((4294967295, 1)),
        (SRATIONAL, ((-20, 1), (27, 1), (5, 1))),
        (DOUBLE, (float("nan"),)),
        (DOUBLE, (float("inf"),)),
        (UNDEFINED, b"\1\2\3\4\5\6\7\10"),
        ascii("here"),
        ascii(""),
    ],
)
def test_a_number_that_is_none_leaves_a_block_without_position(written: Entry) -> None:
    found = of(gps_2=written)
    assert (found.gps_block, found.lat, found.lon) == ("without-position", None, None)


@pytest.mark.parametrize(
    ("lat_ref", "lon_ref", "lat", "lon"),
    [
        ("N", "E", *AT),
        ("S", "W", f"-{AT[0]}", f"-{AT[1]}"),
        ("s", "w", f"-{AT[0]}", f"-{AT[1]}"),
        (" N ", "East", *AT),
        ("South", "E", f"-{AT[0]}", AT[1]),
        ("", "E", None, None),
        ("N", "N", None, None),
    ],
)
def test_the_letters_say_the_hemisphere_however_they_are_written(
    lat_ref: str, lon_ref: str, lat: str | None, lon: str | None
) -> None:
    found = of(gps_1=ascii(lat_ref), gps_3=ascii(lon_ref))
    assert (found.lat, found.lon) == (lat, lon)


def test_without_a_letter_there_is_no_sign_and_so_no_position() -> None:
    for left_out in ({"gps_1": None}, {"gps_3": None}, {"gps_2": None}, {"gps_4": None}):
        assert of(**left_out).gps_block == "without-position"  # type: ignore[arg-type]


def test_no_block_an_empty_block_a_block_without_position_and_zero_are_told_apart() -> None:
    zero = rationals((0, 1), (0, 1), (0, 1))
    assert read_exif(block(image={0x010F: ascii("Contoh")})).gps_block == "none"
    assert read_exif(block(gps={})).gps_block == "without-position"
    assert read_exif(block(gps={0: (BYTE, (2, 3, 0, 0))})).gps_block == "without-position"
    at_zero = of(gps_2=zero, gps_4=zero)
    assert (at_zero.gps_block, at_zero.lat, at_zero.lon) == ("position", "0", "0")


def test_a_pointer_to_nowhere_is_no_block() -> None:
    assert read_exif(block(image={0x8825: (LONG, (100_000,))})).gps_block == "none"
    assert read_exif(block(image={0x8825: (LONG, (0,))})).gps_block == "none"
    assert read_exif(block(image={0x8825: ascii("here it is")})).gps_block == "none"


@pytest.mark.parametrize(
    ("height", "ref", "metres"),
    [
        (rationals((1234, 100)), (BYTE, (0,)), "12.34"),
        (rationals((1234, 100)), (BYTE, (1,)), "-12.34"),
        (rationals((1, 2)), (BYTE, (1,)), "-0.5"),
        (rationals((1234, 100)), (BYTE, (2,)), "12.34"),
        (rationals((1234, 100)), (BYTE, (3,)), "-12.34"),
        (rationals((1234, 100)), None, "12.34"),
        (rationals((0, 1)), (BYTE, (1,)), "0"),
        ((SRATIONAL, ((-1234, 100),)), (BYTE, (0,)), "-12.34"),
        ((SRATIONAL, ((-1234, 100),)), (BYTE, (1,)), "-12.34"),
        (ascii("12,34"), None, "12.34"),
        ((LONG, (12,)), None, "12"),
        ((SLONG, (-3,)), None, "-3"),
        (rationals((0, 0)), (BYTE, (0,)), None),
        (rationals((5, 0)), (BYTE, (0,)), None),
        (rationals((4_000_000_000, 1)), None, None),
    ],
)
def test_the_height_has_the_sign_of_its_reference(
    height: Entry, ref: Entry | None, metres: str | None
) -> None:
    assert of(gps_6=height, gps_5=ref).altitude_m == metres


def test_an_error_of_zero_metres_is_an_unknown_error() -> None:
    assert of(gps_31=rationals((0, 1))).accuracy_m is None
    assert of(gps_31=rationals((0, 0))).accuracy_m is None
    assert of(gps_31=rationals((38_813_004, 10**6))).accuracy_m == "38.813004"


@pytest.mark.parametrize(
    ("date", "clock", "time"),
    [
        (ascii("2026:11:23"), rationals((7, 1), (5, 1), (9, 1)), "2026-11-23T07:05:09Z"),
        (ascii("2026-11-23"), rationals((7, 1), (5, 1), (9, 1)), "2026-11-23T07:05:09Z"),
        (ascii("2026/11/23 "), rationals((7, 1), (5, 1), (9, 1)), "2026-11-23T07:05:09Z"),
        (ascii("2026:11:23"), rationals((7, 1), (55, 10), (0, 1)), "2026-11-23T07:05:30Z"),
        (
            ascii("2026:11:23"),
            rationals((7, 1), (5, 1), (92486, 10**4)),
            "2026-11-23T07:05:09.2486Z",
        ),
        (ascii("2026:12:31"), rationals((23, 1), (59, 1), (60, 1)), "2027-01-01T00:00:00Z"),
        (ascii("2026:11:23"), (LONG, (7, 5, 9)), "2026-11-23T07:05:09Z"),
        (None, rationals((7, 1), (5, 1), (9, 1)), None),
        (ascii("2026:11:23"), None, None),
        (ascii("2026:11:23"), rationals((7, 1), (5, 1), (0, 0)), None),
        (ascii("2026:11:23"), rationals((25, 1), (5, 1), (0, 1)), None),
        (ascii("2026:02:30"), rationals((7, 1), (5, 1), (9, 1)), None),
        (ascii("1999:99:99 99:99:99"), rationals((7, 1), (5, 1), (9, 1)), None),
    ],
)
def test_the_receivers_time_needs_its_date_and_its_clock(
    date: Entry | None, clock: Entry | None, time: str | None
) -> None:
    assert of(gps_29=date, gps_7=clock).gps_time == time


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026:11:23 14:05:09", "2026-11-23T14:05:09"),
        ("2026-11-23 14:05:09", "2026-11-23T14:05:09"),
        ("2026:11:23T14:05:09", "2026-11-23T14:05:09"),
        ("2026: 1: 3  4: 5: 9", "2026-01-03T04:05:09"),
        ("    :  :     :  :  ", None),
        ("0000:00:00 00:00:00", None),
        ("2026:11:23", None),
    ],
)
def test_the_cameras_clock_is_read_as_cameras_write_it(written: str, time: str | None) -> None:
    facts = read_exif(block(exif={0x9003: ascii(written)}))
    assert facts.camera_time == time
    assert facts.gps_time is None


@pytest.mark.parametrize("number", [0, 9, 65535])
def test_an_orientation_that_the_standard_has_not_is_absent(number: int) -> None:
    assert read_exif(block(image={0x0112: (SHORT, (number,))})).orientation is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Contoh\0", "Contoh"),
        (b"Contoh", "Contoh"),
        (b"Contoh   \0\0\0", "Contoh"),
        (b"Contoh\0 rubbish behind", "Contoh"),
        ("Jürgen".encode(), "Jürgen"),
        (b"J\xfcrgen\0", "Jürgen"),
        (b"A  B\0", "A  B"),
        (b"A \x01\x02 B\0", "A B"),
        (b"   \0", None),
        (b"\0", None),
    ],
)
def test_text_ends_at_its_first_zero_byte_and_is_utf_8_or_latin_1(
    data: bytes, text: str | None
) -> None:
    assert read_exif(block(image={0x010F: (ASCII, data)})).make == text


# -- damage ----------------------------------------------------------------------------------------


def test_a_value_that_lies_outside_leaves_the_others() -> None:
    whole = bytearray(
        block(image={0x010F: ascii("Contoh camera"), 0x0110: ascii("K1 of long name")})
    )
    at = whole.index(b"\x0f\x01")
    whole[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    facts = read_exif(bytes(whole))
    assert (facts.make, facts.model) == (None, "K1 of long name")


def test_a_type_that_does_not_exist_leaves_the_others() -> None:
    whole = bytearray(
        block(image={0x010F: ascii("Contoh camera"), 0x0110: ascii("K1 of long name")})
    )
    at = whole.index(b"\x0f\x01")
    whole[at + 2 : at + 4] = b"\x63\x00"
    facts = read_exif(bytes(whole))
    assert (facts.make, facts.model) == (None, "K1 of long name")


def test_a_directory_that_does_not_fit_is_none_and_the_others_are_read() -> None:
    whole = block(image={0x010F: ascii("Contoh camera")}, gps=NORTH_EAST)
    place = whole.index(b"\x01\x00\x02\x00\x02\x00\x00\x00") - 2  # where the positions begin
    broken = whole[:place] + b"\xff\x7f" + whole[place + 2 :]
    facts = read_exif(broken)
    assert (facts.make, facts.gps_block) == ("Contoh camera", "none")
    assert read_exif(whole).gps_block == "position"


def test_a_directory_that_names_itself_ends() -> None:
    whole = block(image={0x8769: (LONG, (8,)), 0x8825: (LONG, (8,)), 0x010F: ascii("Contoh")})
    assert read_exif(whole).make == "Contoh"


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"II+\0"]
)
def test_what_is_no_block_is_no_exif(data: bytes) -> None:
    assert read_exif(data) == ExifFacts()


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_damage_to_a_block_raises_and_no_position_lies_off_the_earth(
    data: st.DataObject,
) -> None:
    whole = bytearray(
        block(
            data.draw(st.sampled_from("<>")),
            image={0x010F: ascii("Contoh"), 0x0112: (SHORT, (6,))},
            exif={0x9003: ascii("2026:11:23 14:05:09")},
            gps={**NORTH_EAST, 6: rationals((1234, 100)), 29: ascii("2026:11:23")},
        )
    )
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    facts: Any = read_exif(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert (facts.lat is None) == (facts.gps_block != "position")
    if facts.lat is not None:
        assert abs(float(facts.lat)) <= 90
        assert abs(float(facts.lon)) <= 180
