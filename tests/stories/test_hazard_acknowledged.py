"""An officer acknowledges an urgent hazard, and both laptops tell who did and what is done (S7)."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import httpx
import pytest
from small_region import SITE, Region
from team import BUDI, on_laptop, on_server

from server.demo.processes import stop

pytestmark = pytest.mark.xdist_group("hazard-acknowledged")

DAM = "The dam of pond 3 is about to fail."
DONE = "Everybody was called away."


def acknowledge(team: Region, inspection: str) -> str:
    """Acknowledge the first hazard on the page; the page then."""
    with httpx.Client(base_url=team.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": team.password})
        page = officer.get(f"/inspections/{inspection}").text
        form = page[page.index('/acknowledgement">') :]
        given = {
            name: html.unescape(re.findall(rf'name="{name}" value="([^"]*)"', form)[0])
            for name in ("csrf", "hazard", "seen")
        }
        answer = officer.post(
            f"/inspections/{inspection}/acknowledgement", data={**given, "reason": DONE}
        )
        assert answer.status_code == 200, answer.text[:500]
        return html.unescape(answer.text)


def told(team: Region, person: str) -> list[str]:
    """What the laptop says, after a sync, that the office does about its one hazard."""
    team.stage.fieldkit(person, "sync")
    (one,) = json.loads(team.stage.fieldkit(person, "status", "--json"))["hazards"]
    assert one["text"] == DAM
    return [made["reason"] for made in one["acknowledged"]]


def test_an_acknowledgement_reaches_both_laptops_and_comes_back_after_a_restore(
    team: Region, tmp_path: Path
) -> None:
    """(S7, S5, S9)"""
    team.fieldkit("start", SITE.id)
    team.fieldkit("hazard", DAM)
    assert told(team, "aminah") == told(team, BUDI) == []
    inspection = str(json.loads(team.fieldkit("status", "--json"))["inspection"])
    team.stage.tapak("admin", "backup", str(tmp_path / "backup"))
    assert DONE in acknowledge(team, inspection)
    assert told(team, "aminah") == told(team, BUDI) == [DONE]
    said = " ".join(team.fieldkit("status").split())
    assert "acknowledged by the office, by " in said and DONE in said
    held = on_server(team.stage, inspection)
    for person in ("aminah", BUDI):
        assert on_laptop(team.stage, person, inspection) == held

    stop(team.processes.pop())
    team.stage.server_data.rename(team.stage.server_data.with_name("lost"))
    team.stage.tapak("admin", "restore", str(tmp_path / "backup"))
    team.serve()
    assert on_server(team.stage, inspection) != held
    assert told(team, BUDI) == told(team, "aminah") == [DONE]
    assert on_server(team.stage, inspection) == held
    assert json.loads(team.stage.tapak("admin", "verify", "--json"))["faults"] == []
