"""GPX files: what is read, what is refused, and what is said of a file that breaks off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.problems import Problem
from sync.track_file import ReadTrack
from sync.track_reader import read_track

HEAD = '<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">'
POINT = '<trkpt lat="1.5" lon="103.25"><time>2026-02-01T12:00:00Z</time></trkpt>'


def gpx(*segments: str, head: str = HEAD) -> bytes:
    inside = "".join(f"<trkseg>{s}</trkseg>" for s in segments)
    return f'<?xml version="1.0"?>{head}<trk>{inside}</trk></gpx>'.encode()


def read(data: bytes) -> ReadTrack:
    return read_track(data, "walk.gpx")


def refused(data: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        read(data)
    return caught.value


def at(time: str) -> str:
    return f'<trkpt lat="1" lon="2"><time>{time}</time></trkpt>'


def test_segments_are_kept_apart() -> None:
    track = read(gpx(POINT * 2, "", POINT * 3))
    assert (len(track.points), track.segments) == (5, (0, 2))
    assert (track.format, track.counts["segments"]) == ("GPX 1.1", 3)


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        ("2026-02-01T12:00:00Z", 1_769_947_200_000),
        ("2026-02-01T12:00:00.250Z", 1_769_947_200_250),
        ("2026-02-01T20:00:00+08:00", 1_769_947_200_000),
        ("2026-02-01T12:00:00", 1_769_947_200_000),
        ("about noon", None),
        ("1901-02-01T12:00:00Z", None),
    ],
)
def test_times_are_utc_whatever_their_zone(time: str, wanted: int | None) -> None:
    track = read(gpx(at(time)))
    assert track.points[0].at == wanted
    assert bool(track.notes) is (time in ("2026-02-01T12:00:00", "1901-02-01T12:00:00Z"))


def test_accuracy_is_hdop_times_its_bound() -> None:
    one = '<trkpt lat="1" lon="2"><fix>{}</fix><hdop>{}</hdop></trkpt>'
    cases = [("3d", "1.2"), ("dgps", "1.0"), ("3d", "0"), ("3d", "NaN"), ("3d", "-1")]
    track = read(gpx("".join(one.format(*c) for c in cases)))
    assert [p.accuracy_m for p in track.points] == ["22.8", "4.8", None, None, None]
    assert track.accuracy_from == ("HDOP",)


def test_points_that_are_no_fix_or_nowhere_are_left_out_and_said() -> None:
    bad = '<trkpt lat="91" lon="2"/><trkpt lat="NaN" lon="2"/>'
    track = read(gpx(bad + '<trkpt lat="1" lon="2"><fix>none</fix></trkpt>' + POINT))
    assert (len(track.points), track.counts["points"]) == (1, 4)
    assert [n.split()[-1] for n in track.notes] == ["2", "1"]


def test_a_prefix_on_every_element_is_understood() -> None:
    plain = gpx(POINT).decode()
    prefixed = plain.replace("</", "</g:").replace("<t", "<g:t").replace("<gpx", "<g:gpx")
    prefixed = prefixed.replace("xmlns=", "xmlns:g=")
    assert read(prefixed.encode()).points == read(gpx(POINT)).points


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    named = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{named}"?>{HEAD}<trk><name>é</name><trkseg>{POINT}'
    assert len(read((text + "</trkseg></trk></gpx>").encode(encoding)).points) == 1


# -- what is refused ------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "dtd",
    [
        f'<!DOCTYPE gpx [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE gpx SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_anything_in_it_is_expanded(
    dtd: str, encoding: str
) -> None:
    text = f"{dtd}{HEAD}<trk><name>&l9;&x;</name></trk></gpx>"
    assert "document type" in refused(text.encode(encoding)).happened


def test_a_file_that_breaks_off_says_where_and_what_was_read() -> None:
    whole = gpx("\n".join([POINT] * 5))
    caught = refused(whole[: whole.rindex(b"<trkpt") + 20])
    assert caught.code == "track-unreadable"
    assert "breaks off in line 5" in caught.happened
    assert "4 points" in caught.happened


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<kml><Document/></kml>", "<kml>"),
        (b"<gpx><trk></gpx>", "mismatched tag"),
        (b"<gpx>" + b"<a>" * 100 + b"</a>" * 100 + b"</gpx>", "nested deeper"),
        (b'<?xml version="1.0" encoding="martian"?><gpx/>', "encoding"),
        (gpx('<trkpt lat="north" lon="2"/>'), "north"),
        (gpx('<trkpt lon="2"/>'), "lat"),
        (b"PK\x03\x04 a zip", "neither GPX nor NMEA"),
        (b"", "neither GPX nor NMEA"),
    ],
)
def test_what_is_no_track_is_refused_with_its_reason(data: bytes, why: str) -> None:
    caught = refused(data)
    assert caught.code == "track-unreadable"
    assert why in caught.happened


def test_a_file_that_is_made_to_fill_the_memory_is_refused() -> None:
    """Found before a tree is built of it, as each element costs many times its bytes."""
    assert "longer than can be read" in refused(b"<gpx>" + b"<a/>" * 2_000_001).happened
    many = gpx('<trkpt lat="1" lon="2"/>' * 300_002)
    assert "longer than can be read" in refused(many).happened


@given(st.integers(0, 400), st.binary(max_size=3))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(cut: int, put: bytes) -> None:
    whole = gpx(POINT * 2, POINT)
    try:
        read(whole[:cut] + put + whole[cut + 1 :])
    except Problem as exc:
        assert exc.code == "track-unreadable"
