from __future__ import annotations

import pytest
from discrepancy_cases import SHA, case, flags, needs, only, photo

from checklists.discrepancies.photos import R12


def test_an_imported_photograph_without_exif_is_flagged_on_its_record() -> None:
    bare = photo(facts={"exif": False, "software": "", "sha256": SHA})
    flag = only(R12, case(photos=(bare,)))
    assert (flag.severity, flag.subject, flag.key, flag.evidence) == (
        "major",
        "record",
        SHA,
        (SHA,),
    )
    assert "IMG_0001.jpg" in flag.explanation
    assert flag.inputs["reason"] == "exif-absent"


@pytest.mark.parametrize(
    "software", ["Adobe Photoshop 25.1 (Windows)", "GIMP 2.10", "snapseed 2.0", "Lightroom"]
)
def test_an_imported_photograph_that_names_an_editor_is_flagged(software: str) -> None:
    edited = photo(facts={"exif": True, "software": software, "sha256": SHA})
    flag = only(R12, case(photos=(edited,)))
    assert flag.inputs["reason"] == "edited"
    assert software in flag.explanation


@pytest.mark.parametrize(
    "software", ["17.1", "HDR+ 1.0", "Gimpel Camera 3", "OmniGimp 1", "", None]
)
def test_firmware_that_resembles_nothing_of_the_kind_is_not(software: str | None) -> None:
    plain = photo(facts={"exif": True, "software": software, "sha256": SHA})
    assert R12.find(case(photos=(plain,))) == ()


@pytest.mark.parametrize(
    "changes",
    [{"source": "taken-here"}, {"source": "aerial"}, {"source": "scan"}, {"kind": "document"}],
)
def test_missing_exif_counts_only_for_imported_photographs(changes: dict[str, str]) -> None:
    bare = photo(facts={"exif": False, "sha256": SHA}, **changes)
    assert R12.find(case(photos=(bare,))) == ()
    away = photo(facts=None, **changes)
    assert R12.find(case(photos=(away,))) == ()


@pytest.mark.parametrize("changes", [{}, {"source": "taken-here"}, {"kind": "document"}])
def test_changed_bytes_are_flagged_whatever_the_source(changes: dict[str, str]) -> None:
    changed = photo(facts={"exif": True, "sha256": "cd" * 32}, digest_holds=False, **changes)
    flag = only(R12, case(photos=(changed,)))
    assert flag.inputs["reason"] == "digest"
    assert flag.inputs["sha256_of_the_bytes"] == "cd" * 32


def test_bytes_that_have_not_arrived_are_needed_and_nobody_is_accused() -> None:
    assert flags(R12, case(photos=(photo(facts=None),))) == []
    (need,) = needs(R12, case(photos=(photo(facts=None),)))
    assert "have not arrived" in need
    assert "IMG_0001.jpg" in need


def test_an_unreadable_picture_is_said_and_nobody_is_accused() -> None:
    cut = photo(facts=None, unreadable="it ends in the middle")
    assert flags(R12, case(photos=(cut,))) == []
    (need,) = needs(R12, case(photos=(cut,)))
    assert "it ends in the middle" in need


def test_each_photograph_has_its_own_flag_and_the_missing_ones_are_still_said() -> None:
    bare = {"exif": False}
    photos = (
        photo(sha256="01" * 32, facts=bare),
        photo(sha256="02" * 32, facts=bare),
        photo(sha256="03" * 32, facts=None),
    )
    of = case(photos=photos)
    assert [f.key for f in flags(R12, of)] == ["01" * 32, "02" * 32]
    assert len(needs(R12, of)) == 1


def test_what_a_file_says_of_itself_cannot_play_tricks_in_a_sentence() -> None:
    facts = {"exif": True, "software": "GIMP\x1b[2J\n" + "x" * 500, "sha256": SHA}
    flag = only(R12, case(photos=(photo(facts=facts, name="a\u202egpj.exe\n\n"),)))
    assert flag.explanation.isprintable()
    assert len(flag.explanation) < 400
