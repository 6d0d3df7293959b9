"""Where a passphrase comes from: typed unseen, or given by a script."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from fieldkit.home import Home
from fieldkit.passphrase import unlock
from fieldkit.session import session_of
from fieldkit.vault import has_vault
from sync.problems import problem

GIVEN = "FIELDKIT_PASSPHRASE"


def open_home(folder: Path) -> Home:
    """The home of a folder, opened where it has a passphrase.

    The key held by `unlock` is taken first; then a script's passphrase; then it is asked for.
    """
    if not has_vault(folder):
        return Home(folder)
    session = session_of(folder)
    held = session.take() if session is not None else None
    if held is not None:
        return Home(folder, held)
    opened = unlock(folder, read_passphrase("Passphrase"))
    if session is not None and opened.data_key is not None and not _from_script():
        with suppress(OSError):  # then it is asked for again
            session.hold(opened.data_key)
    return opened


def read_passphrase(prompt: str, *, twice: bool = False, new: bool = False) -> str:
    """A passphrase: FIELDKIT_PASSPHRASE, the open file FIELDKIT_PASSPHRASE_FD, or typed unseen.

    A `new` one, beside another, is FIELDKIT_NEW_PASSPHRASE. Raises `device-locked` where nobody
    can be asked.
    """
    name = "FIELDKIT_NEW_PASSPHRASE" if new else GIVEN
    if name in os.environ:
        return os.environ[name]
    if f"{name}_FD" in os.environ:
        return _line_of(os.environ[f"{name}_FD"])
    if not sys.stdin.isatty():
        raise problem("device-locked")
    typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return typed


def _line_of(descriptor: str) -> str:
    try:
        with open(int(descriptor), encoding="utf-8", closefd=False) as file:
            return file.readline().rstrip("\r\n")
    except (OSError, ValueError) as exc:
        raise problem("device-locked") from exc


def _from_script() -> bool:
    return GIVEN in os.environ or f"{GIVEN}_FD" in os.environ
