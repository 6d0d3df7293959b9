"""The house is as docs/architecture.md draws it: imports, module purposes, problems."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sync.problems import CATALOGUE, problem

ROOT = Path(__file__).parents[2]
CODE = [p for d in ("sync", "checklists", "fieldkit", "server") for p in (ROOT / d).rglob("*.py")]


def test_imports_go_only_downwards_and_the_lower_floors_are_pure() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None
    run = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    if "versions" in path.parts and path.name == "__init__.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, path


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_problem_says_what_happened_what_is_safe_and_what_to_do(code: str) -> None:
    kind = CATALOGUE[code]
    for sentence in (kind.happened, kind.safe):
        assert sentence.endswith((".", "?", "}")) and "!" not in sentence.replace("!r}", "}")
    assert kind.remedy
    assert 400 <= kind.status < 600


def test_every_problem_that_is_raised_is_in_the_catalogue() -> None:
    raised: dict[str, Path] = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "problem"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                raised[str(node.args[0].value)] = path
    assert {c: p for c, p in raised.items() if c not in CATALOGUE} == {}


def test_a_problem_with_a_blank_left_open_still_reads() -> None:
    assert "?" in str(problem("crs-unknown"))


@pytest.mark.parametrize(
    "path", [p for p in CODE if p.name not in ("__init__.py", "__main__.py")], ids=str
)
def test_the_drawing_of_the_house_names_every_module(path: Path) -> None:
    if "versions" in path.parts:
        return
    drawing = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert f"`{path.relative_to(ROOT)}`" in drawing


def test_every_dependency_has_a_line_of_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [one for extra in extras.values() for one in extra]
    names = [re.split(r"[><=]", one)[0].lower() for one in wanted]
    assert [name for name in names if name not in reasons] == []
