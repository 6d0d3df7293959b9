"""What stands at each path of an inspection, kept beside its lines and brought up to date with each
line that comes, so that nobody has to merge all of them again (L6).

The lines alone count. What is kept here follows from the set of them and can be made anew at any
time with the same result: where a line is taken away, where the rules of reading change, and, for
one path, where a step is not plainly exact. An inspection into whose logs lines of an ended
generation were carried over (S3) is not kept: what such a line replaces depends on the lines before
it at all paths.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from sqlite3 import Connection

from fieldkit import given
from fieldkit.given import Said, said_at
from sync import entry, ijson, inspection, inspection_reader, ranges, sealed, track_entry
from sync import merge as written_merge
from sync.adopted import PREFIX, is_adopted
from sync.inspection_reader import has_reader, read_slot
from sync.log import Record, read_line
from sync.merge import PathState, merge

# Whatever says how lines are read and merged, this file too: where any of it is another one than
# before, what is kept is made anew.
_READING = (
    given,
    entry,
    ijson,
    inspection,
    inspection_reader,
    ranges,
    sealed,
    track_entry,
    written_merge,
)
MARK = 512  # lines of a log between two sums of its bytes
_TABLES = ("unmerged", "standing", "tallies", "pathless", "sizes")
_ANSWERS = "answers/"
# Those that count (S9), by the path's index: that of the order would go through all lines.
AT_PATH = (
    "select device, seq, line, h from lines l indexed by lines_by_path where log = ? and path = ? "
    "and not exists (select 1 from aside a where a.log = l.log and a.device = l.device "
    "and a.seq = l.seq) order by device, seq"
)

Place = tuple[str, int, str]  # device, seq, chain hash in hex


@dataclass(slots=True)
class _Kept:
    """What is kept of one path: its heads, latest first, and each device's latest entry there.

    `loose` is set where an entry names one that is not here: should it come, heads may change.
    """

    heads: list[Place] = field(default_factory=list)
    latest: dict[str, tuple[int, str]] = field(default_factory=dict)
    loose: bool = False
    said: Said = field(default_factory=Counter)


@lru_cache(maxsize=1)
def rules() -> str:
    """What tells this version's reading and merging from another's: a digest of how it is written.

    A number to be raised by hand would be forgotten once; made anew too often, nothing is wrong.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for module in _READING:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def catch_up(tx: Connection, log: str) -> bool:
    """Take in the lines of an inspection that came since; False where none of it is kept (S3)."""
    row = tx.execute("select rules, carried from merged where log = ?", (log,)).fetchone()
    if row is None or row[0] != rules():
        return _build(tx, log)
    if row[1]:
        return False
    came = tx.execute(
        # Crossed, so that the few that came are looked up, and not all lines held against them.
        "select l.device, l.seq, l.line, l.h from unmerged u cross join counting l "
        "on l.log = u.log and l.device = u.device and l.seq = u.seq where u.log = ? "
        "order by l.device, l.seq",
        (log,),
    ).fetchall()
    records = [read_line(line, device, log, seq, h.hex()) for device, seq, line, h in came]
    if any(is_adopted(record) for record in records):
        return _give_up(tx, log)
    whole: set[str] = set()  # paths that were merged anew, with all lines that are here
    for record in records:
        _take(tx, log, record, whole)
        _mark_size(tx, log, record.device, record.seq)
    tx.execute("delete from unmerged where log = ?", (log,))
    return True


def catch_up_all(tx: Connection) -> None:
    """Take in what came to any inspection of which something is kept."""
    for (log,) in tx.execute("select distinct log from unmerged").fetchall():
        catch_up(tx, log)


def state_at(tx: Connection, log: str, path: str) -> PathState | None:
    """What stands at a path, as `catch_up` has just left it; without what was replaced there."""
    kept = _kept(tx, log, path)
    return None if kept is None else PathState(path, tuple(_heads(tx, log, kept)), ())


def replaces_at(tx: Connection, log: str, path: str, device: str) -> list[str] | None:
    """The heads that a device's next entry has to name, None where it need not (L6)."""
    kept = _kept(tx, log, path) or _Kept()
    heads = [h for _, _, h in kept.heads]
    own = kept.latest.get(device)
    return None if heads == ([] if own is None else [own[1]]) else sorted(heads)


