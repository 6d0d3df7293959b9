"""kill -9 of real clients, servers and workers at random moments, behind a network that cuts."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from server.services.verify import verify
from server.store import audit, logs
from server.store.stored import all_files
from server.store.transaction import Tx
from sync.problems import Problem
from sync.receipt import SignedBytes, read_receipt

from .book import Place
from .office import workspace
from .process import Tally
from .stories import ITEMS, LEVELS
from .town import STANDSTILL_SECONDS, Command, Desk, Laptop, Stick, Town

LAPTOPS = 4
MOST_READ = 12  # bundles that are read to their end when it is calm
WRITING = "kill -9 of a client that writes a bundle"
READING = "kill -9 of a client that reads a bundle"
CARRYING_IN = "kill -9 of a command of the office that reads a bundle"
CLIENT, SERVER, WORKER = "kill -9 of a client", "kill -9 of a server", "kill -9 of a worker"
KILLS = (CLIENT, WRITING, READING, CARRYING_IN, SERVER, WORKER)


def killed(tally: Tally) -> int:
    return sum(tally.kinds[kind] for kind in KILLS)


def kill_until(seed: str, database: str, serving: int, wanted: int, tally: Tally) -> list[str]:
    """Rounds of commands and kills until so many processes were killed; what does not hold."""
    dice = random.Random(seed)
    begun = killed(tally)
    with _town(seed, database, serving, dice, tally) as town:
        for n in range(LAPTOPS):
            town.add_laptop(n)
        town.kill_worker()  # there is none yet: it starts one
        took: dict[str, float] = {"sync": 0.4}
        while killed(tally) - begun < wanted:
            _round(town, dice, took, tally)
        return _calm(town)


@contextmanager
def _town(
    seed: str, database: str, serving: int, dice: random.Random, tally: Tally
) -> Iterator[Town]:
    folder = Path(tempfile.mkdtemp(prefix="tapak-kills-", dir=workspace()))
    town = Town(folder, database, serving, dice, tally.count)
    try:
        town.until_it_answers()
        yield town
    finally:
        town.end()
        shutil.rmtree(folder, ignore_errors=True)


# -- rounds ---------------------------------------------------------------------------------------


def _round(town: Town, dice: random.Random, took: dict[str, float], tally: Tally) -> None:
    """Every laptop does one thing, and the office reads what there is on sticks; some are killed in
    the middle of it, and so is the server.
    """
    town.proxy.calm = False
    begun = time.monotonic()
    for one in town.keyboards:
        command = one.again or _next(town, one, dice)
        one.again = None
        if command is None:
            continue
        if dice.random() < 0.55:
            command.kill_at = begun + dice.random() * took.get(command.kind, 0.1) * 1.2
        town.begin(one, command)
    span = took["sync"]
    events: list[tuple[float, str]] = []
    for what, often in (("server", 0.35), ("whole server", 0.06), ("worker", 0.2), ("cut", 0.3)):
        if dice.random() < often:
            events.append((begun + dice.random() * span, what))
    _watch(town, sorted(events), took, tally)
    for what in [one for _, one in events if one == "whole server"]:
        assert what
        town.until_it_answers()


def _next(town: Town, one: Laptop | Desk, dice: random.Random) -> Command | None:
    if isinstance(one, Desk):
        here = [stick for stick in town.sticks if stick.taker is None and stick.written]
        return Command(["bundle", "read", str(dice.choice(here).path)]) if here else None
    return _in_the_field(town, one, dice)


def _in_the_field(town: Town, laptop: Laptop, dice: random.Random) -> Command:
    mark = f"seen-{dice.randrange(10**12)}."
    here = [stick for stick in town.sticks if stick.taker is laptop and stick.written]
    if here and dice.random() < 0.3:
        return Command(["bundle", "read", str(dice.choice(here).path)])
    what = dice.choices(("answer", "attach", "sync", "write"), (3, 3, 3, 3))[0]
    if what == "write":
        others = [one for one in town.laptops if one is not laptop]
        taker = dice.choice([*others, None, None, None])
        files = frozenset(str(one) for (one,) in laptop.rows("select sha256 from files"))
        stick = Stick(town.folder / f"{mark}tapak", taker, laptop.lines(), files)
        town.sticks.append(stick)
        to = "office" if taker is None else taker.key
        return Command(["bundle", "write", str(stick.path), "--to", to])
    if what == "answer":
        item, level = dice.choice(ITEMS), dice.choice(LEVELS)
        return Command(["answer", item, level, "--note", mark], mark)
    if what == "attach":
        file = town.folder / f"report-{mark}pdf"
        file.write_bytes(b"%PDF " + dice.randbytes(dice.choice((300, 40_000, 200_000, 900_000))))
        words = ["attach", str(file), "--kind", "document", "--item", dice.choice(ITEMS)]
        return Command(words, "", file)
    return Command(["sync"])


def _watch(
    town: Town, events: list[tuple[float, str]], took: dict[str, float], tally: Tally
) -> None:
    """Until every command of the round has ended, kill what is due."""
    starting = [one for one in town.keyboards if one.doing is not None]
    end = time.monotonic() + STANDSTILL_SECONDS
    while any(one.doing for one in town.keyboards):
        now = time.monotonic()
        assert now < end, "a command does not end"
        due = [one.doing.kill_at for one in town.keyboards if one.doing and one.doing.kill_at]
        due += [at for at, _ in events]
        for said in town.heard(min(due, default=now + 1) - now):
            if said[0] == "started":
                one = starting.pop(0)
                assert one.doing is not None
                one.doing.pid = int(said[1])
            else:
                _ended(town, int(said[1]), int(said[2]), took, tally)
        now = time.monotonic()
        for one in town.keyboards:
            command = one.doing
            if command and command.pid and command.kill_at and command.kill_at <= now:
                command.kill_at = None
                with suppress(ProcessLookupError):
                    os.killpg(command.pid, signal.SIGKILL)
        while events and events[0][0] <= now:
            _strike(town, events.pop(0)[1], tally)


def _strike(town: Town, what: str, tally: Tally) -> None:
    if what == "cut":
        if town.proxy.cut_all():
            tally.count("proxy ended")
    elif what == "worker":
        if town.kill_worker():
            tally.count(WORKER)
    elif town.kill_server(whole=what == "whole server"):
        tally.count(SERVER)


def _ended(town: Town, pid: int, code: int, took: dict[str, float], tally: Tally) -> None:
    at = next(one for one in town.keyboards if one.doing and one.doing.pid == pid)
    command = at.doing
    assert command is not None
    at.doing = None
    if code == -signal.SIGKILL:
        kinds = {"bundle read": READING, "bundle write": WRITING}
        kind = CARRYING_IN if isinstance(at, Desk) else kinds.get(command.kind, CLIENT)
        tally.count(kind)
        at.again = Command(command.words, command.mark, command.file)
    else:
        lasted = time.monotonic() - command.began
        took[command.kind] = 0.8 * took.get(command.kind, 0.1) + 0.2 * min(lasted, 1.5)
        if code == 0 and command.file is not None:
            import hashlib

            data = command.file.read_bytes()
            town.book.files[hashlib.sha256(data).hexdigest()] = data
        if code == 0 and command.mark:
            assert isinstance(at, Laptop)
            town.said(at, command.mark)
        for stick in town.sticks:
            if command.words[:3] == ["bundle", "write", str(stick.path)]:
                stick.written = stick.path.exists()
        if command.kind == "bundle read" and code != 0:
            town.book.faults.append(f"{' '.join(command.words)[:80]} ended with {code} (S10)")
        if code not in (0, 1, 3):
            town.book.faults.append(f"{' '.join(command.words)[:80]} ended with {code}")
    if isinstance(at, Laptop):
        town.note(at)


# -- and then calm --------------------------------------------------------------------------------


def _calm(town: Town) -> list[str]:
    """No more faults; what was killed is typed again, all sync, and then everything is there."""
    town.proxy.calm = True
    town.until_it_answers()
    found: list[str] = []
    for_office = [stick for stick in town.sticks if stick.taker is None]
    for stick in for_office[-MOST_READ:]:  # before the laptops sync what is in them
        found += _carried_in(town, stick)
    for laptop in town.laptops:
        if laptop.again is not None and town.run(laptop, laptop.again.words) == 0:
            town.said(laptop, laptop.again.mark)
        town.note(laptop)
        codes = [town.run(laptop, ["sync"]) for _ in range(3)]
        if codes[-1] != 0:
            found.append(f"waits for ever: {laptop.name} ends with {codes}")
    handed_over = [stick for stick in town.sticks if stick.taker is not None]
    for stick in handed_over[-MOST_READ:]:
        found += _came(town, stick)
    ctx = town.context()
    with ctx.db.read() as tx:
        held = _lines(tx)
    found += [*town.book.faults, *_missing(town, held)]
    for laptop in town.laptops:
        found += _not_alike(laptop, held)
        for payload, signature in laptop.rows("select payload, signature from receipts"):
            with suppress(Problem):
                read_receipt(ctx.public_key, SignedBytes(bytes(payload), bytes(signature)))  # type: ignore[call-overload]
                continue
            found.append(f"receipt not the server's, kept by {laptop.name}")
    for sha256, data in town.book.files.items():
        if not ctx.blobs.has(sha256):
            found.append(f"file missing: {sha256[:12]}")
        elif b"".join(ctx.blobs.chunks(sha256)) != data:
            found.append(f"file altered: {sha256[:12]}")
    found += [f"verify: {one.what} {one.where}: {one.why}" for one in verify(ctx).faults]
    ctx.db.close()
    return found


def _carried_in(town: Town, stick: Stick) -> list[str]:
    """S10: a bundle whose reading at the office was killed is read again, to its end, and then all
    of it is there; read once more it changes nothing.
    """
    if not stick.path.exists():
        return []
    words = ["bundle", "read", str(stick.path)]
    codes = [town.run(town.desk, words)]
    before = _office_stands(town)
    codes.append(town.run(town.desk, words))
    found = [] if codes == [0, 0] else [f"bundle refused: {stick.path.name} {codes}"]
    if _office_stands(town) != before:
        found.append("bundle read twice: the office has something else")
    lines, files, _ = before
    for place, line in stick.lines.items():
        if lines.get(place) != line:
            found.append(f"bundle not taken: {place} is not at the office")
    lacks = stick.files - files
    return found + [f"bundle not taken: file {sha256[:12]}" for sha256 in sorted(lacks)]


def _office_stands(town: Town) -> tuple[dict[Place, bytes], set[str], int]:
    """What a bundle may change at the office: lines, files, and how often one was read."""
    ctx = town.context()
    with ctx.db.read() as tx:
        files = {sha256 for sha256, _ in all_files(tx)}
        read = sum(1 for one in audit.lines(tx) if one["action"] == "bundle.read")
        lines = _lines(tx)
    ctx.db.close()
    return lines, files, read


def _lines(tx: Tx) -> dict[Place, bytes]:
    return {
        (log.device, log.inspection, seq): line
        for log in logs.all_logs(tx)
        for seq, line in enumerate(logs.lines_of(tx, log.id), start=1)
    }


def _came(town: Town, stick: Stick) -> list[str]:
    """S10: a bundle whose reading was killed is read again, to its end, and then all of it is here;
    read once more it brings nothing.
    """
    taker, path = stick.taker, str(stick.path)
    if taker is None or not stick.path.exists():
        return []
    codes = [town.run(taker, ["bundle", "read", path]) for _ in range(2)]
    before = _stands(taker)
    codes.append(town.run(taker, ["bundle", "read", path]))
    found = [] if codes == [0, 0, 0] else [f"bundle refused: {stick.path.name} {codes}"]
    if _stands(taker) != before:
        found.append(f"bundle read twice: {taker.name} has something else")
    here = {(d, log, seq): line for d, log, seq, line in before}
    first = min((log for _, log, _ in stick.lines if log != "device"), default="")
    for place, line in stick.lines.items():
        if place[1] == first and here.get(place) != line:
            found.append(f"bundle not taken: {place} is not on {taker.name}")
    return found


def _stands(laptop: Laptop) -> list[tuple[Any, ...]]:
    return sorted(laptop.rows("select device, log, seq, line from lines"))


def _missing(town: Town, held: dict[Place, bytes]) -> list[str]:
    found = [f"entry missing: {at}" for at, line in town.book.wanted() if held.get(at) != line]
    whole = b"\n".join(held.values())
    times = Counter(
        {said.mark: whole.count(f'"{said.mark}"'.encode()) for said in town.book.said if said.mark}
    )
    return found + [f"doubled or lost: {m} stands {n} times" for m, n in times.items() if n != 1]


def _not_alike(laptop: Laptop, held: dict[Place, bytes]) -> list[str]:
    mine = laptop.lines()
    theirs = {place: line for place, line in held.items() if place[0] == laptop.id}
    found = [] if mine == theirs else [f"not alike: {laptop.name} and the server"]
    (waits,) = laptop.rows("select count(*) from files where held_at is null")[0]
    return found + ([f"waits for ever: {waits} files of {laptop.name}"] if waits else [])
