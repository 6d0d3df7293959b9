"""The commands as an auditor types them, against an office over HTTP, and without a network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice, picture
from memory_server import Office, served

from checklists.discrepancies.case_file import read_case
from checklists.discrepancies.catalogue import evaluate, findings_to_json
from fieldkit.cli import COMMANDS, cli
from fieldkit.commands.bundling import bundle
from fieldkit.commands.locking import passphrase
from sync.problems import CATALOGUE


class Terminal:
    """One device's command line."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--home", str(self.home), *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *words: str, exit_code: int = 0) -> Any:
        return json.loads(self(*words, "--json", exit_code=exit_code).stdout)


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    with served(office) as there:
        yield there


@pytest.fixture
def terminal(tmp_path: Path, office: Office, address: str) -> Terminal:
    """A command line whose device is enrolled and prepared."""
    made = Terminal(tmp_path / "home")
    made("enrol", office.link(address), "--name", "laptop")
    made("sync")
    return made


def test_a_whole_visit(terminal: Terminal, office: Office, tmp_path: Path) -> None:
    begun = terminal.json("start", "bukit-contoh", "--fix", "4.01,101.01,6")
    assert begun["example"] is True
    terminal("answer", "GEN-G1", "FM", "--note", "permit seen")
    terminal("answer", "ISL-E2", "pH=6.5±0.1", "NH4-N=0.3", "mg/L", "--instance", "well-1")
    file = picture(tmp_path / "kiln.jpg")
    said = terminal("photo", str(file), "--item", "GEN-G1")
    assert "attached, no position in it" in said.output
    assert "already here" in terminal("photo", str(file), "--item", "GEN-G1").output
    terminal("observe", "operating/warm-kiln", "yes")
    terminal("observe", "operating/fresh-reagent", "yes")
    flags = terminal.json("check")["findings"]
    assert "R16" in [f["rule"] for f in flags]
    dumped = tmp_path / "case.json"
    terminal("check", "--dump", str(dumped))
    assert findings_to_json(evaluate(read_case(dumped.read_bytes()))) == flags
    assert "already" in terminal("check", "--dump", str(dumped), exit_code=1).stderr
    terminal("check", "--dump", str(dumped), "--force")
    assert "may be innocent" in terminal("check").output
    terminal("outcome", "visited")
    signed = terminal("sign-off")
    assert "Critical items without a whole answer" in signed.stderr
    before = terminal.json("status")
    assert (before["signed"], before["files"]["held"], before["entries"]["held"]) == (True, 0, 0)
    synced = terminal.json("sync")
    assert set(synced["waiting"].values()) == {0}
    after = terminal.json("status")
    assert after["files"] == {"all": 1, "sent": 1, "held": 1, "bytes_left": 0}
    assert after["entries"]["held"] == after["entries"]["all"]
    assert "held safely" in terminal("status").output
    assert "kiln.jpg" in terminal("status", "--evidence").output
    device = next(iter(office.devices))
    assert len(office.lines(device, begun["inspection"])) == after["entries"]["all"]


def test_prepare_says_ready_or_what_to_do(terminal: Terminal, office: Office) -> None:
    office.now = _now()
    said = terminal.json("prepare", exit_code=_ready_code())
    checks = {c["name"]: c for c in said["checks"]}
    assert checks["clock"]["holds"]
    assert checks["key"]["holds"]
    assert checks["facilities"]["found"] == "bukit-contoh"
    office.now += 3_600_000
    wrong = terminal("prepare", exit_code=1)
    assert "clock" in wrong.output
    assert "Set this computer's clock" in wrong.output
    assert "ready  yes" not in wrong.output


def _now() -> int:
    from fieldkit.commands.desk import now

    return now()


def _ready_code() -> int:
    """A computer with too little space is rightly told so."""
    import shutil

    from fieldkit.readiness import NEEDED_BYTES

    return 0 if shutil.disk_usage("/tmp").free >= NEEDED_BYTES else 1


