"""Abandoned uploads are swept by the worker that holds the lease; evidence never is (S4, S6)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from office import Office, make_office
from region import DAY_MS, Clock
from s3_server import S3Server

from server.blobs.opening import open_blobs
from server.context import Context
from server.schedule import Worker
from server.services import uploads
from server.staging import Upload
from server.store import files
from sync.problems import Problem

WEEKS = 22 * DAY_MS


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture(params=["folder", "bucket"])
def ctx(request: pytest.FixtureRequest, office: Office) -> Context:
    """The office's server, its files in a folder or in a bucket."""
    if request.param == "folder":
        return office.ctx
    server: S3Server = request.getfixturevalue("s3")
    settings = replace(office.ctx.settings, files_url=server.url("north"))
    blobs, previews = open_blobs(settings)
    return replace(office.ctx, settings=settings, blobs=blobs, previews=previews)


def named(ctx: Context, person: str) -> tuple[bytes, str]:
    """A file that an acknowledged entry of this person names."""
    data = os.urandom(3_000_000)
    sha256 = hashlib.sha256(data).hexdigest()
    one = files.NamedFile(sha256, "i1", "d1", person, "image/jpeg", "photo")
    ctx.db.write(lambda tx: files.name_files(tx, [one]))
    return data, sha256


def test_the_worker_sweeps_what_nobody_moves_on_and_what_is_held_stays(
    office: Office, ctx: Context
) -> None:
    """S4, S6: on both stores of files."""
    person = office.person_id("auditor")
    held, begun = named(ctx, person), named(ctx, person)
    uploads.begin(ctx, person, held[1], len(held[0]), "", [held[0]])
    uploads.begin(ctx, person, begun[1], len(begun[0]), "", [begun[0][:9]])
    first, second = Worker(ctx, "first"), Worker(ctx, "second")
    assert first.sweep() == 0
    assert second.sweep() is None, "another worker holds the lease"
    office.clock.at += WEEKS
    assert first.sweep() == 1
    with pytest.raises(Problem, match="upload-unknown"):
        uploads.standing(ctx, person, begun[1])
    assert ctx.blobs.digest_holds(held[1])
    assert uploads.standing(ctx, person, held[1]).offset == len(held[0])
    again = uploads.begin(ctx, person, begun[1], len(begun[0]), "", [begun[0]])
    assert again.offset == len(begun[0]) and ctx.blobs.digest_holds(begun[1])


def test_bytes_that_are_all_here_are_not_swept_though_putting_them_away_failed(
    office: Office, ctx: Context
) -> None:
    """S4: an entry names the file, and nothing of it is missing."""
    person = office.person_id("auditor")
    data, sha256 = named(ctx, person)
    upload = Upload(person, sha256, len(data), "")
    ctx.uploads.begin(upload)
    with ctx.uploads.writer(upload, 0, "turn") as writer:
        writer.write(data)
    office.clock.at += WEEKS
    assert Worker(ctx, "first").sweep() == 0
    assert uploads.standing(ctx, person, sha256).offset == len(data)
    assert ctx.blobs.digest_holds(sha256)
