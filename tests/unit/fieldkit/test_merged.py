"""What stands where, kept step by step, is what merging all lines anew would give (L6)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import FieldDevice
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldkit.authors import attributed_records
from fieldkit.capture import load_inspection
from fieldkit.cli import cli
from fieldkit.database import DERIVED, Database
from fieldkit.given import given_of
from fieldkit.glance import glance
from fieldkit.merged import MARK, catch_up
from fieldkit.outbox import Outbox
from fieldkit.store import Identity, Store
from sync.conflicts import conflicts_of
from sync.entry import write_line
from sync.hazard import hazards
from sync.inspection_reader import read_inspection
from sync.log import device_id
from sync.merge import merge

LOG = "11111111-2222-4333-8444-555555555555"
DEVICES = [device_id(bytes([n]) * 32) for n in range(3)]
ME = Identity(DEVICES[0], b"\0" * 32, "p-me", "Me", "http://x", "x", b"s" * 32, "t")
TABLES = ("merged", "unmerged", "standing", "tallies", "pathless")

ANSWERS: list[dict[str, Any]] = [
    {"level": "fully", "evidence": ["a" * 64]},
    {"level": "does-not-meet", "evidence": ["a" * 64, "b" * 64]},
    {"special": "not-observed"},
    {"readings": [{"analyte": "pH", "value": "6.5", "unit": ""}]},
    {"level": "of a newer version"},
]
VALUES: dict[str, list[Any]] = {
    "answers/GEN-G1/-": ANSWERS,
    "answers/ISL-E2/well-1": ANSWERS,
    "answers/ISL-E2/well-2": ANSWERS,
    "outcome": [{"outcome": "visited"}, {"outcome": "flew over it"}],
    "observed/headcount/-": [{"value": "12"}, "a dozen"],
    "observed/urgent-hazard/one": [{"value": "soon"}, {"value": "over"}, "a dam"],
    "observed/urgent-hazards/-": [{"value": "immediate"}],
    f"sign-off/{DEVICES[1]}": [{"statement": "so it is", "logs": []}],
    f"track/{DEVICES[0]}/1": [{"source": "recorded"}],
    "comments/one": ["a word"],
}


@dataclass(frozen=True)
class Row:
    """A line of a log; what it names in `replaces` are other rows of the set, by number."""

    device: int
    path: str
    value: int
    replaces: tuple[int, ...] | None
    at: int
    odd: str


def name_of(n: int) -> str:
    """The chain hash of a row: made up, so that rows can name each other in a ring."""
    return hashlib.sha256(b"%d" % n).hexdigest()


rows_strategy = st.lists(
    st.builds(
        Row,
        st.integers(0, 2),
        st.sampled_from(sorted(VALUES)) | st.just("answers/GEN-G1/-"),
        st.integers(0, 4),
        st.none() | st.lists(st.integers(0, 15), max_size=3).map(tuple),
        st.integers(0, 3),
        st.sampled_from(["", "", "", "", "", "unknown", "nonsense"]),
    ),
    max_size=14,
)


def lines_of(rows: Sequence[Row]) -> list[tuple[str, str, int, str | None, bytes, bytes]]:
    """As they lie in the store."""
    seqs = dict.fromkeys(range(3), 0)
    found = []
    for n, row in enumerate(rows):
        seqs[row.device] += 1
        seq = seqs[row.device]
        values = VALUES[row.path]
        names = None if row.replaces is None else [name_of(one) for one in row.replaces]
        value = values[row.value % len(values)]
        line = write_line(seq, row.at, "p-me", row.path, value, names)
        path: str | None = row.path
        if row.odd == "unknown":
            line = line[:-1] + b',"more":1}'
        elif row.odd == "nonsense":
            line, path = b"nonsense", None
        device = DEVICES[row.device]
        found.append((LOG, device, seq, path, line, bytes.fromhex(name_of(n))))
    return found


def put(store: Store, rows: Sequence[tuple[Any, ...]]) -> None:
    with store.database.write("lines") as tx:
        tx.executemany("insert into lines values (?, ?, ?, ?, ?, ?)", rows)


def kept(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: store.database.rows(f"select * from {table} order by 1, 2, 3") for table in TABLES
    }


def anew(store: Store, log: str = LOG) -> dict[str, list[tuple[Any, ...]]]:
    """What making everything anew keeps; the store is as it was afterwards."""
    with store.database.write("anew") as tx:
        tx.execute("savepoint before")
        tx.execute("delete from merged where log = ?", (log,))
        catch_up(tx, log)
        found = kept(store)
        tx.execute("rollback to before")
    return found


def is_whole(store: Store, log: str = LOG) -> None:
    """A glance gives what merging everything gives, and what is kept is what building gives."""
    seen = glance(store, log)
    state = merge(attributed_records(store, log))
    read = read_inspection(log, state)
    assert seen.inspection == read
    assert list(seen.inspection.answers) == list(read.answers)
    assert seen.given == given_of(read)
    assert seen.conflicts == conflicts_of(state)
    assert seen.hazards == hazards(read)
    assert kept(store) == anew(store, log)


@settings(max_examples=150)
@given(
    rows=rows_strategy,
    chance=st.randoms(use_true_random=False),
    step=st.integers(1, 5),
    in_order=st.booleans(),
)
def test_step_by_step_is_as_from_the_beginning(
    rows: list[Row], chance: Any, step: int, *, in_order: bool
) -> None:
    """L6: whatever came in whatever order, with rings, lost references and lines not understood."""
    store = Store(Database(Path(":memory:")))
    lines = lines_of(rows)
    if not in_order:
        chance.shuffle(lines)
    for start in range(0, len(lines), step):
        put(store, lines[start : start + step])
        is_whole(store)
        if chance.random() < 0.3:  # S9: some count no more, or count again
            place = (DEVICES[chance.randrange(3)], chance.randrange(1, 6))
            with store.database.write("what counts") as tx:
                tx.execute("insert or ignore into aside values (?, ?, ?, 'office')", (LOG, *place))
                other = chance.randrange(1, 6)
                tx.execute("delete from aside where device = ? and seq = ?", (place[0], other))
            is_whole(store)
        if chance.random() < 0.1:  # S5: a tombstone
            with store.database.write("a tombstone") as tx:
                tx.execute("delete from lines where device = ? and seq > 1", (DEVICES[2],))
            is_whole(store)


@settings(max_examples=60)
@given(rows_strategy)
def test_an_entry_replaces_what_merging_everything_shows(rows: list[Row]) -> None:
    """L6: and stands there then as all lines together say."""
    store = Store(Database(Path(":memory:")))
    for line in lines_of(rows):
        put(store, [line])
        state = merge(store.records(LOG))
        with store.writing(ME, 5, "the entry") as log:
            for path in VALUES:
                here, there = log.standing(LOG, path), state.paths.get(path)
                assert (here.heads if here else ()) == (there.heads if there else ())
    with store.writing(ME, 9, "the entry") as log:
        for path, values in VALUES.items():
            log.append(LOG, path, values[0])
    after = merge(store.records(LOG))
    for path in VALUES:
        state_now = after.paths[path]
        before = {r.h for r in (*state_now.heads, *state_now.replaced)}
        assert len(state_now.heads) == 1, before
        assert state_now.heads[0].device == ME.device
    is_whole(store)


def test_lines_carried_over_are_merged_all_together_each_time(store: Store) -> None:
    """S3: what such a line replaces depends on the lines before it at all paths."""
    put(store, lines_of([Row(0, "outcome", 0, None, 1, "")]))
    is_whole(store)
    value = {"line": "{}", "h": "0" * 64, "after": "0" * 64}
    path = f"adopted/{DEVICES[1]}/1"
    line = write_line(2, 2, "p-me", path, value)
    put(store, [(LOG, DEVICES[0], 2, path, line, bytes.fromhex(name_of(9)))])
    is_whole(store)
    assert store.database.rows("select carried from merged") == [(1,)]
    assert not store.database.rows("select 1 from standing")
    with store.writing(ME, 5, "the entry") as log:
        log.append(LOG, "outcome", {"outcome": "partly"})
    assert len(merge(store.records(LOG)).paths["outcome"].heads) == 1


@pytest.fixture
def store() -> Store:
    return Store(Database(Path(":memory:")))


def test_other_rules_of_reading_make_everything_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As does a line of which an earlier version did not know the path."""
    put(store, lines_of([Row(0, "outcome", 0, None, 1, ""), Row(1, "outcome", 0, None, 1, "")]))
    is_whole(store)
    with store.database.write("as an earlier version read it") as tx:
        tx.execute("update lines set path = null")
        tx.execute("update standing set heads = '[]', sides = 0, odd = 0")
    for reader in ("merged", "glance"):
        monkeypatch.setattr(f"fieldkit.{reader}.rules", lambda: "another version's")
    is_whole(store)
    assert len(glance(store, LOG).conflicts[0].sides) == 2
    assert store.database.rows("select distinct path from lines") == [("outcome",)]


