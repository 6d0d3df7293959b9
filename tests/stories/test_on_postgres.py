"""The main job on PostgreSQL: several serving processes, two workers, the real commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
from real_postgres import Postgres
from small_region import Region, free_port

from server.context import open_context
from server.demo.pictures import picture
from server.demo.processes import Stage
from server.store import assessments, flags

pytestmark = pytest.mark.xdist_group("on-postgres")

SERVING = 2


@pytest.fixture
def region(tmp_path: Path, postgres: Postgres) -> Iterator[Region]:
    """A server of several processes on PostgreSQL, and an enrolled laptop."""
    name = postgres.empty()
    made = Region(Stage(tmp_path, "127.0.0.1", free_port(), postgres.url(name)))
    try:
        made.set_up()
        made.serve("--workers", str(SERVING))
        made.enrol()
        yield made
    finally:
        made.end()
        postgres.drop(name)


def derived(region: Region) -> list[tuple[object, ...]]:
    ctx = open_context(region.stage.settings())
    with ctx.db.read() as tx:
        rows = [
            *(
                (a.scope, a.subject, a.grade_state, a.score, a.inputs, a.findings)
                for a in assessments.of_facility(tx, "bukit-contoh")
            ),
            *((f.id, f.status, f.body) for f in flags.of_facility(tx, "bukit-contoh")),
        ]
    ctx.db.close()
    return rows


def test_an_inspection_goes_in_and_is_scored_and_seen_on_postgresql(region: Region) -> None:
    server = psutil.Process(region.processes[-1].pid)
    assert len(server.children()) == SERVING
    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    shot = region.stage.folder / "IMG_1.jpg"
    shot.write_bytes(
        picture("kiln", 1, lat=4.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)
    )
    region.fieldkit("start", "bukit-contoh", "--fix", "4.0,101.3,5")
    region.fieldkit("photo", str(shot), "--item", "GEN-G1")
    region.fieldkit("answer", "GEN-G1", "FM", "--note", "เห็นแล้ว")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    region.fieldkit("sync")
    workers = [region.stage.start("worker", "--once") for _ in range(2)]
    assert [one.wait() for one in workers] == [0, 0]
    before = derived(region)
    assert len(before) >= 3
    inspection = json.loads(region.fieldkit("status", "--json"))["inspection"]
    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        # A session opened by one process is known to the others.
        pages = [officer.get(f"/inspections/{inspection}") for _ in range(6)]
    assert {one.status_code for one in pages} == {200}
    assert "เห็นแล้ว" in pages[0].text and "R01" in pages[0].text
    region.stage.tapak("admin", "rebuild")
    assert derived(region) == before
    report = json.loads(region.stage.tapak("admin", "verify", "--json"))
    assert report["faults"] == []
    assert report["counts"]["files"] == 2, "the photograph and its preview"
    assert not list(region.stage.server_data.glob("*.sqlite"))
