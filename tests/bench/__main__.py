"""`make bench`: run the benchmarks, print a table, write build/bench.json."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.bench import intake, photos, scoring

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One measured figure: operations per second, its floor in the same run, and their ratio."""

    name: str
    value: float
    unit: str
    floor: float
    floor_name: str
    ratio: float


def rate(work: Callable[[], int]) -> float:
    """Operations per second of one run of `work`, which says how many it did."""
    begin = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - begin)


def beside(
    name: str, unit: str, work: Callable[[], int], floor_name: str, floor: Callable[[], int]
) -> Figure:
    """Measure work and floor in turn, so that a machine that slows down slows both."""
    pairs = []
    for _ in range(ROUNDS):
        pairs.append((rate(work), rate(floor)))
    value = statistics.median(v for v, _ in pairs)
    ground = statistics.median(f for _, f in pairs)
    ratio = statistics.median(v / f for v, f in pairs)
    return Figure(name, round(value, 1), unit, round(ground, 1), floor_name, round(ratio, 3))


def main() -> int:
    with TemporaryDirectory() as folder:
        figures = [
            beside(*case)
            for module in (intake, photos, scoring)
            for case in module.cases(Path(folder))
        ]
    table = Table(title=f"Python {platform.python_version()}, median of {ROUNDS} pairs")
    for heading in ("figure", "value", "unit", "floor", "ratio"):
        table.add_column(heading)
    for f in figures:
        table.add_row(f.name, f"{f.value}", f.unit, f"{f.floor} ({f.floor_name})", f"{f.ratio}")
    Console().print(table)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
