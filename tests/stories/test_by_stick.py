"""Inspections that travel by stick only (S10): the real commands, and a server nobody can reach."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_region import SITE, Region

from server.demo.processes import stop

pytestmark = pytest.mark.xdist_group("by-stick")

KILLED = """
import os, signal, sys
from server.blobs import Blobs
from server.cli import main
Blobs.adopt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv[1:] = ["admin", "bundle", "read", *sys.argv[1:]]
main()
"""


def inspected(region: Region) -> None:
    """A visit with a paper, signed; and from then on no network."""
    paper = region.stage.folder / "permit.txt"
    paper.write_text("EXAMPLE: a made-up permit", "utf-8")
    region.fieldkit("start", SITE.id, "--fix", "5.0,101.3,5")
    region.fieldkit("answer", "GEN-G1", "FM")
    region.fieldkit("attach", str(paper), "--kind", "document", "--item", "GEN-G1")
    for process in region.processes:
        stop(process)


def read_by_the_office(region: Region, stick: Path, *words: str) -> dict[str, object]:
    said = region.stage.tapak("admin", "bundle", "read", str(stick), *words, "--json")
    return json.loads(said)["read"][0]  # type: ignore[no-any-return]


def test_what_is_recorded_without_any_network_is_held_safely_by_stick_alone(
    region: Region, tmp_path: Path
) -> None:
    """S10, S4: there and back, and a kill -9 of the office in the middle of reading."""
    inspected(region)
    stick, back = tmp_path / "stick", tmp_path / "back"
    stick.mkdir()
    back.mkdir()
    region.fieldkit("bundle", "write", str(stick))
    before = json.loads(region.fieldkit("status", "--json"))
    assert (before["entries"]["held"], before["files"]["sent"]) == (0, 0)
    assert before["bundled"]["files"] == 1

    data = region.stage.folder / "server"
    words = [sys.executable, "-c", KILLED, str(stick), "--data", str(data)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL

    said = read_by_the_office(region, stick, "--answer", str(back))
    assert said["problem"] is None
    assert [one["became"] for one in said["files"]] == ["held"]  # type: ignore[attr-defined]
    region.stage.tapak("admin", "verify")
    region.fieldkit("bundle", "read", str(back))
    after = json.loads(region.fieldkit("status", "--json"))
    assert after["entries"]["held"] == after["entries"]["all"]
    assert after["files"]["held"] == after["files"]["all"] == 1
    assert after["bundled"] is None
    again = read_by_the_office(region, stick)
    assert again["new_entries"] == 0
    assert [one["became"] for one in again["files"]] == ["known"]  # type: ignore[attr-defined]
