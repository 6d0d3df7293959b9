"""Two copies of a device's folder, a lost key, and a death between any two steps (S3).

Whatever only this device had comes to the office: once, verbatim, under its own device's name.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from field_device import FieldDevice, busy_office, enrol_again, picture
from memory_server import PERSON, LossError, Office

from fieldkit import generations
from fieldkit.capture import Extras as More
from fieldkit.capture import answer, load_inspection, observe, start
from fieldkit.generations import formers, settle_keys
from fieldkit.hazards import report
from fieldkit.keys import load_key, public_bytes
from fieldkit.signing import sign_off, standing
from fieldkit.store import Store
from sync.adopted import expand, is_adopted
from sync.inspection import Inspection
from sync.inspection_reader import read_inspection
from sync.log import DEVICE_LOG, Record, read_line
from sync.merge import merge
from sync.problems import Problem


@pytest.fixture
def office() -> Office:
    return busy_office()


@pytest.fixture
def device(office: Office, tmp_path: Path) -> FieldDevice:
    one = FieldDevice(tmp_path / "device", office)
    one.enrol()
    one.sync()
    return one


def copy_of(device: FieldDevice, folder: Path, later: int = 60_000) -> FieldDevice:
    """The device's folder as a backup has it, on a clock that is a little ahead."""
    shutil.copytree(device.home.folder, folder)
    copy = FieldDevice(folder, device.office)
    copy.clock = device.clock + later
    return copy


def held_records(office: Office, log: str) -> list[Record]:
    """What the office makes of an inspection, adopted lines read as their own device's."""
    read = [
        read_line(line, device, name, seq, held.hashes[seq].hex())
        for (device, name), held in office.logs.items()
        if name == log
        for seq, line in enumerate(held.lines, start=1)
    ]
    return expand(read, lambda d: (office.devices[d], PERSON) if d in office.devices else None)


def held(office: Office, inspection: str) -> Inspection:
    return read_inspection(inspection, merge(held_records(office, inspection)))


def everything_is_there_once(device: FieldDevice) -> None:
    """Each line of the folder is at the office, in its own log or carried once, byte for byte."""
    store = device.store
    for log in [*store.inspections(), DEVICE_LOG]:
        there = [r for r in held_records(device.office, log) if not is_adopted(r)]
        own = {(r.device, r.h) for r in there if r.adopted is None}
        came = [(r.device, r.h) for r in there if r.adopted is not None]
        assert len(came) == len(set(came))
        for mine in store.logs(log):
            for h in mine.hashes:
                if (mine.device, h.hex()) in own | set(came):
                    continue
                # An entry that carries others may itself be what is looked for.
                carriers = {r.h for r in held_records(device.office, log) if is_adopted(r)}
                assert h.hex() in carriers, (log, mine.device)
    for file in device.ledger.files():
        assert file.sha256 in device.office.files
        assert file.held_at is not None
    assert device.ledger.waiting_lines(store.identity()) == 0
    assert device.ledger.refusals() == []


def forked(device: FieldDevice, folder: Path) -> tuple[FieldDevice, str]:
    """A visit that was partly sent; then two copies of the folder both go on, the first sends."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    device.sync()
    answer(device.recorder(), inspection, "GEN-G2", ["SM"])
    copy = copy_of(device, folder)
    answer(device.recorder(), inspection, "GEN-G3", ["FM"])
    device.sync()
    answer(copy.recorder(), inspection, "GEN-G3", ["DNM"])
    copy.photo(inspection, picture(folder / "copy.jpg"), items=["GEN-G3"])
    observe(copy.recorder(), inspection, "headcount", "12", More())
    start(copy.recorder(), "bukit-contoh", new=True)
    return copy, inspection


def test_a_copy_that_forked_goes_on_under_a_new_key_within_one_sync(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3: nobody has to do anything; both copies' work is there, and so are the files."""
    copy, inspection = forked(device, tmp_path / "copy")
    old, before = copy.id, public_bytes(load_key(copy.home.key))
    written = copy.store.logs(inspection)[0]
    report = copy.sync()
    assert report.new_key
    (done,) = report.carried
    assert (done.device, done.signed) == (old, True)
    assert copy.id != old
    assert public_bytes(load_key(copy.home.former_key(old))) == before
    assert copy.store.logs(inspection)[0].lines[: len(written.lines)] == written.lines or any(
        log.lines == written.lines for log in copy.store.logs(inspection)
    )
    everything_is_there_once(copy)
    everything_is_there_once(device)
    heads = held(office, inspection).answers["GEN-G3", "-"].heads
    assert {h.level for h in heads} == {"fully", "does-not-meet"}
    assert all(h.written.device == old and h.written.signed for h in heads)
    assert not held(office, inspection).unread


