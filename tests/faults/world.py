"""One story's world: a server, devices, the network between them, clocks, and the book of it."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fieldkit.imaging
import fieldkit.library
import fieldkit.tus
import server.services.photos
import server.services.uploads
import sync.age_passphrase
from server.store import logs
from server.store.files import held_pairs, names_in
from server.store.stored import all_files
from sync.photo_batch import Reading

from . import chance_age, seams
from .book import Book, Place
from .clock import Clock, World
from .device import Device, Outcome
from .hazards import hazards_first
from .office import ALWAYS, ANA, BEN, CAM, SOON, Office, workspace
from .process import Tally, nobody
from .protected import withdrawn_keys
from .wire import Network, Sent

PEOPLE = (ANA, BEN, CAM)

# So that small files go the way of large ones: several requests, staging, going on after a cut.
SIZES = (
    (fieldkit.tus, "CHECKED_BYTES", 3_000),
    (fieldkit.tus, "LONG_BYTES", 9_000),
    (server.services.uploads, "SMALL_BYTES", 12_000),
    (sync.age_passphrase, "WORK", 6),  # a passphrase is tried quickly
)


@dataclass
class Story:
    """Everything in one story; `seed` is what it replays from."""

    seed: str
    folder: Path
    dice: random.Random
    tally: Tally
    time: World
    office: Office
    network: Network
    book: Book
    devices: list[Device] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # of invitations that were used
    bundles: list[Any] = field(default_factory=list)  # on sticks, each to be read at any time
    marks: int = 0
    forked: bool = False  # a device's backup was put back
    backed_up: bool = False
    restored: bool = False
    both: bool = False  # a story in which both may be put back
    server_clock_was_wrong: bool = False
    told: list[str] = field(default_factory=list)

    def mark(self) -> str:
        """Words that nobody recorded before."""
        self.marks += 1
        return f"seen-{self.marks}-{self.dice.randrange(10**6)}."

    def tell(self, what: str) -> None:
        self.told.append(what)

    def enrol(self, person: str) -> Device:
        """One more device of a person, through whatever happens on the way."""
        name = f"{person[2:5]}-{len(self.devices)}"
        clock = Clock(self.time)
        device = Device(
            name, person, self.folder, clock, self.network, self.book, self.tally, self.dice
        )
        self.devices.append(device)
        link = self.office.invite(person)
        for _ in range(8):
            if device.enrol(link).how == "returned":
                self.links.append(link)
                break
            if device.refused[-1:] in (["invitation-unknown"], ["token-unknown"]):
                link = self.office.invite(person)
        else:
            self.calm_down()
            assert device.enrol(link).how == "returned", device.refused[-1:]
        return device

    def sync(self, device: Device) -> Outcome:
        """One run of a device; then what it takes for held must be held."""
        done = device.sync()
        if done.problem is not None and done.problem.code == "token-unknown":
            # A copy of the enrolment that came late gave out another token: as the problem says,
            # an invitation puts that right.
            device.enrol(self.office.invite(device.person))
            done = device.sync()
        self.tell(f"{device.name} syncs: {done.how} {done.problem.code if done.problem else ''}")
        self.book.faults += claims(self, device)
        return done

    def watch(self, device: str, sent: Sent) -> None:
        """A device sends something."""
        for one in self.devices:
            if one.id == device:
                hazards_first(self, one, sent)

    def calm_down(self) -> None:
        """No more faults; what was held up on the way arrives or is lost."""
        self.network.fates.clear()
        for device in self.devices:
            device.process.forgive()
            device.clock.set_right()
        self.office.process.forgive()
        self.office.clock.set_right()
        self.network.deliver_late()
        self.office.down_for = 0
        self.office.up()

    # -- what the server holds, read from its files -----------------------------------------------

    def on_server(self) -> dict[Place, bytes]:
        """Every line of every log that the server holds."""
        with nobody(), self.office.up().db.read() as tx:
            return {
                (log.device, log.inspection, seq): line
                for log in logs.all_logs(tx)
                for seq, line in enumerate(logs.lines_of(tx, log.id), start=1)
            }

    def held_files(self) -> set[str]:
        with nobody(), self.office.up().db.read() as tx:
            return {sha256 for sha256, _ in all_files(tx)}


def claims(story: Story, device: Device) -> list[str]:
    """What a device takes for acknowledged and is not so, by the server's own tables (S4)."""
    epoch = device.rows("select value from meta where name = 'epoch'")
    if not epoch or not device.enrolled:
        return []
    ctx = story.office.up()
    with nobody(), ctx.db.read() as tx:
        heads = {(log.device, log.inspection): log.seq for log in logs.all_logs(tx)}
        now = _epoch(tx)
        named = {(one.person, one.sha256) for (_, log) in heads for one in names_in(tx, log)}
        held = {sha256 for _, sha256 in held_pairs(tx, named)} if named else set()
    if int(epoch[0][0]) != now:
        return []  # it has not heard yet that the server was put back
    found = []
    for log, seq, state in device.rows(
        "select log, seq, state from acknowledged where device = ? and state = 'held'", device.id
    ):
        if seq > heads.get((device.id, log), 0):
            found.append(f"taken for acknowledged: {log} up to {seq} of {device.name} ({state})")
    held |= withdrawn_keys(story)
    for (sha256,) in device.rows("select sha256 from files where held_at is not null"):
        if sha256 not in held:
            found.append(f"taken for held: file {sha256[:12]} of {device.name}")
    return found


