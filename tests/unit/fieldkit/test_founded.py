"""The inputs of a score are held against the logs, files and documents beside them (rule 10)."""

from __future__ import annotations

import copy
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from field_device import FieldDevice, enrol_again, picture
from handing import give, joined, office_sends
from memory_server import PERSON, Office

from checklists.scoring import inputs_digest, inputs_from_json, score
from checklists.scoring.rulings import evidence_digest
from fieldkit.capture import Extras, answer, observe, set_outcome
from fieldkit.export import write_export
from fieldkit.generations import own_keys
from fieldkit.library import Library
from fieldkit.preview import Sources, score_document
from fieldkit.recompute import Recomputed, recompute
from fieldkit.signing import sign_off
from sync.problems import Problem

Document = dict[str, Any]


@dataclass
class Exported:
    """An export's members, to be written again with something changed."""

    members: dict[str, bytes]
    folder: Path

    @property
    def document(self) -> Document:
        found: Document = json.loads(self.members["score.json"])
        return found

    @property
    def manifest(self) -> Document:
        found: Document = json.loads(self.members["manifest.json"])
        return found

    def checked(self, **changed: bytes | None) -> Recomputed:
        path = self.folder / "changed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (self.members | changed).items():
                if data is not None:
                    archive.writestr(name, data)
        return recompute(path)

    def forged(self, change: Callable[[Document], None]) -> tuple[str, ...]:
        """What is told where inputs were changed and the score was computed anew from them."""
        inputs = copy.deepcopy(self.document["inputs"])
        change(inputs)
        again = score(inputs_from_json(inputs), inputs_digest(inputs)).to_json()
        said = json.dumps({"inputs": inputs, "score": again}).encode()
        return self.checked(**{"score.json": said}).differences


def exported(device: FieldDevice, inspection: str, folder: Path) -> Exported:
    store = device.store
    sources = Sources(store, Library(store.database), device.home.blobs(), "2026-11-25")
    out = folder / "export.zip"
    keys = own_keys(device.home, store)
    document = score_document(sources, inspection)
    write_export(sources, store.identity(), keys, inspection, document, out)
    with zipfile.ZipFile(out) as archive:
        return Exported({name: archive.read(name) for name in archive.namelist()}, folder)


@pytest.fixture
def shared(office: Office, device: FieldDevice, tmp_path: Path) -> Exported:
    """A visit of two auditors with a photo each, of which one is side by side with the other."""
    colleague = joined(tmp_path / "colleague", office)
    inspection = device.start().inspection
    device.photo(inspection, picture(tmp_path / "a.jpg"), items=["GEN-G1"])
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    observe(device.recorder(), inspection, "headcount/miners", "24", Extras())
    give(office, device, colleague, inspection)
    colleague.photo(inspection, picture(tmp_path / "b.jpg", 7), items=["GEN-G2"])
    answer(colleague.recorder(), inspection, "GEN-G2", ["DNM"])
    answer(device.recorder(), inspection, "GEN-G2", ["FM"])
    give(office, colleague, device, inspection)
    device.sync()
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    return exported(device, inspection, tmp_path)


def test_what_the_logs_say_is_what_the_score_was_computed_from(shared: Exported) -> None:
    done = shared.checked()
    assert done.differences == ()
    visit = shared.document["inputs"]["visits"][0]
    assert {a["auditor"] for a in visit["answers"]} == {PERSON, "p-colleague"}
    assert sum(a["conflict"] for a in visit["answers"]) == 2


def test_a_ruling_that_no_log_holds_is_told(shared: Exported) -> None:
    """Rules 3 and 10: and one that the logs hold is an input like any other."""

    def invent(document: Document) -> None:
        visit = document["visits"][0]
        (given,) = [a for a in visit["answers"] if a["item"] == "GEN-G1"]
        place = {"item": "GEN-G1", "instance": "-", "answers": [given["entry"]]}
        answers = [a for a in inputs_from_json(document).visits[0].answers if a.item == "GEN-G1"]
        said = {"reason": "lost", "by": "p-officer", "at": 1, "entry": "0" * 64}
        visit["rulings"] = [{**place, **said, "evidence": evidence_digest(answers)}]

    assert any("rulings" in told for told in shared.forged(invent))


def _turn(document: Document) -> None:
    document["visits"][0]["answers"][0]["level"] = "partially"


def _drop(document: Document) -> None:
    document["visits"][0]["answers"].pop()


def _add(document: Document) -> None:
    answers = document["visits"][0]["answers"]
    answers.append(answers[0] | {"item": "GEN-G3", "entry": "0" * 64})


def _give_to_another(document: Document) -> None:
    document["visits"][0]["answers"][0]["auditor"] = "p-another"


def _hide(document: Document) -> None:
    for one in document["visits"][0]["answers"]:
        one["evidence"] = []


def _hold(document: Document) -> None:
    facts = [f for a in document["visits"][0]["answers"] for f in a["evidence"]]
    for fact in facts:
        fact["held"] = not fact["held"]


def _rejuvenate(document: Document) -> None:
    facts = [f for a in document["visits"][0]["answers"] for f in a["evidence"]]
    facts[0]["made_at"] += 1


def _refuse(document: Document) -> None:
    document["visits"][0]["outcome"] = "evacuated"


def _sign(document: Document) -> None:
    document["visits"][0]["signed"] = False


def _put_off(document: Document) -> None:
    document["visits"][0]["at"] -= 1


def _visit_twice(document: Document) -> None:
    (first,) = document["visits"]
    document["visits"].append(first | {"inspection": "another"})


def _see(document: Document) -> None:
    document["observed"] = {"headcount/miners": "2"}


