"""L6 on the device: values side by side with who, when and where; and the entry that ends it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from field_device import FieldDevice, picture

from fieldkit.capture import answer, load_state, set_outcome
from fieldkit.cli import cli
from fieldkit.resolving import Decision, conflicts_here, find_conflict, resolve
from fieldkit.store import Identity
from sync.conflicts import conflicts_of
from sync.entry import Entry
from sync.log import device_id, genesis, link
from sync.problems import Problem
from sync.receipt import sign_certificate

_UNREADABLE = b'{"seq":2,"path":"answers/GEN-G1/-","at":5,"replaces":[]}'
FIX = {"lat": "4.0115", "lon": "101.0125", "accuracy_m": "8", "source": "gnss"}


@dataclass
class Colleague:
    """Another device whose lines came down: they lie in the store as a sync would put them."""

    device: FieldDevice
    seed: int = 7
    person: str = "p-budi"
    name: str = "Budi Contoh"

    @property
    def identity(self) -> Identity:
        raw = Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32).public_key()
        key = raw.public_bytes_raw()
        mine = self.device.store.identity()
        return replace(mine, device=device_id(key), public_key=key, person=self.person)

    def certify(self, **more: str) -> None:
        me = self.identity
        body = {"device": me.device, "person": self.person, "person_name": self.name, **more}
        signed = sign_certificate(self.device.office.key, {**body, "name": "tablet"})
        parts = {"payload": signed.payload, "signature": signed.signature}
        text = json.dumps({k: base64.b64encode(v).decode() for k, v in parts.items()})
        with self.device.store.database.write("the certificate") as tx:
            tx.execute("insert into documents values ('certificate', ?, ?)", (me.device, text))

    def write(self, log: str, path: str, value: Any, at: int, replaces: list[str] = []) -> str:  # noqa: B006 - never changed
        with self.device.store.writing(self.identity, at, "a line that came") as tx:
            return tx.append(log, path, value, replaces=replaces)

    def write_raw(self, log: str, path: str, line: bytes) -> None:
        me = self.identity
        with self.device.store.writing(me, 1, "a line that came") as tx:
            head = [(s, h) for d, s, h in tx.heads(log) if d == me.device]
            seq, before = head[0] if head else (0, genesis(me.public_key, log))
            row = (log, me.device, seq + 1, path, line, link(before, line))
            tx.tx.execute("insert into lines values (?, ?, ?, ?, ?, ?)", row)


@pytest.fixture
def budi(device: FieldDevice) -> Colleague:
    made = Colleague(device)
    made.certify()
    return made


@pytest.fixture
def visit(device: FieldDevice) -> str:
    """An inspection whose first question this device answered."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["fully"])
    return inspection


def run(device: FieldDevice, *words: str, exit_code: int = 0) -> Result:
    said = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
    assert said.exit_code == exit_code, said.output
    return said


def ask(device: FieldDevice, *words: str, exit_code: int = 0) -> Any:
    return json.loads(run(device, *words, "--json", exit_code=exit_code).stdout)


def in_conflict(device: FieldDevice, visit: str) -> list[str]:
    return [one.path for one in conflicts_of(load_state(device.store, visit))]


