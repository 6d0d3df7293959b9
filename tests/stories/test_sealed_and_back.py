"""Sealed into a bundle, brought by stick, corrected afterwards (S11): the real commands and server.

And a passphrase that is forgotten in between. All data are fictional.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_region import SITE, Region

from server.demo.processes import stop

pytestmark = pytest.mark.xdist_group("stories")

WORDS, NEW = "four fictional wet boots", "a fictional lamp in fog"


class Laptop:
    """The auditor's laptop, with the passphrase that they give at each command."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.words = WORDS

    def fieldkit(self, *words: str, ends_with: int = 0, **given: str) -> str:
        home = str(self.region.stage.home(self.region.person))
        done = subprocess.run(
            [sys.executable, "-m", "fieldkit", "--home", home, *words],
            env=self.region.stage.environment() | {"FIELDKIT_PASSPHRASE": self.words} | given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == ends_with, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, object]:
        return json.loads(self.fieldkit("status", "--json"))  # type: ignore[no-any-return]


def test_an_inspection_leaves_in_a_bundle_and_comes_back_for_correction(
    region: Region, tmp_path: Path
) -> None:
    """S11, S4: nothing was ever sent over the network before the bundle; then it is amended."""
    laptop, stick = Laptop(region), tmp_path / "stick"
    stick.mkdir()
    paper = region.stage.folder / "permit.txt"
    paper.write_text("EXAMPLE: a made-up permit", "utf-8")
    laptop.fieldkit("start", SITE.id, "--fix", "5.0,101.3,5")
    laptop.fieldkit("answer", "GEN-G1", "FM")
    laptop.fieldkit("attach", str(paper), "--kind", "document", "--item", "GEN-G1")
    laptop.fieldkit("outcome", "visited")
    laptop.fieldkit("sign-off")
    before = laptop.status()
    laptop.fieldkit("passphrase", "set")
    laptop.fieldkit("seal", "--bundle", str(stick))
    (sealed,) = laptop.status()["sealed"]  # type: ignore[misc]
    assert sealed["inspection"] == before["inspection"]
    assert sealed["bundle"]["confirmed_at"] is None
    told = laptop.fieldkit("seal", "--undo", sealed["inspection"][:8], "--json", ends_with=1)
    assert json.loads(told)["code"] == "seal-not-there"

    region.stage.tapak("admin", "bundle", "read", str(stick))
    laptop.fieldkit("sync")
    (sealed,) = laptop.status()["sealed"]  # type: ignore[misc]
    assert sealed["bundle"]["confirmed_at"] is not None

    asked, answered = tmp_path / "request.json", tmp_path / "answer.json"
    code = json.loads(laptop.fieldkit("passphrase", "forgotten", str(asked), "--json"))["code"]
    given = ("--reason", "forgotten after a fever", "--code", code, "--out", str(answered))
    region.stage.tapak("admin", "unwrap-draft-key", str(asked), *given)
    words = ("passphrase", "forgotten", "--answer", str(answered))
    laptop.fieldkit(*words, FIELDKIT_NEW_PASSPHRASE=NEW)
    laptop.fieldkit("status", ends_with=1)
    laptop.words = NEW

    laptop.fieldkit("seal", "--undo", sealed["inspection"][:8])
    laptop.fieldkit("answer", "GEN-G1", "DNM", "--note", "the permit had ended")
    laptop.fieldkit("sign-off")
    laptop.fieldkit("sync")
    after = laptop.status()
    assert after["signed"]
    assert after["sealed"] == []
    assert after["entries"]["held"] == after["entries"]["all"]  # type: ignore[index]
    assert after["entries"]["all"] == before["entries"]["all"] + 2  # type: ignore[index]
    assert after["files"]["held"] == after["files"]["all"] == 1  # type: ignore[index]
    for process in region.processes:
        stop(process)
    region.stage.tapak("admin", "verify")
