"""What the pages read, on each database."""

from __future__ import annotations

from store_rows import (
    EVERY_BYTE,
    IN_BYTE_ORDER,
    NOW,
    VISIT,
    VISIT_2,
    VISIT_3,
    a_facility,
    an_assignment,
    append,
    digest,
    put_everybody,
    put_filing,
    put_region,
    put_visit,
    touch,
)

from server.store import (
    assessments,
    assignments,
    browsing,
    documents,
    facilities,
    facts,
    files,
    flags,
    gradings,
)
from server.store.assessments import AssessmentRow
from server.store.browsing import FacilityRow, FileRow, FileUse
from server.store.db import Database
from server.store.documents import Document
from server.store.facts import FactsRow
from server.store.flags import FlagRow

ONE, TWO, THREE = sorted(digest(n) for n in range(3))


def assess(db: Database, facility: str) -> None:
    row = AssessmentRow("facility", facility, facility, "2026-11-23", "B", "graded", b"s", b"", b"")
    db.write(lambda tx: assessments.replace(tx, facility, [row]))


def test_a_facility_comes_with_the_state_of_its_grade(db: Database) -> None:
    db.write(put_region)
    with db.read() as tx:
        before = browsing.facility(tx, "hill")
        assert browsing.facility(tx, "no \x00 such") is None
    assert before == FacilityRow(
        "hill", "Hill", "TH", "th-north", "North", "rare-earth", "example", True,
        None, None, None, False,
    )  # fmt: skip
    db.write(lambda tx: gradings.mark_stale(tx, "hill", "2026-11-23", NOW))
    assess(db, "hill")
    with db.read() as tx:
        found = browsing.facility(tx, "hill")
    assert (found.grade, found.grade_state, found.as_of) == ("B", "graded", "2026-11-23")
    assert found.stale is True and found.example is True


def test_facilities_come_by_name_within_the_jurisdictions_asked_for(db: Database) -> None:
    db.write(put_region)
    more = [a_facility(f"f{n}", "vn", name=name) for n, name in enumerate(IN_BYTE_ORDER)]
    db.write(lambda tx: [facilities.add(tx, one) for one in reversed(more)])
    with db.read() as tx:
        found = [one.name for one in browsing.facilities_in(tx, ["vn", "vn", "no such"])]
        assert found == sorted((*IN_BYTE_ORDER, "Delta"))
        assert browsing.facilities_in(tx, []) == []


def test_flags_come_for_many_facilities_and_for_one_inspection(db: Database) -> None:
    def flag(name: str, facility: str, inspection: str, rule: str) -> FlagRow:
        return FlagRow(name, facility, inspection, rule, "major", "s", "open", b"{}")

    a, b = flag("a", "hill", VISIT, "R13"), flag("b", "hill", VISIT, "R01")
    c = flag("c", "valley", VISIT_2, "R01")
    db.write(lambda tx: flags.replace(tx, "hill", [a, b]))
    db.write(lambda tx: flags.replace(tx, "valley", [c]))
    with db.read() as tx:
        many = [f"none {n}" for n in range(1100)]
        found = browsing.flags_of_facilities(tx, ["hill", "valley", *many])
        assert sorted(found, key=lambda f: f.id) == sorted([a, b, c], key=lambda f: f.id)
        assert list(browsing.flags_of_facilities(tx, ["valley"])) == [c]
        of_visit = browsing.flags_of_inspection(tx, VISIT)
        assert sorted(of_visit, key=lambda f: f.id) == sorted([a, b], key=lambda f: f.id)
        assert list(browsing.flags_of_inspection(tx, VISIT_3)) == []
        assert browsing.flags_with_ids(tx, [a.id, c.id, "none"]) == {a.id: a, c.id: c}


def test_scores_and_declarations_come_by_facility(db: Database) -> None:
    db.write(put_everybody)
    assess(db, "hill")
    db.write(lambda tx: put_filing(tx, "d2", "hill", EVERY_BYTE, filed="2026-02-01"))
    db.write(lambda tx: put_filing(tx, "d1", "hill", b"first"))
    with db.read() as tx:
        assert browsing.scores_of(tx, "facility", ["hill", "valley"]) == {"hill": b"s"}
        assert browsing.scores_of(tx, "inspection", ["hill"]) == {}
        found = browsing.declarations_of(tx, ["hill", "valley"])
        assert found == {"hill": [b"first", EVERY_BYTE]}


def test_inspections_come_newest_first_with_the_assigned_who_wrote_in_them(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill"))
    db.write(lambda tx: append(tx, second, VISIT, [b"a colleague's"]))
    db.write(lambda tx: touch(tx, VISIT_2, NOW + 1, "hill", "live"))
    with db.read() as tx:
        found = browsing.inspections_of(tx, ["hill", "valley"])
        assert {name: [one.id for one in some] for name, some in found.items()} == {
            "hill": [VISIT_2, VISIT]
        }
        assert browsing.auditors_of(tx, [VISIT, VISIT_2]) == {VISIT: ["Aminah"]}
    db.write(lambda tx: assignments.add(tx, an_assignment("a-b", "hill", "p-budi")))
    with db.read() as tx:
        assert browsing.auditors_of(tx, [VISIT]) == {VISIT: ["Aminah", "Budi"]}


def test_devices_and_people_are_named(db: Database) -> None:
    first, _ = db.write(put_everybody)
    with db.read() as tx:
        assert browsing.devices_named(tx, [first.id, "no such"]) == {first.id: "laptop 1"}
        assert browsing.people_named(tx, ["p-budi", "no such"]) == {"p-budi": "Budi"}
        assert browsing.people_named(tx, []) == {}


def test_files_are_known_once_their_bytes_are_here(db: Database) -> None:
    db.write(put_everybody)
    for one in (ONE, TWO):
        db.write(lambda tx, one=one: files.hold(tx, one, 2**40, "p-aminah", NOW))
    db.write(lambda tx: facts.keep(tx, FactsRow(ONE, EVERY_BYTE, None)))
    with db.read() as tx:
        assert {f.sha256: f for f in browsing.files_known(tx, [ONE, TWO, THREE])} == {
            ONE: FileRow(ONE, NOW, 2**40, EVERY_BYTE, None),
            TWO: FileRow(TWO, NOW, 2**40, None, None),
        }


def test_a_files_uses_are_those_whose_sender_brought_it_to_a_listed_facility(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE))
    db.write(lambda tx: put_visit(tx, second, VISIT_2, "valley", ONE))
    db.write(lambda tx: put_visit(tx, first, VISIT_3, "nowhere listed", ONE))
    db.write(lambda tx: files.hold(tx, ONE, 1, "p-aminah", NOW))
    with db.read() as tx:
        expected = FileUse(VISIT, "hill", "th-north", "image/jpeg", "photo")
        assert browsing.file_uses(tx, ONE) == [expected]
        assert browsing.file_uses(tx, TWO) == []


def test_documents_are_named_with_their_version(db: Database) -> None:
    new = Document(digest("doc"), "checklist", "rare-earth", "1.2", b"{}", NOW)
    db.write(lambda tx: documents.add(tx, new))
    with db.read() as tx:
        assert browsing.documents_named(tx, [new.digest, digest("no such")]) == {
            new.digest: ("rare-earth", "1.2")
        }
