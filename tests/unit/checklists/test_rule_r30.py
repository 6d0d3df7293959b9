from __future__ import annotations

from decimal import Decimal

import pytest
from discrepancy_cases import case, declared, filing, flags, needs, only
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import Case
from checklists.discrepancies.imported import Imported, ListedParty
from checklists.discrepancies.parties import R30, letters, similarity

LISTED = ListedParty("a made-up list", "E-1", "Golden Example Trading Co., Ltd.", country="MM")


def party(
    name: str, *listed: ListedParty, country: str | None = "MM", role: str = "owner", **dates: str
) -> Case:
    who = {"role": role, "name": name, "country": country, **dates}
    parties = [{k: v for k, v in who.items() if v is not None}]
    return case(
        declaration=filing(parties=parties, shipments=[]),
        imported=Imported(parties=listed or (LISTED,)),
    )


@pytest.mark.parametrize(
    "name",
    [
        "Golden Example Trading",
        "GOLDEN EXAMPLE TRADING CO LTD",
        "Trading Example Golden Pte. Ltd.",
        "Gólden Éxample Trading",
        "Golden Exemple Trading",
        "Goldn Example Trading",
    ],
)
def test_a_name_that_is_alike_is_critical_where_the_country_agrees(name: str) -> None:
    flag = only(R30, party(name))
    assert (flag.severity, flag.subject, flag.key) == ("critical", "operations", name)
    assert "A person must confirm who it is" in flag.explanation


def test_just_below_the_threshold_is_no_flag() -> None:
    """26 and 24 letters of which 23 are common: 1 - 4/50 = 0.92; one more apart is below it."""
    listed = ListedParty("a list", "E", "abcdefghijklmnopqrstuvwxyz")
    at = "abcdefghijklmnopqrstuvw1"
    assert similarity("abcdefghijklmnopqrstuvwxyz", at) == Decimal("0.92")
    assert len(flags(R30, party(at, listed))) == 1
    assert flags(R30, party("abcdefghijklmnopqrstuv12", listed)) == []


def test_a_country_that_is_unknown_or_another_makes_it_a_query() -> None:
    for country in (None, "TH"):
        flag = only(R30, party("Golden Example Trading", country=country))
        assert flag.severity == "query"
        assert "The countries do not confirm it" in flag.explanation


def test_other_names_of_an_entry_count_and_the_nearest_entry_is_told() -> None:
    far = ListedParty("a list", "E-2", "Golden Exampla Trading", country="MM")
    near = ListedParty("a list", "E-3", "Something Else", ("Golden Example Trading",), "MM")
    flag = only(R30, party("Golden Example Trading", far, near))
    assert [c["entry"] for c in flag.inputs["candidates"]] == ["E-3", "E-2"]
    assert flag.inputs["candidates"][0]["similarity"] == "1"


def test_short_names_must_be_the_same() -> None:
    listed = ListedParty("a list", "E", "Abco", country="MM")
    assert flags(R30, party("Abcd", listed)) == []
    assert only(R30, party("ABCO Ltd", listed)).severity == "critical"


def test_whoever_was_an_owner_before_or_will_be_is_no_party_on_the_day() -> None:
    assert R30.find(party("Golden Example Trading", to="2026-03-01"))[0].rule == "R30"
    assert "owners" in needs(R30, party("Golden Example Trading", to="2026-03-01"))[0]
    assert flags(R30, party("Golden Example Trading", **{"from": "2026-03-03"})) == []
    assert len(flags(R30, party("Golden Example Trading", **{"from": "2026-03-02"}))) == 1


def test_a_consignee_that_only_a_shipment_names_is_a_party() -> None:
    listed = ListedParty("a list", "E", "Made-up Separation")
    of = case(declaration=filing(parties=[]), imported=Imported(parties=(listed,)))
    assert only(R30, of).inputs["role"] == "consignee"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R30, case(declaration=None))[0]
    assert "owners" in needs(R30, case(declaration=declared()))[0]
    assert "lists of sanctions" in needs(R30, case(imported=Imported()))[0]
    assert R30.find(case(imported=Imported(parties=()))) == ()


def test_names_in_other_scripts_are_compared_as_they_are() -> None:
    thai = ListedParty("a list", "E", "บริษัท ตัวอย่าง จำกัด", country="MM")
    assert len(flags(R30, party("บริษัท ตัวอย่าง จำกัด", thai))) == 1
    assert letters("Công ty TNHH Ví Dụ") == "cong du ty vi"
    assert letters("Co., Ltd.") == "co ltd"


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_similarity_lies_between_0_and_1_and_is_the_same_either_way(a: str, b: str) -> None:
    one, other = letters(a), letters(b)
    value = similarity(one, other)
    assert 0 <= value <= 1
    assert value == similarity(other, one)
    assert (value == 1) == (one == other != "")
    least = Decimal("0.92")
    assert similarity(one, other, least) == (value if value >= least else 0)
