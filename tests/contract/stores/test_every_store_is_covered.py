"""The contract is whole: every public function of every store module is called by it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import server.store

HERE = Path(__file__).parent

# Not stores: the engines under them, the schema, and what its migrations are made of.
ELSEWHERE = {
    "bulk",
    "db",
    "migrations",
    "postgres",
    "runs",
    "sqlite",
    "tables",
    "together",
    "transaction",
}


def public_functions() -> set[tuple[str, str]]:
    found = set()
    for module in pkgutil.iter_modules(server.store.__path__):
        if module.name in ELSEWHERE:
            continue
        loaded = importlib.import_module(f"server.store.{module.name}")
        found |= {
            (module.name, name)
            for name, value in vars(loaded).items()
            if inspect.isfunction(value)
            and value.__module__ == loaded.__name__
            and not name.startswith("_")
        }
    return found


def used_in(path: Path) -> set[tuple[str, str]]:
    """What a test file uses of the stores, as (module, name)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules, found = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "server.store":
            modules |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("server.store."):
            found |= {(str(node.module).rpartition(".")[2], one.name) for one in node.names}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            found.add((node.value.id, node.attr))
    return found


def test_every_public_function_of_every_store_has_a_contract_test() -> None:
    wanted = public_functions()
    assert len(wanted) > 100
    written = [*HERE.glob("test_store_*.py"), HERE / "store_rows.py"]
    used = set().union(*(used_in(path) for path in written))
    assert sorted(wanted - used) == []
