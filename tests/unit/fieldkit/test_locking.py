"""Locked, unlocked, and who is asked for the passphrase (S11), as typed. All data are fictional."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice
from memory_server import Office

from fieldkit.cli import cli
from fieldkit.home import PLAIN
from fieldkit.in_use import using
from fieldkit.passphrase import set_passphrase
from fieldkit.readiness import look
from fieldkit.session import Session, in_memory
from fieldkit.vault import Cost
from sync.problems import Problem
from sync.session import Change

QUICK = Cost(1, 64, 1)
WORDS = "four fictional wet boots"
MEMORY = Path("/dev/shm")


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def run(device: FieldDevice, *words: str, exit_code: int = 0, **given: str) -> Result:
    """One command; what is given is its environment, and nobody can be asked."""
    env = {"FIELDKIT_PASSPHRASE": None, "XDG_RUNTIME_DIR": None, **given}
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture
def sealed(device: FieldDevice) -> FieldDevice:
    device.start()
    set_passphrase(device.home, WORDS, QUICK)
    return device


@pytest.fixture
def runtime(tmp_path: Path) -> str:
    """A folder in memory, as a login gives one."""
    if not MEMORY.is_dir() or not in_memory(MEMORY):
        pytest.skip("this system has no file system in memory at /dev/shm")
    folder = MEMORY / f"tapak-test-{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return str(folder)


def test_a_locked_device_opens_for_nobody_without_the_passphrase_s11(sealed: FieldDevice) -> None:
    for words in (
        ["status"],
        ["answer", "GEN-G1", "FM"],
        ["sync"],
        ["check"],
        ["export", "out.zip"],
    ):
        told = run(sealed, *words, exit_code=1).stderr
        assert "it is locked" in told
        assert "fieldkit unlock" in told
    wrong = run(sealed, "status", exit_code=1, FIELDKIT_PASSPHRASE="a wrong guess of it")
    assert "not this device's passphrase" in wrong.stderr
    assert "Bukit Contoh" in run(sealed, "status", FIELDKIT_PASSPHRASE=WORDS).output


def test_unlocked_once_commands_do_not_ask_until_it_is_locked_s11(
    sealed: FieldDevice, runtime: str
) -> None:
    run(sealed, "unlock", FIELDKIT_PASSPHRASE=WORDS, XDG_RUNTIME_DIR=runtime)
    held = next((Path(runtime) / "tapak").iterdir())
    assert held.stat().st_mode & 0o777 == 0o600
    assert "Bukit Contoh" in run(sealed, "status", XDG_RUNTIME_DIR=runtime).output
    run(sealed, "answer", "GEN-G1", "FM", XDG_RUNTIME_DIR=runtime)
    run(sealed, "lock", XDG_RUNTIME_DIR=runtime)
    assert not held.exists()
    assert "it is locked" in run(sealed, "status", exit_code=1, XDG_RUNTIME_DIR=runtime).stderr


def test_where_no_memory_is_given_no_key_is_held_s11(sealed: FieldDevice, tmp_path: Path) -> None:
    told = run(
        sealed, "unlock", exit_code=1, FIELDKIT_PASSPHRASE=WORDS, XDG_RUNTIME_DIR=str(tmp_path)
    )
    if in_memory(tmp_path):
        pytest.skip("this system keeps its temporary files in memory")
    assert "no place in memory" in told.stderr
    assert not (tmp_path / "tapak").exists()


def test_a_key_that_is_not_used_is_forgotten_s11(tmp_path: Path) -> None:
    clock = Clock()
    session = Session(tmp_path / "tapak" / "one", clock)
    session.hold(bytes(range(32)), 30)
    clock.seconds += 29 * 60
    assert session.take() == bytes(range(32))
    clock.seconds += 29 * 60
    assert session.take() == bytes(range(32)), "each use counts anew"
    clock.seconds += 30 * 60
    assert session.take() is None
    assert not session.path.exists()
    session.hold(bytes(32), 30)
    clock.seconds = 1.0  # the computer was started again
    assert session.take() is None


def test_set_change_and_remove_as_typed_s11(device: FieldDevice) -> None:
    device.start()
    short = run(device, "passphrase", "set", exit_code=1, FIELDKIT_PASSPHRASE="short")
    assert "fewer than 10" in short.stderr
    assert "no passphrase" in run(device, "lock", exit_code=1).stderr
    assert "sealed" in run(device, "passphrase", "set", FIELDKIT_PASSPHRASE=WORDS).output
    again = run(device, "passphrase", "set", exit_code=1, FIELDKIT_PASSPHRASE=WORDS)
    assert "already" in again.stderr
    run(
        device,
        *("passphrase", "change"),
        FIELDKIT_PASSPHRASE=WORDS,
        FIELDKIT_NEW_PASSPHRASE="another fictional one",
    )
    removed = {"FIELDKIT_PASSPHRASE": "another fictional one"}
    assert "can read" in run(device, "passphrase", "remove", **removed).output
    assert "Bukit Contoh" in run(device, "status").output


def test_a_passphrase_comes_by_an_open_file_too_s11(sealed: FieldDevice) -> None:
    reading, writing = os.pipe()
    os.write(writing, WORDS.encode() + b"\n")
    os.close(writing)
    done = subprocess.run(
        [sys.executable, "-m", "fieldkit", "--home", str(sealed.home.folder), "--json", "status"],
        env={**os.environ, "FIELDKIT_PASSPHRASE_FD": str(reading)},
        pass_fds=(reading,),
        capture_output=True,
        check=True,
    )
    os.close(reading)
    assert json.loads(done.stdout)["facility"] == "bukit-contoh"


@pytest.mark.skipif(os.name != "posix", reason="Windows locks no folders")
def test_nothing_else_is_at_work_while_the_passphrase_is_set_s11(device: FieldDevice) -> None:
    device.start()
    with using(device.home.folder):
        told = run(device, "passphrase", "set", exit_code=1, FIELDKIT_PASSPHRASE=WORDS)
        assert "Another fieldkit command" in told.stderr
        run(device, "status")
    with using(device.home.folder, alone=True), pytest.raises(Problem), using(device.home.folder):
        pass
    assert (device.home.folder / PLAIN[0]).exists()


def test_where_an_assignment_asks_for_it_nothing_begins_without_a_passphrase_s11(
    device: FieldDevice, office: Office
) -> None:
    mark = {"id": "a2", "facility": "bukit-contoh", "purpose": "visit", "conflict": True}
    office.changes.append(Change("assignment", "a2", mark))
    device.sync()
    checks = {c.name: c for c in look(device.home, device.store, device.store.identity())}
    assert not checks["passphrase"].holds
    told = run(device, "start", "bukit-contoh", exit_code=1)
    assert "asks for a passphrase" in told.stderr
    assert "fieldkit passphrase set" in told.stderr
    device.home = set_passphrase(device.home, WORDS, QUICK)
    run(device, "start", "bukit-contoh", FIELDKIT_PASSPHRASE=WORDS)
    checks = {c.name: c for c in look(device.home, device.store, device.store.identity())}
    assert checks["passphrase"].holds
