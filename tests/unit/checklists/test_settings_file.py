from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from discrepancy_cases import at, case, only

import checklists.discrepancies
from checklists.discrepancies.places import R01
from checklists.discrepancies.settings_file import default_settings, load_settings
from sync.problems import Problem

FILE = Path(checklists.discrepancies.__file__).parent / "settings/default.yaml"
DATA = FILE.read_bytes()


def test_the_default_thresholds_are_those_of_the_rules_table() -> None:
    settings = default_settings()
    assert settings["R01"]["margin_m"] == "50"
    assert settings["R01"]["critical_m"] == "1000"
    assert settings["R16"]["signs_needed"] == "2"
    assert "GIMP" in settings["R12"]["editors"]
    assert settings["R02"]["margin_m"] == "100"
    assert settings["R03"] == {"accuracy_m": "50", "age_s": "120"}
    assert settings["R07"]["margin_min"] == "30"
    assert settings["R08"] == {"skew_s": "120", "major_s": "3600"}
    assert settings["R09"]["speed_kmh"] == "150"
    assert (settings["id"], settings["version"]) == ("default", "3")
    assert settings["digest"] == hashlib.sha256(DATA).hexdigest()


def test_other_thresholds_change_what_a_rule_says() -> None:
    strict = DATA.replace(b"margin_m: 50 ", b"margin_m: 10 ").replace(b"version: 3", b"version: 4")
    near = case(country="XX", points=(at(402045, 901000),))
    assert R01.find(near) == ()
    flag = only(R01, case(country="XX", points=near.points, settings=load_settings(strict, "s")))
    assert flag.severity == "major"
    assert flag.inputs["thresholds"] == "default 4"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"margin_m: 50", b"margin_m: fifty", "s.yaml:8"),
        (b"margin_m: 50", b"margin_m: -5", "s.yaml:8"),
        (b"margin_m: 50", b"margin: 50", "'margin' is not known here"),
        (b"  margin_m: 50  ", b"  # ", "missing: margin_m"),
        (b"  margin_m: 50", b"  critical_m: 50", "stands there twice"),
        (b"signs_needed: 2", b"signs_needed: 0", "whole number"),
        (b"editors:\n", b"editors: GIMP\n  other:\n", "known"),
        (b"R16:", b"R99:", "'R99' is not known here"),
        (b"R16:\n", b"R16: [\n", "not YAML"),
        (b"thresholds/3", b"thresholds/7", "s.yaml:3"),
        (b"version: 3", b"version: one", "s.yaml:5"),
        (b"  skew_s: 120", b"  skew_s: soon", "number"),
        (b"least_s: 10", b"least_s: 0", "whole number"),
        (b"R09:", b"R10:", "'R10' is not known here"),
        (b"least: 3, ", b"", "missing: least"),
        (b"least: 3", b"least: few", "number"),
        (b"    - {kind: WLP", b"    - {sort: WLP", "'sort' is not known here"),
        (b"    - {kind: WLP, ratio: 2.85}", b"    - WLP", "keys are expected"),
        (b"process: in-situ-leach, reagent", b"process: [], reagent", "a short text"),
        (DATA, b"", "keys are expected"),
        (DATA, b"[" * 90_000, "not YAML"),
        (DATA, b"\xff\xfe", "not YAML"),
        (DATA, b"- 1\n- 2\n", "keys are expected"),
        (DATA, b"#" * 200_000, "too large"),
    ],
)
def test_a_malformed_file_is_a_catalogue_error_that_says_where(
    old: bytes, new: bytes, says: str
) -> None:
    assert old in DATA
    with pytest.raises(Problem) as caught:
        load_settings(DATA.replace(old, new, 1), "s.yaml")
    assert caught.value.code == "thresholds-malformed"
    assert says in str(caught.value)


def earlier(form: int, *rules: str) -> bytes:
    """The default file as it was before some rules had thresholds."""
    head, *blocks = re.split(r"(?m)^(?=R\d\d:)", DATA.decode())
    kept = [block for block in blocks if block[:3] not in rules]
    return "".join([head.replace("thresholds/3", f"thresholds/{form}"), *kept]).encode()


IN_2 = ("R02", "R03", "R07", "R08", "R09")
IN_3 = ("R05", "R06", *(rule for rule in default_settings() if rule > "R16" and rule[0] == "R"))


def test_a_file_of_an_earlier_format_takes_the_thresholds_of_later_rules_from_the_program() -> None:
    for form, later in ((1, (*IN_2, *IN_3)), (2, IN_3)):
        data = earlier(form, *later).replace(b"margin_m: 50 ", b"margin_m: 7 ")
        settings = load_settings(data, "s.yaml")
        assert settings["R01"]["margin_m"] == "7"
        assert all(settings[rule] == default_settings()[rule] for rule in later)
        assert settings["digest"] == hashlib.sha256(data).hexdigest()
        with pytest.raises(Problem):
            load_settings(earlier(form), "s.yaml")


def test_a_file_of_format_2_takes_what_came_with_format_3_from_the_program() -> None:
    settings = load_settings(earlier(2, *IN_3), "s.yaml")
    assert settings["R18"] == default_settings()["R18"]
    assert settings["R16"] == {"signs_needed": "2"}
    (band,) = settings["R20"]["bands"]
    assert (band["least"], band["most"]) == ("3", "15")
    assert [row["ratio"] for row in settings["R21"]["ratios"]] == ["2.85", "7.93", "2.63"]
