"""A server whose files lie in a real S3 bucket, from the auditor's photograph to the officer."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from once import Once
from s3_server import S3Server
from small_region import Region, free_port, region_in

from server.demo.pictures import picture
from server.demo.processes import Stage

pytestmark = pytest.mark.xdist_group("bucket")


@dataclass(frozen=True, slots=True)
class BucketStage(Stage):
    """A stage whose server keeps its files in a bucket."""

    files: str = ""

    def environment(self) -> dict[str, str]:
        return {**Stage.environment(self), "TAPAK_FILES": self.files}


@pytest.fixture
def region(tmp_path: Path, s3: S3Server, once: Once) -> Iterator[Region]:
    stage = BucketStage(tmp_path, "127.0.0.1", free_port(), files=s3.url("north"))
    made = region_in(stage, once)
    yield made
    made.end()


def test_photographs_reach_the_officer_through_a_bucket(region: Region, s3: S3Server) -> None:
    """S4, S6"""
    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    base = picture("kiln", 1, lat=5.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)
    photos = [base, base + b"\0" * 9_000_000]  # sent to the bucket from memory, and from disk
    region.fieldkit("start", "bukit-contoh")
    for n, data in enumerate(photos):
        path = region.stage.folder / f"IMG_{n}.jpg"
        path.write_bytes(data)
        region.fieldkit("photo", str(path), "--item", "GEN-G1")
    region.fieldkit("sync")
    status = region.fieldkit("status")
    assert re.search(r"held safely +(\d+) of \1 entries, 2 of 2 files", status), status
    region.stage.tapak("worker", "--once")
    inspection = json.loads(region.fieldkit("status", "--json"))["inspection"]
    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        page = officer.get(f"/inspections/{inspection}").text
        for data in photos:
            sha256 = hashlib.sha256(data).hexdigest()
            preview = officer.get(re.search(rf'src="([^"]*/previews/{sha256}[^"]*)"', page)[1])
            assert preview.status_code == 200
            assert preview.headers["Content-Type"] == "image/jpeg"
            assert preview.content.startswith(b"\xff\xd8") and len(preview.content) < len(base)
            original = f"/files/{sha256}"
            assert officer.get(original).content == data
            part = officer.get(original, headers={"Range": "bytes=1000-1999"})
            assert (part.status_code, part.content) == (206, data[1000:2000])
            assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(data)}"
    held = s3.folder / "evidence" / "north" / "files"
    digests = {hashlib.sha256(data).hexdigest() for data in photos}
    assert digests <= {path.name for path in held.iterdir()}
    assert not list((region.stage.server_data / "files").iterdir())
    assert not list((region.stage.server_data / "incoming").iterdir())
    region.stage.tapak("admin", "verify")
    region.stage.tapak("admin", "rebuild")
    (held / min(digests)).write_bytes(b"altered")
    assert min(digests) in region.stage._run(("-m", "server", "admin", "verify"), None, 1)


def test_while_the_bucket_is_away_work_stays_on_the_device_and_then_goes_on(
    region: Region, s3: S3Server
) -> None:
    """S4"""
    paper = region.stage.folder / "permit.txt"
    paper.write_bytes(b"made up" * 90_000)
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("attach", str(paper), "--kind", "document", "--item", "GEN-G1")
    s3.stop()
    with pytest.raises(Exception, match="does not answer") as said:
        region.fieldkit("sync")
    assert "Traceback" not in str(said.value)
    assert "0 of 1 file" in region.fieldkit("status")
    for process in region.processes:
        process.terminate()
        process.wait()
    s3.start()
    moved = BucketStage(
        region.stage.folder, region.stage.host, region.stage.port, files=s3.url("north")
    )
    region.stage = moved
    region.serve()
    region.fieldkit("sync")
    assert "1 of 1 file" in region.fieldkit("status")


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("worker",)])
def test_wrong_keys_are_said_at_the_start_and_nothing_serves(
    tmp_path: Path, s3: S3Server, words: tuple[str, ...]
) -> None:
    stage = BucketStage(
        tmp_path, "127.0.0.1", 0, files=s3.url("x", secret_access_key="wrong-secret")
    )
    done = subprocess.run(
        [sys.executable, "-m", "server", *words],
        env=stage.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "refuses this server" in done.stderr and "AWS_" in done.stderr
    assert "serves at" not in done.stdout and "wrong-secret" not in done.stderr
