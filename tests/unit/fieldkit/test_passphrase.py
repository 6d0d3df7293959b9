"""Everything on a device sealed under a passphrase, and back (S11). All data are fictional."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from field_device import FieldDevice, picture
from memory_server import Office

from fieldkit import passphrase as passphrases
from fieldkit.capture import Extras, answer, load_inspection
from fieldkit.home import PLAIN, SEALED, Home
from fieldkit.passphrase import change_passphrase, remove_passphrase, set_passphrase, unlock
from fieldkit.vault import Cost, has_vault, open_vault, unseal
from sync.problems import Problem

QUICK = Cost(1, 64, 1)
WORDS = "four fictional wet boots"


@pytest.fixture
def worked(device: FieldDevice, tmp_path: Path) -> FieldDevice:
    """A device with an inspection: answers, a photo with text in it, a document."""
    device.home.blobs()
    begun = device.start()
    _answer(device, begun.inspection, "the warden Salmah binti Contoh said so")
    photo = picture(tmp_path / "P1010001.JPG")
    photo.write_bytes(photo.read_bytes() + b"MAKER-NOTE-OF-A-FICTIONAL-CAMERA")
    device.photo(begun.inspection, photo, items=["GEN-G1"])
    large = tmp_path / "report.pdf"
    large.write_bytes(b"%PDF fictional laboratory " * 20_000)
    device.document(begun.inspection, large)
    return device


def _answer(device: FieldDevice, inspection: str, note: str) -> None:
    answer(device.recorder(), inspection, "GEN-G1", ["FM"], extras=Extras(note))


def _everything(home: Home) -> dict[str, Any]:
    """All that a home holds, read through its own doors."""
    store = home.open_store()
    tables = {
        name: store.database.rows(f'select * from "{name}"')
        for (name,) in store.database.rows(
            "select name from sqlite_master where type = 'table' order by name"
        )
    }
    store.database.close()
    blobs = home.blobs()
    files = {sha256: b"".join(blobs.chunks(sha256)) for sha256 in sorted(blobs.digests())}
    return {"tables": tables, "files": files, "key": home.load_key().private_bytes_raw()}


def _sealed(device: FieldDevice) -> None:
    device.home = set_passphrase(device.home, WORDS, QUICK)


def test_all_is_as_before_with_a_passphrase_and_without_it_again_s11(worked: FieldDevice) -> None:
    before = _everything(worked.home)
    assert len(before["files"]) == 2
    sealed = set_passphrase(worked.home, WORDS, QUICK)
    assert _left(sealed.folder, PLAIN) == []
    assert _everything(sealed) == before
    assert _everything(unlock(sealed.folder, WORDS)) == before
    change_passphrase(sealed, "another fictional one", QUICK)
    with pytest.raises(Problem, match="not this device's passphrase"):
        unlock(sealed.folder, WORDS)
    plain = remove_passphrase(unlock(sealed.folder, "another fictional one"))
    assert _left(sealed.folder, (*SEALED, "vault.json")) == []
    assert _everything(plain) == before


def test_a_locked_devices_folder_tells_nothing_s11(worked: FieldDevice) -> None:
    store = worked.store
    identity = store.identity()
    digests = sorted(worked.home.blobs().digests())
    photo = max(worked.home.blobs().digests(), key=lambda d: -(worked.home.blobs().size(d) or 0))
    bytes_of_photo = b"".join(worked.home.blobs().chunks(photo))
    inspection = store.inspections()[0]
    store.database.close()
    words = [
        *(b"Salmah", b"GEN-G1", b"bukit-contoh", b"Bukit Contoh", b"answers/", b"SQLite format"),
        *(b"MAKER-NOTE", b"JFIF", b"P1010001", b"fictional laboratory", b"report.pdf", b"%PDF"),
        *(identity.token.encode(), identity.server.encode(), identity.person.encode()),
        *(identity.person_name.encode(), identity.device.encode(), inspection.encode()),
        *(b"rare-earth-site", b"first visit", b"PRIVATE KEY", bytes_of_photo[300:332]),
        worked.home.load_key().private_bytes_raw(),
        *(d.encode() for d in digests),
        *(bytes.fromhex(d) for d in digests),
        base64.b64encode(identity.public_key),
    ]
    plain = _all_bytes(worked.home.folder)
    assert sum(word in plain for word in words) >= len(words) - 6, "they are words of this device"
    _sealed(worked)
    _answer(worked, inspection, "a later word of Salmah")  # in the WAL of an open store
    worked.photo(inspection, picture(worked.home.folder.parent / "P1010002.JPG", 7))
    locked = _all_bytes(worked.home.folder)
    assert len(locked) > len(plain) / 2
    assert [word for word in words if word in locked] == []
    with pytest.raises(Problem, match="it is locked"):
        Home(worked.home.folder).open_store()


def _left(folder: Path, ends: tuple[str, ...]) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(ends)]


def _all_bytes(folder: Path) -> bytes:
    """Every name and every byte below a folder."""
    found = b""
    for path in sorted(folder.rglob("*")):
        found += bytes(path.relative_to(folder)) + b"\n"
        found += path.read_bytes() if path.is_file() else b""
    return found


def test_work_goes_on_with_a_passphrase_and_arrives_whole_s11(
    worked: FieldDevice, office: Office, tmp_path: Path
) -> None:
    _sealed(worked)
    inspection = worked.store.inspections()[0]
    _answer(worked, inspection, "after the passphrase was set")
    added = worked.photo(inspection, picture(tmp_path / "later.jpg", 44), items=["GEN-G1"])
    assert added[0].facts is not None, "it was read, though it lies sealed"
    assert worked.photo(inspection, tmp_path / "later.jpg", items=["GEN-G1"])[0].state == (
        "already-here"
    )
    worked.sync()
    worked.holds_exactly()
    assert load_inspection(worked.store, inspection).conflicts == ()


def test_reading_can_begin_anywhere_in_a_sealed_file_s11(device: FieldDevice) -> None:
    _sealed(device)
    blobs = device.home.blobs()
    for size in (1, 65_535, 65_536, 65_537, 200_000):
        data = bytes((n * 31 + size) % 251 for n in range(size))
        kept = blobs.keep_from([data[:10], data[10:]], "made")
        assert blobs.size(kept.sha256) == size == kept.size
        for start in {0, 1, size // 2, 65_536, size - 1, size}:
            assert b"".join(blobs.chunks(kept.sha256, start)) == data[start:]


@pytest.mark.parametrize("what", ["flip", "cut", "swap", "drop", "other"])
def test_a_sealed_file_that_was_changed_is_said_so_s11(device: FieldDevice, what: str) -> None:
    _sealed(device)
    blobs = device.home.blobs()
    kept = blobs.keep_from([bytes(200_000)], "zeros")
    other = blobs.keep_from([bytes(200_001)], "zeros")
    path = blobs.path(kept.sha256)
    raw, chunk, head = path.read_bytes(), 65_536 + 16, 72
    if what == "flip":
        path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    elif what == "cut":
        path.write_bytes(raw[: head + 2 * chunk])
    elif what == "swap":
        first, second = raw[head : head + chunk], raw[head + chunk : head + 2 * chunk]
        path.write_bytes(raw[:head] + second + first + raw[head + 2 * chunk :])
    elif what == "drop":
        path.write_bytes(raw[:head] + raw[head + chunk :])
    else:
        shutil.copy(blobs.path(other.sha256), path)
    with pytest.raises(Problem) as told:
        list(blobs.chunks(kept.sha256))
    assert told.value.code == "file-unreadable"


def test_ten_wrong_passphrases_delete_nothing_s11(worked: FieldDevice) -> None:
    before = _everything(worked.home)
    _sealed(worked)
    for n in range(10):
        with pytest.raises(Problem) as told:
            unlock(worked.home.folder, f"a wrong guess {n}")
        assert told.value.code == "passphrase-wrong"
    assert _everything(unlock(worked.home.folder, WORDS)) == before


class Killed(BaseException):
    """The process ends here, as far as the test can tell: nothing below catches it."""


STEPS = (
    "_build",
    "write_vault",
    "sweep",
    "_copy_store",
    "_copy_files",
    "save_key",
    "settle_folder",
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("way", ["set", "remove"])
def test_killed_anywhere_one_whole_state_opens_s11(
    worked: FieldDevice, monkeypatch: pytest.MonkeyPatch, way: str, step: str, after: bool
) -> None:
    before = _everything(worked.home)
    if way == "remove":
        _sealed(worked)
    real, folder = getattr(passphrases, step), worked.home.folder

    def deadly(*args: Any, **kwargs: Any) -> None:
        if after:
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(passphrases, step, deadly)
        try:
            if way == "set":
                set_passphrase(worked.home, WORDS, QUICK)
            else:
                remove_passphrase(worked.home)
        except Killed:
            pass
    home = unlock(folder, WORDS) if has_vault(folder) else Home(folder)
    assert _everything(home) == before
    # And the same again comes to its end.
    home = remove_passphrase(home) if has_vault(folder) else set_passphrase(home, WORDS, QUICK)
    assert _everything(home) == before


def test_a_vault_that_is_damaged_or_gone_is_said_so_s11(worked: FieldDevice) -> None:
    _sealed(worked)
    vault = worked.home.folder / "vault.json"
    whole = vault.read_bytes()
    for damaged in (b"", b"[]", b"{}", whole[:-40], whole.replace(b'"lanes": 1', b'"lanes": 0')):
        vault.write_bytes(damaged)
        with pytest.raises(Problem) as told:
            open_vault(worked.home.folder, WORDS)
        assert told.value.code == "vault-damaged"
    vault.unlink()
    with pytest.raises(Problem) as told:
        Home(worked.home.folder).open_store()
    assert told.value.code == "vault-damaged", "no empty store is begun beside the sealed one"


def test_a_short_passphrase_is_not_taken_s11(worked: FieldDevice) -> None:
    with pytest.raises(Problem) as told:
        set_passphrase(worked.home, "too short", QUICK)
    assert told.value.code == "passphrase-short"
    assert worked.store.inspections()


def test_a_sealed_piece_under_another_key_does_not_open() -> None:
    with pytest.raises(InvalidTag):
        unseal(bytes(32), bytes(60))


def test_a_copy_that_runs_out_of_room_is_told_though_another_library_makes_it(
    worked: FieldDevice, tmp_path: Path
) -> None:
    """A store without a passphrase knows only sqlite3's errors; SQLCipher has its own."""
    import sqlcipher3

    from fieldkit.database import connect_sealed

    database = worked.home.open_store().database
    copy = connect_sealed(str(tmp_path / "copy"), bytes(32))
    copy.execute("pragma max_page_count = 4")
    with (
        pytest.raises(Problem) as raised,
        database.guard("the copy of the store", sqlcipher3.DatabaseError),
    ):
        copy.execute("create table much (text)")
        copy.execute("insert into much values (zeroblob(1000000))")
    copy.close()
    database.close()
    assert raised.value.code == "disk-full"
