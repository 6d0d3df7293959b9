"""A backup of either kind of database and files is restored into either: the way to the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from real_postgres import Postgres
from s3_server import S3Server

sys.path.append(str(Path(__file__).parents[1] / "unit" / "server"))

from region import (
    AUDITOR,
    HILL,
    VALLEY,
    VISIT_1,
    VISIT_2,
    VISIT_3,
    Clock,
    Device,
    enrolled_device,
    jpeg,
    make_region,
    visit,
)

from server.context import Context, open_context
from server.schedule import run_once
from server.services.backup import make_backup
from server.services.backup_check import check_run
from server.services.backup_folder import BackupFolder, read_manifest
from server.services.intake import receive
from server.services.restore import Restored, Surroundings, restore
from server.services.verify import verify
from server.settings import Settings, read_settings
from server.store import assessments, copying, flags
from sync.log import Segment, sign_head
from sync.problems import Problem
from sync.session import Request, read_answer, write_request

NOW = 1_795_500_000_000


@dataclass
class Databases:
    """Fresh empty databases of both kinds, as URLs; PostgreSQL's go away at the end."""

    folder: Path
    request: pytest.FixtureRequest
    made: list[str] = field(default_factory=list)

    def fresh(self, kind: str) -> str:
        if kind == "sqlite":
            self.folder.mkdir(exist_ok=True)
            return f"sqlite:///{self.folder / f'{len(list(self.folder.iterdir()))}.sqlite'}"
        postgres: Postgres = self.request.getfixturevalue("postgres")
        self.made.append(postgres.empty())
        return postgres.url(self.made[-1])

    def end(self) -> None:
        for name in self.made:
            self.request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def databases(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Databases]:
    made = Databases(tmp_path / "databases", request)
    yield made
    made.end()


def settings_of(folder: Path, database: str, files: str = "") -> Settings:
    return read_settings(folder, environ={"TAPAK_DATABASE": database, "TAPAK_FILES": files})


def put_back(place: BackupFolder, settings: Settings) -> Restored:
    return restore(Surroundings(settings, lambda: NOW, lambda _n: 7), place.folder)


def opened(settings: Settings) -> Context:
    return replace(open_context(settings), now=Clock(NOW))


def everything(ctx: Context) -> dict[str, list[Any]]:
    with ctx.db.read() as tx:
        return {one.name: list(copying.rows(tx, one)) for one in copying.shapes()}


def derived(ctx: Context) -> list[Any]:
    with ctx.db.read() as tx:
        return [
            *(a for site in (HILL, VALLEY) for a in assessments.of_facility(tx, site)),
            *(f for site in (HILL, VALLEY) for f in flags.of_facility(tx, site)),
        ]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
@pytest.mark.parametrize("out_of", ["sqlite", "postgresql"])
def test_a_backup_of_either_database_is_restored_into_either(
    databases: Databases, tmp_path: Path, out_of: str, into: str
) -> None:
    """S5: the same rows, the same scores, the next numbers, and devices go on."""
    ctx = make_region(tmp_path, database=databases.fresh(out_of))
    device = enrolled_device(ctx)
    visit(device, VISIT_1, HILL, picture=jpeg(1), signs=("warm-kiln",))
    visit(device, VISIT_2, VALLEY)
    run_once(ctx)
    place = BackupFolder(tmp_path / "backup")
    before, scores, branch = everything(ctx), derived(ctx), branch_of(device)
    make_backup(ctx, place.folder)
    ctx.db.close()

    settings = settings_of(tmp_path / "again", databases.fresh(into))
    done = put_back(place, settings)
    again = opened(settings)
    after = everything(again)
    assert (again.db.engine.dialect.name, again.id) == (into, ctx.id)
    for name in set(before) - {"server", "audit", "gradings", "invitations"}:
        assert after[name] == before[name], name
    assert after["audit"][:-1] == before["audit"]
    assert verify(again).faults == ()
    run_once(again)
    assert derived(again) == scores

    # What the database numbers by itself goes on after what was copied.
    moved = Device(again, device.person, device.key, device.logs, device.hashes, device.sent)
    visit(moved, VISIT_3, HILL, picture=jpeg(2))
    answer = read_answer(receive(again, device.id, device.person, branch))
    assert [one.state for one in answer.logs] == ["forked"]
    assert answer.epoch == done.epoch > 2**32
    for name in ("logs", "receipts"):
        numbers = [row[0] for row in everything(again)[name]]
        assert len(numbers) > len(before[name])
        assert max(numbers) > max(row[0] for row in before[name])
    assert verify(again).faults == ()
    make_backup(again, place.folder)
    assert check_run(place, place.find(None)).faults == ()
    again.db.close()


