"""Protected entries on a device (L8): sealed when written, signed later, read by the key alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice, picture
from memory_server import Office
from pyrage import decrypt, x25519

from fieldkit.capture import set_outcome
from fieldkit.cli import cli
from fieldkit.interviews import Protection, listed, make_ready
from fieldkit.signing import sign_off
from sync.inspection_reader import read_inspection
from sync.log import Entry
from sync.merge import merge
from sync.problems import Problem
from sync.safeguarding import CHANGE, REF, Recipient, fingerprint, sign_recipients
from sync.sealed import WITHDRAWN, named_files, read_sealed, unframe
from sync.session import Change
from sync.wire import Signed

WORDS = "Kolam itu bocor setiap malam"
FORM = f"""Role: worker
Name: Siti Contoh
Consent: given
Scope: the report, without the name
Language: ms
Place: behind the third pond

{WORDS}.
She asked for nothing to be said at the gate.
"""
HOLDER = x25519.Identity.generate()


def publish_keys(office: Office, *keys: x25519.Identity, signer: Any = None) -> None:
    every = [Recipient(str(k.to_public()), "Rina (example)", "2026-11-23") for k in keys]
    signed = sign_recipients(signer or office.key, "office", every)
    office.changes.append(Change(CHANGE, REF, Signed().dump(signed)))


def fieldkit(device: FieldDevice, *words: str, given: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def safe(device: FieldDevice, office: Office) -> FieldDevice:
    """A device that knows a safeguarding key and has begun a visit."""
    publish_keys(office, HOLDER)
    device.sync()
    device.start()
    return device


def interview(device: FieldDevice, form: str = FORM, *words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        fieldkit(device, "interview", *words, "--json", given=form).stdout
    )
    return told


def sign(device: FieldDevice, shuffle: Callable[[list[Any]], None] | None = None) -> Any:
    visit = device.store.inspections()[0]
    if not read_inspection(visit, merge(device.store.records(visit))).outcome.heads:
        set_outcome(device.recorder(), visit, "visited")
    protection = Protection(device.home.blobs(), shuffle or random.Random(7).shuffle)
    return sign_off(device.recorder(), visit, protection=protection)


def sealed_entries(device: FieldDevice) -> list[Entry]:
    visit = device.store.inspections()[0]
    records = device.store.records(visit)
    return [r for r in records if isinstance(r, Entry) and r.path.startswith("sealed/")]


def opened(device: FieldDevice, entry: Entry, key: x25519.Identity = HOLDER) -> dict[str, Any]:
    """What is inside, for whoever holds the key."""
    found = read_sealed(entry)
    assert found is not None
    blobs = device.home.blobs()
    wrapped = b"".join(blobs.chunks(found.key.sha256))
    own = x25519.Identity.from_str(decrypt(wrapped, [key]).decode())
    payload = b"".join(blobs.chunks(found.payload.sha256))
    inside: dict[str, Any] = json.loads(unframe(decrypt(payload, [own]))[1])
    for file in inside["files"]:
        header, data = unframe(decrypt(b"".join(blobs.chunks(file["sha256"])), [own]))
        file |= {"data": data, "called": header["name"]}
    return inside


def on_disk(device: FieldDevice) -> bytes:
    files = [p for p in device.home.folder.rglob("*") if p.is_file()]
    return b"\n".join(str(p).encode() + b"\n" + p.read_bytes() for p in files)


# -- writing --------------------------------------------------------------------------------------


def test_what_is_said_is_nowhere_on_the_device_and_opens_with_the_key_alone(
    safe: FieldDevice, tmp_path: Path
) -> None:
    face = picture(tmp_path / "Siti-di-kolam.jpg", 77)
    told = interview(safe, FORM, "--file", str(face))
    assert told["files"] == 1
    sign(safe)
    here = on_disk(safe)
    for secret in (WORDS, "Siti", "third pond", face.read_bytes()):
        assert (secret if isinstance(secret, bytes) else secret.encode()) not in here
    (entry,) = sealed_entries(safe)
    inside = opened(safe, entry)
    assert inside["text"].startswith(WORDS)
    assert (inside["name"], inside["role"], inside["consent"]) == ("Siti Contoh", "worker", "given")
    assert inside["files"][0]["data"] == face.read_bytes()
    assert inside["files"][0]["called"] == "Siti-di-kolam.jpg"
    with pytest.raises(Exception, match="No matching keys"):
        opened(safe, entry, x25519.Identity.generate())


def test_a_sealed_entry_has_no_position_and_no_time_of_day(safe: FieldDevice) -> None:
    told = interview(safe)
    sign(safe)
    (entry,) = sealed_entries(safe)
    assert entry.path == f"sealed/{told['id']}"
    assert entry.at % 86_400_000 == 0
    assert set(entry.value) == {"payload", "key", "to"}


def test_texts_of_different_length_have_ciphertexts_that_tell_no_length(safe: FieldDevice) -> None:
    for text in ("short", "x" * 3000):
        interview(safe, f"Consent: given\n\n{text}\n")
    sign(safe)
    sizes = [entry.value["payload"]["size"] for entry in sealed_entries(safe)]
    assert max(sizes) - min(sizes) < 400, "age's header varies at random; the text does not show"


def test_a_note_needs_no_consent_and_an_interview_does(safe: FieldDevice) -> None:
    told = fieldkit(safe, "interview", given="Role: worker\n\nsomething\n", code=1)
    assert "something" not in told.output and "worker" not in told.stderr
    fieldkit(safe, "note", given="Role: guard\n\nwatches the workers\n", code=2)
    fieldkit(safe, "note", "--protected", given="Role: guard\n\nwatches the workers\n")
    sign(safe)
    inside = opened(safe, sealed_entries(safe)[0])
    assert (inside["kind"], inside["text"]) == ("note", "watches the workers")


def test_no_error_about_a_form_repeats_what_stands_in_it(safe: FieldDevice) -> None:
    for form in (
        "Siti said something\n\nx",
        "Name: Siti\nName: Siti\n\nx",
        "\n\n",
        "Consent: Siti",
    ):
        told = fieldkit(safe, "interview", given=form, code=1)
        assert "Siti" not in told.output
    assert listed(safe.store) == []


def test_a_form_may_name_its_files_and_come_from_a_file(safe: FieldDevice, tmp_path: Path) -> None:
    voice = tmp_path / "voice.m4a"
    voice.write_bytes(b"a recording" * 9000)
    form = tmp_path / "form.txt"
    form.write_text(f"Consent: not given\nFile: {voice}\n\n", "utf-8")
    told = fieldkit(safe, "interview", "--from", str(form))
    assert "delete it there yourself" in told.output
    sign(safe)
    inside = opened(safe, sealed_entries(safe)[0])
    assert inside["files"][0]["data"] == voice.read_bytes()
    assert inside["files"][0]["media_type"] in ("audio/mp4", "audio/mp4a-latm", "audio/x-m4a")


def test_a_missing_file_ends_it_before_anything_waits(safe: FieldDevice) -> None:
    fieldkit(safe, "interview", "--file", "/nowhere/at-all.jpg", given=FORM, code=1)
    assert listed(safe.store) == []


# -- keys -----------------------------------------------------------------------------------------


def test_without_a_safeguarding_key_nothing_is_written(device: FieldDevice) -> None:
    device.start()
    told = fieldkit(device, "interview", given=FORM, code=1)
    assert "safeguarding-key" in told.output
    assert WORDS.encode() not in on_disk(device)
    assert "none" in fieldkit(device, "interview", "keys").output


def test_a_list_that_the_server_did_not_sign_is_refused_whole(
    safe: FieldDevice, office: Office
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    publish_keys(office, x25519.Identity.generate(), signer=Ed25519PrivateKey.generate())
    with pytest.raises(Problem, match="safeguarding-signature"):
        safe.sync()
    interview(safe)
    sign(safe)
    assert opened(safe, sealed_entries(safe)[0])["text"].startswith(WORDS)


def test_a_key_that_is_slipped_in_later_is_not_used_until_a_person_confirms_it(
    safe: FieldDevice, office: Office
) -> None:
    fieldkit(safe, "interview", "keys")
    other = x25519.Identity.generate()
    publish_keys(office, HOLDER, other)
    safe.sync()
    told = interview(safe)
    assert [k["fingerprint"] for k in told["keys"]] == [fingerprint(str(HOLDER.to_public()))]
    shown = fieldkit(safe, "interview", "keys").output
    assert fingerprint(str(other.to_public())) in shown and "not confirmed" in shown
    fieldkit(safe, "interview", "keys", "--confirm")
    assert len(interview(safe)["keys"]) == 2
    sign(safe)
    readable = 0
    for entry in sealed_entries(safe):
        try:
            readable += opened(safe, entry, other)["text"].startswith(WORDS)
        except Exception as exc:  # noqa: BLE001 - pyrage's own
            assert "No matching keys" in str(exc)
    assert readable == 1
    noted = [r for r in safe.store.records("device") if r.path == "device/safeguarding"]
    assert [len(r.value["keys"]) for r in noted if isinstance(r, Entry)] == [1, 2]


def test_where_every_known_key_was_replaced_nothing_is_sealed_before_it_is_confirmed(
    safe: FieldDevice, office: Office
) -> None:
    fieldkit(safe, "interview", "keys")
    publish_keys(office, x25519.Identity.generate())
    safe.sync()
    told = fieldkit(safe, "interview", given=FORM, code=1)
    assert "--confirm" in told.output


# -- sign-off -------------------------------------------------------------------------------------


def test_entries_wait_for_the_sign_off_and_nothing_of_them_is_sent_before(
    safe: FieldDevice, office: Office
) -> None:
    interview(safe)
    interview(safe)
    safe.sync()
    assert not any(b"sealed/" in line for log in office.logs.values() for line in log.lines)
    assert office.files == {}
    assert "2 protected entries wait" in fieldkit(safe, "status").output
    assert {one.state for one in listed(safe.store)} == {"waits for your sign-off"}
    sign(safe)
    safe.sync()
    assert {one.state for one in listed(safe.store)} == {"held safely"}
    safe.holds_exactly()
    assert len(office.files) == 4


def test_a_second_sign_off_takes_those_recorded_since_and_one_without_any_changes_nothing(
    safe: FieldDevice,
) -> None:
    interview(safe)
    assert sign(safe).protected == 1
    before = safe.store.records(safe.store.inspections()[0])
    again = sign(safe)
    assert (again.new, again.protected) == (False, 0)
    assert safe.store.records(safe.store.inspections()[0]) == before
    interview(safe)
    third = sign(safe)
    assert (third.new, third.protected) == (True, 1)
    assert len(sealed_entries(safe)) == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_in_the_log_is_the_shuffles_and_not_that_of_recording(
    safe: FieldDevice, seed: int
) -> None:
    told = [interview(safe)["id"] for _ in range(6)]
    sign(safe, random.Random(seed).shuffle)
    wanted = sorted(told)
    random.Random(seed).shuffle(wanted)
    assert [entry.path.split("/")[1] for entry in sealed_entries(safe)] == wanted


def test_what_waits_is_kept_without_the_order_in_which_it_was_recorded(safe: FieldDevice) -> None:
    told = [interview(safe)["id"] for _ in range(6)]
    found = [row[0] for row in safe.store.database.rows("select id from sealed_waiting")]
    assert found == sorted(told)
    with pytest.raises(Problem):
        safe.store.database.rows("select rowid from sealed_waiting")


def test_a_crash_before_the_sign_off_is_whole_neither_loses_nor_doubles(
    safe: FieldDevice, office: Office
) -> None:
    told = {interview(safe)["id"] for _ in range(3)}
    visit = safe.store.inspections()[0]
    set_outcome(safe.recorder(), visit, "visited")
    protection = Protection(safe.home.blobs(), random.Random(1).shuffle)
    make_ready(protection, safe.store, visit)  # ended here: the files are kept, nothing names them
    assert {one.id for one in listed(safe.store)} == told
    store = safe.store
    with pytest.raises(RuntimeError), store.writing(store.identity(), safe.now(), "x") as log:
        from fieldkit.interviews import append_waiting

        append_waiting(log, visit, make_ready(protection, safe.store, visit))
        raise RuntimeError("the power goes")
    assert sealed_entries(safe) == []
    sign(safe)
    safe.sync()
    assert {entry.path.split("/")[1] for entry in sealed_entries(safe)} == told
    assert len(sealed_entries(safe)) == 3
    safe.holds_exactly()


# -- withdrawn ------------------------------------------------------------------------------------


def test_what_is_not_signed_yet_can_be_thrown_away_and_nothing_of_it_is_ever_sent(
    safe: FieldDevice,
) -> None:
    told = interview(safe)["id"]
    kept = interview(safe)["id"]
    fieldkit(safe, "interview", "discard", told[:8])
    sign(safe)
    assert [e.path for e in sealed_entries(safe)] == [f"sealed/{kept}"]
    assert "signed already" in fieldkit(safe, "interview", "discard", kept[:8], code=1).output
    fieldkit(safe, "interview", "discard", "0000", code=1)


def test_a_withdrawn_entry_costs_the_device_its_copy_of_the_key_and_no_other_file(
    safe: FieldDevice, office: Office, tmp_path: Path
) -> None:
    told = interview(safe)["id"]
    visit = safe.store.inspections()[0]
    safe.photo(visit, picture(tmp_path / "kiln.jpg"))
    sign(safe)
    safe.sync()
    (entry,) = sealed_entries(safe)
    found = read_sealed(entry)
    assert found is not None
    office.changes.append(Change(WITHDRAWN, told, {"id": told}))
    office.changes.append(Change(WITHDRAWN, "no-such", {"id": "no-such"}))
    safe.sync()
    blobs = safe.home.blobs()
    assert not blobs.has(found.key.sha256)
    others = [f.sha256 for kind, f in named_files(found) if kind != "sealed-key"]
    assert all(blobs.has(d) for d in others)
    assert found.key.sha256 not in {f.sha256 for f in safe.ledger.files()}
    assert "withdrawn" in fieldkit(safe, "interview", "list").output
    assert sealed_entries(safe) == [entry]
    safe.sync()
    office.epoch += 5  # a server put back from an older backup does not get the key again
    office.files.pop(found.key.sha256)
    safe.sync()
    assert found.key.sha256 not in office.files
