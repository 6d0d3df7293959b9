"""Files of conflict events: every row is read, or refused with its number and the reason."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conflict_files import UCDP_ROW, file_of, read, text_of

from checklists.conflict.event import Event, Rejected
from checklists.conflict.sources import SOURCES, read_events, read_ids, source_of
from sync.problems import Problem

FILE = "data/conflict/ucdp_ged_myanmar_1989-2012.csv"


def test_every_row_of_the_real_file_is_an_event_and_coarse_ones_are_no_points(
    shared: Path,
) -> None:
    path = shared / FILE
    with path.open(newline="", encoding="utf-8") as opened:
        rows = {row["id"]: row for row in csv.DictReader(opened)}
    found = read("ucdp", path.read_bytes())
    events = {one.id: one for one in found if isinstance(one, Event)}
    assert len(found) == len(events) == len(rows) == 2129
    coarse = [uid for uid, one in events.items() if one.lat_e7 is None and one.lon_e7 is None]
    assert sorted(coarse) == sorted(u for u, row in rows.items() if int(row["where_prec"]) >= 4)
    assert len(coarse) == 1323
    for uid, one in events.items():
        assert one.deaths == int(rows[uid]["best"])
        assert one.day == date.fromisoformat(rows[uid]["date_end"])
        if one.lat_e7 is not None and one.lon_e7 is not None:
            assert one.lat_e7 / 1e7 == pytest.approx(float(rows[uid]["latitude"]), abs=1e-7)
            assert one.lon_e7 / 1e7 == pytest.approx(float(rows[uid]["longitude"]), abs=1e-7)
    assert {one.country for one in events.values()} == {"MM"}


def one(source: str, **fields: Any) -> Event:
    (event,) = read(source, file_of(source, [fields]))
    assert isinstance(event, Event), event
    return event


def why(source: str, **fields: Any) -> str:
    (row,) = read(source, file_of(source, [fields]))
    assert isinstance(row, Rejected), row
    assert row.row == 2
    return row.why


def test_a_row_of_ucdp() -> None:
    assert one("ucdp") == Event(
        "1", date(2024, 3, 2), date(2024, 3, 2), date(2024, 3, 2), 205_000_000, 972_500_000,
        1_000, 10, 3, 0, "MM", "An Army - A Front", "A town",
    )  # fmt: skip


def test_a_row_of_acled_keeps_nothing_that_could_not_be_passed_on() -> None:
    """ACLED's terms: no actor, no note and no place's name is even read."""
    assert one("acled") == Event(
        "MMR1", date(2024, 3, 2), date(2024, 3, 2), date(2024, 3, 2), 205_000_000, 972_500_000,
        5_000, 10, 3, 1710000000, "MM",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "precision", "radius"),
    [("ucdp", 1, 1_000), ("ucdp", 2, 25_000), ("ucdp", 3, 30_000), ("acled", 1, 5_000),
     ("acled", 2, 25_000)],
)  # fmt: skip
def test_precision_is_a_radius(source: str, precision: int, radius: int) -> None:
    column = "where_prec" if source == "ucdp" else "geo_precision"
    assert one(source, **{column: precision}).radius_m == radius


@pytest.mark.parametrize(
    ("source", "precision"), [("ucdp", n) for n in (4, 5, 6, 7)] + [("acled", 3)]
)
def test_a_region_is_no_point_wherever_its_row_puts_it(source: str, precision: int) -> None:
    column = "where_prec" if source == "ucdp" else "geo_precision"
    for lat in ("20.5", ""):
        event = one(source, latitude=lat, **{column: precision})
        assert (event.lat_e7, event.lon_e7, event.radius_m) == (None, None, 0)


def test_what_happened_in_some_month_or_year_has_ages() -> None:
    for precision in (4, 5):
        event = one("ucdp", date_prec=precision, date_start="2024-01-01", date_end="2024-01-31")
        assert (event.first, event.day, event.last) == (
            date(2024, 1, 1), date(2024, 1, 31), date(2024, 1, 31),
        )  # fmt: skip
    event = one("acled", time_precision=3, event_date="2024-02-10")
    assert (event.first, event.day, event.last) == (
        date(2024, 2, 1), date(2024, 2, 10), date(2024, 2, 29),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("ucdp", {"latitude": "20,5", "longitude": "97,25"}),
        ("ucdp", {"date_end": "2024-03-02 00:00:00.000", "date_start": "2024-03-02T00:00:00"}),
        ("ucdp", {"best": "3.0", "where_prec": "1.0"}),
        ("acled", {"event_date": "02 March 2024"}),
        ("acled", {"event_date": "2 Mar 2024", "inter1": "State forces", "inter2": 8}),
        ("acled", {"event_type": "battles", "timestamp": "1710000000.0"}),
    ],
)
def test_other_ways_to_write_the_same(source: str, fields: dict[str, Any]) -> None:
    assert one(source, **fields) == one(source)


@pytest.mark.parametrize(
    ("kind", "weight"),
    [("Battles", 10), ("Explosions/Remote violence", 10), ("Violence against civilians", 10),
     ("Riots", 3), ("Protests", 0), ("Strategic developments", 0)],
)  # fmt: skip
def test_acleds_kinds_of_events_weigh_differently(kind: str, weight: int) -> None:
    assert one("acled", event_type=kind).weight == weight


@pytest.mark.parametrize(
    ("source", "fields", "said"),
    [
        ("ucdp", {"id": ""}, "id is empty"),
        ("ucdp", {"type_of_violence": 4}, "not one of 1 to 3"),
        ("ucdp", {"where_prec": 8}, "where_prec '8'"),
        ("ucdp", {"date_prec": ""}, "date_prec is empty"),
        ("ucdp", {"latitude": "91"}, "beyond 90 degrees"),
        ("ucdp", {"latitude": ""}, "latitude is empty"),
        ("ucdp", {"longitude": "1e2"}, "not a number of degrees"),
        ("ucdp", {"date_end": "3/2/2024"}, "not a day"),
        ("ucdp", {"date_end": "45353"}, "not a day"),
        ("ucdp", {"date_end": "2024-02-30"}, "not a day"),
        ("ucdp", {"date_start": "2024-03-03"}, "after date_end"),
        ("ucdp", {"best": "-1"}, "best '-1'"),
        ("ucdp", {"best": "many"}, "not a whole number"),
        ("acled", {"event_type": "Picnics"}, "not one of ACLED's six"),
        ("acled", {"time_precision": 4}, "not one of 1 to 3"),
        ("acled", {"timestamp": "1.71E+09"}, "timestamp"),
        ("acled", {"geo_precision": 0}, "geo_precision"),
    ],
)
def test_a_row_that_is_none_says_why(source: str, fields: dict[str, Any], said: str) -> None:
    assert said in why(source, **fields)


def test_no_deaths_and_no_certain_deaths_are_events_too() -> None:
    assert one("ucdp", best=0).deaths == 0
    assert one("acled", fatalities=0).deaths == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    rows = [{"dyad_name": "Đội quân – ကချင်"}, {"id": 2}]
    found = read("ucdp", file_of("ucdp", rows, encoding))
    assert [isinstance(event, Event) and event.title for event in found] == [
        "Đội quân – ကချင်", UCDP_ROW["dyad_name"],
    ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_line_ends_and_quoted_line_feeds(delimiter: str, ending: str) -> None:
    text = text_of("acled", [{}, {"event_id_cnty": "MMR2", "latitude": "20,5"}], delimiter)
    data = f"sep={delimiter}\n{text}".replace("\n", ending).encode()
    assert read("acled", data) == [one("acled"), one("acled", event_id_cnty="MMR2")]


def test_columns_in_another_order_and_more_of_them() -> None:
    lines = list(csv.reader(io.StringIO(text_of("ucdp", [{}]))))
    turned = [[*reversed(line), "more"] for line in lines]
    out = io.StringIO()
    csv.writer(out).writerows(turned)
    assert read("ucdp", out.getvalue().upper().encode()) == [
        one("ucdp", dyad_name="AN ARMY - A FRONT", where_coordinates="A TOWN")
    ]


def test_one_bad_row_takes_no_other_with_it() -> None:
    head, *rows = text_of("ucdp", [{"id": n} for n in range(2, 9)]).splitlines()
    rows[1] += ",too many"
    rows[2] = "," * head.count(",")
    rows[3] = ""
    rows[4] = rows[4].replace("An Army", '"An" Army')
    found = read("ucdp", "\n".join([head, *rows]).encode())
    assert [e.id if isinstance(e, Event) else (e.row, e.why[:20]) for e in found] == [
        "2", (3, "it has 50 fields, no"), (6, "it cannot be cut int"), "7", "8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "conflict-header", "49 of 49"),
        (b"id,name\n1,x\n", "conflict-header", "48 of 49 columns are missing: relid"),
        (file_of("acled", [{}]), "conflict-header", "and others"),
        (file_of("ucdp", [{}]).replace(b"id,relid", b"id,id"), "conflict-header", "relid"),
        (file_of("ucdp", [{}]).replace(b",gwnob", b",gwnob,id"), "conflict-header", "twice: id"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "conflict-header", "missing"),
        (b"a" * 1_000_001, "conflict-file", "more than 1000000 characters"),
    ],
)
def test_a_file_that_is_another_one(data: bytes, code: str, said: str) -> None:
    with pytest.raises(Problem) as caught:
        read("ucdp", data)
    assert caught.value.code == code
    assert said in caught.value.happened


def test_a_quote_that_is_never_closed_ends_at_a_limit() -> None:
    head, row = text_of("ucdp", [{}]).splitlines()
    data = "\n".join([head, row.replace("A town", '"A town'), *[row] * 3000]).encode()
    first, *rest = read("ucdp", data)
    assert isinstance(first, Rejected)
    assert "cannot be cut" in first.why
    assert rest and all(isinstance(event, Event) for event in rest)


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.BufferedIOBase):
        """A file of so many bytes that is nowhere."""

        def __init__(self, size: int) -> None:
            head, row = text_of("ucdp", [{}]).splitlines(keepends=True)
            self.now, self.row, self.left = head.encode(), row.encode() * 50, size

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 1 << 16
            while len(self.now) < size and self.left > 0:
                self.now += self.row
                self.left -= len(self.row)
            data, self.now = self.now[:size], self.now[size:]
            return data

    def peak(size: int) -> tuple[int, int]:
        tracemalloc.start()
        events = sum(1 for _ in read_events(Endless(size), SOURCES["ucdp"], "endless.csv"))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return events, top

    (few, small), (many, large) = peak(100_000), peak(2_000_000)
    assert many > 15 * few
    assert large < small + 100_000


def test_ids_that_a_source_has_withdrawn() -> None:
    data = b"event_id_cnty,deleted_timestamp\nMMR1,1\n,2\nMMR3,3\n"
    found = list(read_ids(io.BytesIO(data), SOURCES["acled"], "deleted.csv"))
    assert found == ["MMR1", Rejected(3, "event_id_cnty is empty: is not an id"), "MMR3"]


def test_sources_are_two() -> None:
    assert source_of("acled").private
    assert not source_of("ucdp").private
    assert len(source_of("ucdp").columns) == 49
    assert len(source_of("acled").columns) == 31
    with pytest.raises(Problem) as caught:
        source_of("gdelt")
    assert caught.value.code == "conflict-source"
