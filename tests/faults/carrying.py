"""Bundles in stories (S10): written on one device, carried, damaged on the way, read twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldkit.bundle_content import (
    Content,
    Maker,
    for_a_colleague,
    for_the_office,
    note_bundled,
    parted,
)
from fieldkit.bundle_file import write_bundles
from fieldkit.bundle_read import Taken, read_bundle
from fieldkit.bundle_sealing import Seal, own_key
from fieldkit.ledger import Ledger
from fieldkit.server_keys import server_keys
from fieldkit.store import Store
from server.services import bundle_answer, bundle_intake
from server.store import audit, changes
from sync.extract import is_withheld
from sync.problems import Problem

from .book import Place
from .device import Device
from .office import CONSOLE
from .process import Died, nobody

if TYPE_CHECKING:
    from .world import Story

WORDS = "a fictional goat on a stick"
NOT_NOW = ("disk-full", "store-busy")  # what is no fault of a bundle's, and passes


@dataclass
class Bundle:
    """One file on a stick: for which device, or for the office; `lines` and `files` are what its
    reader has afterwards.
    """

    path: Path
    to: Device | None
    words: str | None
    lines: dict[Place, bytes]
    files: frozenset[str] = frozenset()


# -- written --------------------------------------------------------------------------------------


def write_for_office(story: Story, device: Device, inspection: str) -> None:
    """Everything the office is not known to hold, or the whole of one inspection."""
    only = story.dice.choice((None, None, inspection))
    words = WORDS if story.dice.random() < 0.2 else None

    def choose(maker: Maker) -> tuple[Content, Seal]:
        content = for_the_office(maker, only, files=story.dice.random() < 0.8)
        recipient = server_keys(maker.store).sealing_key
        return content, Seal(passphrase=words) if words else Seal([recipient])

    written = _write(story, device, choose)
    if written is not None:
        now = device.id
        lines = {
            (d, log, seq): line
            for (d, log, seq), line in device.own_lines().items()
            if d == now and log in written.content.logs
        }
        named = frozenset(file.sha256 for file in written.content.files)
        story.bundles.append(Bundle(written.path, None, words, lines, named))


def hand_over(story: Story, device: Device, inspection: str) -> None:
    """An inspection for a colleague's device, sealed to its key or with a passphrase."""
    others = [one for one in story.devices if one is not device and one.enrolled]
    if not others or not device.rows("select 1 from lines where log = ?", inspection):
        return
    to = story.dice.choice(others)
    words = WORDS if story.dice.random() < 0.2 else None
    key = to.command(lambda store: str(own_key(store, to.clock()).to_public()))
    if key.how != "returned":
        return

    def choose(maker: Maker) -> tuple[Content, Seal]:
        content = for_a_colleague(maker, to.name, inspection, files=True)
        return content, Seal(passphrase=words) if words else Seal([key.value])

    written = _write(story, device, choose)
    if written is not None:
        now = device.id
        lines = {
            (d, log, seq): line
            for (d, log, seq), line in device.own_lines().items()
            if d == now and log == inspection and not is_withheld(line)
        }
        story.bundles.append(Bundle(written.path, to, words, lines))


def _write(
    story: Story, device: Device, choose: Callable[[Maker], tuple[Content, Seal]]
) -> Any | None:
    """What `fieldkit bundle write` does; the bundle where it is whole on the stick."""
    stick = story.folder / "stick"
    stick.mkdir(exist_ok=True)
    path = stick / f"{len(story.bundles)}-{story.dice.randrange(10**6)}.tapak"

    def work(store: Store) -> Any:
        identity, now = store.identity(), device.clock()
        key, recipient = device.home.load_key(), str(own_key(store, now).to_public())
        ledger, blobs = Ledger(store.database), device.home.blobs()
        maker = Maker(store, ledger, blobs, identity, key, recipient, now)
        content, seal = choose(maker)
        if not content.logs:
            return None
        written = write_bundles(path, maker, parted(content), seal, lambda *_: None)
        note_bundled(maker, [content])
        return written[0]

    done = device.command(work)
    story.tell(f"{device.name} writes a bundle: {done.how}")
    if done.how == "returned" and done.value is not None:
        story.tally.acts["bundle written"] += 1
        return done.value
    return None


def answer_in_bundle(story: Story, device: Device, inspection: str) -> None:
    """The office answers a device on a stick: receipts, and what changed."""
    ctx = story.office.up()
    stick = story.folder / "stick"
    stick.mkdir(exist_ok=True)
    path = stick / f"answer-{len(story.bundles)}-{story.dice.randrange(10**6)}.tapak"

    def work() -> bool:
        to = bundle_answer.addressee(ctx, device.id or "none")
        with path.open("wb") as file:
            bundle_answer.write_answer_bundle(ctx, to, file.write)
        return True

    if story.office.tried(work, with_process=True):
        story.tell(f"the office answers {device.name} in a bundle")
        story.tally.acts["bundle written"] += 1
        story.bundles.append(Bundle(path, device, None, {}))


# -- on its way -----------------------------------------------------------------------------------


def _on_the_way(story: Story, one: Bundle) -> tuple[Path, bool]:
    """The bundle as it arrives, and whether it is damaged."""
    dice, data = story.dice, one.path.read_bytes()
    fate = dice.choice(("", "", "", "damaged", "cut"))
    if not fate:
        return one.path, False
    story.tally.count(f"bundle {fate} on the way")
    if fate == "cut":
        data = data[: dice.randrange(len(data))]
    else:
        at = dice.randrange(len(data))
        data = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    path = one.path.with_name(f"{fate}-{dice.randrange(10**6)}-{one.path.name}")
    path.write_bytes(data)
    return path, True