def records_at(tx: Connection, log: str, path: str) -> list[Record]:
    """The records of all lines at one path that count."""
    return [
        read_line(line, device, log, seq, h.hex())
        for device, seq, line, h in tx.execute(AT_PATH, (log, path))
    ]


# -- anew ------------------------------------------------------------------------------------------


def _build(tx: Connection, log: str) -> bool:
    _clear(tx, log)
    carried = tx.execute(
        "select 1 from counting where log = ? and path >= ? and path < ? limit 1",
        (log, PREFIX, PREFIX[:-1] + "0"),
    ).fetchone()
    if carried is not None:
        return _give_up(tx, log)
    records: list[Record] = []
    moved: list[tuple[str | None, str, str, int]] = []
    for device, seq, path, line, h in tx.execute(
        "select device, seq, path, line, h from counting where log = ? order by device, seq",
        (log,),
    ):
        record = read_line(line, device, log, seq, h.hex())
        records.append(record)
        if record.path != path:  # an earlier version read it otherwise
            moved.append((record.path, log, device, seq))
    if any(is_adopted(record) for record in records):
        return _give_up(tx, log)
    tx.executemany("update lines set path = ? where log = ? and device = ? and seq = ?", moved)
    state = merge(records)
    tallies: Counter[tuple[str, str, str]] = Counter()
    for path, here in state.paths.items():
        kept = _kept_of([*here.heads, *here.replaced], here)
        _put(tx, log, path, kept, here.heads)
        for (what, word), n in kept.said.items():
            tallies[_item(path), what, word] += n
    tx.executemany(
        "insert into tallies (log, item, what, word, n) values (?, ?, ?, ?, ?)",
        [(log, *key, n) for key, n in tallies.items()],
    )
    tx.executemany(
        "insert into pathless (log, device, seq) values (?, ?, ?)",
        [(log, lost.device, lost.seq) for lost in state.unread],
    )
    for record in records:
        _mark_size(tx, log, record.device, record.seq)
    tx.execute("insert into merged (log, rules, carried) values (?, ?, 0)", (log, rules()))
    return True


def _give_up(tx: Connection, log: str) -> bool:
    _clear(tx, log)
    tx.execute("insert into merged (log, rules, carried) values (?, ?, 1)", (log, rules()))
    return False


def _clear(tx: Connection, log: str) -> None:
    for table in ("merged", *_TABLES):
        tx.execute(f"delete from {table} where log = ?", (log,))  # noqa: S608 - fixed text


# -- step by step ----------------------------------------------------------------------------------


def _take(tx: Connection, log: str, record: Record, whole: set[str]) -> None:
    path = record.path
    if path is None:
        tx.execute(
            "insert into pathless (log, device, seq) values (?, ?, ?)",
            (log, record.device, record.seq),
        )
        return
    if path in whole:
        return
    before = _kept(tx, log, path)
    kept = _stepped(before or _Kept(), record)
    if kept is None:
        whole.add(path)
        records = records_at(tx, log, path)
        state = merge(records).paths[path]
        kept, heads = _kept_of(records, state), list(state.heads)
    else:
        heads = [record, *_heads(tx, log, kept, but_not=record.h)]
        heads.sort(key=lambda r: (-r.at, r.h))
        kept.heads = [(r.device, r.seq, r.h) for r in heads]
        kept.said = _said(PathState(path, tuple(heads), ()))
    _put(tx, log, path, kept, heads)
    _tally(tx, log, path, Counter() if before is None else before.said, kept.said)


def _stepped(kept: _Kept, record: Record) -> _Kept | None:
    """What is kept once this record is there too; None where one step does not say it.

    The step is exact where the record is its device's latest at the path, nobody names it yet, and
    whatever it names is a head. Then it is a head itself, what it replaces is none any more, no
    cycle can arise through it, and nothing else changes.
    """
    seq, own = kept.latest.get(record.device, (0, ""))
    heads = {h for _, _, h in kept.heads}
    names = {own} if record.replaces is None else set(record.replaces) - {record.h}
    if kept.loose or record.seq <= seq or (record.replaces is not None and not names <= heads):
        return None
    stays = [one for one in kept.heads if one[2] not in names]
    latest = {**kept.latest, record.device: (record.seq, record.h)}
    return _Kept([*stays, (record.device, record.seq, record.h)], latest)


