"""Stories told at random: people record, photograph, sign and sync while everything goes wrong."""

from __future__ import annotations

import functools
import io
import random
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from server.services.enrolment import enrol
from sync.problems import Problem

from . import carrying, locked, protected, rulings, wire
from .book import Said
from .device import Device
from .hazards import acknowledge_at_office, see_hazard
from .office import ANA, BEN, CAM, HILL, VALLEY
from .process import Tally, nobody
from .world import Story, new_story

ITEMS = ("GEN-G1", "GEN-G2", "GEN-G3", "GEN-S2", "GEN-S6", "GEN-S9")
DEATHS, POWER = 0.30, 0.4  # how often a device dies in a command, and how often by a power cut
LEVELS = ("fully", "substantially", "partially", "does-not-meet")
SIGNS = ("operating/warm-kiln", "operating/discharge", "operating/night-power")
OUTCOMES = ("visited", "partly", "unsafe")

Act = Callable[[Story, Device, str], None]


def tell(seed: str, tally: Tally) -> tuple[Story, list[str]]:
    """One story from its seed, and what did not hold at its end."""
    places()
    from .invariants import check

    with new_story(seed, tally) as story:
        try:
            act_out(story)
            found = check(story)
        except Exception as exc:  # noqa: BLE001 - whatever a program ends with is a finding
            found = [*story.book.faults, f"ended with {type(exc).__name__}: {exc}"[:300]]
            story.tell("".join(traceback.format_exception(exc)))
    return story, found


def act_out(story: Story) -> None:
    """A story from enrolment to the last sync that anything may still happen to."""
    dice = story.dice
    ana = story.enrol(ANA)
    ready(story, ana)
    inspection = begin(story, ana)
    theme = dice.choice(THEMES)
    acts = [act for act, _ in theme]
    if {disagree, carrying.hand_over} & {*acts} or dice.random() < 0.5:
        arm(story, None)
        colleague = story.enrol(dice.choice((BEN, BEN, CAM, ANA)))
        ready(story, colleague)
    story.both = put_device_back in acts and put_office_back in acts
    for _ in range(dice.randint(8, 14)):
        device = dice.choice(story.devices)
        arm(story, device)
        act = dice.choices([a for a, _ in theme], [w for _, w in theme])[0]
        act(story, device, inspection)
        story.time.pass_by(dice.choice((1_000, 60_000, 3_600_000, 40_000_000)))


def ready(story: Story, device: Device) -> None:
    """Prepare: sync until the facility is here, whatever it takes."""
    for _ in range(6):
        if story.sync(device).how == "returned" and device.rows(
            "select 1 from documents where kind = 'facility'"
        ):
            return
    story.calm_down()
    story.sync(device)


def begin(story: Story, device: Device, *, quiet: bool = False) -> str:
    """Begin an inspection of the hill; its id."""
    for _ in range(4):
        if not quiet:
            arm(story, device)
        device.start(HILL)
        found = device.rows("select log from lines where log <> 'device' order by rowid limit 1")
        if found:
            return str(found[0][0])
    story.calm_down()
    done = device.start(HILL)
    return str(done.value.inspection)


# -- what goes wrong ------------------------------------------------------------------------------


def arm(story: Story, device: Device | None) -> None:
    """Let things go wrong from here on, as chance will have it."""
    dice = story.dice
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        story.network.fates.append(dice.choice(wire.FATES))
        story.network.fates += [""] * dice.choice((0, 0, 1, 2))
    if device is not None and dice.random() < DEATHS:
        if dice.random() < 0.5:
            device.process.plan_death(dice.randint(0, 30), power=dice.random() < POWER)
        else:
            device.process.plan_death_at(somewhere(story, "fieldkit"), power=dice.random() < POWER)
    if dice.random() < 0.18:
        if dice.random() < 0.5:
            story.office.process.plan_death(dice.randint(0, 40), power=dice.random() < POWER)
        else:
            story.office.process.plan_death_at(
                somewhere(story, "server"), power=dice.random() < POWER
            )
    if device is not None and dice.random() < 0.1:
        device.process.plan_full_disk(dice.randint(0, 6), dice.randint(1, 4))
    if dice.random() < 0.07:
        story.office.process.plan_full_disk(dice.randint(0, 12), dice.randint(1, 6))
    if device is not None and dice.random() < 0.08:
        story.tally.count(f"device's clock {device.clock.jump(dice)}")
    if dice.random() < 0.03:
        story.tally.count(f"server's clock {story.office.clock.jump(dice)}")
        story.server_clock_was_wrong = True


