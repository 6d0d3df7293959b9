"""A backup is one consistent moment, is checked to the byte, and restores to the same server."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity
from region import (
    AUDITOR,
    HILL,
    OTHER,
    VALLEY,
    VISIT_1,
    VISIT_2,
    Clock,
    Device,
    assign_to,
    enrolled_device,
    jpeg,
    visit,
)
from sqlalchemy import MetaData, insert, select, update

from server.blobs import Blobs
from server.context import Context, open_context
from server.schedule import run_once
from server.services import backup as service
from server.services import backup_folder
from server.services import restore as restoring_service
from server.services.backup import make_backup
from server.services.backup_check import check_run, held_files
from server.services.backup_folder import BackupFolder, Run, read_manifest, write_manifest
from server.services.backup_part import read_rows, read_shape, write_part
from server.services.enrolment import enrol, invite
from server.services.intake import receive
from server.services.restore import Restored, Surroundings, next_epoch, restore
from server.services.verify import verify
from server.settings import read_settings
from server.store import assessments, audit, copying, flags, restoring, tables
from server.store.db import Database
from sync.problems import Problem
from sync.session import Request, read_answer, write_request


@pytest.fixture
def device(region: Context) -> Device:
    """A device that made two visits, one of them with a picture."""
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL, picture=jpeg(1), signs=("warm-kiln",))
    visit(made, VISIT_2, VALLEY)
    return made


@pytest.fixture
def place(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path / "backup")


def back_up(ctx: Context, place: BackupFolder, **given: object) -> Run:
    made = make_backup(ctx, place.folder, **given)  # type: ignore[arg-type]
    return place.find(made.run)


def put_back(
    place: BackupFolder,
    folder: Path,
    *,
    now: int = 1_795_500_000_000,
    bits: int = 7,
    **given: object,
) -> Restored:
    to = Surroundings(read_settings(folder, environ={}), lambda: now, lambda _n: bits)
    return restore(to, place.folder, **given)  # type: ignore[arg-type]


def opened(folder: Path, now: int = 1_795_500_000_000) -> Context:
    return replace(open_context(read_settings(folder, environ={})), now=Clock(now))


def everything(ctx: Context) -> dict[str, list[tuple[object, ...]]]:
    """Every row that a backup holds, table by table."""
    with ctx.db.read() as tx:
        return {one.name: list(copying.rows(tx, one)) for one in copying.shapes()}


def derived(ctx: Context) -> list[tuple[object, ...]]:
    with ctx.db.read() as tx:
        return [
            *(
                (a.scope, a.subject, a.as_of, a.grade, a.score, a.inputs, a.findings)
                for site in (HILL, VALLEY)
                for a in assessments.of_facility(tx, site)
            ),
            *((f.id, f.status, f.body) for s in (HILL, VALLEY) for f in flags.of_facility(tx, s)),
            *tx.execute(select(tables.file_facts).order_by(tables.file_facts.c.sha256)).all(),
        ]


def previews(ctx: Context) -> dict[str, bytes]:
    return {one.sha256: b"".join(ctx.previews.chunks(one.sha256)) for one in ctx.previews.listed()}


def on_disk(files: Blobs, sha256: str) -> Path:
    with files.local(sha256) as path:
        return path


# -- what a backup is -----------------------------------------------------------------------------


def test_every_table_is_in_a_backup_or_says_why_not(region: Context, place: BackupFolder) -> None:
    run = back_up(region, place)
    manifest = read_manifest(run)
    inside = {part.table for part in manifest.parts}
    assert inside | set(manifest.left_out) == set(tables.metadata.tables)
    assert inside.isdisjoint(manifest.left_out)
    assert manifest.left_out == {
        "assessments": "derived",
        "file_facts": "derived",
        "flags": "derived",
        "held_aside": "derived",
        "leases": "passing",
        "login_failures": "passing",
        "sessions": "passing",
    }


def test_a_backup_that_was_just_made_has_no_fault(
    region: Context, device: Device, place: BackupFolder
) -> None:
    run = back_up(region, place)
    found = check_run(place, run)
    assert found.faults == ()
    assert (found.counts["files"], found.counts["keys"]) == (1, 1)
    assert found.counts["rows"] == sum(len(rows) for rows in everything(region).values()) - 1
    with region.db.read() as tx:
        line = audit.lines(tx)[-1]
    assert (line["action"], line["detail"]["run"]) == ("server.backup", run.name)


def test_only_its_owner_may_read_a_backup(
    region: Context, device: Device, place: BackupFolder
) -> None:
    back_up(region, place)
    there = [place.folder, *place.folder.rglob("*")]
    others = [p for p in there if p.stat().st_mode & 0o077 and p.name != "lock"]
    assert [p for p in others if not p.is_relative_to(place.folder / "files")] == []
    assert (place.folder / "files").stat().st_mode & 0o077 == 0


def test_a_second_run_copies_only_the_files_that_are_new(
    region: Context, device: Device, place: BackupFolder
) -> None:
    first = make_backup(region, place.folder)
    assert (first.files, first.copied) == (1, 1)
    device.photo(VISIT_1, jpeg(2), ["GEN-G1/-"])
    device.send()
    device.send_file(jpeg(2))
    second = make_backup(region, place.folder)
    assert (second.files, second.copied) == (2, 1)
    for run in place.runs():
        assert check_run(place, run).faults == ()


def test_older_runs_go_only_when_that_is_asked_for_and_the_new_one_is_whole(
    region: Context, place: BackupFolder
) -> None:
    names = [make_backup(region, place.folder).run for _ in range(3)]
    assert [run.name for run in place.runs()] == names
    made = make_backup(region, place.folder, keep=2)
    assert made.removed == tuple(names[:2])
    assert [run.name for run in place.runs()] == [names[2], made.run]


def test_an_interrupted_backup_never_counts_and_the_one_before_stays_usable(
    region: Context, device: Device, place: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = back_up(region, place)

    def ends(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service, "_copy_files", ends)
        with pytest.raises(KeyboardInterrupt):
            make_backup(region, place.folder)
    unfinished = place.runs()[-1]
    assert unfinished.name != whole.name and not unfinished.whole
    assert place.find(None) == whole
    assert check_run(place, whole).faults == ()
    made = make_backup(region, place.folder)
    assert made.swept == (unfinished.name,)
    assert place.find(None).name == made.run


def test_a_folder_without_a_whole_backup_is_said_to_have_none(place: BackupFolder) -> None:
    for look in (lambda: place.find(None), lambda: place.find("1")):
        with pytest.raises(Problem) as raised:
            look()
        assert raised.value.code == "backup-none"


def test_two_backups_into_one_folder_at_once_are_refused(
    region: Context, place: BackupFolder
) -> None:
    with place.locked(), pytest.raises(Problem) as raised:
        make_backup(region, place.folder)
    assert raised.value.code == "backup-busy"


def test_a_backup_inside_the_data_folder_is_refused(region: Context) -> None:
    for folder in (region.settings.data, region.settings.data / "files" / "backup"):
        with pytest.raises(Problem) as raised:
            make_backup(region, folder)
        assert raised.value.code == "backup-place"


def test_a_file_that_the_server_lost_is_named_and_holds_up_nothing(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path
) -> None:
    """S4, S5: after a restore it is not held any more, so that devices are asked for it."""
    device.photo(VISIT_1, jpeg(2), ["GEN-G1/-"])
    device.send()
    device.send_file(jpeg(2))
    with region.db.read() as tx:
        lost, damaged = tx.execute(select(tables.files.c.sha256)).scalars()
    on_disk(region.blobs, lost).unlink()
    on_disk(region.blobs, damaged).write_bytes(b"?" * (region.blobs.size(damaged) or 0))
    made = make_backup(region, place.folder)
    assert {one.sha256 for one in made.lacking} == {lost, damaged}
    assert check_run(place, place.find(None)).faults == ()
    done = put_back(place, tmp_path / "again")
    assert set(done.left_out) == {lost, damaged}
    ctx = opened(tmp_path / "again")
    body = write_request(Request(device.id, None, (lost, damaged), (), ctx.now()))
    assert set(read_answer(receive(ctx, device.id, device.person, body)).missing) == {lost, damaged}
    ctx.db.close()


# -- one moment -----------------------------------------------------------------------------------


def test_a_backup_taken_while_devices_write_is_one_moment_of_all_tables(
    region: Context, place: BackupFolder
) -> None:
    """Every log ends where its lines end, every named file that is held is inside."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def write(seed: int, inspection: str) -> None:
        try:
            device = enrolled_device(region, seed=seed)
            device.start(inspection, HILL)
            n = 0
            while not stop.is_set():
                n += 1
                picture = jpeg(seed * 1000 + n)
                device.photo(inspection, picture, ["GEN-G1/-"])
                device.record(inspection, "comments/x", {"text": f"{n}"})
                device.send()
                device.send_file(picture)
        except BaseException as exc:
            failed.append(exc)
            raise

    ids = [f"{n}f8fad5b-d9cb-469f-a165-70867728950e" for n in range(3, 6)]
    writers = [threading.Thread(target=write, args=(n, one)) for n, one in enumerate(ids, 11)]
    for one in writers:
        one.start()
    try:
        runs = [back_up(region, place) for _ in range(6)]
    finally:
        stop.set()
        for one in writers:
            one.join()
    assert failed == []
    counts = []
    for run in runs:
        found = check_run(place, run)
        assert found.faults == ()
        counts.append(found.counts["rows"])
        logs, runs_of = table(run, "logs"), table(run, "segments")
        for log in logs:
            mine = [one for one in runs_of if one["log"] == log["id"]]
            seqs = [seq for one in mine for seq in range(one["first"], one["last"] + 1)]
            assert seqs == list(range(1, log["seq"] + 1))
            assert mine[-1]["hashes"][-32:] == log["h"]
        held = {one["sha256"] for one in table(run, "files")}
        assert held == {sha256 for sha256, _ in held_files(run)}
        assert {one["sha256"] for one in table(run, "file_scopes")} == held
    assert counts == sorted(set(counts)), "the writers wrote while it was backed up"


