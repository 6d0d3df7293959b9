"""`tapak rules`: what it says of rules and cases, and the case of an inspection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from region import HILL, VISIT_1, declaration, enrolled_device, fix

import checklists.discrepancies
from checklists.discrepancies.case_file import read_case
from checklists.discrepancies.catalogue import RULES, evaluate, findings_to_json
from server.cli import main
from server.context import Context
from server.schedule import run_once
from server.services.registry import file_declaration
from server.store import assessments

CASE: dict[str, Any] = {
    "format": "tapak-case/1",
    "visited_on": "2026-03-02",
    "declaration": {
        "format": "tapak-declaration/2",
        "facility": "made-up-mine",
        "speaks_of": "2026-01-01",
        "filed": "2026-02-10",
        "status": {"state": "active"},
        "months": [
            {
                "month": "2026-01",
                "ore_t": "96000",
                "grade_pct": "0.08",
                "recovery_pct": "75",
                "output_t_reo": "120",
            }
        ],
    },
}


def run(*args: str, **kwargs: Any) -> Result:
    return CliRunner().invoke(main, ["rules", *args], **kwargs)


def test_a_case_by_hand_is_tried_as_a_whole_or_by_one_rule(tmp_path: Path) -> None:
    """V9 from a file."""
    file = tmp_path / "v9.json"
    file.write_text(json.dumps(CASE), encoding="utf-8")
    said = run("try", "--case", str(file))
    assert said.exit_code == 0, said.output
    assert "R18 critical: More output than the declared ore yields" in said.output
    assert "R21 not evaluated:" in said.output
    one = run("try", "--case", "-", "--rule", "r18", "--json", input=json.dumps(CASE))
    (flag,) = json.loads(one.stdout)["findings"]
    assert (flag["rule"], flag["severity"]) == ("R18", "critical")


def test_a_case_is_tried_by_other_thresholds(tmp_path: Path) -> None:
    shipped = Path(checklists.discrepancies.__file__).parent / "settings/default.yaml"
    text = shipped.read_text(encoding="utf-8")
    loose = tmp_path / "loose.yaml"
    wide = text.replace("assumed_ore_rel: 0.10", "assumed_ore_rel: 9")
    loose.write_text(wide, encoding="utf-8")
    file = tmp_path / "v9.json"
    file.write_text(json.dumps(CASE), encoding="utf-8")
    said = run("try", "--case", str(file), "--rule", "R18", "--thresholds", str(loose))
    assert "R18 query" in said.output, said.output


def test_what_no_inspection_can_hold_is_told_and_no_trace() -> None:
    odd = {**CASE, "visited_on": "some day", "signs": dict.fromkeys(("moving-plant",), "no")}
    odd["imported"] = {"peers": {"power_kwh_per_t_reo": ["many"] * 5}}
    odd["declaration"]["months"][0]["power_kwh"] = "5"
    said = run("try", "--case", "-", input=json.dumps(odd))
    assert said.exit_code == 1
    assert "rule R25 cannot read it" in said.stderr


def test_rules_are_listed_and_explained() -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert [one["rule"] for one in listed] == [rule.id for rule in RULES]
    said = run("explain", "r18")
    assert "More output than the declared ore yields" in said.output
    assert "Innocent causes:" in said.output
    unknown = run("explain", "R99")
    assert unknown.exit_code == 1
    assert "R18" in unknown.stderr


def test_the_case_of_an_inspection_says_what_the_server_found(
    region: Context, tmp_path: Path
) -> None:
    """A filing of version 2 and what was observed against it, from the log to the stored findings
    and to a file that is tried.
    """
    filing = json.loads(declaration(HILL, filed="2026-01-11"))
    del filing["operator"]
    filing |= {key: CASE["declaration"][key] for key in ("format", "months")}
    filing["residues"] = [{"kind": "sludge", "heap": "heap-1", "on": "2026-01-05", "m3": "100"}]
    file_declaration(region, "console", json.dumps(filing).encode())
    device = enrolled_device(region)
    device.start(VISIT_1, HILL, fix=fix())
    device.record(VISIT_1, "observed/survey/heap-1", {"value": "200", "u": "5", "unit": "m3"})
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    device.send()
    run_once(region)
    with region.db.read() as tx:
        row = assessments.find(tx, "inspection", VISIT_1)
    assert row is not None
    found = json.loads(row.findings)
    severities = {f["rule"]: f["severity"] for f in found if f["kind"] == "flag"}
    assert (severities["R18"], severities["R22"]) == ("critical", "major")
    file, data = tmp_path / "case.json", ("--data", str(tmp_path / "server"))
    said = run("dump", VISIT_1, "--output", str(file), *data)
    assert said.exit_code == 0, said.output
    assert findings_to_json(evaluate(read_case(file.read_bytes()))) == found
    assert run("dump", VISIT_1, *data).stdout_bytes == file.read_bytes()
    assert "already" in run("dump", VISIT_1, "--output", str(file), *data).stderr
    assert run("dump", "nothing", *data).exit_code == 1