def _epoch(tx: object) -> int:
    from server.store import changes

    return changes.position(tx)[0]  # type: ignore[arg-type]


@contextlib.contextmanager
def new_story(seed: str, tally: Tally) -> Iterator[Story]:
    """A world for one story; everything in it is drawn from the seed, and gone afterwards."""
    dice = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="tapak-faults-", dir=workspace()))
    seams.chance.seed(f"{seed} chance")
    time = World()
    try:
        with laboratory(), seams.in_place():
            # S9: in a third of the stories days part entries, without a throw of the story's dice.
            first_day = random.Random(f"{seed} days").choice((ALWAYS, ALWAYS, SOON))
            office = Office(folder, Clock(time), tally, dice, first_day)
            network = Network(office.serve, dice, tally.count)
            story = Story(seed, folder, dice, tally, time, office, network, Book())
            network.watch = story.watch
            try:
                yield story
            finally:
                office.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def laboratory() -> Iterator[None]:
    """Small pieces; pictures read in this process; a checklist that was read before not again."""
    before = [(where, name, getattr(where, name)) for where, name, _ in SIZES]
    changed: list[tuple[object, str, object]] = [*SIZES]
    changed += [
        # Whether a link is good is told by its time: here by the story's seed.
        (fieldkit.tus, "GOOD_SECONDS", seams.chance.choice((-1.0, 1e9))),
        (fieldkit.imaging, "read_files", _read_here),
        (server.services.photos, "read_files", _read_here),
        (fieldkit.library, "load_checklist", _load_checklist),
        *chance_age.SWAPS,
    ]
    before += [(where, name, getattr(where, name)) for where, name, _ in changed[len(SIZES) :]]
    for where, name, value in changed:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)


_load = fieldkit.library.load_checklist
_loaded: dict[bytes, object] = {}


def _load_checklist(data: bytes, name: str) -> object:
    if data not in _loaded:
        _loaded[data] = _load(data, name)
    return _loaded[data]


def _read_here(paths: object, **_how: object) -> Iterator[Reading]:
    """Pictures without facts: their reading has tests of its own, and processes of its own."""
    for path in paths:  # type: ignore[attr-defined]
        yield path if isinstance(path, Reading) else Reading(path, {"media_type": "image/jpeg"})