def test_files_go_from_a_disk_into_a_bucket_and_back(
    databases: Databases, tmp_path: Path, s3: S3Server
) -> None:
    """From SQLite and a disk to PostgreSQL and S3, and from there to another disk."""
    ctx = make_region(tmp_path, database=databases.fresh("sqlite"))
    device = enrolled_device(ctx)
    visit(device, VISIT_1, HILL, picture=jpeg(1))
    visit(device, VISIT_2, VALLEY, picture=jpeg(2))
    run_once(ctx)
    here, there = BackupFolder(tmp_path / "here"), BackupFolder(tmp_path / "there")
    make_backup(ctx, here.folder)
    rows, scores, held = everything(ctx), derived(ctx), sorted(ctx.blobs.listed(), key=str)
    ctx.db.close()

    in_bucket = settings_of(tmp_path / "b", databases.fresh("postgresql"), s3.url("region/"))
    assert put_back(here, in_bucket).files == 2
    second = opened(in_bucket)
    assert sorted(second.blobs.listed(), key=str) == held
    assert [p for p in in_bucket.files.rglob("*") if p.is_file()] == []
    made = make_backup(second, there.folder)
    assert (made.files, made.copied, made.lacking) == (2, 2, ())
    assert verify(second).faults == ()
    second.db.close()

    # Into a bucket that has the files already: they are verified, and none is put again.
    again = settings_of(tmp_path / "c", databases.fresh("sqlite"), s3.url("region/"))
    assert put_back(here, again).files == 2

    on_disk = settings_of(tmp_path / "d", databases.fresh("sqlite"))
    put_back(there, on_disk)
    third = opened(on_disk)
    assert sorted(third.blobs.listed(), key=str) == held
    assert everything(third)["segments"] == rows["segments"]
    run_once(third)
    assert derived(third) == scores
    assert verify(third).faults == ()
    third.db.close()


def branch_of(device: Device) -> bytes:
    """A request with other bytes than were sent before at the end of a log, signed (S3)."""
    other = Device(device.ctx, device.person, device.key)
    other.start(VISIT_1, HILL, purpose="another one")
    signature = sign_head(device.key, other.hashes[VISIT_1][-1])
    segment = Segment(device.id, VISIT_1, 1, tuple(other.logs[VISIT_1]), signature)
    return write_request(Request(device.id, None, (), (segment,), NOW))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restore_into_a_database_with_rows_is_refused_and_one_cut_short_is_begun_anew(
    databases: Databases, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.fresh(kind)
    ctx = make_region(tmp_path, database=url)
    place = BackupFolder(tmp_path / "backup")
    make_backup(ctx, place.folder)
    before = everything(ctx)
    with pytest.raises(Problem) as raised:
        put_back(place, settings_of(tmp_path / "again", url))
    assert raised.value.code == "restore-not-empty"
    assert everything(ctx) == before
    ctx.db.close()

    settings = settings_of(tmp_path / "again", databases.fresh(kind))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copying, "go_on_counting", _ends)
        put_back(place, settings)
    with pytest.raises(Problem) as raised:
        open_context(settings)
    assert raised.value.code == "restore-unfinished"
    put_back(place, settings)
    again = opened(settings)
    assert verify(again).faults == ()
    assert read_manifest(place.find(None)).server == again.id
    assert enrolled_device(again, AUDITOR, seed=9).id
    again.db.close()


def _ends(_tx: object) -> None:
    raise KeyboardInterrupt
