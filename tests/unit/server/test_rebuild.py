"""Everything that is derived can be deleted and comes out again, to the byte."""

from __future__ import annotations

import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from region import (
    DAY_MS,
    HILL,
    OTHER,
    VALLEY,
    VISIT_1,
    VISIT_2,
    VISIT_3,
    Clock,
    Device,
    enrolled_device,
    fix,
    jpeg,
    make_context,
    visit,
)
from sqlalchemy import delete, insert, select

from server.context import Context
from server.schedule import run_once
from server.services.grading import regrade
from server.services.rebuild import rebuild
from server.store import flags, tables

DERIVED = (tables.flags, tables.assessments, tables.file_facts)
SIGNS = ("moving-plant", "warm-kiln")


@pytest.fixture
def region(either_region: Context) -> Context:
    """Everything here holds on each database."""
    return either_region


def derived(ctx: Context) -> dict[str, Any]:
    """Every derived byte: table rows in order, and the previews."""
    with ctx.db.read() as tx:
        found: dict[str, Any] = {
            table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.c[:2]))]
            for table in DERIVED
        }
    found["previews"] = {
        path.relative_to(ctx.previews.shelf.folder): path.read_bytes()
        for path in ctx.previews.shelf.folder.rglob("*")
        if path.is_file()
    }
    return found


def inspected(ctx: Context) -> None:
    """Three visits with a picture used twice, a broken one, someone not assigned, a ruling."""
    device = enrolled_device(ctx)
    visit(device, VISIT_1, HILL, picture=jpeg(1), signs=SIGNS)
    visit(device, VISIT_2, VALLEY, picture=jpeg(1))
    device.start(VISIT_3, VALLEY, fix=fix("20.48", "99.88"))
    device.photo(VISIT_3, jpeg(2)[:300], ["GEN-G1/-"])
    device.photo(VISIT_3, jpeg(3), ["GEN-G1/-"], source="imported")
    device.send()
    for data in (jpeg(2)[:300], jpeg(3)):
        device.send_file(data)
    stranger = enrolled_device(ctx, OTHER, seed=2)
    stranger.record(VISIT_3, "answers/GEN-G2/-", {"level": "fully"})
    stranger.send()
    run_once(ctx)
    with ctx.db.read() as tx:
        flag = next(f for f in flags.of_facility(tx, HILL) if f.rule == "R16")
    ruling = {"kind": "flag", "subject": flag.id, "ruling": "upheld", "reason": "seen", "at": 5}
    ctx.db.write(
        lambda tx: tx.execute(
            insert(tables.rulings).values(id="r1", person=device.person, **ruling)
        )
    )
    device.record(VISIT_1, "comments/c1", {"text": "sent later"})
    device.send()
    run_once(ctx)


def test_deleting_everything_derived_and_rebuilding_gives_the_same_bytes(
    region: Context, clock: Clock
) -> None:
    inspected(region)
    before = derived(region)
    assert all(before[table.name] for table in DERIVED)
    assert len(before["previews"]) == 2
    clock.at += 40 * DAY_MS  # the date graded as of is stored, so the clock plays no part
    built = rebuild(region)
    assert (built.pictures, built.facilities, built.left) == (3, 2, {})
    assert derived(region) == before


def test_what_was_derived_wrongly_is_mended_by_rebuilding(region: Context) -> None:
    inspected(region)
    before = derived(region)
    preview = next(p for p in region.previews.shelf.folder.rglob("*") if p.is_file())
    preview.write_bytes(b"something else")
    region.db.write(lambda tx: tx.execute(delete(tables.flags)))
    region.db.write(lambda tx: tx.execute(tables.assessments.update().values(score=b"{}")))
    assert derived(region) != before
    rebuild(region)
    assert derived(region) == before


def test_a_rebuild_that_was_broken_off_is_finished_by_the_worker(region: Context) -> None:
    inspected(region)
    before = derived(region)
    rebuild(region)
    region.db.write(lambda tx: tx.execute(delete(tables.file_facts)))
    for path in [p for p in region.previews.shelf.folder.rglob("*") if p.is_file()]:
        path.unlink()
    run_once(region)
    assert derived(region) == before


def test_grading_as_of_another_day_is_a_change_and_is_kept_by_rebuilding(
    region: Context, clock: Clock
) -> None:
    inspected(region)
    before = derived(region)
    clock.at += 400 * DAY_MS
    assert regrade(region) == 2
    run_once(region)
    aged = derived(region)
    assert aged["assessments"] != before["assessments"]
    rebuild(region)
    assert derived(region) == aged


def test_the_order_in_which_logs_pictures_and_the_worker_come_changes_nothing(
    region_folder: Path, tmp_path: Path
) -> None:
    """L6"""
    found: list[dict[str, Any]] = []
    for order in permutations(range(3)):
        folder = tmp_path / "".join(map(str, order))
        shutil.copytree(region_folder / "server", folder / "server")
        ctx = make_context(folder)
        written = _written_by_three(ctx)
        for one in order:
            written[one].send()
            if one != 1:
                written[one].send_file(jpeg(1))
            run_once(ctx)
        found.append(derived(ctx))
        ctx.db.close()
    assert found[0]["flags"]
    assert all(one == found[0] for one in found)


def _written_by_three(ctx: Context) -> tuple[Device, Device, Device]:
    """Two devices in one visit, the first signing for both; a third in another visit, with the
    same picture.
    """
    first, second, third = (enrolled_device(ctx, seed=seed) for seed in (1, 2, 3))
    first.start(VISIT_1, HILL, fix=fix())
    first.photo(VISIT_1, jpeg(1), ["GEN-G1/-"])
    first.record(VISIT_1, "outcome", {"outcome": "visited"})
    second.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    second.record(VISIT_1, "observed/operating/warm-kiln", {"value": "yes"})
    first.sign_off(VISIT_1, {second.id: (2, second.hashes[VISIT_1][-1].hex())})
    third.start(VISIT_2, VALLEY)
    third.photo(VISIT_2, jpeg(1), ["GEN-G1/-"])
    third.sign_off(VISIT_2)
    return first, second, third