def test_both_copies_go_on_and_nothing_is_carried_twice(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S2, S3: the first copy under the old key, the other under its new one."""
    copy, inspection = forked(device, tmp_path / "copy")
    copy.sync()
    observe(copy.recorder(), inspection, "operating/warm-kiln", "yes", More())
    observe(device.recorder(), inspection, "operating/warm-kiln", "no", More())
    for _ in range(2):
        for one in (device, copy):
            report = one.sync()
            assert not report.new_key
            assert report.carried == []
            everything_is_there_once(one)
    heads = held(office, inspection).observed["operating", "warm-kiln"].heads
    assert {h.value for h in heads} == {"yes", "no"}


def test_a_copy_of_the_copy_forks_in_turn(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3: a third generation carries on what the second had carried."""
    copy, inspection = forked(device, tmp_path / "copy")
    copy.sync()
    second = copy_of(copy, tmp_path / "second", later=90_000)
    observe(copy.recorder(), inspection, "operating/warm-kiln", "yes", More())
    copy.sync()
    observe(second.recorder(), inspection, "operating/warm-kiln", "no", More())
    assert second.sync().new_key
    assert len(formers(second.store)) == 2
    for one in (device, copy, second):
        one.sync()
        everything_is_there_once(one)


def test_what_was_signed_before_the_fork_stays_signed(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """L7, S3: carried entries are not news to be signed again."""
    copy, inspection = forked(device, tmp_path / "copy")
    from fieldkit.capture import set_outcome

    set_outcome(copy.recorder(), inspection, "visited")
    old = copy.id
    sign_off(copy.recorder(), inspection)
    copy.sync()
    store = copy.store
    read = load_inspection(store, inspection)
    heads = {log.device: range(1, len(log.lines) + 1) for log in store.logs(inspection)}
    assert standing(heads, read, store.carriers(inspection)).after == 0
    (signed,) = held(office, inspection).sign_offs[old].heads
    there = {(r.device, r.seq, r.h) for r in held_records(office, inspection)}
    assert {(log.device, log.seq, log.h) for log in signed.logs} <= there


def test_where_another_copy_left_the_log_says_nothing_of_where_this_one_did(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3: a hazard goes alone (S7), so that of the visit's log the server knows only of another
    copy's branch, which left it later than this copy does.
    """
    inspection = device.start().inspection
    elsewhere = start(device.recorder(), "bukit-contoh", new=True).inspection
    device.sync()
    first = copy_of(device, tmp_path / "first")
    for item in ("GEN-G1", "GEN-G2"):
        answer(device.recorder(), inspection, item, ["FM"])
    answer(device.recorder(), elsewhere, "GEN-G1", ["FM"])
    device.sync()
    second = copy_of(device, tmp_path / "second")
    for one, level in ((device, "FM"), (second, "DNM")):
        answer(one.recorder(), inspection, "GEN-G3", [level])
        one.sync()
    answer(first.recorder(), inspection, "GEN-G1", ["DNM"])
    report(first.recorder(), elsewhere, "a tank is leaking", "immediate")
    assert first.sync().new_key
    for one in (device, second, first):
        one.sync()
        everything_is_there_once(one)
    heads = held(office, inspection).answers["GEN-G1", "-"].heads
    assert {h.level for h in heads} == {"fully", "does-not-meet"}


def test_what_the_server_has_already_is_not_carried(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3: of a log that went two ways unnoticed, and of whose beginning no receipt came."""
    inspection = device.start().inspection
    elsewhere = start(device.recorder(), "bukit-contoh", new=True).inspection
    for item in ("GEN-G1", "GEN-G2"):
        answer(device.recorder(), inspection, item, ["FM"])
    copy = copy_of(device, tmp_path / "copy")  # of before anything was sent
    answer(device.recorder(), elsewhere, "GEN-G1", ["FM"])
    answer(device.recorder(), inspection, "GEN-G3", ["FM"])
    device.sync()
    before = len(copy.store.logs(inspection)[0].lines)
    answer(copy.recorder(), inspection, "GEN-G3", ["DNM"])
    report(copy.recorder(), elsewhere, "a tank is leaking", "immediate")
    assert copy.sync().new_key
    everything_is_there_once(copy)
    carried = [r for r in held_records(office, inspection) if r.adopted is not None]
    assert min(r.seq for r in carried) == before + 1


# -- a lost key -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [False, True], ids=["nothing sent", "partly sent"])
def test_with_the_key_lost_the_lines_are_carried_unsigned_after_enrolling_again(
    device: FieldDevice, office: Office, tmp_path: Path, sent: bool
) -> None:
    """S3, S8: the key file is gone, the lines are in the store."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    if sent:
        device.sync()
    answer(device.recorder(), inspection, "GEN-G2", ["SM"])
    device.photo(inspection, picture(tmp_path / "a.jpg"), items=["GEN-G2"])
    device.home.key.unlink()
    with pytest.raises(Problem) as caught:
        device.sync()
    assert caught.value.code == "key-unusable"
    old = device.id
    office.codes["SECOND-CODE"] = None
    enrol_again(device, "SECOND-CODE")
    assert device.ledger.waiting_lines(device.store.identity(), inspection) >= 2
    report = device.sync()
    assert [(c.device, c.signed) for c in report.carried] == [(old, False)]
    everything_is_there_once(device)
    answers = held(office, inspection).answers
    assert [h.written.signed for h in answers["GEN-G1", "-"].heads] == [sent]
    (head,) = answers["GEN-G2", "-"].heads
    assert (head.written.device, head.written.signed, head.written.adopted) == (old, False, True)


def test_with_the_key_lost_what_the_server_lost_too_is_carried(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3, S5: acknowledged once, and not held any more."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    backup = office.backup()
    device.sync()
    answer(device.recorder(), inspection, "GEN-G2", ["SM"])
    device.home.key.unlink()
    office.restore(backup)
    office.codes["SECOND-CODE"] = None
    enrol_again(device, "SECOND-CODE")
    device.sync()
    everything_is_there_once(device)
    # And again, when the server loses what was carried over in full.
    backup = office.backup()
    observe(device.recorder(), inspection, "headcount", "7", More())
    device.sync()
    office.restore(backup)
    device.sync()
    everything_is_there_once(device)


# -- a death between any two steps ----------------------------------------------------------------


class Killer:
    """Ends the process at the n-th step of going on under a new key, as kill -9 would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.at = at
        self.steps = 0
        for owner, name in (
            (generations, "load_or_make_key"),
            (Store, "set_notes"),
            (Path, "replace"),
            (generations, "read_held"),
            (generations, "narrowed"),
            (generations.Writing, "append_as_is"),
            (generations, "_mark_adopted"),
        ):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    def _wrapped(self, act: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **given: object) -> object:
            self._dies()
            done = act(*args, **given)
            self._dies()
            return done

        return step

    def _dies(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise LossError


FAULTS = ("request", "reply", "dies")


def faults_at(message: int, fault: str) -> Iterator[str]:
    yield from [""] * message
    yield fault


def test_ended_at_any_step_it_goes_on_from_there(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3: nothing is lost and nothing doubled, wherever the process ends."""
    copy, _ = forked(device, tmp_path / "copy")
    at = 0
    while True:
        at += 1
        here = tmp_path / f"run-{at}"
        shutil.copytree(copy.home.folder, here)
        office_now = office.backup()
        one = FieldDevice(here, office)
        one.clock = copy.clock
        with pytest.MonkeyPatch.context() as patches:
            killer = Killer(patches, at)
            try:
                one.sync()
                over = killer.steps < at
            except LossError:
                over = False
        one.sync()
        everything_is_there_once(one)
        assert len(formers(one.store)) == 1
        assert public_bytes(settle_keys(one.home, one.store.identity()))
        for name, then in office_now.items():
            setattr(office, name, then)
        if over:
            break
    assert at > 15


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("message", range(5))
def test_a_lost_message_of_any_kind_loses_nothing(
    device: FieldDevice, office: Office, tmp_path: Path, message: int, fault: str
) -> None:
    """S2, S3: the request, its answer, or the device itself; at each of the messages."""
    copy, _ = forked(device, tmp_path / "copy")
    with pytest.raises((Problem, LossError)):
        copy.sync(faults_at(message, fault))
    copy.sync()
    everything_is_there_once(copy)
    assert len(formers(copy.store)) == 1


def test_a_restored_server_that_met_the_other_copy_first_is_told_from_the_start(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3, S5: what follows its head here was never written; from line 1 on the fork shows."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    device.sync()
    backup = office.backup()
    copy = copy_of(device, tmp_path / "copy")
    for item in ("GEN-G2", "GEN-G3", "GEN-G5"):
        answer(device.recorder(), inspection, item, ["FM"])
    device.sync()
    office.restore(backup)
    answer(copy.recorder(), inspection, "GEN-G2", ["DNM"])
    copy.sync()
    assert device.sync().new_key
    for one in (device, copy):
        everything_is_there_once(one)
    heads = held(office, inspection).answers["GEN-G2", "-"].heads
    assert {h.level for h in heads} == {"fully", "does-not-meet"}