def test_prepare_without_an_assignment_says_whom_to_ask(tmp_path: Path) -> None:
    office = Office()
    with served(office) as address:
        terminal = Terminal(tmp_path / "home")
        terminal("enrol", office.link(address))
        assert "Ask your office for an assignment" in terminal("prepare", exit_code=1).output


def test_with_the_network_unplugged_everything_else_works(
    terminal: Terminal, tmp_path: Path
) -> None:
    store = FieldDevice(terminal.home, Office()).store
    store.set_notes(server="http://127.0.0.1:1")
    store.database.close()
    terminal("start", "bukit-contoh")
    terminal("answer", "GEN-G1", "FM")
    terminal("photo", str(picture(tmp_path / "a.jpg")))
    terminal("attach", str(picture(tmp_path / "b.jpg", 9)), "--kind", "document")
    terminal("observe", "headcount/miners", "24")
    for words in (("status",), ("check",), ("outcome", "partly"), ("sign-off",), ("score",)):
        terminal(*words)
    terminal("export", str(tmp_path / "out.zip"))
    away = terminal("sync", exit_code=3)
    assert "cannot be reached" in away.stderr
    assert "Keep this device" in away.output
    said = terminal.json("sync", exit_code=3)
    assert said["problem"]["code"] == "server-away"
    assert said["waiting"]["files"] == 2


def test_an_export_is_computed_again_to_the_digit_and_a_changed_one_is_found(
    terminal: Terminal, tmp_path: Path
) -> None:
    import zipfile

    terminal("start", "bukit-contoh")
    terminal("answer", "GEN-G1", "FM")
    terminal("photo", str(picture(tmp_path / "a.jpg")), "--item", "GEN-G1")
    terminal("outcome", "visited")
    out = tmp_path / "out.zip"
    terminal("export", str(out))
    again = terminal.json("score", str(out))
    assert again["same"] is True
    assert (again["entries_verified"], again["files_verified"]) == (4, 1)
    assert "the same to the digit" in terminal("score", str(out)).output
    for words in (("score",), ("score", str(out))):
        assert "The limits that it is judged by are fictional." in terminal(*words).output
        assert terminal.json(*words)["limits_caution"] == "fictional"
    with zipfile.ZipFile(out) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    download = tmp_path / "score.json"
    download.write_bytes(members["score.json"])
    assert terminal.json("score", str(download))["same"] is True
    document = json.loads(members["score.json"])
    document["score"]["low"] = "99.000"
    download.write_text(json.dumps(document))
    changed = terminal.json("score", str(download), exit_code=1)
    assert changed["differences"][0].startswith("low: ")
    touched = [n for n in members if n.startswith(("logs/", "files/", "documents/"))]
    assert len(touched) == 5
    for name in touched:
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            for other, content in members.items():
                archive.writestr(other, content[:-2] + b"x\n" if other == name else content)
        terminal("score", str(tmp_path / "bad.zip"), exit_code=1)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"score": {}}', b"PK\x03\x04 not a zip"])
def test_a_file_that_is_no_export_is_told(terminal: Terminal, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    assert terminal.json("score", str(path), exit_code=1)["code"] == "score-export-malformed"
    missing = terminal.json("score", str(tmp_path / "none"), exit_code=1)
    assert missing["code"] == "file-missing"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("start", "nowhere"), "facility-unknown"),
        (("answer", "GEN-G99", "FM"), "item-unknown"),
        (("answer", "GEN-G1", "great"), "level-unknown"),
        (("answer", "GEN-E4", "As=x", "--instance", "up"), "reading-malformed"),
        (("answer", "GEN-G1", "FM", "--fix", "north"), "place-malformed"),
        (("answer", "GEN-G1", "FM", "--evidence", "abcd"), "evidence-unknown"),
        (("answer", "GEN-G1", "NA"), "answer-incomplete"),
        (("answer", "GEN-G1", "FM", "--inspection", "zzz"), "inspection-unknown"),
        (("observe", "weather", "yes"), "observation-unknown"),
        (("outcome", "nice"), "outcome-unknown"),
        (("sign-off",), "sign-off-incomplete"),
        (("enrol", "not-a-link"), "invitation-malformed"),
    ],
)
def test_what_does_not_fit_is_a_problem_in_three_sentences(
    terminal: Terminal, words: tuple[str, ...], code: str
) -> None:
    terminal("start", "bukit-contoh")
    said = terminal(*words, exit_code=1)
    assert len(said.stderr.splitlines()) == 3
    assert said.stdout == ""
    assert terminal.json(*words, exit_code=1)["code"] == code
    assert code in CATALOGUE


