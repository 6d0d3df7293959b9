"""NMEA 0183: sentences that may be believed, and the moments that they tell of."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.inspection import TrackPoint
from sync.nmea import Tally, sentences
from sync.track_nmea import read_nmea


def nmea(*bodies: str) -> bytes:
    lines = (f"${body}*{reduce(xor, body.encode(), 0):02X}" for body in bodies)
    return "\r\n".join(lines).encode() + b"\r\n"


def rmc(clock: str, date: str = "010226", status: str = "A", mode: str = "A", at: str = "") -> str:
    where = at or "0130.0000,N,10312.0000,E"
    return f"GNRMC,{clock},{status},{where},0.0,0.0,{date},,,{mode}"


def gga(clock: str, quality: str = "1", hdop: str = "1.0") -> str:
    return f"GNGGA,{clock},0130.0000,N,10312.0000,E,{quality},08,{hdop},10.0,M,3.0,M,,"


def points(*bodies: str) -> tuple[TrackPoint, ...]:
    return read_nmea(nmea(*bodies)).points


def test_a_position_is_degrees_with_their_sign_and_its_time_is_utc() -> None:
    (one,) = points(rmc("120000.50", at="0130.0000,S,10312.6000,W"))
    assert (one.lat, one.lon) == ("-1.500000000", "-103.210000000")
    assert one.at == 1_769_947_200_500


def test_sentences_of_one_moment_are_one_point() -> None:
    track = read_nmea(nmea(*(s for n in range(5) for s in (gga(f"12000{n}"), rmc(f"12000{n}")))))
    assert len(track.points) == 5
    assert track.counts["fixes"] > 5  # as gpsd, which reports more often until it knows the cycle


@pytest.mark.parametrize(("status", "mode"), [("V", "N"), ("V", "A"), ("A", "E"), ("A", "S")])
def test_what_was_not_measured_is_no_point(status: str, mode: str) -> None:
    """No fix, dead reckoning, a simulation."""
    assert points(rmc("120000", status=status, mode=mode)) == ()


def test_what_was_left_out_is_said() -> None:
    track = read_nmea(nmea(rmc("120000"), rmc("120001", mode="E"), rmc("120002")))
    assert len(track.points) == 2
    assert track.notes == ("positions from dead reckoning, left out: 1",)


def test_a_damaged_sentence_is_counted_and_not_believed() -> None:
    data = nmea(rmc("120000")) + nmea(rmc("120001")).replace(b"0130", b"0131") + nmea(rmc("120002"))
    track = read_nmea(data)
    assert [p.lat for p in track.points] == ["1.500000000"] * 2
    assert (track.counts["sentences"], track.counts["damaged"]) == (3, 1)
    assert track.notes == ("damaged sentences, left out: 1",)


def test_a_sentence_that_is_cut_short_by_the_next_does_not_take_it_along() -> None:
    cut, whole = nmea(rmc("120000")), nmea(rmc("120001"))
    track = read_nmea(cut[:30] + whole)
    assert [p.at for p in track.points] == [1_769_947_201_000]


def test_comments_other_talkers_and_binary_bytes_between_are_passed_over() -> None:
    noise = b"# Date: 2026-02-01\n!AIVDM,1,1,,A,x,0*00\n\xb5\x62\x01\x07\x00\xff\n\x00\x01\r\n"
    track = read_nmea(noise + nmea(rmc("120000")) + noise + nmea("HEHDT,341.8,T", rmc("120001")))
    assert len(track.points) == 2


def test_a_sentence_without_a_checksum_is_taken_and_counted() -> None:
    tally = Tally()
    (one,) = sentences(b"$GPGLL,0130.0000,N,10312.0000,E,120000,A,\r\n", tally)
    assert (one.address, one[6], tally.unchecked) == ("GPGLL", "A", 1)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_listened_to(data: bytes) -> None:
    read_nmea(data + nmea(rmc("120000"), gga("120000")) + data)


@given(st.lists(st.text("0123456789.,-AVNSEWD*$\r\n", max_size=60), max_size=8))
def test_any_fields_can_be_listened_to(fields: list[str]) -> None:
    kinds = ("RMC", "GGA", "GLL", "GNS", "GSA", "GBS", "GST", "ZDA")
    bodies = [
        f"GP{kind}," + "".join(c for c in f if c not in "*$\r\n") for f in fields for kind in kinds
    ]
    read_nmea(nmea(*bodies))


# -- time -----------------------------------------------------------------------------------------


def test_dates_before_2017_come_from_a_week_counter_that_began_anew() -> None:
    """1024 weeks are put on, as gpsd does, and it is said."""
    track = read_nmea(nmea(rmc("120000", date="190606")))
    assert track.points[0].at == 1_770_033_600_000  # 2006-06-19 + 7168 days = 2026-02-02
    assert "1024 weeks" in track.notes[0]


def test_a_date_of_today_is_left_as_it_is() -> None:
    assert read_nmea(nmea(rmc("120000"))).notes == ()


def test_midnight_passes_before_the_next_date_comes() -> None:
    found = points(rmc("235959"), gga("235959"), gga("000000"), rmc("000000", date="020226"))
    assert [p.at for p in found] == [1_769_990_399_000, 1_769_990_400_000]


def test_a_clock_that_goes_back_is_not_midnight_where_the_date_says_so() -> None:
    """gpsd counts a day on until the date comes; the point has the date of its own moment."""
    gll = "GPGLL,0130.0000,N,10312.0000,E,{},A,A"
    later, earlier = gll.format("150000"), gll.format("140000")
    found = points(rmc("150000"), later, earlier, "GPZDA,140000,01,02,2026,00,00")
    assert [p.at for p in found] == [1_769_958_000_000, 1_769_954_400_000]


def test_before_there_is_a_date_a_point_has_no_time() -> None:
    found = points(gga("120000"), gga("120001"), rmc("120001"))
    assert [p.at for p in found] == [None, 1_769_947_201_000]


def test_zda_gives_the_date_with_its_century() -> None:
    found = points("GPZDA,120000,01,02,2026,00,00", gga("120000"))
    assert found[-1].at == 1_769_947_200_000


# -- accuracy -------------------------------------------------------------------------------------


def test_accuracy_comes_from_deviations_where_the_receiver_gives_them() -> None:
    """2DRMS of 3 m and 4 m is 10 m; without GST, 19 m for each unit of HDOP."""
    track = read_nmea(
        nmea(
            rmc("120000"),
            gga("120000", hdop="1.2"),
            rmc("120001"),
            gga("120001", hdop="1.2"),
            "GNGST,120001,2.0,,,,3.0,4.0,6.0",
        )
    )
    assert [p.accuracy_m for p in track.points] == ["22.8", "10.0"]
    assert set(track.accuracy_from) == {"HDOP", "the receiver's standard deviations"}


def test_deviations_of_another_moment_are_not_taken() -> None:
    found = points(rmc("120001"), gga("120001"), "GNGST,120000,2.0,,,,3.0,4.0,6.0")
    assert found[-1].accuracy_m == "19.0"


def test_a_differential_fix_has_the_smaller_bound() -> None:
    assert points(gga("120000", quality="2"))[0].accuracy_m == "4.8"


def test_without_any_of_these_the_accuracy_is_unknown() -> None:
    assert points(rmc("120000"))[0].accuracy_m is None
