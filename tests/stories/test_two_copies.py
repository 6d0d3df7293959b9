"""A device's folder put back from a backup, beside the one that goes on: real processes (S3)."""

from __future__ import annotations

import json
import shutil

import pytest
from small_region import Region

pytestmark = pytest.mark.xdist_group("two-copies")


def told(region: Region, who: str, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(region.stage.fieldkit(who, *words, "--json"))
    return found


def test_both_copies_of_a_folder_bring_everything_and_each_is_told(region: Region) -> None:
    """S3: one sync, nothing to do; then the key file is lost, and an invitation is enough."""
    mine, copy = region.person, "a-copy"
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("answer", "GEN-G1", "FM")
    region.fieldkit("sync")
    shutil.copytree(region.stage.home(mine), region.stage.home(copy))
    region.fieldkit("answer", "GEN-G2", "FM")
    region.fieldkit("sync")
    region.stage.fieldkit(copy, "answer", "GEN-G2", "DNM")
    region.stage.fieldkit(copy, "outcome", "visited")
    region.stage.fieldkit(copy, "sign-off")
    text = region.stage.fieldkit(copy, "sync")
    assert "new key" in text
    assert "carried over" in text
    again = told(region, copy, "sync")
    assert set(again["waiting"].values()) == {0}  # type: ignore[attr-defined]
    assert (again["new_key"], again["carried_over"], again["refused"]) == (False, [], [])
    status = told(region, copy, "status")
    assert status["after_sign_off"] == 0
    assert [one["kind"] for one in status["held_aside"]] == ["carried"]  # type: ignore[attr-defined]
    assert "Nothing has to be done." in region.stage.fieldkit(copy, "status")
    # The copy's key is lost with what it recorded since.
    region.stage.fieldkit(copy, "answer", "GEN-G3", "FM")
    (region.stage.home(copy) / "key.ed25519").unlink()
    refused = region.stage.fieldkit(copy, "sync", ends_with=1)
    assert refused == ""
    region.stage.fieldkit(copy, "status")
    link = json.loads(region.stage.tapak("admin", "invite", mine, "--json"))["link"]
    region.stage.fieldkit(copy, "enrol", link)
    waiting = told(region, copy, "status")["held_aside"]
    assert "not-carried" in [one["kind"] for one in waiting]  # type: ignore[attr-defined]
    (carried,) = [
        c
        for c in told(region, copy, "sync")["carried_over"]
        if c["entries"]  # type: ignore[attr-defined]
    ]
    assert carried["signed"] is False
    report = json.loads(region.stage.tapak("admin", "verify", "--json"))
    assert report["faults"] == []
    assert report["counts"]["branches set aside"] >= 1
    assert report["counts"]["adopted entries"] >= 4
    assert report["counts"]["adopted without signature"] >= 1