def test_before_enrolment_each_command_says_to_enrol(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "new")
    for words in (("start", "x"), ("sync",), ("prepare",)):
        said = terminal.json(*words, exit_code=1)
        assert said["code"] == "device-not-enrolled"
        assert "fieldkit enrol" in said["remedy"]


def test_a_sign_in_page_instead_of_the_server_changes_nothing(
    terminal: Terminal, office: Office
) -> None:
    with served(office, (200, "text/html", b"<html>Welcome</html>")) as page:
        store = FieldDevice(terminal.home, office).store
        store.set_notes(server=page)
        store.database.close()
        assert terminal.json("sync", exit_code=1)["problem"]["code"] == "answer-malformed"


def test_a_photo_that_is_not_there_does_not_stop_the_others(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal("start", "bukit-contoh")
    good = picture(tmp_path / "good.jpg")
    said = terminal("photo", str(tmp_path / "none.jpg"), str(good), exit_code=1)
    assert "not attached" in said.stderr
    assert "good.jpg" in said.stdout
    assert terminal.json("status")["files"]["all"] == 1


def test_an_interview_is_reminded_of_what_may_not_be_in_it(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal("start", "bukit-contoh")
    notes = tmp_path / "notes.txt"
    notes.write_text("said that masks are handed out")
    assert "no name" in terminal("attach", str(notes), "--kind", "interview").stderr


def test_every_command_has_help_json_and_home(tmp_path: Path) -> None:
    groups = {"bundle": bundle, "passphrase": passphrase}  # a group's options stand below it
    below = {name: [[one] for one in group.commands] for name, group in groups.items()}
    for given in [[name, *rest] for name in COMMANDS for rest in below.get(name, [[]])]:
        text = CliRunner().invoke(cli, [*given, "--help"]).output
        assert "--json" in text
        assert "--home" in text


def test_wrong_use_is_exit_code_two(tmp_path: Path) -> None:
    Terminal(tmp_path)("answer", exit_code=2)
    Terminal(tmp_path)("dance", exit_code=2)


def test_an_answer_loads_nothing_slow() -> None:
    """Each command starts quickly: no coordinate systems, no HTTP, no migrations."""
    code = (
        "import sys; from click.testing import CliRunner; from fieldkit.cli import cli; "
        "CliRunner().invoke(cli, ['answer', '--help']); "
        "print([m for m in ('pyproj', 'shapely', 'httpx', 'alembic', 'sqlite_utils', 'rich', "
        "'PIL', 'marshmallow', 'sqlalchemy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("moment", range(5))
def test_sync_killed_at_any_moment_is_completed_by_the_next(
    terminal: Terminal, office: Office, tmp_path: Path, moment: int
) -> None:
    """Ended with kill -9 when the office has received so much; nothing is lost or doubled."""
    terminal("start", "bukit-contoh")
    for n in range(4):
        terminal("photo", str(picture(tmp_path / f"{n}.jpg", 40 * moment + n)))
    running = subprocess.Popen(
        [sys.executable, "-m", "fieldkit", "--home", str(terminal.home), "sync"],
        stdout=subprocess.DEVNULL,
    )
    while running.poll() is None and len(office.logs) + len(office.files) < moment + 1:
        pass
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    said = terminal.json("sync")
    assert set(said["waiting"].values()) == {0}
    device = FieldDevice(terminal.home, office)
    device.holds_exactly()
    assert len(office.files) == 4