def somewhere(story: Story, part: str) -> str:
    """A place where a process may die: each is as likely, however seldom one comes by."""
    return story.dice.choice([place for place in places() if f" in {part}/" in place])


@functools.cache
def places() -> tuple[str, ...]:
    """Every place where a process could die in a few stories in which nothing goes wrong."""
    tally = Tally()
    for n in range(2):
        with new_story(f"scout:{n}", tally) as story:
            ana, ben = story.enrol(ANA), story.enrol(BEN)
            ready(story, ana)
            ready(story, ben)
            inspection = begin(story, ana, quiet=True)
            for act in dict.fromkeys(act for theme in THEMES for act, _ in theme):
                for device in (ana, ben):
                    act(story, device, inspection)
                    story.network.fates = ["request cut"] if n else []
            all_sync(story, ana, inspection)
    return tuple(sorted(tally.seen))


# -- what people do -------------------------------------------------------------------------------


def own(device: Device, inspection: str) -> bool:
    """Whether the device can see what the inspection is about."""
    return bool(
        device.rows("select 1 from lines where log = ? and path = 'about' limit 1", inspection)
    )


def answer(story: Story, device: Device, inspection: str) -> None:
    _answer(story, device, inspection, story.dice.choice(ITEMS))


def disagree(story: Story, device: Device, inspection: str) -> None:
    """All who are there answer the same item, before any of them sees what the others said."""
    item = story.dice.choice(ITEMS[:2])
    for one in story.devices:
        _answer(story, one, inspection, item)
    for _ in range(2):
        all_sync(story, device, inspection)


def decide(story: Story, device: Device, inspection: str) -> None:
    """Someone ends a conflict, of today or of before."""
    if story.dice.random() < 0.7:
        disagree(story, device, inspection)
    rule = (rulings.rule_at_office, rulings.rule_at_office, rulings.rule_on_device)
    story.dice.choice(rule)(story, device, inspection)


def _answer(story: Story, device: Device, inspection: str, item: str) -> None:
    dice, mark = story.dice, story.mark()
    level = dice.choice(LEVELS)
    for _ in range(dice.choice((1, 1, 2))):  # again, as one does who saw no answer
        if own(device, inspection):
            done = device.answer(inspection, item, level, mark)
        else:
            path = f"answers/{item}/-"
            said = Said(inspection, path, mark)
            if device.has(said):
                return
            done = device.write(said)
        story.tell(f"{device.name} answers {item} ({mark}): {done.how}")
        if done.how == "returned":
            return


def observe(story: Story, device: Device, inspection: str) -> None:
    if own(device, inspection):
        what, mark = story.dice.choice(SIGNS), story.mark()
        done = device.observe(inspection, what, story.dice.choice(("yes", "no")), mark)
        story.tell(f"{device.name} observes {what}: {done.how}")


def photograph(story: Story, device: Device, inspection: str) -> None:
    if not own(device, inspection):
        return
    dice = story.dice
    if dice.random() < 0.5:
        file = picture(story.folder, dice)
    else:
        file = story.folder / f"report-{dice.randrange(10**9)}.pdf"
        file.write_bytes(b"%PDF " + dice.randbytes(dice.choice((40, 7_000, 15_000, 30_000))))
    for _ in range(2):
        done = device.attach(inspection, file, dice.choice(ITEMS))
        story.tell(f"{device.name} attaches {file.name}: {done.how}")
        if done.how == "returned":
            return


def picture(folder: Path, dice: random.Random) -> Path:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), (dice.randrange(256), 90, 60)).save(out, "JPEG")
    path = folder / f"IMG_{dice.randrange(10**9)}.jpg"
    path.write_bytes(out.getvalue() + dice.randbytes(dice.choice((16, 5_000, 20_000))))
    return path