def _tally(tx: Connection, log: str, path: str, before: Said, now: Said) -> None:
    change = Counter(now)
    change.subtract(before)
    given = [(log, _item(path), what, word, n) for (what, word), n in change.items() if n]
    tx.executemany(
        "insert into tallies (log, item, what, word, n) values (?1, ?2, ?3, ?4, ?5) "
        "on conflict (log, item, what, word) do update set n = n + ?5",
        given,
    )
    tx.executemany(
        "delete from tallies where log = ? and item = ? and what = ? and word = ? and n = 0",
        [one[:4] for one in given],
    )


def _mark_size(tx: Connection, log: str, device: str, seq: int) -> None:
    """Note the bytes of a log up to each so-manieth line, where all lines before it are here."""
    if seq % MARK:
        return
    before = tx.execute(
        "select bytes from sizes where log = ? and device = ? and seq = ?",
        (log, device, seq - MARK),
    ).fetchone()
    count, size = tx.execute(
        "select count(*), coalesce(sum(length(line) + 1), 0) from lines "
        "where log = ? and device = ? and seq > ? and seq <= ?",
        (log, device, seq - MARK, seq),
    ).fetchone()
    if count == MARK and (before is not None or seq == MARK):
        tx.execute(
            "insert or replace into sizes (log, device, seq, bytes) values (?, ?, ?, ?)",
            (log, device, seq, size + (before[0] if before else 0)),
        )


# -- one path --------------------------------------------------------------------------------------


def _kept(tx: Connection, log: str, path: str) -> _Kept | None:
    row = tx.execute(
        "select heads, latest, loose, said from standing where log = ? and path = ?", (log, path)
    ).fetchone()
    if row is None:
        return None
    heads, latest, loose, said = row
    return _Kept(
        [(device, seq, h) for device, seq, h in json.loads(heads)],
        {device: (seq, h) for device, (seq, h) in json.loads(latest).items()},
        bool(loose),
        Counter((what, word) for what, word in json.loads(said)),
    )


def _kept_of(records: Iterable[Record], state: PathState) -> _Kept:
    """What is kept of a path where these records are all there is, and `state` is their merge."""
    here = sorted(records, key=lambda r: r.seq)
    known = {record.h for record in here}
    return _Kept(
        [(r.device, r.seq, r.h) for r in state.heads],
        {r.device: (r.seq, r.h) for r in here},
        any(not known.issuperset(r.replaces or ()) for r in here),
        _said(state),
    )


def _put(tx: Connection, log: str, path: str, kept: _Kept, heads: Sequence[Record]) -> None:
    sides = len(heads)
    unread = _count_unread(PathState(path, tuple(heads), ()))
    tx.execute(
        "insert or replace into standing (log, path, heads, latest, loose, sides, unread, odd, "
        "said) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            log,
            path,
            json.dumps(kept.heads),
            json.dumps(kept.latest, sort_keys=True),
            int(kept.loose),
            sides,
            unread,
            int(sides > 1 or unread > 0),
            json.dumps(sorted(kept.said)),
        ),
    )


def _heads(tx: Connection, log: str, kept: _Kept, but_not: str = "") -> list[Record]:
    found: list[Record] = []
    for device, seq, h in kept.heads:
        if h != but_not:
            (line,) = tx.execute(
                "select line from lines where log = ? and device = ? and seq = ?",
                (log, device, seq),
            ).fetchone()
            found.append(read_line(line, device, log, seq, h))
    return found


def _count_unread(state: PathState) -> int:
    return len(read_slot(state).unread) if has_reader(state.path) else 0


def _said(state: PathState) -> Said:
    if not state.path.startswith(_ANSWERS):
        return Counter()
    return said_at(state.path.split("/")[2], read_slot(PathState(state.path, state.heads, ())))


def _item(path: str) -> str:
    return path.split("/")[1] if path.startswith(_ANSWERS) else ""
