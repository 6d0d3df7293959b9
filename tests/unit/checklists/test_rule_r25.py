from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import IMPORTED, PEERS, case, filing, flags, month, needs, only

from checklists.discrepancies.case import Case
from checklists.discrepancies.imported import Imported
from checklists.discrepancies.production import R25


def used(power: Any = "2000", water: Any = "470", imported: Imported = IMPORTED) -> Case:
    """What is used for 1 t REO. The peers' median is 2,000 kWh, the median deviation 200."""
    months = [month(output_t_reo="1", power_kwh=power, water_m3=water)]
    return case(declaration=filing(months=months), imported=imported)


@pytest.mark.parametrize(
    ("power", "severity"),
    [("2600", None), ("2601", "minor"), ("1400", None), ("1399", "minor"), ("0", "minor")],
)
def test_three_median_deviations_are_allowed(power: str, severity: str | None) -> None:
    assert [f.severity for f in flags(R25, used(power))] == ([severity] if severity else [])


def test_the_flag_tells_the_range_of_the_peers() -> None:
    flag = only(R25, used("5000"))
    assert (flag.key, flag.subject) == ("power_kwh_per_t_reo", "operations")
    assert "5,000 kWh/t REO of electricity" in flag.explanation
    assert "That of 5 peers lies between 1,400 and 2,600" in flag.explanation
    assert only(R25, used(water="5000")).key == "water_m3_per_t_reo"


def test_an_even_number_of_peers_has_its_median_between_two() -> None:
    peers = {**PEERS, "power_kwh_per_t_reo": ("1", "2", "3", "4", "5", "6")}
    flag = only(R25, used("100", imported=Imported(peers=peers)))
    assert flag.inputs["median"] == "3.5"
    assert flag.inputs["median_absolute_deviation"] == "1.5"


def test_what_uncertainty_may_explain_is_asked() -> None:
    assert only(R25, used({"value": "2700", "rel": "0.01"})).severity == "minor"
    assert only(R25, used({"value": "2700", "rel": "0.05"})).severity == "query"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R25, case(declaration=None))[0]
    assert "peers" in needs(R25, used(imported=Imported()))[0]
    few = Imported(peers={"power_kwh_per_t_reo": ("1", "2", "3", "4")})
    assert needs(R25, used("9", imported=few)) == [
        "the electricity use of at least 5 peers",
        "the water use of at least 5 peers",
    ]
    assert needs(R25, used(None)) == ["electricity and output declared for the same month"]
