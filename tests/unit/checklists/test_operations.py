"""The declaration format, version 2: what is read of it, and how its faults are named."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from discrepancy_cases import document
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.declaration import read_declaration
from checklists.discrepancies.operations import Fatalities, Operations, Quantity
from sync.problems import Problem

PAGE = Path(__file__).resolve().parents[3] / "docs/discrepancies.md"
(_BLOCK,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
EXAMPLE: dict[str, Any] = json.loads(_BLOCK)


def example(**changes: Any) -> dict[str, Any]:
    return {k: v for k, v in {**deepcopy(EXAMPLE), **changes}.items() if v is not None}


def row(key: str, **changes: Any) -> dict[str, Any]:
    """The example with its first row of a list, or its object, changed."""
    doc = example()
    first = doc[key][0] if isinstance(doc[key], list) else doc[key]
    first |= changes
    for gone in [k for k, v in first.items() if v is None]:
        del first[gone]
    return doc


def why(doc: dict[str, Any]) -> str:
    with pytest.raises(Problem) as caught:
        read_declaration(doc)
    assert caught.value.code == "declaration-malformed"
    return str(caught.value.detail["why"])


def test_all_of_the_example_is_read() -> None:
    said = read_declaration(EXAMPLE).operations
    assert said.parties is not None
    assert [(p.role, p.since, p.share_pct) for p in said.parties] == [
        ("operator", "", None),
        ("owner", "2024-07-01", Decimal(60)),
        ("consignee", "", None),
    ]
    assert said.licences is not None
    first, second = said.licences
    assert (first.scope, first.radiation, first.recognised) == (("in-situ-leach",), False, True)
    assert first.capacity == Quantity(Decimal(600))
    assert (second.radiation, second.valid_to, second.capacity) == (True, "", None)
    assert said.months is not None
    (month,) = said.months
    assert month.ore_t == Quantity(Decimal(80000), Decimal("0.10"))
    assert month.output_t_reo == Quantity(Decimal(45))
    assert [(a.name, a.t.value) for a in month.reagents] == [("ammonium-sulfate", Decimal(315))]
    assert [(a.name, a.t.value) for a in month.residues] == [("precipitate", Decimal(18))]
    assert said.shipments is not None
    (shipment,) = said.shipments
    assert (shipment.transit, shipment.origin) == (("TH",), "TH")
    assert shipment.assay[0].pct == Quantity(Decimal("3.1"), Decimal("0.02"))
    assert said.fatalities == Fatalities("2025-01-01", "2026-01-31", 0)
    assert said.annex_ii is not None
    assert said.annex_ii.document == said.documents[0].sha256
    for name in Operations.__dataclass_fields__:
        assert getattr(said, name) is not None, name


def test_what_is_not_mentioned_is_unknown_and_an_empty_list_says_none() -> None:
    said = read_declaration(example(licences=None, shipments=[])).operations
    assert said.licences is None
    assert said.shipments == ()


def test_version_1_is_read_as_ever_and_says_nothing_of_this() -> None:
    """The digest is that of the bytes it always had: a filing on file keeps its name."""
    doc = document(licences=[{"number": "EX-1"}], months="whatever")
    read = read_declaration(doc)
    assert read.operations == Operations()
    assert read.document["licences"] == [{"number": "EX-1"}]
    assert read.digest == "ff6758efacf33666bf8514faa10a1c4b36244d331ace7d3ecfa41945993ad5d8"


@pytest.mark.parametrize(
    ("doc", "says"),
    [
        (row("months", ore_t=80000), "months[1].ore_t is 80000, not a decimal number as text"),
        (row("months", ore_t={"value": "8e4"}), "months[1].ore_t.value is '8e4'"),
        (row("months", ore_t={"value": "8", "rel": 0.1}), "months[1].ore_t.rel is 0.1"),
        (row("months", ore_t={"value": "8", "u": "1"}), "months[1].ore_t.u is not known"),
        (row("months", ore_t="-8"), "months[1].ore_t is -8, which is below zero"),
        (row("months", grade_pct="108"), "months[1].grade_pct is 108, which is more than 100"),
        (row("months", month="2026-13"), "months[1].month is not a month as YYYY-MM"),
        (row("months", output="5"), "months[1].output is not known; nearest: output_t_reo"),
        (row("months", reagents=[{"t": "1"}]), "months[1].reagents[1].reagent is missing"),
        (row("months", reagents=[5]), "months[1].reagents[1] is not an object"),
        (example(months={}), "months is not a list"),
        (example(months=[{}] * 10_001), "months has more than 10000 rows"),
        (example(months=EXAMPLE["months"] * 2), "months[2] repeats 2026-01 in-situ-leach"),
        (example(shipments=EXAMPLE["shipments"] * 2), "shipments[2] repeats lot-7"),
        (example(month=[]), "month is not known; nearest: months"),
        (example(operator="Made-up Minerals"), "operator is not known"),
        (row("licences", valid_from=None), "licences[1].valid_from is missing"),
        (row("licences", valid_to="2023-12-31"), "licences[1].valid_to is before valid_from"),
        (row("licences", radiation="yes"), "licences[1].radiation is neither true nor false"),
        (row("licences", scope="all"), "licences[1].scope is not a list of texts"),
        (row("parties", role="friend"), "parties[1].role is 'friend', not one of operator"),
        (row("parties", share_pct="5"), "parties[1].share_pct belongs to an owner only"),
        (row("parties", country="Thailand"), "parties[1].country is 'Thailand'"),
        (row("headcount", people="64.5"), "headcount[1].people is '64.5', not a whole number"),
        (row("headcount", shifts="0"), "headcount[1].shifts is 0, which is less than 1"),
        (row("shipments", transit=["Burma"]), "shipments[1].transit has an area"),
        (row("shipments", date="20 Jan"), "shipments[1].date is not a day"),
        (row("deposit", measure="Dy:Nd"), "deposit[1].measure is 'Dy:Nd'"),
        (row("fatalities", to="2024-01-01"), "fatalities.to is before from"),
        (example(fatalities=[]), "fatalities is not an object"),
        (row("conflict_area", areas=["MM-11"]), "areas although the statement is none"),
        (row("conflict_area", areas=["Kachin"]), "conflict_area.areas has an area"),
        (row("annex_ii", document="b5"), "annex_ii.document is 'b5', not a SHA-256"),
        (row("stocks", document="ab" * 32), "stocks[1].document is not the SHA-256 of one of"),
        (row("documents", sha256="ab" * 32), "annex_ii.document is not the SHA-256 of one of"),
    ],
)
def test_a_fault_is_named_by_where_it_is(doc: dict[str, Any], says: str) -> None:
    assert says in why(doc)


def test_every_fault_is_told_at_once_and_very_many_are_counted() -> None:
    doc = example(boundary=[], months=[{"month": "1"}, {"month": "2026-01", "ore_t": 1}])
    for where in ("boundary", "months[1].month", "months[2].ore_t"):
        assert where in why(doc)
    text = why(example(mines=[{"name": "M"}] * 500))
    assert "mines[50].country" in text
    assert text.endswith("and 450 more")


def test_the_filers_own_members_are_kept_unread() -> None:
    doc = row("licences", **{"x-file": "cabinet 3", "note": "renewed once"})
    doc["x-sent-by"] = {"any": ["thing"]}
    assert read_declaration(doc).document == doc


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("12.5"), st.just([])
)
_SECTIONS = sorted(set(EXAMPLE) - {"format"})


@given(st.sampled_from(_SECTIONS), st.data())
def test_whatever_stands_there_is_read_or_named_and_never_breaks_the_reader(
    key: str, data: st.DataObject
) -> None:
    doc = example()
    spot: Any = doc
    name: Any = key
    while isinstance(spot[name], dict | list) and spot[name] and data.draw(st.booleans()):
        spot = spot[name]
        name = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else [0]))
    spot[name] = data.draw(_LEAVES | st.dictionaries(st.text(max_size=4), _LEAVES, max_size=2))
    try:
        read_declaration(doc)
    except Problem as exc:
        assert exc.code == "declaration-malformed"
