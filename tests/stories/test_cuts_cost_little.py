"""k cuts while three photographs go up: at most k x 64 kB of them travel twice (S6)."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Iterator
from itertools import count

import pytest
from cutting_proxy import relay
from named_files import MB, Evidence, held, named
from once import Once
from small_region import Region, free_port, reach, region_in

from fieldkit.pace import Pace
from fieldkit.transport import HttpTransport
from server.demo.processes import Stage
from sync.problems import Problem

pytestmark = pytest.mark.xdist_group("cuts-cost-little")

SEED = 20261125
AT_MOST = 64_000


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Region]:
    made = region_in(Stage(tmp_path_factory.mktemp("cuts"), "127.0.0.1", free_port()), once)
    yield made
    made.end()


def chunks_of(one: Evidence, start: int) -> Iterator[bytes]:
    with one.path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(65_536):
            yield chunk


@pytest.mark.parametrize("link", ["good", "bad"])
def test_a_cut_costs_at_most_64_kb(region: Region, link: str) -> None:
    """S6: over a good link in long requests, over a bad one in small ones with checksums."""
    files = named(region, 2 * MB, 3 * MB, MB)
    draw = random.Random(SEED)
    cuts = [draw.randrange(1_000, 500_000) for _ in range(20)]
    # A bad link is one where a moment passes from each look at the clock to the next.
    ticks = count()
    pace = Pace(clock=(lambda: 0.0) if link == "good" else (lambda: float(next(ticks))))
    with relay(region.stage.port, cuts) as counted:
        url, runs = f"http://127.0.0.1:{counted.port}", 0
        while not all(held(region, one) for one in files):
            runs += 1
            with (
                HttpTransport(url, files[0].token, pace) as transport,
                contextlib.suppress(Problem),
            ):
                for one in files:
                    send_again(transport, one)
        twice = counted.file_bytes() - sum(one.size for one in files)
    print(f"seed {SEED}: {counted.done} cuts, {runs} runs, {twice} bytes of files twice")
    assert counted.done >= 10
    assert twice <= counted.done * AT_MOST


def send_again(transport: HttpTransport, one: Evidence) -> None:
    """As the next run of sync does; right after a cut the server may still be verifying."""
    while True:
        try:
            return transport.send_file(one.sha256, one.size, lambda start: chunks_of(one, start))
        except Problem as exc:
            if exc.code != "upload-busy":
                raise


def test_the_device_itself_needs_no_more_than_that(region: Region) -> None:
    """S6: real fieldkit processes, one for each cut."""
    files = named(region, MB, MB, MB)
    home = region.stage.home(region.person)
    for one in files:
        kept = home / "files" / one.sha256[:2] / one.sha256
        kept.parent.mkdir(exist_ok=True)
        shutil.copy(one.path, kept)
    draw = random.Random(SEED + 1)
    with relay(region.stage.port, [draw.randrange(200_000, 800_000) for _ in range(4)]) as counted:
        reach(home, counted.port)
        while counted.done < len(counted.cuts) and not all(held(region, one) for one in files):
            region.fieldkit("sync", ends_with=3)
        region.fieldkit("sync")
        reach(home, region.stage.port)
        twice = counted.file_bytes() - sum(one.size for one in files)
    assert all(held(region, one) for one in files)
    assert counted.done >= 3
    assert twice <= counted.done * AT_MOST
