"""Make sure that there is a Chromium for the browser tests: one that is there, else get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium that is installed, Playwright's own included."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def attempt(*command: str) -> bool:
    """Run a command; whether it ended well."""
    print("  " + " ".join(command), flush=True)
    return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    if find():
        return 0
    print("No Chromium is here; getting one for the browser tests:", flush=True)
    attempt(sys.executable, "-m", "playwright", "install", "chromium")
    if not find() and os.geteuid() == 0 and shutil.which("apt-get"):
        attempt("apt-get", "update", "-qq")
        attempt("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    if find():
        return 0
    print("Install Chromium by hand, then run this again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
