from __future__ import annotations

import hashlib
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
    assert (settings["id"], settings["version"]) == ("default", "1")
    assert settings["digest"] == hashlib.sha256(DATA).hexdigest()


def test_other_thresholds_change_what_a_rule_says() -> None:
    strict = DATA.replace(b"margin_m: 50 ", b"margin_m: 10 ").replace(b"version: 1", b"version: 2")
    near = case(country="XX", points=(at(402045, 901000),))
    assert R01.find(near) == ()
    flag = only(R01, case(country="XX", points=near.points, settings=load_settings(strict, "s")))
    assert flag.severity == "major"
    assert flag.inputs["thresholds"] == "default 2"


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
        (b"thresholds/1", b"thresholds/7", "s.yaml:3"),
        (b"version: 1", b"version: one", "s.yaml:5"),
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