def test_status_shows_every_value_with_author_time_and_place_latest_first(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """L6"""
    note = "the board is empty"
    value = {"level": "does-not-meet", "note": note, "fix": FIX}
    budi.write(visit, "answers/GEN-G1/-", value, device.clock + 60_000)
    said = run(device, "status").output
    assert said.index("does-not-meet") < said.rindex("fully")
    for words in (note, "Budi Contoh", "at 4.0115, 101.0125 ± 8 m (gnss)", "GEN-G1  "):
        assert words in said
    (one,) = ask(device, "status")["conflicts"]
    assert (one["name"], len(one["values"])) == ("GEN-G1", 2)
    first, second = one["values"]
    assert (first["by"], first["name"], first["fix"]) == ("p-budi", "Budi Contoh", FIX)
    assert first["at"] == device.clock + 60_000
    assert second["by"] == device.store.identity().person


def test_keeping_one_names_all_heads_and_nothing_is_lost(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """L6"""
    theirs = budi.write(
        visit, "answers/GEN-G1/-", {"level": "partially", "fix": FIX}, device.clock + 60_000
    )
    shown = ask(device, "resolve", "gen-g1")
    done = ask(
        device, "resolve", "GEN-G1", "--keep", "1", "--seen", shown["code"], "--why", "he saw it"
    )
    assert done["resolved"] == {"kept": theirs, "reason": "he saw it"}
    assert sorted(done["replaces"]) == sorted(v["h"] for v in shown["values"])
    state = load_state(device.store, visit).paths["answers/GEN-G1/-"]
    assert state.entry is not None and state.entry.value["level"] == "partially"
    assert state.entry.value["fix"] == FIX
    assert state.entry.replaces == tuple(done["replaces"])
    assert len(state.replaced) == 2


def test_who_gave_one_of_the_values_is_told_that_somebody_else_adjudicates(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """Scoring rule 5: the log has one value, the preview of the score both last words."""
    budi.write(visit, "answers/GEN-G1/-", {"level": "does-not-meet"}, device.clock)
    code = ask(device, "resolve", "GEN-G1")["code"]
    said = run(device, "resolve", "GEN-G1", "fully", "--seen", code)
    assert "somebody who is none of you adjudicates" in " ".join(said.output.split())
    assert in_conflict(device, visit) == []
    items = ask(device, "score")["score"]["items"]
    assert next(i for i in items if i["item"] == "GEN-G1")["adjudicate"]


def test_another_value_may_end_it_and_keeps_the_files_of_all(
    device: FieldDevice, visit: str, budi: Colleague, tmp_path: Path
) -> None:
    """L6"""
    (mine,) = device.photo(visit, picture(tmp_path / "a.jpg"))
    path = "answers/ISL-E2/well-1"
    reading = {"analyte": "pH", "value": "6.5", "unit": "1"}
    for n, files in enumerate(([], [mine.sha256])):
        one = Colleague(device, 8 + n, f"p-{n}")
        one.write(visit, path, {"readings": [reading], "evidence": files}, device.clock + n)
    code = ask(device, "resolve", "ISL-E2", "--instance", "well-1")["code"]
    run(device, "resolve", "ISL-E2/well-1", "pH=7.1±0.1", "--seen", code)
    state = load_state(device.store, visit).paths[path]
    assert state.entry is not None
    assert state.entry.value["readings"] == [
        {"analyte": "pH", "value": "7.1", "u": "0.1", "unit": "pH"}
    ]
    assert state.entry.value["evidence"] == [mine.sha256]


def test_what_arrived_after_the_listing_is_not_replaced_unseen(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """L6"""
    budi.write(visit, "answers/GEN-G1/-", {"level": "partially"}, device.clock)
    code = ask(device, "resolve", "GEN-G1")["code"]
    Colleague(device, 9, "p-chan").write(
        visit, "answers/GEN-G1/-", {"level": "does-not-meet"}, device.clock
    )
    words = ("resolve", "GEN-G1", "--keep", "1", "--seen", code)
    assert ask(device, *words, exit_code=1)["code"] == "conflict-moved"
    assert len(load_state(device.store, visit).paths["answers/GEN-G1/-"].heads) == 3
    code = ask(device, "resolve", "GEN-G1")["code"]
    run(device, "resolve", "GEN-G1", "--keep", "3", "--seen", code)
    assert in_conflict(device, visit) == []
    assert ask(device, *words, exit_code=1)["code"] == "conflict-unknown"


def test_an_answer_given_in_passing_does_not_end_a_conflict(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """L6"""
    budi.write(visit, "answers/GEN-G1/-", {"level": "partially"}, device.clock)
    with pytest.raises(Problem, match="conflict-here"):
        answer(device.recorder(), visit, "GEN-G1", ["fully"])
    assert len(load_state(device.store, visit).paths["answers/GEN-G1/-"].heads) == 2


def test_outcome_about_observation_and_what_is_said_of_a_file_are_settled_too(
    device: FieldDevice, visit: str, budi: Colleague, tmp_path: Path
) -> None:
    """L6"""
    (mine,) = device.photo(visit, picture(tmp_path / "a.jpg"))
    set_outcome(device.recorder(), visit, "visited")
    state = load_state(device.store, visit)
    about = state.paths["about"].entry
    said = state.paths[f"evidence/{mine.sha256}/{device.id}"].entry
    assert about is not None and said is not None
    run(device, "observe", "operating/warm-kiln", "yes")
    for path, value in (
        ("about", {**about.value, "purpose": "follow-up"}),
        ("outcome", {"outcome": "partly", "note": "the north gate was shut"}),
        ("observed/operating/warm-kiln", {"value": "no"}),
        (said.path, {**said.value, "note": "the kiln from the road"}),
    ):
        budi.write(visit, path, value, device.clock + 60_000)
    assert len(in_conflict(device, visit)) == 4
    shown = run(device, "status").output
    for words in ("follow-up", "the north gate was shut", "What is said of the file", "the kiln"):
        assert words in shown
    for what, how in (
        ("about", ("--keep", "1")),
        ("outcome", ("partly",)),
        ("operating/warm-kiln", ("unsure",)),
        (mine.sha256[:6], ("--keep", "1")),
    ):
        code = ask(device, "resolve", what)["code"]
        run(device, "resolve", what, *how, "--seen", code)
    assert in_conflict(device, visit) == []
    assert ask(device, "status")["outcome"] == ["partly"]


def test_a_file_and_the_beginning_are_settled_by_keeping_only(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    about = load_state(device.store, visit).paths["about"].entry
    assert about is not None
    budi.write(visit, "about", {**about.value, "purpose": "other"}, device.clock)
    code = ask(device, "resolve", "about")["code"]
    words = ("resolve", "about", "anything", "--seen", code)
    assert ask(device, *words, exit_code=1)["code"] == "conflict-keep-only"


def test_a_value_that_needs_a_newer_version_is_shown_as_such_and_not_weighed(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """L4, L6: never the value before it."""
    budi.write(visit, "answers/GEN-G1/-", {"level": "wonderful"}, device.clock)
    budi.write_raw(visit, "answers/GEN-G1/-", _UNREADABLE)
    said = run(device, "status").output
    assert said.count("needs a newer version to be read") >= 2
    shown = ask(device, "resolve", "GEN-G1")
    assert [v["value"] is None for v in shown["values"]].count(True) == 2
    for how in (("--keep", "1"), ("fully",)):
        words = ("resolve", "GEN-G1", *how, "--seen", shown["code"])
        assert ask(device, *words, exit_code=1)["code"] == "conflict-unread"


def test_who_wrote_is_told_by_the_device_not_by_the_name_in_the_entry(
    device: FieldDevice, visit: str
) -> None:
    """S9: an entry that names another person is shown as such."""
    forger = Colleague(device, 9, "p-chan", "Chan Example")
    forger.certify()
    forger.person = "p-budi"  # what its entries say from now on
    forger.write(visit, "answers/GEN-G1/-", {"level": "partially"}, device.clock)
    assert "Chan Example (the entry names p-budi)" in run(device, "status").output
    values = ask(device, "resolve", "GEN-G1")["values"]
    assert {(v["by"], v["named"]) for v in values if v["named"]} == {("p-chan", "p-budi")}


def test_an_officers_decision_that_came_down_is_marked_as_not_signed_at_the_source(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    """S9"""
    rosa = Colleague(device, 11, "p-rosa", "Rosa Contoh")
    rosa.certify(kind="account")
    rosa.write(visit, "answers/GEN-G1/-", {"level": "partially"}, device.clock + 5)
    assert "Rosa Contoh (not signed at the source)" in run(device, "status").output
    (entry,) = [
        r
        for r in load_state(device.store, visit).paths["answers/GEN-G1/-"].heads
        if isinstance(r, Entry) and r.by == "p-rosa"
    ]
    assert not entry.signed


def test_what_is_meant_is_found_by_item_instance_and_path(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    for well in ("well-1", "well-2"):
        for one in (budi, Colleague(device, 9)):
            one.write(visit, f"answers/ISL-E2/{well}", {"special": "refused"}, device.clock)
    listed = conflicts_here(device.store, device.recorder().library, visit)
    assert find_conflict(listed, "answers/ISL-E2/well-1").instance == "well-1"
    with pytest.raises(Problem, match="conflict-which"):
        find_conflict(listed, "ISL-E2")
    with pytest.raises(Problem, match="conflict-unknown"):
        find_conflict(listed, "GEN-G1")
    with pytest.raises(Problem, match="conflict-side"):
        seen = listed[0].conflict.code
        resolve(device.recorder(), visit, listed[0], seen, Decision(keep=3))


def test_deciding_without_saying_what_was_seen_is_wrong_use(
    device: FieldDevice, visit: str, budi: Colleague
) -> None:
    budi.write(visit, "answers/GEN-G1/-", {"level": "partially"}, device.clock)
    assert "--seen" in run(device, "resolve", "GEN-G1", "--keep", "1", exit_code=2).stderr
    run(device, "resolve", "GEN-G1", "fully", "--keep", "1", "--seen", "x", exit_code=2)
    assert len(in_conflict(device, visit)) == 1