def test_the_bytes_that_wait_are_those_of_the_lines(store: Store) -> None:
    """S4: from sums that are kept, of lines acknowledged up to anywhere."""
    lines = [
        (LOG, DEVICES[0], n, "outcome", b"x" * (n % 7), bytes([n % 251]) * 32)
        for n in range(1, 2 * MARK + 40)
    ]
    put(store, lines[: MARK - 3])
    is_whole(store)
    put(store, lines[MARK - 3 :])
    is_whole(store)
    assert [seq for (seq,) in store.database.rows("select seq from sizes")] == [MARK, 2 * MARK]
    outbox = Outbox(store, ME)
    for seq in (0, 1, MARK - 1, MARK, MARK + 5, 2 * MARK, 2 * MARK + 39, 2 * MARK + 50):
        with store.database.write("a receipt") as tx:
            tx.execute("delete from acknowledged")
            tx.execute(
                "insert into acknowledged values (?, ?, ?, 'held', null)", (LOG, DEVICES[0], seq)
            )
        rest = [line for _, _, n, _, line, _ in lines if n > seq]
        assert outbox.waiting(LOG) == (len(rest), sum(len(line) + 1 for line in rest))
        assert outbox.waiting(LOG) == outbox.waiting()
    with store.database.write("a tombstone") as tx:
        tx.execute("delete from lines where seq > ?", (MARK + 1,))
    assert store.database.rows("select 1 from sizes") == []


