"""Forked logs: a branch is set aside whole, however it comes, and told once (S2, S3, L4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from test_intake import Laptop, copy_of, enrolled, stored

from server.context import Context, open_context
from server.services import branches as services
from server.services.branches import Branch, Walked, walk, whole
from server.services.verify import verify
from server.settings import read_settings
from server.store import audit, branches, tables
from sync.log import Segment, sign_head


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    opened = open_context(read_settings(tmp_path, environ={}))
    yield opened
    opened.db.close()


@pytest.fixture
def laptop(ctx: Context) -> Laptop:
    """Five entries, all of them sent."""
    one = enrolled(ctx, 1, "p-aaaaaaaa")
    write(one, "first", 5)
    assert states(one, one.segment()) == [("held", 5)]
    return one


def write(laptop: Laptop, text: str, count: int) -> None:
    for n in range(count):
        laptop.write("comments/other", {"text": f"{text} {n}"})


def states(laptop: Laptop, *segments: Segment) -> list[tuple[str, int]]:
    return [(s.state, s.seq) for s in laptop.send(*segments).logs]


def aside(ctx: Context) -> list[Branch]:
    with ctx.db.read() as tx:
        return whole(branches.every(tx))


def lines_of(branch: Branch) -> list[bytes]:
    return [line for run in branch.runs for line in run.lines]


def told(ctx: Context) -> int:
    with ctx.db.read() as tx:
        return sum(line["action"] == "log.forked" for line in audit.lines(tx))


def faults(ctx: Context) -> list[str]:
    return [f.why for f in verify(ctx).faults if f.what == "branch"]


@pytest.fixture
def other(laptop: Laptop) -> Laptop:
    """The device as a backup put it back after entry 3; it wrote nine others since."""
    copy = copy_of(laptop, 3)
    write(copy, "second", 9)
    return copy


CUTS = {
    "all at once": [(1, 12)],
    "from the fork on": [(4, 12)],
    "in several segments": [(1, 5), (6, 6), (7, 12)],
    "beginning before the fork": [(3, 4), (5, 9), (10, 12)],
    "overlapping": [(2, 6), (4, 8), (4, 12), (9, 12)],
}


@pytest.mark.parametrize("together", [True, False], ids=["one request", "several requests"])
@pytest.mark.parametrize("cuts", CUTS.values(), ids=list(CUTS))
def test_a_branch_is_set_aside_whole_however_it_is_cut(
    ctx: Context,
    laptop: Laptop,
    other: Laptop,
    cuts: list[tuple[int, int]],
    together: bool,
) -> None:
    """S3: every line of it, once, told to the device from where on, and once to staff."""
    sent = [other.segment(first, last) for first, last in cuts]
    said = states(other, *sent) if together else [s for one in sent for s in states(other, one)]
    assert said == [("forked", 4)] * len(cuts)
    (branch,) = aside(ctx)
    assert lines_of(branch) == other.lines[3:]
    assert (branch.fork, branch.last, branch.lines) == (4, 12, 9)
    assert told(ctx) == 1
    assert stored(ctx, laptop) == laptop.lines
    assert faults(ctx) == []


def test_what_comes_again_changes_nothing_and_is_answered_the_same(
    ctx: Context, laptop: Laptop, other: Laptop
) -> None:
    """S2, S3: also when it is cut otherwise, or has grown meanwhile."""
    states(other, other.segment(4, 6))
    states(other, other.segment(7, 12))
    for first, last in ((4, 6), (7, 12), (8, 9), (1, 12), (5, 5)):
        assert states(other, other.segment(first, last)) == [("forked", 4)]
    assert lines_of(aside(ctx)[0]) == other.lines[3:]
    write(other, "later", 2)
    assert states(other, other.segment(1)) == [("forked", 4)]
    (branch,) = aside(ctx)
    assert lines_of(branch) == other.lines[3:]
    assert told(ctx) == 1
    assert faults(ctx) == []


def test_the_log_itself_goes_on_beside_its_branch(
    ctx: Context, laptop: Laptop, other: Laptop
) -> None:
    """S3: of two copies of a device one goes on under the old key."""
    states(other, other.segment())
    write(laptop, "first again", 4)
    assert states(laptop, laptop.segment(6)) == [("held", 9)]
    assert states(other, other.segment(10)) == [("forked", 4)]
    assert stored(ctx, laptop) == laptop.lines
    assert faults(ctx) == []


def test_two_branches_are_two_and_a_branch_may_part_again(
    ctx: Context, laptop: Laptop, other: Laptop
) -> None:
    """S3: three copies of a backup, and a copy of a copy."""
    third = copy_of(laptop, 4)
    write(third, "third", 2)
    parted = copy_of(other, 8)
    write(parted, "parted", 2)
    for copy in (other, third, parted):
        assert states(copy, copy.segment())[0][0] == "forked"
    first, second = aside(ctx)
    assert lines_of(first) == [*other.lines[3:], *parted.lines[8:]]
    assert (second.fork, lines_of(second)) == (5, third.lines[4:])
    assert told(ctx) == 2
    assert faults(ctx) == []


def test_what_no_chain_leads_to_is_refused_or_asked_for(
    ctx: Context, laptop: Laptop, other: Laptop
) -> None:
    """L4, S3: nobody fills the quarantine with what the device did not sign."""
    states(other, other.segment(4, 6))
    bad = Segment(other.id, other.segment().inspection, 5, (b"{}",), sign_head(other.key, b"x"))
    assert states(other, bad) == [("refused", 0)]
    # The branch is held up to 6: of 9 to 12 nothing can be proved yet.
    assert states(other, other.segment(9)) == [("gap", 6)]
    assert lines_of(aside(ctx)[0]) == other.lines[3:6]


def test_a_branch_kept_by_an_earlier_version_is_gone_on_with(
    ctx: Context, laptop: Laptop, other: Laptop
) -> None:
    """S3: of such a branch the columns for the whole are empty."""
    states(other, other.segment(3, 6))
    nothing = {"root": None, "fork": None, "before": None}
    ctx.db.write(lambda tx: tx.execute(tables.quarantine.update().values(**nothing)))
    assert states(other, other.segment(7)) == [("forked", 4)]
    assert lines_of(aside(ctx)[0]) == other.lines[3:]
    assert faults(ctx) == []


@pytest.mark.parametrize("column", ["branch", "before", "signature"])
def test_a_changed_byte_of_a_branch_is_found(
    ctx: Context, laptop: Laptop, other: Laptop, column: str
) -> None:
    """S3, L4: by the digest, the chain or the signature."""
    states(other, other.segment(4, 8))
    states(other, other.segment(9))
    last = tables.quarantine.c.first == 9
    with ctx.db.read() as tx:
        value = tx.execute(select(tables.quarantine.c[column]).where(last)).scalar_one()
    changed = bytes([value[0] ^ 1]) + value[1:]
    ctx.db.write(
        lambda tx: tx.execute(tables.quarantine.update().where(last).values({column: changed}))
    )
    assert len(faults(ctx)) == 1


def test_a_branch_is_walked_without_keeping_its_lines(
    ctx: Context, laptop: Laptop, other: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3, S12: a branch may be far larger than memory: runs come one by one, and go."""
    for last in range(4, 9):
        states(other, other.segment(last, last))
    kept: list[Walked] = []

    def watched(*given: Any) -> Walked:
        kept.append(walk(*given))
        return kept[-1]

    monkeypatch.setattr(services, "walk", watched)
    assert states(other, other.segment(9)) == [("forked", 4)]
    assert [seq for seq, _ in kept[-1].at] == [4, 5, 6, 7, 8]
    assert all(run.lines == () for run in kept[-1].at.values())
    with ctx.db.read() as tx:
        assert isinstance(branches.of_log(tx, "a device", "a log"), Iterator)
