"""What every command shares: its folder, its options, and where its words go."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fieldkit import show
from fieldkit.home import Home
from fieldkit.in_use import using
from sync.problems import Problem, problem

if TYPE_CHECKING:
    from fieldkit.blobs import Blobs
    from fieldkit.capture import Recorder
    from fieldkit.library import Library
    from fieldkit.preview import Sources
    from fieldkit.store import Store
    from sync.camera_clock import ClockOffset
    from sync.inspection import Fix

SERVER_AWAY = 3
STOPPED = 130


@dataclass
class Setting:
    """What was asked for on the command line, before or after the command's name."""

    folder: Path = Path(".fieldkit")
    json: bool = False


@dataclass(frozen=True)
class Desk:
    """An opened device folder, for one command."""

    home: Home
    json: bool

    @functools.cached_property
    def store(self) -> Store:
        return self.home.open_store()

    @property
    def blobs(self) -> Blobs:
        return self.home.blobs()

    @property
    def library(self) -> Library:
        from fieldkit.library import Library

        return Library(self.store.database)

    def recorder(self) -> Recorder:
        from fieldkit.capture import Recorder

        return Recorder(self.store, self.library, self.store.identity(), now())

    def sources(self) -> Sources:
        from fieldkit.preview import Sources, today

        return Sources(self.store, self.library, self.blobs, today(now()))

    def inspection(self, given: str | None) -> str:
        from fieldkit.capture import which_inspection

        return which_inspection(self.store, given)

    def say(self, facts: Sequence[show.Fact], data: dict[str, Any]) -> None:
        """Print a command's result, as facts or as JSON."""
        if self.json:
            show.data(data)
        else:
            show.facts(facts)


def now() -> int:
    """This computer's clock in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def exit_code(exc: Problem) -> int:
    """The exit code for a problem."""
    return {"server-away": SERVER_AWAY, "stopped": STOPPED}.get(exc.code, 1)


def desk(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its Desk, opened, and the options that every command takes."""
    return _with_desk(command, _opened)


def alone(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `desk`, for a command on the folder as a whole: not opened, and none beside it."""
    return _with_desk(command, Home, only=True)


def unopened(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `desk`, for a command that needs nothing of what may be sealed."""
    return _with_desk(command, Home)


def opened(at: Desk) -> AbstractContextManager[Desk]:
    """The desk opened after all, for a command that finds that it needs what may be sealed."""
    return _standing(_opened(at.home.folder), at.json)


@contextmanager
def _standing(home: Home, json: bool) -> Iterator[Desk]:
    """A desk whose store is closed in the end."""
    at = Desk(home, json)
    try:
        yield at
    finally:
        if "store" in at.__dict__:
            at.store.database.close()


def _opened(folder: Path) -> Home:
    if not (folder / "vault.json").exists():
        return Home(folder)
    from fieldkit.commands.passphrases import open_home

    return open_home(folder)


def _with_desk(
    command: Callable[..., Any], find: Callable[[Path], Home], *, only: bool = False
) -> Callable[..., Any]:
    @click.option("--json", is_flag=True, expose_value=False, is_eager=True, callback=_want_json)
    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        expose_value=False,
        callback=_other_home,
        help="The device's folder.",
    )
    @click.pass_context
    @functools.wraps(command)
    def with_desk(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        setting = ctx.ensure_object(Setting)
        with (
            using(setting.folder, alone=only),
            _standing(find(setting.folder), setting.json) as at,
        ):
            return command(at, *args, **kwargs)

    return with_desk


def inspection_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says which inspection is meant."""
    text = "The inspection, by the beginning of its id; the current one otherwise."
    return click.option("--inspection", help=text)(command)


def fix_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says where it was."""
    return click.option(
        "--fix",
        metavar="LAT,LON[,ACC]",
        callback=_fix,
        help="Where: degrees WGS 84, and the accuracy in metres.",
    )(command)


def camera_offset_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says how far the cameras' clocks are from UTC."""
    return click.option(
        "--camera-offset",
        metavar="+HH:MM|+SECONDS",
        callback=_offset,
        help="How far the camera's clock is ahead of UTC; otherwise its own pictures show it.",
    )(command)


def _want_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Setting).json = True


def _other_home(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Setting).folder = value


def _fix(_ctx: click.Context, _: click.Parameter, value: str | None) -> Fix | None:
    if value is None:
        return None
    from fieldkit.fixes import read_fix

    return read_fix(value)


def _offset(_ctx: click.Context, _: click.Parameter, value: str | None) -> ClockOffset | None:
    if value is None:
        return None
    from sync.camera_clock import parse_offset

    found = parse_offset(value)
    if found is None:
        raise problem("offset-malformed", text=value)
    return found