def walk(story: Story, device: Device, inspection: str) -> None:
    if not own(device, inspection):
        return
    points = "".join(
        f'<trkpt lat="20.45{n:03}" lon="99.88{story.dice.randrange(1000):03}">'
        f"<time>2026-11-23T10:{n:02}:00Z</time></trkpt>"
        for n in range(10)
    )
    file = story.folder / f"track-{story.dice.randrange(10**9)}.gpx"
    file.write_text(f'<gpx version="1.1" creator="t"><trk><trkseg>{points}</trkseg></trk></gpx>')
    for _ in range(2):
        if device.track(inspection, file).how == "returned":
            return


def finish(story: Story, device: Device, inspection: str) -> None:
    if own(device, inspection):
        device.outcome(inspection, story.dice.choice(OUTCOMES), story.mark())
        done = device.sign_off(inspection)
        story.tell(f"{device.name} signs off: {done.how}")


def ask_back(story: Story, device: Device, inspection: str) -> None:
    """After the visit somebody who spoke in it wants it undone."""
    if story.dice.random() < 0.6:
        there = protected.at_hand(story, device, inspection)
        protected.interview(story, there, inspection)
        finish(story, there, inspection)
        story.sync(there)
    protected.withdraw_consent(story, device, inspection)


def go_elsewhere(story: Story, device: Device, inspection: str) -> None:
    """Another inspection of its own."""
    facility = story.dice.choice((HILL, VALLEY))
    done = device.start(facility, new=True)
    if done.how == "returned":
        other = done.value.inspection
        answer(story, device, other)
        if story.dice.random() < 0.5:
            photograph(story, device, other)


def newer(story: Story, device: Device, inspection: str) -> None:
    """An entry that a newer version of the program wrote on this device."""
    if own(device, inspection):
        device.write_newer(inspection, f"answers/{story.dice.choice(ITEMS)}/-", story.mark())


def too_large(story: Story, device: Device, inspection: str) -> None:
    """S12: an entry beyond the limit is refused before it is written."""
    if own(device, inspection):
        done = device.outcome(inspection, "visited", "x" * 70_000)
        if done.how == "returned":
            story.book.faults.append("beyond a limit: an entry of over 64 kB was taken (S12)")


def use_link_again(story: Story, device: Device, inspection: str) -> None:
    """S8: an invitation that was used enrols no other device."""
    if story.links and story.office.ctx is not None:
        key = Ed25519PrivateKey.from_private_bytes(story.dice.randbytes(32))
        code = story.links[0].partition("#")[2].rpartition(".")[0]
        try:
            with nobody():
                enrol(story.office.ctx, code, key.public_key().public_bytes_raw(), "stranger's")
        except Problem:
            return
        story.book.faults.append("used twice: an invitation enrolled a second device (S8)")


def sync(story: Story, device: Device, inspection: str) -> None:
    for _ in range(story.dice.choice((1, 1, 2))):
        story.sync(device)


def all_sync(story: Story, device: Device, inspection: str) -> None:
    for one in story.devices:
        story.sync(one)


def work(story: Story, device: Device, inspection: str) -> None:
    story.office.work()


def assign(story: Story, device: Device, inspection: str) -> None:
    """Staff assign somebody once more: a change that devices must not miss."""
    day = story.marks % 28 + 1
    taken = {(HILL, BEN), (VALLEY, ANA)}
    facility, person = story.dice.choice(sorted(taken))
    story.marks += 1
    story.office.staff_assign(facility, person, day)


def copy_device(story: Story, device: Device, inspection: str) -> None:
    if device.enrolled and (not story.restored or story.both):
        device.process.forgive()
        device.copy_folder()
        story.tally.count("backup of a device")


def put_device_back(story: Story, device: Device, inspection: str) -> None:
    if not device.copied:
        copy_device(story, device, inspection)
    if not device.copied or story.forked or (story.restored and not story.both):
        return
    answer(story, device, inspection)  # what the backup does not have, and the server gets
    story.sync(device)
    story.forked = True
    held = {(place, line) for place, line in story.on_server().items()}
    device.put_back(held, story.held_files())
    story.tally.count("backup of a device restored")
    story.tell(f"{device.name} is put back from a backup")
    _reckon(story)
    answer(story, device, inspection)


