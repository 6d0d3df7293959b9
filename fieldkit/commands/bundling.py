"""bundle: what was recorded, by stick instead of a network; to the office and to colleagues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.bundle_content import (
    Content,
    Maker,
    for_a_colleague,
    for_the_office,
    note_bundled,
    parted,
)
from fieldkit.bundle_file import Written, found_in, write_bundles
from fieldkit.bundle_sealing import Seal, known_keys, own_key, recipient_of
from fieldkit.commands.desk import Desk, desk, inspection_option, now
from sync.problems import Problem, problem

PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
def bundle() -> None:
    """Carry inspections on a stick: write, read and verify bundles."""


def _passphrase_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--passphrase", is_flag=True, help="Ask for a passphrase.")(command)
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="A file whose first line is the passphrase.",
    )(command)


@bundle.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--to", help="office, which is the default; a colleague's name; or a key, age1….")
@_passphrase_options
@inspection_option
@click.option("--no-photos", is_flag=True, help="Leave all files out: entries only.")
@desk
def write(
    at: Desk,
    path: Path,
    to: str | None,
    passphrase: bool,
    passphrase_file: Path | None,
    inspection: str | None,
    no_photos: bool,
) -> None:
    """Write a bundle into the folder PATH, or as the file PATH.

    What the server is not known to hold goes into it, sealed. Nothing counts as sent by that: only
    the server's receipts say so, and they come back by bundle or with the next sync. A colleague
    gets one inspection, without tracks.
    """
    words = _passphrase(passphrase, passphrase_file, confirm=True)
    maker, content, seal = _content(at, to, words, inspection, files=not no_photos)
    if not content.logs:
        raise problem("bundle-nothing")
    written, damaged = _write(at, path, maker, content, seal)
    note_bundled(maker, [one.content for one in written])
    _say_written(at, written, damaged)


def maker_of(at: Desk) -> Maker:
    """Who writes a bundle on this device, and from what; now."""
    from fieldkit.ledger import Ledger

    store, time = at.store, now()
    key = at.home.load_key()
    identity = store.identity()
    recipient = str(own_key(store, time).to_public())
    return Maker(store, Ledger(store.database), at.blobs, identity, key, recipient, time)


def _content(
    at: Desk, to: str | None, words: str | None, inspection: str | None, *, files: bool
) -> tuple[Maker, Content, Seal]:
    """What goes into the bundle, and how it is sealed.

    With a passphrase alone nobody knows who will open it: then it is what a colleague may see.
    """
    from fieldkit.server_keys import server_keys

    office = to == "office" or (to is None and words is None)
    only = at.inspection(inspection) if inspection or not office else None
    maker = maker_of(at)
    if office:
        content = for_the_office(maker, only, files=files)
        seal = Seal(passphrase=words) if words else Seal([server_keys(maker.store).sealing_key])
        return maker, content, seal
    name, recipient = recipient_of(maker.store, to) if to else ("whoever has the passphrase", "")
    content = for_a_colleague(maker, name, only or "", files=files)
    return maker, content, Seal(passphrase=words) if words else Seal([recipient])


def _write(
    at: Desk, path: Path, maker: Maker, content: Content, seal: Seal
) -> tuple[list[Written], dict[str, Problem]]:
    """Write; a file that changed on this disk is left out and said, and the others go."""
    damaged: dict[str, Problem] = {}
    while True:
        with progress(at, "writing") as tell:
            try:
                return write_bundles(path, maker, parted(content), seal, tell), damaged
            except Problem as exc:
                if exc.code not in ("file-digest", "file-missing", "upload-too-long"):
                    raise
                bad = exc.detail.get("wanted") or Path(str(exc.detail.get("name", ""))).name
                files = tuple(f for f in content.files if f.sha256 != bad)
                if len(files) == len(content.files):
                    raise
                damaged[bad] = exc
                content = replace(content, files=files)


def _say_written(at: Desk, written: list[Written], damaged: dict[str, Problem]) -> None:
    content = written[0].content
    files = sum(len(one.content.files) for one in written)
    size = sum(one.size for one in written)
    at.say(
        [
            ("bundle", "\n".join(str(one.path) for one in written)),
            ("for", content.made_for),
            (
                "holds",
                f"{show.number(content.entries, 'entry', 'entries')}, {show.number(files, 'file')}"
                f" ({show.size(size)})",
            ),
            ("next", "Hand it over. Keep this device until a receipt came back."),
        ],
        {
            "bundles": [{"path": str(one.path), "bytes": one.size} for one in written],
            "for": content.made_for,
            "logs": list(content.logs),
            "entries": content.entries,
            "files": files,
            "left_out": {sha256: exc.to_json() for sha256, exc in damaged.items()},
        },
    )
    for sha256 in damaged:
        show.warn(f"{sha256[:12]} was left out: its bytes changed on this disk since it was kept.")
    if damaged:
        click.get_current_context().exit(1)


@bundle.command()
@PATHS
@_passphrase_options
@desk
def read(at: Desk, paths: tuple[Path, ...], passphrase: bool, passphrase_file: Path | None) -> None:
    """Read bundles from PATHS, files or folders; reading one again changes nothing."""
    from fieldkit.bundle_read import Taken, read_bundle

    words = _passphrase(passphrase, passphrase_file)
    store = at.store
    store.identity()
    results: list[tuple[Path, Taken | None, Problem | None]] = []
    for path in found_in(paths):
        try:
            results.append((path, read_bundle(store, at.blobs, path, words), None))
        except Problem as exc:
            results.append((path, None, exc))
    _say_read(at, results)


def _say_read(at: Desk, results: list[tuple[Path, Any, Problem | None]]) -> None:
    rows: list[show.Fact] = []
    told = []
    for path, taken, trouble in results:
        one: dict[str, Any] = {"path": str(path)}
        if taken is not None:
            one |= {
                "receipts": taken.receipts,
                "changes": taken.changes,
                "keys": taken.keys,
                "entries": taken.lines,
                "unconfirmed": taken.unconfirmed,
                "files": taken.files,
                "skipped": taken.skipped,
                "said": [exc.to_json() for exc in taken.said],
            }
            by = taken.opening.name if taken.opening is not None else ""
            rows += [("bundle", path.name), ("from", by), ("new", _new(taken))]
            if taken.unconfirmed:
                waiting = show.number(taken.unconfirmed, "entry", "entries")
                rows.append(("not confirmed", f"{waiting}: to count once the office says so"))
            rows += [("not known here", f"{n} × {kind}") for kind, n in taken.skipped.items()]
        one["problem"] = None if trouble is None else trouble.to_json()
        told.append(one)
    at.say(rows, {"read": told})
    failed = [(path, exc) for path, _, exc in results if exc is not None]
    said = [(path, exc) for path, taken, _ in results if taken is not None for exc in taken.said]
    if not at.json:
        for path, exc in failed + said:
            show.warn(f"{path.name}:")
            show.trouble(exc)
    if failed or said:
        click.get_current_context().exit(1)


def _new(taken: Any) -> str:
    found = [
        show.number(taken.receipts, "receipt") if taken.receipts else "",
        show.number(taken.changes, "change") if taken.changes else "",
        show.number(taken.lines, "entry", "entries") if taken.lines else "",
        show.number(taken.files, "file") if taken.files else "",
        show.number(taken.keys, "colleague's key", "colleagues' keys") if taken.keys else "",
    ]
    return ", ".join(part for part in found if part) or "nothing: all of it was here"


@bundle.command()
@PATHS
@_passphrase_options
@desk
def verify(
    at: Desk, paths: tuple[Path, ...], passphrase: bool, passphrase_file: Path | None
) -> None:
    """Say what is in bundles and what of it verifies; nothing is kept."""
    from fieldkit.bundle_read import read_file
    from fieldkit.bundle_verify import Found

    words = _passphrase(passphrase, passphrase_file)
    keys = known_keys(at.store) if (at.home.folder / at.home.names[0]).exists() else []
    told, rows, bad = [], [], False
    for path in found_in(paths):
        found, trouble = Found(), None
        try:
            read_file(path, found.look, identities=keys, passphrase=words)
        except Problem as exc:
            trouble = exc
        bad |= trouble is not None or bool(found.faults)
        told.append(_found_data(path, found, trouble))
        rows += _found_rows(path, found, trouble)
    at.say(rows, {"bundles": told})
    if bad:
        click.get_current_context().exit(1)


def _found_rows(path: Path, found: Any, trouble: Problem | None) -> list[show.Fact]:
    rows: list[show.Fact] = [("bundle", path.name)]
    if found.opening is not None:
        made = f"{found.opening.name}, {show.time(found.opening.at)}, for {found.opening.made_for}"
        rows.append(("made by", made))
    for one in found.logs.values():
        entries = show.number(one.head.seq, "entry", "entries")
        whose = found.people.get(one.device, one.device[:12])
        withheld = f", {one.withheld} withheld" if one.withheld else ""
        rows.append(("log", f"{one.log} by {whose}: {entries}{withheld}"))
    rows.append(("files", f"{show.number(found.files, 'file')} ({show.size(found.file_bytes)})"))
    if found.receipts or found.changes:
        answer = f"{show.number(found.receipts, 'receipt')}, {show.number(found.changes, 'change')}"
        rows.append(("answer", answer))
    rows += [("not known here", f"{n} × {kind}") for kind, n in found.skipped.items()]
    faults = [*found.faults, *([f"{trouble.happened} {trouble.remedy}"] if trouble else [])]
    rows.append(("verifies", "all of it" if not faults else "no:\n" + "\n".join(faults)))
    return rows


def _found_data(path: Path, found: Any, trouble: Problem | None) -> dict[str, Any]:
    opening = found.opening
    return {
        "path": str(path),
        "by": None if opening is None else opening.name,
        "at": None if opening is None else opening.at,
        "for": None if opening is None else opening.made_for,
        "logs": [
            {
                "log": one.log,
                "device": one.device,
                "entries": one.head.seq,
                "withheld": one.withheld,
            }
            for one in found.logs.values()
        ],
        "files": {"count": found.files, "bytes": found.file_bytes},
        "receipts": found.receipts,
        "changes": found.changes,
        "skipped": found.skipped,
        "faults": found.faults,
        "problem": None if trouble is None else trouble.to_json(),
    }


@bundle.command()
@desk
def key(at: Desk) -> None:
    """Show this device's key, for a colleague to seal a bundle to: as text and as a QR code."""
    import segno

    recipient = str(own_key(at.store, now()).to_public())
    if not at.json:
        segno.make(recipient.upper(), error="m").terminal(compact=True)
    at.say([("key", recipient)], {"key": recipient})


def _passphrase(ask: bool, file: Path | None, *, confirm: bool = False) -> str | None:
    if file is not None:
        lines = file.read_text("utf-8").splitlines()
        return lines[0] if lines else ""
    if not ask:
        return None
    words: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return words


@contextmanager
def progress(at: Desk, doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the bytes that are left, where someone is looking; nothing otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if at.json or not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(total, 1))
