"""Withdrawn consent (L8): the key goes and does not come back, and every chain stays valid."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from region import HILL, VISIT_1, Clock, Device, enrolled_device, jpeg

from server.cli import main
from server.context import Context, open_context
from server.schedule import run_once
from server.services import sealed as sealed_service
from server.services import uploads
from server.services import withdrawal as service
from server.services.backup import make_backup
from server.services.backup_check import check_run
from server.services.backup_folder import BackupFolder
from server.services.changes import changes_after
from server.services.intake import receive
from server.services.restore import Restored, Surroundings, restore
from server.services.verify import verify
from server.services.withdrawal import destroy, withdraw
from server.settings import read_settings
from server.store import audit, files, sealed
from sync.adopted import Run, entries_for
from sync.inspection import SealedFile
from sync.log import sign_head
from sync.problems import Problem
from sync.sealed import WITHDRAWN, sealed_value
from sync.session import Request, read_answer, write_request

ENTRY = "5a8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "6a8fad5b-d9cb-469f-a165-70867728950e"
AGE = b"age-encryption.org/v1\n"


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class World:
    """A device whose visit has two sealed entries, all of it on the server."""

    ctx: Context
    device: Device

    def data(self, entry: str) -> dict[str, bytes]:
        return {name: AGE + f"{name} of {entry}".encode() for name in ("payload", "key")}

    def key(self, entry: str = ENTRY) -> str:
        return digest(self.data(entry)["key"])

    def record(self, entry: str, data: dict[str, bytes] | None = None) -> None:
        given = data or self.data(entry)
        named = {name: SealedFile(digest(raw), len(raw)) for name, raw in given.items()}
        value = sealed_value(named["payload"], named["key"], (), ("aaaa",))
        self.device.record(VISIT_1, f"sealed/{entry}", value, at=self.ctx.now())

    def told(self) -> list[str]:
        found = changes_after(self.ctx, self.device.person, self.device.id, None).changes
        return [change.ref for change in found if change.kind == WITHDRAWN]

    def missing(self) -> set[str]:
        """What the server would have this device send, when it asks for its keys."""
        ask = Request(self.device.id, None, (self.key(), self.key(OTHER)), (), self.ctx.now())
        body = write_request(ask)
        return set(read_answer(receive(self.ctx, self.device.id, self.device.person, body)).missing)


@pytest.fixture
def world(either_region: Context) -> World:
    made = World(either_region, enrolled_device(either_region))
    made.device.start(VISIT_1, HILL)
    for entry in (ENTRY, OTHER):
        made.record(entry)
    made.device.record(VISIT_1, "outcome", {"outcome": "visited"})
    made.device.sign_off(VISIT_1)
    made.device.send()
    for entry in (ENTRY, OTHER):
        for raw in made.data(entry).values():
            made.device.send_file(raw)
    # A receipt that lists the keys, as the device asks for one.
    made.missing()
    return made


def test_the_key_is_destroyed_and_nothing_else_and_every_chain_stays_valid(world: World) -> None:
    ctx = world.ctx
    done = withdraw(ctx, "p-rina", ENTRY, "asked for it")
    assert done.new and done.keys == (world.key(),)
    assert ctx.blobs.size(world.key()) is None
    assert ctx.blobs.has(world.key(OTHER)) and ctx.blobs.has(digest(world.data(ENTRY)["payload"]))
    report = verify(ctx)
    assert report.faults == ()
    assert (report.counts["keys destroyed"], report.counts["files missing"]) == (1, 0)
    assert report.counts["files"] == 3
    with ctx.db.read() as tx:
        line = audit.lines(tx, f"sealed:{ENTRY}")[-1]
    assert (line["who"], line["action"]) == ("p-rina", "consent.withdraw")
    assert line["detail"] == {"reason": "asked for it", "keys": [world.key()]}


def test_withdrawing_again_changes_nothing_and_an_unknown_entry_is_said_to_be_so(
    world: World,
) -> None:
    withdraw(world.ctx, "p-rina", ENTRY, "asked for it")
    with world.ctx.db.read() as tx:
        before = audit.count(tx)
    again = withdraw(world.ctx, "p-budi", ENTRY, "once more")
    assert not again.new
    with world.ctx.db.read() as tx:
        assert audit.count(tx) == before
    for entry, reason, code in ((VISIT_1, "x", "noun-unknown"), (ENTRY, " ", "fields-malformed")):
        with pytest.raises(Problem, match=code):
            withdraw(world.ctx, "p-rina", entry, reason)


def test_the_device_is_told_never_asked_for_the_key_and_refused_if_it_sends_it(
    world: World,
) -> None:
    withdraw(world.ctx, "p-rina", ENTRY, "asked for it")
    assert world.told() == [ENTRY]
    assert world.missing() == set()
    raw = world.data(ENTRY)["key"]
    with pytest.raises(Problem, match="sealed-key-destroyed"):
        world.device.send_file(raw)
    for refused in (uploads.standing, uploads.discard):
        with pytest.raises(Problem, match="sealed-key-destroyed"):
            refused(world.ctx, world.device.person, world.key())
    assert world.ctx.blobs.size(world.key()) is None


def test_a_key_that_has_not_arrived_is_withdrawn_before_it_comes(either_region: Context) -> None:
    world = World(either_region, enrolled_device(either_region))
    world.device.start(VISIT_1, HILL)
    world.record(ENTRY)
    assert set(world.device.send().missing) == {digest(r) for r in world.data(ENTRY).values()}
    raw = world.data(ENTRY)["key"]
    half = uploads.begin(world.ctx, world.device.person, world.key(), len(raw), "", [raw[:9]])
    assert half.offset == 9
    withdraw(world.ctx, "p-rina", ENTRY, "asked for it")
    assert not [p for p in world.ctx.settings.incoming.iterdir() if raw[:9] in p.read_bytes()]
    assert digest(world.data(ENTRY)["payload"]) in _device_missing(world)


def _device_missing(world: World) -> set[str]:
    digests = tuple(digest(raw) for raw in world.data(ENTRY).values())
    body = write_request(Request(world.device.id, None, digests, (), world.ctx.now()))
    answer = read_answer(receive(world.ctx, world.device.id, world.device.person, body))
    return set(answer.missing)


def test_an_upload_that_ends_just_after_the_withdrawal_leaves_nothing_behind(
    world: World,
) -> None:
    ctx, raw = world.ctx, world.data(ENTRY)["key"]
    withdraw(ctx, "p-rina", ENTRY, "asked for it")
    # As an upload does that was let in before: the bytes are put away, then counted as held.
    ctx.blobs.put(world.key(), [raw])
    arrived = files.ArrivedFile(world.key(), len(raw), world.device.person, ctx.now())
    assert ctx.db.write_many(uploads._hold_all, arrived) is False
    with ctx.db.read() as tx:
        assert not files.is_held_for(tx, world.key(), world.device.person)
    faults = verify(ctx).faults
    assert [f.where for f in faults] == [f"file {world.key()}"], "it ended before it could clean up"
    run_once(ctx)
    assert verify(ctx).faults == () and ctx.blobs.size(world.key()) is None


def test_a_crash_between_tombstone_and_bytes_is_made_good_by_the_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(Exception):
        pass

    def cut(_: Context) -> int:
        raise PowerCutError

    monkeypatch.setattr(service, "destroy", cut)
    with pytest.raises(PowerCutError):
        withdraw(world.ctx, "p-rina", ENTRY, "asked for it")
    monkeypatch.undo()
    assert world.ctx.blobs.has(world.key())
    assert destroy(world.ctx) == 1
    assert destroy(world.ctx) == 0
    assert verify(world.ctx).faults == ()


def test_evidence_that_an_entry_calls_its_key_is_not_destroyed(region: Context) -> None:
    world = World(region, enrolled_device(region))
    picture = jpeg(3)
    world.device.start(VISIT_1, HILL)
    sha256 = world.device.photo(VISIT_1, picture, ["GEN-G1/-"])
    world.record(ENTRY, {"payload": AGE + b"x", "key": picture})
    world.device.send()
    with pytest.raises(Problem, match="sealed-key-unfit"):
        withdraw(region, "p-rina", ENTRY, "asked for it")
    world.device.send_file(picture)
    with pytest.raises(Problem, match="sealed-key-unfit"):
        withdraw(region, "p-rina", ENTRY, "asked for it")
    assert region.blobs.digest_holds(sha256)


# -- backups --------------------------------------------------------------------------------------


def put_back(place: BackupFolder, folder: Path, run: str | None = None) -> tuple[Restored, Context]:
    settings = read_settings(folder, environ={})
    to = Surroundings(settings, lambda: 1_795_500_000_000, lambda _: 7)
    done = restore(to, place.folder, run_name=run)
    return done, replace(open_context(settings), now=Clock(1_795_500_000_000))


def test_a_backup_made_afterwards_takes_the_key_from_the_older_runs_too(
    region: Context, tmp_path: Path
) -> None:
    world = made_on(region)
    place = BackupFolder(tmp_path / "backup")
    make_backup(region, place.folder)
    assert place.files.has(world.key())
    withdraw(region, "p-rina", ENTRY, "asked for it")
    make_backup(region, place.folder)
    assert not place.files.has(world.key())
    older, newer = place.runs()
    for run, destroyed in ((older, 1), (newer, None)):
        report = check_run(place, run)
        assert report.faults == () and report.counts.get("keys destroyed") == destroyed


def test_a_restore_from_before_the_withdrawal_does_not_bring_the_key_back(
    region: Context, tmp_path: Path
) -> None:
    world = made_on(region)
    place = BackupFolder(tmp_path / "backup")
    before = make_backup(region, place.folder).run
    withdraw(region, "p-rina", ENTRY, "asked for it")
    make_backup(region, place.folder)
    place.files.put(world.key(), [world.data(ENTRY)["key"]])  # as an older medium would have it
    done, again = put_back(place, tmp_path / "again", before)
    assert done.keys_destroyed == 1
    assert again.blobs.size(world.key()) is None and again.blobs.has(world.key(OTHER))
    with pytest.raises(Problem, match="sealed-key-destroyed"):
        replace(world.device, ctx=again).send_file(world.data(ENTRY)["key"])
    there = World(again, replace(world.device, ctx=again))
    assert there.told() == [ENTRY] and there.missing() == set()
    report = verify(again)
    assert report.faults == () and report.counts["keys destroyed"] == 1
    again.db.close()


def made_on(ctx: Context) -> World:
    made = World(ctx, enrolled_device(ctx))
    made.device.start(VISIT_1, HILL)
    for entry in (ENTRY, OTHER):
        made.record(entry)
    made.device.send()
    for entry in (ENTRY, OTHER):
        for raw in made.data(entry).values():
            made.device.send_file(raw)
    made.missing()
    return made


def test_the_command_withdraws_and_lists(region: Context) -> None:
    made_on(region)

    def tapak(*words: str) -> Any:
        words = ("admin", "withdraw-consent", *words, "--data", str(region.settings.data), "--json")
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, (result.stdout, result.stderr, result.exception)
        return json.loads(result.stdout)

    assert tapak("--list") == []
    assert tapak(ENTRY, "--reason", "asked for it")["new"] is True
    (one,) = tapak("--list")
    assert one["entry"] == ENTRY and one["destroyed_at"] is not None


# -- carried by another generation (S3) -----------------------------------------------------------


def test_an_adopted_sealed_entry_is_asked_of_its_carrier_taken_and_withdrawn(
    region: Context,
) -> None:
    """S3: the old key is gone, so its line travels inside one of the new generation."""
    old, new = enrolled_device(region), enrolled_device(region, seed=2)
    lost, found = World(region, old), World(region, new)
    old.start(VISIT_1, HILL)
    lost.record(ENTRY)
    run = Run(
        old.id,
        1,
        old.hashes[VISIT_1][0],
        old.logs[VISIT_1],
        old.hashes[VISIT_1][1:],
        sign_head(old.key, old.hashes[VISIT_1][-1]),
    )
    for _, path, value in entries_for(run):
        new.record(VISIT_1, path, value)
    assert set(new.send().missing) == {digest(raw) for raw in found.data(ENTRY).values()}
    for raw in found.data(ENTRY).values():
        new.send_file(raw)
    assert verify(region).faults == ()
    with region.db.read() as tx:
        (place,) = sealed.places(tx, {"example"})
        (named,) = sealed_service._named(tx, place)
    assert (named.sealed.id, place.row.device, place.held) == (ENTRY, new.id, True)
    withdraw(region, "p-rina", ENTRY, "asked for it")
    assert verify(region).faults == () and found.told() == [ENTRY]
