"""Ctrl-C in the middle of a sync, with real processes: nothing is lost, and it is told (S4, S7)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cutting_proxy import relay
from named_files import MB, held, named
from small_region import Region, reach

pytestmark = pytest.mark.xdist_group("stopped-sync")


def test_ctrl_c_ends_a_sync_cleanly_and_the_next_one_goes_on(region: Region) -> None:
    """S7: a large file at a kilobyte a second is stopped on its way; a second later all is said."""
    (one,) = named(region, MB)
    home = region.stage.home(region.person)
    kept = home / "files" / one.sha256[:2] / one.sha256
    kept.parent.mkdir(exist_ok=True)
    shutil.copy(one.path, kept)
    with relay(region.stage.port, []) as counted:
        reach(home, counted.port)
        process = sync_of(home, "--limit-kbps", "64", "--json")
        while counted.file_bytes() < 20_000:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate()
        reach(home, region.stage.port)
    told = json.loads(out)
    assert (process.returncode, errors) == (130, "")
    assert told["problem"]["code"] == "stopped"
    assert (told["waiting"]["entries"], told["waiting"]["files"]) == (0, 1)
    assert told["waiting"]["file_bytes"] == MB
    assert counted.file_bytes() < 200_000, "the limit held"
    assert not held(region, one)
    said = region.fieldkit("sync")
    assert held(region, one) and "1 file (1.0 MB)" in said and "waiting" not in said


def sync_of(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fieldkit", "--home", str(home), "sync", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FIELDKIT_HOME": str(home)},
    )