# -- on a device -----------------------------------------------------------------------------------


def status(device: FieldDevice) -> Any:
    said = CliRunner().invoke(cli, ["--home", str(device.home.folder), "--json", "status"])
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def test_a_store_of_the_version_before_gets_the_tables_and_says_the_same(
    device: FieldDevice,
) -> None:
    inspection = device.start().inspection
    before = status(device)
    older = sqlite3.connect(device.home.folder / "store.sqlite")
    for kind, name in older.execute(
        "select type, name from sqlite_master where name in ('lines_came', 'lines_went', "
        "'merged', 'unmerged', 'standing', 'tallies', 'pathless', 'sizes')"
    ).fetchall():
        older.execute(f"drop {kind} {name}")
    older.execute("pragma user_version = 6")
    older.commit()
    older.close()
    assert status(device) == before
    is_whole(device.store, inspection)


def test_nothing_of_it_is_left_where_the_lines_went(device: FieldDevice) -> None:
    """S5, S11: it is told by nothing else that is kept."""
    inspection = device.start().inspection
    assert status(device)["inspection"] == inspection
    store = device.store
    assert store.database.rows("select 1 from standing where log = ?", (inspection,))
    with store.database.write("what goes") as tx:
        tx.execute("delete from lines where log = ?", (inspection,))
    for table in (*TABLES, "sizes"):
        assert not store.database.rows(f"select 1 from {table} where log = ?", (inspection,))
    made = " ".join(DERIVED)
    assert all(made.count(f"delete from {table} where") == 2 for table in (*TABLES, "sizes"))


def test_a_glance_costs_no_more_for_what_else_was_observed() -> None:
    """Hazards are found among a thousand observations as among ten."""
    counts = []
    for observed in (10, 1_000):
        store = Store(Database(Path(":memory:")))
        paths = [f"observed/headcount/place-{n}" for n in range(observed)]
        rows = []
        for seq, path in enumerate(("about", *paths, "observed/urgent-hazard/one"), start=1):
            line = write_line(seq, seq, "p-me", path, {"value": "soon"}, None)
            rows.append((LOG, DEVICES[0], seq, path, line, bytes.fromhex(name_of(seq))))
        put(store, rows)
        glance(store, LOG)
        taken: list[None] = []
        store.database._conn.set_progress_handler(lambda seen=taken: seen.append(None), 1)
        assert [one.id for one in glance(store, LOG).hazards] == ["one"]
        store.database._conn.set_progress_handler(None, 1)
        counts.append(len(taken))
    assert counts[0] == counts[1]


def test_a_device_that_cannot_write_reads_everything(
    device: FieldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspection = device.start().inspection
    whole = load_inspection(device.store, inspection)
    with device.store.database.write("another version's") as tx:
        tx.execute("update merged set rules = 'those before'")
        tx.execute("update standing set heads = '[]'")
    store = device.store
    store.database.rows("pragma query_only = on")
    assert glance(store, inspection).inspection == whole
    store.database.rows("pragma query_only = off")
    assert glance(store, inspection).inspection == whole