def table(run: Run, name: str) -> list[dict[str, Any]]:
    path = run.part(name)
    shape = read_shape(path)
    names = [column for column, _ in shape.columns]
    return [dict(zip(names, row, strict=True)) for row in read_rows(path, shape)]


# -- damage ---------------------------------------------------------------------------------------


def flip(path: Path, at: int = -20) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink], ids=["flipped", "cut", "gone"])
def test_a_damaged_table_is_named_and_never_restored(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path,
    harm: Callable[[Path], None],
) -> None:  # fmt: skip
    run = back_up(region, place)
    harm(run.part("segments"))
    assert [f.where for f in check_run(place, run).faults] == ["table segments"]
    refused(place, tmp_path, "backup-damaged", "table segments")
    refused(place, tmp_path, "backup-damaged", "table segments", without_damaged_files=True)


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink], ids=["flipped", "cut", "gone"])
def test_a_damaged_file_is_named_and_restored_without_only_when_that_is_said(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path,
    harm: Callable[[Path], None],
) -> None:  # fmt: skip
    run = back_up(region, place)
    ((sha256, _),) = held_files(run)
    harm(on_disk(place.files, sha256))
    assert [f.where for f in check_run(place, run).faults] == [f"file {sha256}"]
    refused(place, tmp_path, "backup-damaged", sha256)
    assert put_back(place, tmp_path / "new", without_damaged_files=True).left_out == (sha256,)