def _rename(document: Document) -> None:
    document["subject"] = "another"


def _use_another_checklist(document: Document) -> None:
    text = document["checklist"]["text"] + "\n# another\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    document["checklist"] = {"sha256": digest, "text": text}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_turn, "inputs.visits."),
        (_drop, "inputs.visits."),
        (_add, "inputs.visits."),
        (_give_to_another, "inputs.visits."),
        (_hide, "inputs.visits."),
        (_hold, "inputs.visits."),
        (_rejuvenate, "inputs.visits."),
        (_refuse, "inputs.visits."),
        (_sign, "inputs.visits."),
        (_put_off, "inputs.visits."),
        (_visit_twice, "inputs.visits.another"),
        (_see, 'inputs.observed.headcount/miners: "2", the logs say "24"'),
        (_rename, "inputs.subject"),
        (_use_another_checklist, "inputs.checklist"),
    ],
)
def test_inputs_that_do_not_say_what_the_logs_say_are_told_though_the_score_follows_from_them(
    shared: Exported, change: Callable[[Document], None], told: str
) -> None:
    found = shared.forged(change)
    assert found[0].startswith(told)


def test_a_document_that_is_not_the_one_the_score_used_is_told(shared: Exported) -> None:
    for kind in ("checklist", "limits", "profile"):
        name = f"documents/{kind}.yaml"
        for data in (shared.members[name] + b"\n", None):
            (told,) = shared.checked(**{name: data}).differences
            assert told.startswith(f"documents.{kind}: ")


def test_a_file_is_held_by_the_export_or_by_the_servers_word(
    shared: Exported, tmp_path: Path
) -> None:
    """S4"""
    manifest = shared.manifest
    (sha256,) = manifest["files"]

    def without_file(**more: Any) -> Recomputed:
        said = json.dumps(manifest | {"files": []} | more).encode()
        return shared.checked(**{f"files/{sha256}": None, "manifest.json": said})

    assert without_file().differences == ()
    told = without_file(receipts=[]).differences
    assert all(".held: true, the logs say false" in one for one in told) and told
    forged = [
        {**one, "signature": manifest["certificate"]["signature"]} for one in manifest["receipts"]
    ]
    with pytest.raises(Problem, match="receipt-signature"):
        without_file(receipts=forged)


def test_a_log_of_another_inspection_or_another_device_is_refused(shared: Exported) -> None:
    manifest = shared.manifest
    first, second = manifest["logs"]

    def code(*logs: Document) -> str:
        said = json.dumps(manifest | {"logs": list(logs)}).encode()
        with pytest.raises(Problem) as caught:
            shared.checked(**{"manifest.json": said})
        return caught.value.code

    assert code(first, second | {"inspection": "another"}) == "score-export-malformed"
    assert code(first, second, first) == "score-export-malformed"
    mine = next(log for log in (first, second) if "public_key" in log)
    unsigned = mine | {"device": "another", "signatures": [], "unsigned": True}
    assert code(unsigned) == "segment-signature"


def test_lines_left_out_as_set_aside_are_counted_and_those_signed_for_told(
    shared: Exported,
) -> None:
    """S9, L7: nothing in an export proves that the office set a line aside."""
    manifest = shared.manifest
    for log in manifest["logs"]:
        lines = [json.loads(line) for line in shared.members[log["file"]].splitlines()]
        log["not_counted"] = [
            line["seq"] for line in lines if line["path"].startswith(("answers/GEN-G2", "sign-off"))
        ]
    found = shared.checked(**{"manifest.json": json.dumps(manifest).encode()})
    assert (found.aside, found.aside_signed) == (3, 0)
    for log in manifest["logs"]:
        log["not_counted"] = log["not_counted"][:1]
    found = shared.checked(**{"manifest.json": json.dumps(manifest).encode()})
    assert (found.aside, found.aside_signed) == (2, 2)
    assert any("GEN-G2" in one for one in found.differences)


def test_lines_that_the_office_set_aside_are_no_difference(
    office: Office, device: FieldDevice, tmp_path: Path
) -> None:
    """S9"""
    colleague = joined(tmp_path / "colleague", office)
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    give(office, device, colleague, inspection)
    answer(colleague.recorder(), inspection, "GEN-G1", ["DNM"])
    give(office, colleague, device, inspection)
    office_sends(office, colleague, device, inspection, {1})
    made = exported(device, inspection, tmp_path)
    found = made.checked()
    assert (found.differences, found.aside) == ((), 1)
    (given,) = made.document["inputs"]["visits"][0]["answers"]
    assert (given["level"], given["auditor"]) == ("fully", PERSON)


def test_lines_that_are_carried_for_a_lost_key_are_counted_once_and_no_difference(
    office: Office, device: FieldDevice, tmp_path: Path
) -> None:
    """S3: the export has the old log, unsigned, and the new one, which carries its lines."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    device.home.key.unlink()
    office.codes["SECOND-CODE"] = None
    enrol_again(device, "SECOND-CODE")
    device.sync()
    answer(device.recorder(), inspection, "GEN-G2", ["FM"])
    made = exported(device, inspection, tmp_path)
    found = made.checked()
    assert found.differences == ()
    assert found.unsigned >= 2  # how the visit began, and the answer
    answers = made.document["inputs"]["visits"][0]["answers"]
    assert [a["item"] for a in answers] == ["GEN-G1", "GEN-G2"]
    (former,) = [log for log in made.manifest["logs"] if log.get("unsigned")]
    carried = [json.loads(line) for line in made.members[former["file"]].splitlines()]
    assert any(line["path"].startswith("answers/GEN-G1") for line in carried)
