"""Safeguarding keys on the server (L8): the private half is in one file and nowhere else."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyrage import x25519
from region import AUDITOR, HILL, OTHER, VISIT_1, Clock, enrolled_device, make_context

from server.cli import main
from server.context import Context
from server.services import safeguarding
from server.services.changes import changes_after
from server.services.verify import verify
from server.store import audit, files
from server.store import sealed as sealed_store
from sync.inspection import SealedFile
from sync.problems import Problem
from sync.safeguarding import CHANGE, read_recipients
from sync.sealed import sealed_value
from sync.session import Answer

ENTRY = "5a8fad5b-d9cb-469f-a165-70867728950e"


def tapak(data: Path, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*words, "--data", str(data)])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def lists_of(ctx: Context, person: str, device: str) -> list[Any]:
    page = changes_after(ctx, person, device, None)
    return [change.body for change in page.changes if change.kind == CHANGE]


def test_the_private_key_is_in_one_file_for_its_owner_alone_and_nowhere_on_the_server(
    tmp_path: Path, region: Context
) -> None:
    out = tmp_path / "key.txt"
    done = safeguarding.make_key(region, "console", "Rina (example)", out)
    text = out.read_text("utf-8")
    (private,) = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    assert str(x25519.Identity.from_str(private).to_public()) == done.recipient
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    for path in region.settings.data.rglob("*"):
        assert not path.is_file() or private.encode() not in path.read_bytes()
    with region.db.read() as tx:
        assert private not in json.dumps(audit.lines(tx))
        assert audit.lines(tx)[-1]["action"] == "safeguarding.publish"


def test_a_path_on_the_server_is_refused_and_no_file_is_written_over(
    tmp_path: Path, region: Context
) -> None:
    inside = region.settings.data / "keys" / "safeguarding.txt"
    with pytest.raises(Problem, match="safeguarding-place"):
        safeguarding.make_key(region, "console", "Rina", inside)
    there = tmp_path / "there.txt"
    there.write_text("kept")
    with pytest.raises(Problem, match="file-exists"):
        safeguarding.make_key(region, "console", "Rina", there)
    with pytest.raises(Problem, match="folder-read-only"):
        safeguarding.make_key(region, "console", "Rina", tmp_path / "nowhere" / "key.txt")
    with pytest.raises(Problem, match="fields-malformed"):
        safeguarding.make_key(region, "console", " ", tmp_path / "nameless.txt")
    assert there.read_text() == "kept" and not (tmp_path / "nameless.txt").exists()
    assert safeguarding.keys(region) == []


def test_every_device_gets_the_list_signed_by_the_servers_key_also_one_enrolled_later(
    region: Context, tmp_path: Path
) -> None:
    device = enrolled_device(region, AUDITOR)
    assert lists_of(region, AUDITOR, device.id) == []
    one = safeguarding.make_key(region, "console", "Rina", tmp_path / "one.txt")
    other = str(x25519.Identity.generate().to_public())
    safeguarding.publish_key(region, "console", "Budi", other)
    later = enrolled_device(region, OTHER, seed=2)
    for who in (device, later):
        found = read_recipients(region.public_key, lists_of(region, who.person, who.id)[-1])
        assert {r.recipient for r in found.active} == {one.recipient, other}
    safeguarding.end_key(region, "console", one.fingerprint)
    found = read_recipients(region.public_key, lists_of(region, AUDITOR, device.id)[-1])
    assert [r.name for r in found.active] == ["Budi"]
    assert len(found.every) == 2 and found.version == 3


def test_what_is_no_key_or_published_or_ended_before_is_refused(region: Context) -> None:
    key = str(x25519.Identity.generate().to_public())
    safeguarding.publish_key(region, "console", "Rina", key)
    for given, code in ((key, "already-there"), ("age1xx", "recipient-malformed")):
        with pytest.raises(Problem, match=code):
            safeguarding.publish_key(region, "console", "Rina", given)
    with pytest.raises(Problem, match="recipient-malformed"):
        safeguarding.publish_key(region, "console", "Rina", "age1" + "q" * 58)
    safeguarding.end_key(region, "console", "rina")
    with pytest.raises(Problem, match="noun-unknown"):
        safeguarding.end_key(region, "console", "rina")


def test_the_commands_make_list_and_end_keys(tmp_path: Path) -> None:
    data, out = tmp_path / "server", tmp_path / "key.txt"
    make_context(tmp_path, Clock()).db.close()
    assert "no safeguarding key yet" in tapak(data, "admin", "safeguarding-key", "list").stdout
    words = ("admin", "safeguarding-key", "--out", str(out), "--name", "Rina")
    made = tapak(data, *words, "--json")
    told = json.loads(made.stdout)
    assert told["file"] == str(out) and "AGE-SECRET" not in made.stdout
    tapak(data, "admin", "safeguarding-key", "--name", "Rina", code=2)
    listed = tapak(data, "admin", "safeguarding-key", "list", "--json")
    assert [k["fingerprint"] for k in json.loads(listed.stdout)] == [told["fingerprint"]]
    ended = tapak(data, "admin", "safeguarding-key", "end", told["fingerprint"])
    assert "Its holder must keep it" in ended.stdout


# -- what a sealed entry names --------------------------------------------------------------------


def sealed_visit(ctx: Context) -> tuple[Any, dict[str, bytes], Answer]:
    """A device that sent a visit with one sealed entry, and the three ciphertexts."""
    device = enrolled_device(ctx)
    data = {name: b"age-encryption.org/v1\n" + name.encode() for name in ("payload", "key", "file")}
    named = {name: SealedFile(digest(raw), len(raw)) for name, raw in data.items()}
    device.start(VISIT_1, HILL)
    value = sealed_value(named["payload"], named["key"], (named["file"],), ("aaaa",))
    device.record(VISIT_1, f"sealed/{ENTRY}", value, at=ctx.now())
    return device, data, device.send()


def digest(raw: bytes) -> str:
    import hashlib

    return hashlib.sha256(raw).hexdigest()


def test_the_files_of_a_sealed_entry_are_asked_for_taken_and_receipted_like_all_others(
    region: Context,
) -> None:
    device, data, answer = sealed_visit(region)
    assert set(answer.missing) == {digest(raw) for raw in data.values()}
    for raw in data.values():
        device.send_file(raw)
    with region.db.read() as tx:
        kinds = {f.kind for f in files.names_in(tx, VISIT_1)}
        (row,) = sealed_store.of_entry(tx, ENTRY)
    assert kinds == {"sealed", "sealed-key", "sealed-file"}
    assert (row.inspection, row.device, row.files) == (VISIT_1, device.id, 1)
    report = verify(region)
    assert report.faults == () and report.counts["files"] == 3
