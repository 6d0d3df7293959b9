"""What is published: complete, decidable in the field, and honest about its sources."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from checklists import published
from checklists.conditions import Context, applies
from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Checklist, Item, Limits
from sync.inspection import KINDS
from sync.problems import Problem

DOMAIN = Path(__file__).parents[3] / ".." / "shared" / "domain"
KIND_OF = {
    "photo+GPS": "photo",
    "GPS track/polygon": "track",
    "document": "document",
    "sample/instrument": "sample",
    "interview": "interview",
}
SCALE_OF = {
    "FM/SM/PM/DNM": "levels",
    "FM/DNM": "met-or-not",
    "numeric vs limit or tolerance": "readings",
}
REAL = ["my", "ph", "vn"]
GAPS = {
    "climate/perfluorocarbons",
    "climate/product-intensity",
    "process/anode-effect",
    "process/ammonium-sulfate-use",
    "process/water-recycle",
    "process/water-use",
}


@pytest.fixture(scope="module")
def checklist() -> Checklist:
    """The one that holds every part of the library."""
    return load_checklist(published.checklist_bytes("rare-earth-chain"), "rare-earth-chain.yaml")


@pytest.fixture(scope="module")
def items(checklist: Checklist) -> dict[str, Item]:
    return {item.id: item for _, item in checklist.items()}


@pytest.fixture(scope="module")
def limits() -> Limits:
    return load_limits(published.limits_bytes("example"), "example.yaml")


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[str, str]]:
    if not DOMAIN.is_dir():
        pytest.skip("the folder shared/domain is not beside the project")
    with (DOMAIN / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {r["item_id"]: r for r in rows}


# -- against the domain's list of items -----------------------------------------------------------


def test_the_library_has_exactly_the_items_of_the_list(
    items: dict[str, Item], listed: dict[str, dict[str, str]]
) -> None:
    assert set(items) == set(listed)
    assert len(items) == 80


def test_pillar_severity_weight_and_scale_are_those_of_the_list(
    items: dict[str, Item], listed: dict[str, dict[str, str]]
) -> None:
    ours = {i.id: (i.pillar, i.severity, i.weight, i.scale) for i in items.values()}
    theirs = {
        r["item_id"]: (r["pillar"], r["severity"], int(r["weight"]), SCALE_OF[r["scale"]])
        for r in listed.values()
    }
    assert ours == theirs


def test_the_kinds_of_evidence_are_those_of_the_list(
    items: dict[str, Item], listed: dict[str, dict[str, str]]
) -> None:
    ours = {i.id: {p.kind for p in i.pieces} for i in items.values()}
    theirs = {
        r["item_id"]: {KIND_OF[k.strip()] for k in r["evidence"].split(";")}
        for r in listed.values()
    }
    assert ours == theirs


def test_the_clauses_are_those_of_the_list_and_none_claims_to_be_verified(
    items: dict[str, Item], listed: dict[str, dict[str, str]]
) -> None:
    ours = {i.id: ",".join(c.ref for c in i.clauses) for i in items.values()}
    assert ours == {r["item_id"]: r["clause"] for r in listed.values()}
    assert not any(c.verified for i in items.values() for c in i.clauses)


# -- can be decided in the field ------------------------------------------------------------------


def test_every_item_says_what_to_look_at_what_goes_wrong_and_what_proves_it(
    items: dict[str, Item],
) -> None:
    for item in items.values():
        assert str(item.question).endswith("?"), item.id
        assert item.look_at is not None, item.id
        assert item.mistakes is not None, item.id
        assert all(piece.hint is not None for piece in item.pieces), item.id


def test_every_scale_has_a_level_that_names_a_number(items: dict[str, Item]) -> None:
    counts = re.compile(
        r"\d|\b(one|two|three|four|all|both|none|no|every|nobody|under|fewer|less)\b", re.IGNORECASE
    )
    for item in items.values():
        for level, text in item.levels.items():
            assert counts.search(str(text)), (item.id, level)


def test_pictures_come_at_least_in_twos(items: dict[str, Item]) -> None:
    pictures = [p for i in items.values() for p in i.pieces if p.kind == "photo"]
    assert pictures
    assert all(p.at_least >= 2 for p in pictures)


def test_wells_ponds_stacks_and_the_like_are_asked_one_by_one(
    items: dict[str, Item],
) -> None:
    assert {i.id: i.instances.at_least for i in items.values() if i.instances} == {
        "GEN-E4": 2,
        "ISL-E1": 1,
        "ISL-E2": 2,
        "HRD-E1": 1,
        "HRD-E3": 1,
        "CRK-E1": 1,
        "SX-E1": 1,
        "RAD-E2": 1,
        "RAD-E4": 3,
    }


def test_units_and_analytes_can_be_typed_without_special_keys(items: dict[str, Item]) -> None:
    for item in items.values():
        for analyte in item.analytes:
            assert analyte.unit.isascii(), (item.id, analyte.id)
            assert " " not in analyte.unit


@pytest.mark.parametrize(
    ("processes", "parts"),
    [
        (("in-situ-leach",), {"GEN", "ISL"}),
        (("separation",), {"GEN", "SX"}),
        (("in-situ-leach", "separation"), {"GEN", "ISL", "SX"}),
        (("hard-rock", "cracking"), {"GEN", "HRD", "CRK"}),
        (("residue-storage", "metal-making"), {"GEN", "RAD", "MET"}),
        (("magnet-making", "recycling", "logistics"), {"GEN", "MAG", "REC", "LOG"}),
        (
            (),
            {"GEN", "ISL", "HRD", "CRK", "SX", "RAD", "MET", "MAG", "REC", "LOG"},
        ),
    ],
)
def test_the_parts_that_apply_follow_the_declared_processes(
    items: dict[str, Item], processes: tuple[str, ...], parts: set[str]
) -> None:
    context = Context(processes=processes, exposure=(0, 0, 0))
    asked = {
        i.id.split("-")[0] for i in items.values() if applies(i.condition, context) is not False
    }
    assert asked == parts


# -- what is recorded without a score -------------------------------------------------------------


def test_the_operating_signs_are_those_that_the_rules_read(checklist: Checklist) -> None:
    operating = checklist.observation("operating")
    assert operating is not None
    assert operating.type == "sign"
    assert set(operating.instances or {}) == {
        "moving-plant",
        "fresh-reagent",
        "warm-kiln",
        "discharge",
        "night-power",
    }


def test_what_is_counted_and_measured_are_numbers_with_free_instances(checklist: Checklist) -> None:
    numbers = {o.what: (o.unit, o.instances) for o in checklist.observed if o.type == "number"}
    assert numbers == {
        "headcount": ("people", None),
        "stock": ("t", None),
        "survey": ("m3", None),
        "density": ("t/m3", None),
        "disturbed": ("ha", None),
        "assay": ("%", None),
        "shipped": ("t", None),
        "meter-power": ("kWh", None),
        "meter-water": ("m3", None),
        "activity": ("Bq/g", None),
        "laboratory": ("h", None),
    }


def test_sections_and_signs_are_translated_as_drafts_and_a_language_without_falls_back(
    checklist: Checklist,
) -> None:
    operating = checklist.observation("operating")
    assert operating is not None
    assert {"ms", "id"} <= set(checklist.drafts) < set(checklist.languages)
    for language in ("ms", "id"):
        assert all(section.title.get(language)[1] for section in checklist.sections)
        assert all(label.get(language)[1] for label in (operating.instances or {}).values())
    _, item = next(checklist.items())
    for text in (item.question, *(section.title for section in checklist.sections)):
        assert text.get("xx") == (str(text), False)


# -- limits and profile ---------------------------------------------------------------------------


def test_the_example_limits_say_in_every_row_that_they_are_fictional(limits: Limits) -> None:
    assert limits.fictional is True
    assert "fictional" in limits.title
    assert all("Fictional" in row.source for row in limits.limits.values())
    assert str(limits.limits["surface-water/As"].upper) == "0.010"


def test_every_limit_is_asked_for_in_its_own_unit_and_the_gaps_are_the_intended_ones(
    items: dict[str, Item], limits: Limits
) -> None:
    asked = {a.limit_from: a.unit for i in items.values() for a in i.analytes if a.limit_from}
    assert set(asked) - set(limits.limits) == GAPS
    assert set(limits.limits) <= set(asked)
    assert all(asked[row.id] == row.unit for row in limits.limits.values())


@pytest.mark.parametrize("name", REAL)
def test_a_table_of_a_country_is_asked_for_sourced_and_not_called_verified(
    items: dict[str, Item], name: str
) -> None:
    text = published.limits_bytes(name)
    table = load_limits(text, f"{name}.yaml")
    asked = {a.limit_from: a.unit for i in items.values() for a in i.analytes if a.limit_from}
    assert (table.jurisdiction, table.fictional, table.verified) == (name, False, False)
    assert b"SECOND HAND" in text
    for row in table.limits.values():
        assert asked[row.id] == row.unit
        # Who reproduces or cites the law, and the address where it was read.
        assert re.search(r"[Aa]s (cited|reproduced)", row.source), row.id
        assert re.search(r"\b[a-z0-9-]+\.[a-z.]+/\S+", row.source), row.id
        assert "1950" < row.date < "2027", row.id


def test_tolerances_that_the_brief_gives_stand_in_the_items(items: dict[str, Item]) -> None:
    assert [str(a.upper) for a in items["GEN-G9"].analytes] == ["2"]
    assert [str(a.upper) for a in items["ISL-E4"].analytes] == ["10"]
    assert all(a.exact for n in ("GEN-G9", "ISL-E4") for a in items[n].analytes)


def test_the_default_profile_has_the_numbers_of_the_scoring_rules() -> None:
    """Scoring rules 4, 6 and 7: half-lives, pillar weights, an auditor's sigma."""
    profile = load_profile(published.profile_bytes("default"), "default.yaml")
    assert profile.pillar_weights == {"environment": 40, "social": 35, "governance": 25}
    assert profile.sigma_thousandths == 150
    days = {k: (a.fresh_days, a.half_life_days) for k, a in profile.ageing.items()}
    assert days == {
        "photo": (365, 365),
        "interview": (365, 365),
        "track": (365, 365),
        "sample": (180, 180),
    }
    assert set(KINDS) - set(days) == {"document"}


# -- names ----------------------------------------------------------------------------------------


def test_names_are_listed_and_each_one_loads() -> None:
    assert published.names() == [
        "closed-site",
        "cracking-plant",
        "hard-rock-mine",
        "in-situ-leaching-mine",
        "logistics-hub",
        "magnet-factory",
        "metal-making",
        "rare-earth-chain",
        "rare-earth-site",
        "recycling-plant",
        "residue-storage",
        "separation-plant",
    ]
    assert published.limits_names() == ["example", *REAL]
    for name in published.names():
        assert load_checklist(published.checklist_bytes(name), f"{name}.yaml").id == name


@pytest.mark.parametrize("name", ["rare-earth-sight", "../limits/example", "", "/etc/passwd"])
def test_a_name_that_is_not_published_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(Problem) as caught:
        published.checklist_bytes(name)
    assert caught.value.code == "noun-unknown"
    assert "rare-earth-site" in caught.value.remedy