def _reckon(story: Story) -> None:
    """What is lost with what a backup took the place of."""
    from .invariants import reckon

    if story.forked and story.restored:
        story.tally.count("backups of both sides restored")
        reckon(story)
    protected.reckon(story)
    rulings.reckon(story)


def back_office_up(story: Story, device: Device, inspection: str) -> None:
    if not story.backed_up and (not story.forked or story.both):
        story.office.process.forgive()
        story.office.back_up()
        story.backed_up = True
        story.tally.count("backup of the server")


def put_office_back(story: Story, device: Device, inspection: str) -> None:
    if not story.backed_up:
        back_office_up(story, device, inspection)
        answer(story, device, inspection)  # what the backup does not have
        story.sync(device)
    if story.backed_up and not story.restored and (not story.forked or story.both):
        story.office.restore()
        story.restored = True
        after = {number for number, backed_up in story.book.withdrawn.items() if backed_up}
        story.book.unsure |= after  # the server knows nothing of it any more
        _reckon(story)
        story.tally.count("backup of the server restored")
        story.tell("the server is put back from a backup")


_BY_STICK: tuple[tuple[Act, int], ...] = (
    (carrying.write_for_office, 4),
    (carrying.hand_over, 4),
    (carrying.answer_in_bundle, 3),
    (carrying.read_at_office, 8),
    (carrying.read_on_device, 8),
)
_IN_CONFIDENCE: tuple[tuple[Act, int], ...] = (
    (protected.interview, 6),
    (ask_back, 5),
    (finish, 2),
)
_TWO_WAYS: tuple[tuple[Act, int], ...] = (
    (disagree, 2),
    (decide, 8),
)
_LOCKED: tuple[tuple[Act, int], ...] = (
    (locked.set_words, 4),
    (locked.remove_words, 1),
    (locked.lock_or_unlock, 4),
    (locked.forget, 4),
)
_DAILY: tuple[tuple[Act, int], ...] = (
    (answer, 8),
    (photograph, 5),
    (sync, 6),
    (observe, 2),
    (see_hazard, 1),
    (walk, 1),
    (finish, 2),
    (all_sync, 2),
    (work, 1),
    (newer, 1),
    (too_large, 1),
    (use_link_again, 1),
    (assign, 1),
    (go_elsewhere, 1),
)
# What goes on beside the steps that need several of their own to come to anything.
_FIELD: tuple[tuple[Act, int], ...] = ((answer, 3), (photograph, 2), (sync, 4), (finish, 1))
THEMES: Sequence[Sequence[tuple[Act, int]]] = (
    _DAILY,
    (*_DAILY, (photograph, 8), (sync, 8)),
    (*_DAILY, (copy_device, 5), (put_device_back, 4), (sync, 4)),
    (*_DAILY, (back_office_up, 5), (put_office_back, 3), (sync, 4)),
    (*_DAILY, (see_hazard, 8), (acknowledge_at_office, 8), (sync, 6)),
    (*_FIELD, *_BY_STICK),
    (*_FIELD, *_IN_CONFIDENCE),
    (*_FIELD, *_TWO_WAYS),
    (*_FIELD, *_LOCKED),
    # And all of it together.
    (
        *_DAILY,
        *_IN_CONFIDENCE,
        *_TWO_WAYS,
        *_LOCKED,
        *_BY_STICK,
        (copy_device, 3),
        (put_device_back, 2),
    ),
    (
        *_FIELD,
        *_IN_CONFIDENCE,
        *_LOCKED,
        *_BY_STICK,
        (back_office_up, 4),
        (put_office_back, 3),
    ),
    # A backup of the device and one of the server.
    (
        *_FIELD,
        (copy_device, 5),
        (put_device_back, 4),
        (back_office_up, 5),
        (put_office_back, 4),
        (sync, 4),
    ),
)