def read_at_office(story: Story, device: Device, inspection: str) -> None:
    """Staff read a bundle, it may be one of long ago; then it may be read again."""
    if all(one.to is not None for one in story.bundles):
        write_for_office(story, device, inspection)
    here = [one for one in story.bundles if one.to is None]
    if not here:
        return
    one = story.dice.choice(here)
    path, damaged = _on_the_way(story, one)
    done = _read_there(story, path, one.words)
    if done is None or (isinstance(done, Problem) and done.code in NOT_NOW):
        story.tell(f"the office reads {path.name}: {done}, and tries again")
        done = _read_there(story, path, one.words)
    became = done.logs if isinstance(done, bundle_intake.Imported) else done
    story.tell(f"the office reads {path.name}: {became}")
    if damaged:
        if isinstance(done, bundle_intake.Imported) and done.trouble is None:
            story.book.faults.append("bundle damaged: nobody noticed it (S10)")
    elif isinstance(done, bundle_intake.Imported):
        story.tally.acts["bundle read at the office"] += 1
        _all_came(story, one, done)
        if story.dice.random() < 0.6:
            before = _office_stands(story)
            story.tally.acts["bundle read again"] += 1
            again = _read_there(story, path, one.words)
            if isinstance(again, bundle_intake.Imported) and _office_stands(story) != before:
                story.book.faults.append("bundle read twice: the office has something else (S10)")
    elif isinstance(done, Problem) and done.code not in NOT_NOW:
        story.book.faults.append(f"bundle refused: {done.code} though it was whole (S10)")


def _read_there(story: Story, path: Path, words: str | None) -> Any:
    """What became of it; the problem's name, or None where the server died over it."""
    office = story.office
    ctx = office.up()
    try:
        with office.process.running(), path.open("rb") as file:
            return bundle_intake.read_bundle(ctx, CONSOLE, file, name=path.name, passphrase=words)
    except Died:
        office.bury()
    except Problem as named:
        return named
    return None


def _all_came(story: Story, one: Bundle, done: bundle_intake.Imported) -> None:
    """S10, S2: what was carried in whole is on the server, as after a sync."""
    if done.trouble is not None:
        if done.trouble.code not in NOT_NOW:
            story.book.faults.append(f"bundle not taken: {done.trouble.code} (S10)")
        return
    if story.restored:
        return  # it may not know the device any more, before that syncs
    held = story.on_server()
    for place, line in one.lines.items():
        if (place[0], place[1]) not in story.book.forks and held.get(place) != line:
            state = done.logs.get((place[0], place[1]))
            story.book.faults.append(f"bundle not taken: {place} is not there ({state})")
    lacks = one.files - story.held_files()
    if lacks and not story.forked:
        became = {done.files.get(sha256) for sha256 in lacks}
        story.book.faults.append(f"bundle not taken: files {sorted(lacks)[:2]} {became}")


def _office_stands(story: Story) -> Any:
    """All that a bundle may change at the office."""
    with nobody(), story.office.up().db.read() as tx:
        trail = sum(1 for _ in audit.lines(tx))
        where = changes.position(tx)
    return story.on_server(), story.held_files(), where, trail


def read_on_device(story: Story, device: Device, inspection: str) -> None:
    """A device reads what the office answered or a colleague handed over; then perhaps again."""
    if all(one.to is None for one in story.bundles):
        hand_over(story, device, inspection)
        answer_in_bundle(story, device, inspection)
    here = [one for one in story.bundles if one.to is not None]
    if not here:
        return
    one = story.dice.choice(here)
    reader = one.to
    assert reader is not None
    path, damaged = _on_the_way(story, one)
    done = _read_here(reader, path, one.words)
    if done.how == "died" or (done.problem is not None and done.problem.code in NOT_NOW):
        story.tell(f"{reader.name} reads {path.name}: {done.how}, and tries again")
        done = _read_here(reader, path, one.words)
    code = done.problem.code if done.problem else ""
    story.tell(f"{reader.name} reads {path.name}: {done.how} {code}")
    if done.how != "returned":
        honest = damaged or code in ("", *NOT_NOW, "bundle-for-another")
        if not honest:
            story.book.faults.append(f"bundle refused: {code} on {reader.name} (S10)")
        return
    if damaged:
        story.book.faults.append(f"bundle damaged: {reader.name} did not notice it (S10)")
        return
    story.tally.acts["bundle read on a device"] += 1
    if not story.forked:
        _all_here(story, reader, one, done.value)
    if story.dice.random() < 0.6:
        story.tally.acts["bundle read again"] += 1
        before = _device_stands(reader)
        again = _read_here(reader, path, one.words)
        if again.how == "returned" and _device_stands(reader) != before:
            story.book.faults.append(f"bundle read twice: {reader.name} has something else (S10)")


def _read_here(reader: Device, path: Path, words: str | None) -> Any:
    return reader.command(lambda store: read_bundle(store, reader.home.blobs(), path, words))


def _all_here(story: Story, reader: Device, one: Bundle, taken: Taken) -> None:
    """S10, S5: of what a colleague handed over, all that the colleague recorded is here."""
    if taken.said:
        said = [trouble.code for trouble in taken.said]
        story.book.faults.append(f"bundle not taken: {reader.name} says {said}")
    here = {
        (d, log, seq): bytes(line)
        for d, log, seq, line in reader.rows("select device, log, seq, line from lines")
    }
    for place, line in one.lines.items():
        if here.get(place) != line:
            story.book.faults.append(f"bundle not taken: {place} is not on {reader.name}")


def _device_stands(device: Device) -> Any:
    """Every table of a device's store."""
    tables = device.rows("select name from sqlite_master where type = 'table' order by name")
    return {name: device.rows(f"select * from {name}") for (name,) in tables}
