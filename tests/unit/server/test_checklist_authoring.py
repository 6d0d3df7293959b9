"""`tapak checklist new`, `stamp` and `check`: what they write, what they print, how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checklists.load import load_checklist
from checklists.translations import read_translation
from server.cli import main

Run = Callable[..., Result]
PARTS = Path(__file__).parents[3] / "checklists"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0, given: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, ["checklist", *words], input=given)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


def test_a_new_checklist_loads_and_check_finds_nothing(run: Run, tmp_path: Path) -> None:
    said = run("new", "my-site").stdout
    assert said.splitlines()[0] == "Written: my-site.yaml, 4 items in 2 sections, languages en."
    made = load_checklist((tmp_path / "my-site.yaml").read_bytes(), "my-site.yaml")
    assert (made.id, str(made.title)) == ("my-site", "My site")
    assert run("check", "my-site.yaml").stdout == "my-site.yaml: nothing amiss, 0 notes.\n"


def test_a_new_checklist_of_processes_says_what_it_is_made_of(run: Run, tmp_path: Path) -> None:
    words = ("new", "two", "--process", "logistics", "--process", "recycling", "--lang", "vi")
    told = json.loads(run(*words, "--json", "--title", "Two").stdout)
    assert told["parts"] == ["general", "conflict", "recycling", "logistics", "observations"]
    assert (told["items"], told["languages"]) == (38, ["en", "vi"])
    load_checklist((tmp_path / "two.yaml").read_bytes(), "two.yaml")
    notes = json.loads(run("check", "two.yaml", "--json").stdout)["findings"]
    assert {f["what"] for f in notes} == {"missing-translation", "draft-language"}
    assert run("new", "one", "--part", "logistics", "--out", "-").stdout.startswith("# A draft")
    assert not (tmp_path / "one.yaml").exists()


def test_a_file_that_is_there_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my-site.yaml").write_text("mine", encoding="utf-8")
    assert "already" in run("new", "my-site", code=1).stderr
    assert (tmp_path / "my-site.yaml").read_text(encoding="utf-8") == "mine"
    run("new", "my-site", "--force")
    assert "format:" in (tmp_path / "my-site.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("new", "my-site", "--process", "minning"), "no process called 'minning'"),
        (("new", "Not An Id"), "does not have the right form"),
        (("new", "my-site", "--out", "no/such/folder.yaml"), "cannot be written"),
        (("check", "gone.yaml"), "no file at gone.yaml"),
        (("check", "rare-earth-sit"), "nearest: rare-earth-site"),
        (("check", "my-site", "--limits", "exampel"), "called 'my-site'"),
    ],
)
def test_what_cannot_be_done_is_three_sentences(
    run: Run, words: tuple[str, ...], told: str
) -> None:
    said = run(*words, code=1)
    assert told in said.stderr
    assert "Traceback" not in said.stderr


def test_faults_and_findings_are_named_with_file_line_and_remedy(run: Run, tmp_path: Path) -> None:
    run("new", "good")
    text = (tmp_path / "good.yaml").read_text(encoding="utf-8")
    bad = text.replace("severity: critical", "severity: critcal")
    (tmp_path / "bad.yaml").write_text(bad, encoding="utf-8")
    never = text.replace(
        "{observed: operating/discharge, is: [yes]}", "{not: {exposure: {at-least: 0}}}"
    )
    (tmp_path / "never.yaml").write_text(never, encoding="utf-8")
    said = run("check", "bad.yaml", "never.yaml", "good.yaml", code=1).stdout.splitlines()
    at = bad[: bad.index("critcal")].count("\n") + 1
    assert said[0].startswith(f"bad.yaml:{at}: refused: The item MY-E1: severity")
    assert 'Write "critical"?' in said[0]
    assert said[1].startswith("never.yaml:")
    assert ": amiss: MY-E2 is never asked" in said[1]
    assert said[2:] == ["never.yaml: 1 amiss, 0 notes.", "good.yaml: nothing amiss, 0 notes."]
    told = json.loads(run("check", "bad.yaml", "never.yaml", "--json", code=1).stdout)
    assert [(f["file"], f["line"]) for f in told["faults"]] == [("bad.yaml", at)]
    assert [(f["file"], f["what"], f["rank"]) for f in told["findings"]] == [
        ("never.yaml", "unreachable", "amiss")
    ]


def test_notes_end_well_unless_they_shall_not(run: Run) -> None:
    said = run("check", "logistics-hub").stdout
    assert said.endswith("logistics-hub@2026.1: nothing amiss, 8 notes.\n")
    run("check", "logistics-hub", "--strict", code=1)
    gaps = run("check", "metal-making", "--limits", "example").stdout
    assert "the limits of example have no row climate/perfluorocarbons" in gaps


def test_a_checklist_is_read_from_standard_input_too(run: Run, tmp_path: Path) -> None:
    run("new", "good")
    said = run("check", "-", given=(tmp_path / "good.yaml").read_bytes()).stdout
    assert said == "standard input: nothing amiss, 0 notes.\n"


def test_a_translation_is_stamped_where_it_has_no_mark(run: Run, tmp_path: Path) -> None:
    whole = (PARTS / "translations/ms/logistics.yaml").read_text(encoding="utf-8")
    bare = "\n".join(line for line in whole.split("\n") if not line.startswith("    of:"))
    file = tmp_path / "logistics.yaml"
    file.write_text(bare, encoding="utf-8")
    assert "no-mark" in run("check", "logistics.yaml", "--json").stdout
    marks = whole.count("    of:")
    said = run("stamp", "logistics.yaml").stdout
    assert said == f"Marks written into logistics.yaml: {marks}.\n"
    assert set(read_translation(file.read_bytes(), "x").of) == set(
        read_translation(whole.encode(), "x").of
    )
    assert run("stamp", "logistics.yaml").stdout == "Marks written into logistics.yaml: 0.\n"