@pytest.mark.parametrize("harm", [flip, cut, Path.write_bytes], ids=["flipped", "cut", "emptied"])
def test_a_damaged_manifest_is_named_and_no_older_run_is_taken_for_it(
    region: Context, place: BackupFolder, tmp_path: Path, harm: Callable[..., None]
) -> None:
    older = back_up(region, place)
    run = back_up(region, place)
    harm(run.manifest, b"") if harm is Path.write_bytes else harm(run.manifest)
    assert [f.what for f in check_run(place, run).faults] == ["manifest"]
    refused(place, tmp_path, "backup-damaged", run.name)
    assert put_back(place, tmp_path / "new", run_name="1").run == older.name


def test_a_single_changed_byte_anywhere_in_a_run_is_noticed(
    region: Context, device: Device, place: BackupFolder
) -> None:
    run = back_up(region, place)
    for path in [p for p in run.folder.rglob("*") if p.is_file()]:
        whole = path.read_bytes()
        for at in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            flip(path, at)
            assert check_run(place, run).faults, (path, at)
            path.write_bytes(whole)
    assert check_run(place, run).faults == ()


def test_a_table_that_was_put_in_is_named(region: Context, place: BackupFolder) -> None:
    run = back_up(region, place)
    shutil.copy(run.part("logs"), run.part("secrets"))
    assert [f.where for f in check_run(place, run).faults] == ["tables/secrets.ndjson.gz"]


