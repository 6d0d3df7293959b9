"""Giving a device a passphrase, and taking it away, in place (S11).

The other state is built whole beside the one that counts, put on the disk and read back. Then
`vault.json` appears or goes, in one step; only after that does the old state go. Killed anywhere,
the state that `vault.json` speaks of is whole, and what is left of the other is swept.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection

from fieldkit.blobs import CHUNK
from fieldkit.database import connect_sealed, key_text
from fieldkit.disk import name_error, settle, settle_folder
from fieldkit.home import PLAIN, SEALED, Home
from fieldkit.keys import load_key, save_key
from fieldkit.office_copy import office_copy
from fieldkit.vault import (
    ASKED,
    NAME,
    USUAL,
    Cost,
    has_vault,
    new_data_key,
    open_vault,
    write_vault,
)
from sync.problems import problem

_STORE_ENDS = ("", "-wal", "-shm", "-journal")


def set_passphrase(home: Home, passphrase: str, cost: Cost = USUAL) -> Home:
    """Seal everything on a device; the home as it is from then on.

    Raises `passphrase-set`, `passphrase-short`, `disk-full`, `folder-read-only` and what reading
    the store and the files raises. Nothing else may use the folder meanwhile.
    """
    if has_vault(home.folder):
        raise problem("passphrase-set")
    sealed = Home(home.folder, new_data_key())
    store = home.open_store()  # so that there is one, in today's form
    office = office_copy(sealed, store)
    store.database.close()
    try:
        _build(home, sealed)
        write_vault(home.folder, _key_of(sealed), passphrase, cost, office)
    except OSError as exc:
        raise name_error(exc, "the sealed device", home.folder) from exc
    sweep(home.folder, PLAIN)
    return sealed


def change_passphrase(home: Home, new: str, cost: Cost = USUAL) -> None:
    """Wrap the same data key by another passphrase, and for the office as it is now.

    Raises `passphrase-short`, disk errors and what opening the store raises. A request to the
    office is over then.
    """
    store = home.open_store()
    office = office_copy(home, store)
    store.database.close()
    try:
        write_vault(home.folder, _key_of(home), new, cost, office)
    except OSError as exc:
        raise name_error(exc, "the passphrase", home.folder) from exc
    overwrite(home.folder / ASKED)


def remove_passphrase(home: Home) -> Home:
    """Put everything back in plain; the home as it is from then on. Raises as setting does."""
    plain = Home(home.folder)
    try:
        _build(home, plain)
        (home.folder / NAME).unlink()
        settle_folder(home.folder)
    except OSError as exc:
        raise name_error(exc, "the device in plain", home.folder) from exc
    sweep(home.folder, SEALED)
    overwrite(home.folder / ASKED)
    return plain


def unlock(folder: Path, passphrase: str) -> Home:
    """The home of a device with a passphrase; raises `passphrase-wrong` and `vault-damaged`.

    What a passphrase being set or removed had left of the other state, when it was cut short, goes.
    """
    home = Home(folder, open_vault(folder, passphrase))
    sweep(folder, PLAIN)
    return home


def sweep(folder: Path, names: tuple[str, str, str]) -> None:
    """Remove a state that counts no more: overwritten once, as far as a disk does so, then gone."""
    store, files, keys = names
    ends = (folder / f"{store}{end}" for end in _STORE_ENDS)
    for one in (*ends, *key_files(folder, keys)):
        overwrite(one)
    if (folder / files).is_dir():
        for one in (folder / files).rglob("*"):
            if one.is_file():
                overwrite(one)
        shutil.rmtree(folder / files, ignore_errors=True)


def key_files(folder: Path, end: str) -> list[Path]:
    """The files of this device's keys, of all its generations."""
    return sorted(folder.glob(f"key*{end}"))


# -- inside ---------------------------------------------------------------------------------------


def _build(home: Home, other: Home) -> None:
    """Everything of `home` once more as `other`, on the disk and read back."""
    sweep(home.folder, other.names)  # of an attempt that was cut short
    _check_space(home)
    _copy_store(home, other)
    _copy_files(home, other)
    for path in key_files(home.folder, home.names[2]):
        copy = path.with_name(path.name.removesuffix(home.names[2]) + other.names[2])
        save_key(copy, load_key(path, home.key_under), other.key_under)
        load_key(copy, other.key_under)
    settle_folder(home.folder)


def _check_space(home: Home) -> None:
    store, files, _ = (home.folder / name for name in home.names)
    needed = sum(f.stat().st_size for f in [store, *files.rglob("*")] if f.is_file())
    if shutil.disk_usage(home.folder).free < needed * 1.05 + 10_000_000:
        raise problem("disk-full", what="a second copy of everything, which is needed for a while")


def _copy_store(home: Home, other: Home) -> None:
    import sqlcipher3

    source = home.open_store().database
    source.close()
    target = home.folder / other.names[0]
    # A store without a passphrase knows only sqlite3's errors; the copy is made by SQLCipher.
    with source.guard("the copy of the store", sqlcipher3.DatabaseError):
        conn = connect_sealed(str(home.folder / home.names[0]), home.derived("store"))
        try:
            key = other.derived("store")
            given = "" if key is None else key_text(key)
            conn.execute("attach ? as other key ?", (str(target), given))
            conn.execute("begin immediate")
            version = conn.execute("pragma main.user_version").fetchone()[0]
            conn.execute("select sqlcipher_export('other')").fetchall()
            conn.execute(f"pragma other.user_version = {int(version)}")
            conn.execute("commit")
            conn.execute("detach other")
            before = _digest(conn)
        finally:
            conn.close()
        again = connect_sealed(str(target), other.derived("store"))
        try:
            again.execute("pragma journal_mode = wal")
            whole = again.execute("pragma integrity_check").fetchone()[0] == "ok"
            if not whole or _digest(again) != before:
                raise problem("store-damaged", path=str(target), why="the copy is another")
        finally:
            again.close()
    with target.open("rb+") as file:
        settle(file.fileno())


def _digest(conn: Connection) -> str:
    """What all tables hold, in one number."""
    tables = conn.execute(
        "select name from main.sqlite_master where type = 'table' and name not like 'sqlite_%' "
        "order by name"
    ).fetchall()
    digest = hashlib.sha256()
    for (name,) in tables:
        digest.update(name.encode())
        for row in conn.execute(f'select * from main."{name}"'):  # noqa: S608 - a table's own name
            digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def _copy_files(home: Home, other: Home) -> None:
    source, target = home.blobs(), other.blobs()
    for sha256 in sorted(source.digests()):
        copied = target.keep_from(source.chunks(sha256), sha256)
        back = hashlib.sha256()
        for chunk in target.chunks(copied.sha256):
            back.update(chunk)
        if back.hexdigest() != sha256:
            raise problem("file-unreadable", name=sha256[:12], why="its copy is another")


def _key_of(home: Home) -> bytes:
    assert home.data_key is not None  # noqa: S101 - its callers have a sealed home
    return home.data_key


def overwrite(path: Path) -> None:
    """Write zeros over a file, as far as the disk does so in place, and remove it."""
    with suppress(OSError):
        size = path.stat().st_size
        with path.open("r+b") as file:
            for start in range(0, size, CHUNK):
                file.write(bytes(min(CHUNK, size - start)))
            file.flush()
            settle(file.fileno())
    with suppress(OSError):
        path.unlink()
