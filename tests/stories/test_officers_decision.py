"""What an officer decides travels down to both laptops, and outlives a restored server (L6, S9)."""

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

pytestmark = pytest.mark.xdist_group("officers-decision")


def decide(team: Region, inspection: str, keep: int, reason: str) -> str:
    """Decide the first conflict on the page by keeping the value at this place; the page then."""
    with httpx.Client(base_url=team.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": team.password})
        page = officer.get(f"/inspections/{inspection}").text
        form = page[page.index('action="/inspections/' + inspection + '/resolution"') :]
        given = {
            name: html.unescape(re.findall(rf'name="{name}" value="([^"]*)"', form)[0])
            for name in ("csrf", "path", "seen")
        }
        kept = re.findall(r'name="keep" value="([0-9a-f]{64})"', form)[keep]
        answer = officer.post(
            f"/inspections/{inspection}/resolution", data={**given, "keep": kept, "reason": reason}
        )
        assert answer.status_code == 200, answer.text[:500]
        return html.unescape(answer.text)


def disagree(team: Region) -> str:
    """Two laptops answer one question otherwise, each without knowing of the other."""
    team.fieldkit("start", SITE.id)
    team.fieldkit("sync")
    team.stage.fieldkit(BUDI, "sync")
    team.stage.fieldkit(BUDI, "start", SITE.id)
    team.fieldkit("answer", "GEN-G2", "FM")
    team.stage.fieldkit(BUDI, "answer", "GEN-G2", "DNM")
    for sync in (team.fieldkit, budi_of(team), team.fieldkit):
        sync("sync")
    told = json.loads(team.fieldkit("status", "--json"))
    assert [one["path"] for one in told["conflicts"]] == ["answers/GEN-G2/-"]
    return str(told["inspection"])


def budi_of(team: Region):  # type: ignore[no-untyped-def]
    return lambda *words: team.stage.fieldkit(BUDI, *words)


def settled(team: Region, inspection: str) -> None:
    """After a sync both laptops and the server stand at the same bytes, without a conflict."""
    for person in ("aminah", BUDI):
        team.stage.fieldkit(person, "sync")
        told = json.loads(team.stage.fieldkit(person, "status", "--json"))
        assert told["conflicts"] == [], person
        assert on_laptop(team.stage, person, inspection) == on_server(team.stage, inspection)


def test_a_decision_travels_down_and_is_followed_by_a_decision_after_a_restore(
    team: Region, tmp_path: Path
) -> None:
    """(L6, S5, S9) The officer's log is the server's; a restored server begins another one."""
    inspection = disagree(team)
    page = decide(team, inspection, 0, "the photograph shows it")
    assert "values side by side" not in page
    settled(team, inspection)
    team.stage.tapak("admin", "backup", str(tmp_path / "backup"))
    verified = json.loads(team.stage.tapak("admin", "verify", "--json"))
    assert verified["faults"] == []

    # Work goes on after the backup, and is lost on the server with it.
    team.fieldkit("answer", "GEN-G3", "FM")
    team.fieldkit("sync")
    stop(team.processes.pop())
    lost = team.stage.server_data.with_name("lost")
    team.stage.server_data.rename(lost)
    team.stage.tapak("admin", "restore", str(tmp_path / "backup"))
    team.serve()
    settled(team, inspection)
    # Both change their minds without knowing of the other, and the officer decides again.
    team.fieldkit("answer", "GEN-G2", "PM")
    team.stage.fieldkit(BUDI, "answer", "GEN-G2", "SM")
    for sync in (team.fieldkit, budi_of(team), team.fieldkit):
        sync("sync")
    decide(team, inspection, 1, "seen again")
    settled(team, inspection)
    assert json.loads(team.stage.tapak("admin", "verify", "--json"))["faults"] == []
    trail = json.loads(team.stage.tapak("admin", "audit", "--json"))
    decided = [one for one in trail if one["action"].startswith("conflict")]
    assert len(decided) == 2


def lose_the_server(team: Region, backup: Path) -> None:
    """The server goes, with all that came after the backup, and is put back from that."""
    stop(team.processes.pop())
    lost = team.stage.server_data.with_name("lost")
    team.stage.server_data.rename(lost)
    team.stage.tapak("admin", "restore", str(backup))
    team.serve()


def test_a_decision_that_a_restored_server_has_lost_comes_back_with_the_first_laptop(
    team: Region, tmp_path: Path
) -> None:
    """(S5, S9) It was signed by the server's own hand; whoever received it gives it back."""
    inspection = disagree(team)
    team.stage.tapak("admin", "backup", str(tmp_path / "backup"))
    decide(team, inspection, 0, "the photograph shows it")
    settled(team, inspection)
    decided = on_server(team.stage, inspection)

    lose_the_server(team, tmp_path / "backup")
    assert on_server(team.stage, inspection) != decided
    told = json.loads(team.fieldkit("sync", "--json"))
    assert told["restored"] and told["refused"] == []
    assert on_server(team.stage, inspection) == decided
    settled(team, inspection)
    assert json.loads(team.stage.tapak("admin", "verify", "--json"))["faults"] == []
    trail = json.loads(team.stage.tapak("admin", "audit", "--json"))
    assert [one["action"] for one in trail].count("account.known-again") == 1
    (back,) = [one for one in trail if one["action"] == "decision.returned"]
    assert back["subject"] == f"inspection:{inspection}"
    # Nothing is offered twice: a sync with nothing to say is one request again.
    quiet = json.loads(team.fieldkit("sync", "--json"))
    assert (quiet["requests"], quiet["restored"]) == (1, False)
