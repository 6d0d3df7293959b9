"""`make bench`: run the benchmarks, print a table, write build/bench.json.

`python -m tests.bench intake photos` runs those alone.
"""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.bench import conflict, history, intake, memory, opening, photos, push, scoring, wire
from tests.bench.figure import ROUNDS

MODULES = {
    "intake": intake,
    "push": push,
    "wire": wire,
    "photos": photos,
    "scoring": scoring,
    "memory": memory,
    "opening": opening,
    "history": history,
    "conflict": conflict,
}


def main(wanted: list[str]) -> int:
    modules = [MODULES[name] for name in wanted] if wanted else list(MODULES.values())
    console = Console()
    figures = []
    for module in modules:
        with TemporaryDirectory() as folder:
            for figure in module.figures(Path(folder)):
                figures.append(figure)
                console.print(f"{figure.name}: {figure.value} {figure.unit} ({figure.ratio})")
    table = Table(title=f"Python {platform.python_version()}, median of {ROUNDS} pairs")
    for heading in ("figure", "value", "unit", "floor", "ratio"):
        table.add_column(heading)
    for f in figures:
        table.add_row(f.name, f"{f.value}", f.unit, f"{f.floor} ({f.floor_name})", f"{f.ratio}")
    console.print(table)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
