"""docs/faults.md: the part of it that a run writes, so that nobody has to believe it by hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from .broken import ROOT, Broken, Caught, every

PAGE = ROOT / "docs" / "faults.md"
BEGINS, ENDS = "<!-- made by the run: broken builds -->", "<!-- end -->"
RULE = re.compile(r"^\| ([LS]\d{1,2}) \|", re.MULTILINE)
ROW = re.compile(r"^\| ([LS]\d{1,2}) \| (.+?) \| `([a-z0-9-]+)` \| (.+?) \|", re.MULTILINE)


def rules() -> list[str]:
    """The ids of the rules that docs/protocol.md has."""
    found = RULE.findall((ROOT / "docs" / "protocol.md").read_text("utf-8"))
    return sorted(set(found), key=lambda rule: (rule[0], int(rule[1:])))


def catch_all(seed: int, names: Iterable[str], write_docs: bool) -> list[Caught]:
    """Have every breakage caught, in two processes; each is written down as soon as it is known."""
    wanted, one_writes = set(names), Lock()
    chosen = [one for one in every() if not wanted or one.name in wanted]

    def run(some: list[Broken]) -> list[Caught]:
        done = []
        for found in _in_a_process([one.name for one in some], seed):
            done.append(found)
            with one_writes:
                print(f"{found.broken.rule:4} {found.broken.name:20} {found.by or 'NOT CAUGHT'}")
                if write_docs:
                    write([found])
        return done

    with ThreadPoolExecutor(2) as both:
        return [one for done in both.map(run, [chosen[::2], chosen[1::2]]) for one in done]


def _in_a_process(names: list[str], seed: int) -> Iterator[Caught]:
    if not names:
        return
    share = f"broken/{','.join(names)}"
    words = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--share", share]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("{"):
                yield from_json(json.loads(line))
    if running.returncode != 0:
        raise RuntimeError(f"breaking {share} ended with {running.returncode}")


def to_json(caught: Caught) -> dict[str, Any]:
    said = asdict(caught)
    said["broken"] = caught.broken.name
    return said


def from_json(said: dict[str, Any]) -> Caught:
    (broken,) = [one for one in every() if one.name == said["broken"]]
    return Caught(broken, said["by"], said["after"], said["replay"], said["seconds"])


def write(caught: list[Caught], path: Path = PAGE) -> None:
    """Put the table of this run into the page; rows of breakages that were not run stay."""
    text = path.read_text("utf-8")
    before, rest = text.split(BEGINS, 1)
    made, after = rest.split(ENDS, 1)
    rows = {one.broken.name: _row(one) for one in caught}
    for line in made.splitlines():
        match = ROW.match(line)
        if match is not None:
            rows.setdefault(match[3], line)
    order = [one.name for one in every() if one.name in rows]
    heading = [
        "",
        "| rule | what was broken | name | caught by | after | replay with `--broken NAME` and |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    table = "\n".join([*heading, *(rows[name] for name in order), ""])
    path.write_text(f"{before}{BEGINS}\n{table}\n{ENDS}{after}", "utf-8")


def _row(caught: Caught) -> str:
    one = caught.broken
    by = caught.by or "**not caught**"
    after = "1 test" if one.test else f"{caught.after} stories"
    replay = "" if one.test else f"`{caught.replay}`"
    return f"| {one.rule} | {one.what} | `{one.name}` | {by} | {after} | {replay} |"


def in_page(path: Path = PAGE) -> Iterator[tuple[str, str, str]]:
    """(rule, name, what caught it) of the rows that stand in the page."""
    for rule, _, name, by in ROW.findall(path.read_text("utf-8")):
        yield rule, name, by