def test_a_manifest_moved_to_another_run_is_noticed(region: Context, place: BackupFolder) -> None:
    older, run = back_up(region, place), back_up(region, place)
    shutil.copy(older.manifest, run.manifest)
    assert "manifest" in [f.what for f in check_run(place, run).faults]


def test_another_servers_key_in_a_backup_is_named(region: Context, place: BackupFolder) -> None:
    run = back_up(region, place)
    run.key.write_bytes(bytes(32))
    run.sealing_key.write_text(str(Identity.generate()))
    found = [f.where for f in check_run(place, run).faults]
    assert found == ["key receipt.ed25519", "key sealing.age"]


def test_a_server_with_a_broken_audit_trail_is_backed_up_as_it_is_and_that_is_named(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    region.db.write(
        lambda tx: tx.execute(
            update(tables.audit).where(tables.audit.c.n == 2).values(line=b'{"n":2}')
        )
    )
    made = make_backup(region, place.folder)
    assert {fault.where for fault in made.faults} == {"audit line 2"}
    assert {f.where for f in check_run(place, place.find(None)).faults} == {"audit line 2"}
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    assert {fault.where for fault in verify(ctx).faults} == {"audit line 2"}
    ctx.db.close()


def test_what_cannot_be_read_back_does_not_count_as_a_backup(
    region: Context, place: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps other bytes than it was given is noticed before the manifest is written."""
    whole = back_up(region, place)

    def worse(*given: Any) -> Any:
        part = write_part(*given)
        flip(given[0])
        return part

    monkeypatch.setattr(service, "write_part", worse)
    with pytest.raises(Problem) as raised:
        make_backup(region, place.folder)
    assert raised.value.code == "backup-failed"
    assert place.find(None) == whole


def refused(place: BackupFolder, folder: Path, code: str, names: str, **given: object) -> None:
    """The restore is refused and has written nothing."""
    with pytest.raises(Problem) as raised:
        put_back(place, folder / "refused", **given)
    assert raised.value.code == code
    assert names in raised.value.happened
    assert not (folder / "refused").exists()


# -- restoring ------------------------------------------------------------------------------------


def test_a_restored_server_has_the_same_rows_files_key_and_a_new_epoch(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path
) -> None:
    """S5."""
    before = everything(region)
    back_up(region, place)
    done = put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    after = everything(ctx)
    assert ctx.public_key == region.public_key
    assert ctx.recipient == region.recipient
    (epoch,) = after.pop("server")
    assert epoch[1] == done.epoch > 1
    line = json.loads(after["audit"].pop()[5])  # type: ignore[arg-type]
    assert (line["action"], line["detail"]["epoch"]) == ("server.restore", done.epoch)
    assert {row[2] for row in after["gradings"]} == {True}
    for name in ("gradings", "invitations"):
        assert len(after.pop(name)) == len(before.pop(name))
    before.pop("server")
    assert after == before
    assert verify(ctx).faults == ()
    with ctx.db.read() as tx:
        assert not restoring.unfinished(tx)
    ctx.db.close()


def test_what_is_derived_comes_out_as_the_same_bytes(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path
) -> None:
    run_once(region)
    before, pictures = derived(region), previews(region)
    assert len(before) >= 5 and pictures
    back_up(region, place)
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    assert derived(ctx) == []
    run_once(ctx)
    assert derived(ctx) == before
    assert previews(ctx) == pictures
    ctx.db.close()


def test_numbers_that_the_database_gives_out_go_on_after_a_restore(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path
) -> None:
    back_up(region, place)
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    moved = Device(ctx, device.person, device.key, device.logs, device.hashes, device.sent)
    moved.record(VISIT_1, "comments/later", {"text": "after the restore"})
    moved.start("3f8fad5b-d9cb-469f-a165-70867728950e", HILL)
    answer = moved.send()
    assert answer.epoch is not None and answer.epoch > 1
    assert verify(ctx).faults == ()
    ctx.db.close()


def test_the_same_backup_restored_twice_gives_two_epochs(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """S5: also within one second, and with a clock that stands in the past."""
    back_up(region, place)
    now = 1_795_500_000_000
    epochs = [
        put_back(place, tmp_path / "a", now=now, bits=1).epoch,
        put_back(place, tmp_path / "b", now=now, bits=2).epoch,
        put_back(place, tmp_path / "c", now=now + 1000, bits=0).epoch,
        put_back(place, tmp_path / "d", now=0, bits=1).epoch,
        put_back(place, tmp_path / "e", now=0, bits=2).epoch,
    ]
    assert len(set(epochs)) == 5
    assert epochs[0] < epochs[2] < 2**53


def test_an_epoch_is_above_every_epoch_that_the_folder_of_backups_knows(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """S5: a server that was restored goes on backing up into the same folder."""
    back_up(region, place)
    late = put_back(place, tmp_path / "a", now=1_895_500_000_000).epoch
    ctx = opened(tmp_path / "a")
    make_backup(ctx, place.folder)
    ctx.db.close()
    assert put_back(place, tmp_path / "b", run_name="1").epoch > late
    assert next_epoch(5, 0, lambda _n: 0) == 6


def test_an_invitation_that_was_open_then_is_ended_by_a_restore(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """S8: single use also holds for a code that was used after the backup."""
    code = invite(region, AUDITOR, "console").partition("#")[2].rpartition(".")[0]
    back_up(region, place)
    done = put_back(place, tmp_path / "again", now=region.now() + 60_000)
    assert done.invitations_ended == 1
    ctx = opened(tmp_path / "again", region.now() + 61_000)
    with pytest.raises(Problem, match="invitation-unknown"):
        enrol(ctx, code, bytes(31) + b"\1", "laptop")
    ctx.db.close()


def test_nothing_is_ever_overwritten(region: Context, place: BackupFolder, tmp_path: Path) -> None:
    back_up(region, place)
    before = everything(region)
    with pytest.raises(Problem) as raised:
        put_back(place, region.settings.data)
    assert raised.value.code == "restore-not-empty"
    assert everything(region) == before
    fresh = tmp_path / "fresh"
    open_context(read_settings(fresh, environ={})).db.close()
    key = (fresh / "keys" / "receipt.ed25519").read_bytes()
    with pytest.raises(Problem) as raised:
        put_back(place, fresh)
    assert raised.value.code == "backup-key-other"
    assert (fresh / "keys" / "receipt.ed25519").read_bytes() == key


@pytest.mark.parametrize("at", ["begin", "files", "fill", "finish"])
def test_a_restore_that_was_cut_short_serves_nothing_and_can_be_repeated(
    region: Context,
    device: Device,
    place: BackupFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
) -> None:
    back_up(region, place)
    where = {
        "begin": (Database, "migrate"),
        "files": (restoring_service, "_copy_files"),
        "fill": (copying, "tie"),
        "finish": (audit, "begin_epoch"),
    }[at]

    def ends(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*where, ends)
        with pytest.raises(KeyboardInterrupt):
            put_back(place, tmp_path / "again")
    with pytest.raises(Problem) as raised:
        open_context(read_settings(tmp_path / "again", environ={}))
    assert raised.value.code == "restore-unfinished"
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    assert verify(ctx).faults == ()
    lines = [row[3] for row in everything(ctx)["audit"]]
    assert lines.count("server.restore") == 1
    ctx.db.close()


def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    region: Context, device: Device, place: BackupFolder, tmp_path: Path
) -> None:
    """Tables that are no more are restored as they were, and joined into those of now."""
    before = everything(region)
    run = back_up(region, place)
    while schema_of(region) != "0002":
        region.db.migrate("-1")
    for part in run.part("audit").parent.iterdir():
        part.unlink()  # those of tables that came later too
    there = MetaData()
    with region.db.read() as tx:
        there.reflect(tx)
        assert "lines" in there.tables
        parts = []
        for one in there.sorted_tables:
            if one.name not in {*copying.left_out(), "alembic_version"}:
                rows = [tuple(row) for row in tx.execute(select(one))]
                parts.append(write_part(run.part(one.name), copying._shape(one), rows))
        schema = copying.schema(tx)
    manifest = read_manifest(run)
    old = replace(manifest, schema=schema, parts=tuple(parts), audit=newest_line(run))
    write_manifest(run, old, region.key)
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    assert verify(ctx).faults == ()
    assert everything(ctx)["segments"] == before["segments"]
    ctx.db.close()


def schema_of(ctx: Context) -> str:
    with ctx.db.read() as tx:
        return copying.schema(tx)


def newest_line(run: Run) -> tuple[int, str]:
    newest = table(run, "audit")[-1]
    return newest["n"], newest["h"]


def test_a_backup_of_a_newer_schema_or_format_is_refused(
    region: Context, place: BackupFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = back_up(region, place)
    write_manifest(run, replace(read_manifest(run), schema="9999"), region.key)
    with pytest.raises(Problem) as raised:
        put_back(place, tmp_path / "again")
    assert raised.value.code == "backup-newer"
    with monkeypatch.context() as later:
        later.setattr(backup_folder, "FORMAT", 2)
        run = back_up(region, place)
    with pytest.raises(Problem) as raised:
        check_run(place, run)
    assert raised.value.code == "backup-newer"


def test_without_its_key_a_backup_is_restored_only_with_the_key_from_elsewhere(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """S8: devices have the server's key pinned; it is never made anew."""
    run = back_up(region, place, with_key=False)
    assert not run.key.exists()
    for key in (region.key.private_bytes_raw(), str(region.sealing_key).encode()):
        assert all(key not in p.read_bytes() for p in place.folder.rglob("*") if p.is_file())
    refused(place, tmp_path, "backup-key-missing", run.name)
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    refused(place, tmp_path, "backup-key-other", "other.key", key_file=other)
    refused(place, tmp_path, "file-missing", "nothing", key_file=tmp_path / "nothing")
    put_back(place, tmp_path / "a", key_file=region.settings.keys / "receipt.ed25519")
    # A database that was lost while the folder survived: the key and the files are there already.
    (tmp_path / "b" / "keys").mkdir(parents=True)
    shutil.copy(region.settings.keys / "receipt.ed25519", tmp_path / "b" / "keys")
    with pytest.raises(Problem, match="backup-sealing-key-missing"):
        put_back(place, tmp_path / "b")
    shutil.copy(region.settings.keys / "sealing.age", tmp_path / "b" / "keys")
    shutil.copytree(region.settings.files, tmp_path / "b" / "files")
    put_back(place, tmp_path / "b")
    for folder in ("a", "b"):
        ctx = opened(tmp_path / folder)
        assert ctx.id == region.id
        assert ctx.recipient == region.recipient
        ctx.db.close()


def test_a_row_that_names_a_later_row_of_its_table_is_restored(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """A jurisdiction may come before the one that it belongs to."""
    rows = [("zz-region", None), ("aa-country", "zz-region"), ("ab-state", "aa-country")]
    for id_, parent in rows:
        values = {"id": id_, "name": id_, "parent": parent, "kind": "x"}
        region.db.write(
            lambda tx, values=values: tx.execute(insert(tables.jurisdictions).values(**values))
        )
    back_up(region, place)
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again")
    parents = {row[0]: row[2] for row in everything(ctx)["jurisdictions"]}
    assert {id_: parents[id_] for id_, _ in rows} == dict(rows)
    ctx.db.close()


def test_what_staff_did_after_the_backup_counts_once_they_have_done_it_again(
    region: Context, place: BackupFolder, tmp_path: Path
) -> None:
    """S5, S9: a device and an assignment of after the backup; entries wait, set aside, for both."""
    back_up(region, place)
    assign_to(region, HILL, OTHER)
    device = enrolled_device(region, OTHER, seed=5)
    visit(device, VISIT_1, HILL, picture=jpeg(1), signs=("warm-kiln",))
    run_once(region)
    before = derived(region)
    put_back(place, tmp_path / "again")
    ctx = opened(tmp_path / "again", region.now() + 1000)
    run_once(ctx)
    again = moved(device, ctx)
    assert enrolled_device(ctx, OTHER, seed=5).id == again.id
    again.send()
    again.send_file(jpeg(1))
    run_once(ctx)
    assert derived(ctx) != before
    assign_to(ctx, HILL, OTHER)
    run_once(ctx)
    assert derived(ctx) == before
    assert verify(ctx).faults == ()
    ctx.db.close()


def moved(device: Device, ctx: Context) -> Device:
    """The same device, talking to another server; it has sent that one nothing yet."""
    return Device(ctx, device.person, device.key, device.logs, device.hashes)
