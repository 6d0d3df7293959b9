"""What does not count at the office does not count on a colleague's laptop, and the other way round
(S9, S5, S10): the real commands, a real server, two laptops.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_region import SITE, Region
from team import BUDI, on_laptop, on_server

from fieldkit.home import Home

pytestmark = pytest.mark.xdist_group("counts-on-both")


def told(words: str) -> Any:
    return json.loads(words)


def test_what_is_set_aside_counts_on_neither_until_it_is_admitted_or_the_assignment_goes_on(
    team: Region,
) -> None:
    """S9, S5: and no more once the admission is taken back."""

    def budi(*words: str) -> str:
        return team.stage.fieldkit(BUDI, *words)

    tapak = team.stage.tapak
    inspection = told(budi("start", SITE.id, "--json"))["inspection"]
    budi("answer", "GEN-G1", "FM")
    budi("sync")
    his = Home(team.stage.home(BUDI)).open_store().identity().device
    listed = told(tapak("admin", "assignments", SITE.id, "--json"))
    (mine,) = [one["id"] for one in listed if one["not_before"] == "2026-02-01"]
    tapak("admin", "end-assignment", mine, "--reason", "another team goes")
    budi("answer", "GEN-G2", "FM")
    budi("sync")

    def answered() -> tuple[set[str], int, list[str]]:
        """What is answered, how many of Budi's entries count, and what is said of the others."""
        team.fieldkit("sync")
        assert on_laptop(team.stage, "aminah", inspection) == on_server(team.stage, inspection)
        said = told(team.fieldkit("status", "--json", "--inspection", inspection))
        (colleague,) = said["colleagues"]
        done = {one["item"] for one in said["items"] if one["state"] != "open"}
        return done, colleague["entries"], [one["kind"] for one in said["held_aside"]]

    waits = ({"GEN-G1"}, 3, ["set-aside"])
    counts = ({"GEN-G1", "GEN-G2"}, 4, [])
    assert answered() == waits
    words = (inspection, his, "--by", "rosa", "--reason", "he had not heard")
    for ruling, expected in (("admit", counts), ("refuse", waits)):
        tapak("admin", "aside", ruling, *words)
        assert answered() == expected
    shown = told(team.fieldkit("entries", "--json", "--inspection", inspection))["entries"]
    assert [one["counts"] for one in shown if one["path"] == "answers/GEN-G2/-"] == [False]
    when = ("--from", "2026-02-01", "--to", "2036-01-01", "--purpose", "yearly")
    tapak("admin", "assign", SITE.id, BUDI, *when)
    assert answered() == counts


def test_what_is_handed_over_counts_once_it_is_known_who_is_assigned(
    team: Region, tmp_path: Path
) -> None:
    """S9, S10: Aminah's laptop was prepared before Budi was assigned; his knows of her."""

    def budi(*words: str) -> str:
        return team.stage.fieldkit(BUDI, *words)

    inspection = told(budi("start", SITE.id, "--json"))["inspection"]
    budi("answer", "GEN-G1", "FM")
    recipient = told(team.fieldkit("bundle", "key", "--json"))["key"]
    budi("bundle", "write", str(tmp_path / "1.tapak"), "--to", recipient)
    read = told(team.fieldkit("bundle", "read", str(tmp_path / "1.tapak"), "--json"))["read"][0]
    assert (read["entries"], read["unconfirmed"]) == (3, 3)
    said = told(team.fieldkit("status", "--json", ends_with=1))
    assert said["code"] == "inspection-unconfirmed"
    shown = told(team.fieldkit("entries", "--json"))["entries"]
    assert [one["counts"] for one in shown] == [False] * 3
    begun = told(team.fieldkit("start", SITE.id, "--json"))
    assert begun["new"] and begun["inspection"] != inspection
    # The office has heard nothing of the visit; it says who is assigned.
    team.fieldkit("sync")
    said = told(team.fieldkit("status", "--json", "--inspection", inspection))
    assert [one["entries"] for one in said["colleagues"]] == [3] and said["held_aside"] == []
    assert [one["item"] for one in said["items"] if one["state"] != "open"] == ["GEN-G1"]
    team.fieldkit("bundle", "write", str(tmp_path / "2.tapak"), "--to", BUDI.title())
    read = told(budi("bundle", "read", str(tmp_path / "2.tapak"), "--json"))["read"][0]
    assert read["entries"] and read["unconfirmed"] == 0
