"""interview and note: what could identify or endanger a person, sealed as it is written (L8)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, inspection_option, now
from fieldkit.interview_form import TEMPLATE, Form, ask_form, read_form
from fieldkit.interviews import Recorded, day_text, discard, listed, record
from fieldkit.safeguarding import confirm_keys, described, known_keys, note_first_keys
from sync.problems import problem

_MAX_FORM_BYTES = 4 * 1024**2

_from_option = click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="A filled-in form; - for standard input. Otherwise you are asked.",
)
_file_option = click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A picture or recording to seal with it; may be repeated.",
)


@click.group(invoke_without_command=True)
@_from_option
@_file_option
@inspection_option
@desk
def interview(at: Desk, /, **given: Any) -> None:
    """Record an interview, sealed at once to the safeguarding keys.

    What was said is asked for, or read from a form: never from the command line, which shells
    remember. Afterwards this device cannot read it any more.
    """
    if click.get_current_context().invoked_subcommand is None:
        _record(at, "interview", **given)


@click.command()
@click.option("--protected", is_flag=True, required=True, help="Sealed to the safeguarding keys.")
@_from_option
@_file_option
@inspection_option
@desk
def note(at: Desk, /, protected: bool, **given: Any) -> None:
    """Write a protected note about a person. Other notes go with an answer: --note there."""
    _record(at, "note", **given)


@interview.command("list")
@desk
def list_command(at: Desk) -> None:
    """List this device's protected entries: number, day, and how far they are. Nothing inside."""
    found = listed(at.store)
    if at.json:
        show.data(
            {
                "protected": [
                    {
                        "id": one.id,
                        "inspection": one.inspection,
                        "day": day_text(one.day),
                        "files": one.files,
                        "state": one.state,
                    }
                    for one in found
                ]
            }
        )
        return
    if not found:
        click.echo("This device has recorded no protected entry.")
        return
    show.table(
        ("number", "day", "files", "state"),
        [(one.id, day_text(one.day), str(one.files), one.state) for one in found],
        frozenset({"files"}),
    )


@interview.command("form")
def form_command() -> None:
    """Print an empty form, for --from."""
    click.echo(TEMPLATE, nl=False)


@interview.command("discard")
@click.argument("number")
@desk
def discard_command(at: Desk, number: str) -> None:
    """Throw away entry NUMBER before it is signed, as whoever spoke asked for."""
    gone = discard(at.store, number)
    at.say(
        [("thrown away", f"{gone.id} of {day_text(gone.day)}; nothing of it was ever sent")],
        {"id": gone.id, "day": day_text(gone.day)},
    )


@interview.command("keys")
@click.option("--confirm", is_flag=True, help="You compared the fingerprints: use the new ones.")
@desk
def keys_command(at: Desk, confirm: bool) -> None:
    """Show the safeguarding keys' fingerprints; with --confirm, take new ones into use."""
    identity = at.store.identity()
    note_first_keys(at.store, identity, now())
    if confirm:
        confirm_keys(at.store, identity, now())
    keys = known_keys(at.store, identity)
    rows: list[show.Fact] = [("in use", described(keys.confirmed) or "none")]
    if keys.new:
        rows.append(("not confirmed", described(keys.new)))
        rows.append(("next", "compare it with your safeguarding person; then add --confirm"))
    at.say(
        rows,
        {
            "in_use": [{"name": k.name, "fingerprint": k.fingerprint} for k in keys.confirmed],
            "not_confirmed": [{"name": k.name, "fingerprint": k.fingerprint} for k in keys.new],
        },
    )


# -- inside ---------------------------------------------------------------------------------------


def _record(
    at: Desk, kind: str, source: Path | None, files: tuple[Path, ...], inspection: str | None
) -> None:
    from fieldkit.safeguarding import sealing_keys

    recorder, which = at.recorder(), at.inspection(inspection)
    keys = sealing_keys(at.store, recorder.identity, recorder.now)  # before anything is asked
    if source is None and sys.stdin.isatty():
        show.note(f"Sealed to:\n{described(keys)}")
        form = ask_form(kind, _ask, _lines)
    else:
        form = read_form(_given(source), kind)
    done = record(recorder, at.blobs, which, form, (*form.files, *files))
    _say(at, kind, done, form, source)


def _say(at: Desk, kind: str, done: Recorded, form: Form, source: Path | None) -> None:
    left = [str(p) for p in form.files]
    if source is not None and str(source) != "-":
        left.insert(0, str(source))
    rows: list[show.Fact] = [
        (kind, f"{done.id}, {day_text(done.day)}"),
        ("sealed to", described(done.keys)),
        ("from now on", "this device cannot read it; note the number if it may be withdrawn"),
        ("next", "fieldkit sign-off: it waits until then, and nothing of it is sent before"),
    ]
    if done.files:
        rows.insert(1, ("files", show.number(done.files, "file") + " sealed with it"))
    if left or done.files:
        rows.append(
            ("not sealed", "what it was read from is where it was; delete it there yourself")
        )
    at.say(
        rows,
        {
            "id": done.id,
            "day": day_text(done.day),
            "files": done.files,
            "keys": [{"name": k.name, "fingerprint": k.fingerprint} for k in done.keys],
        },
    )


def _given(source: Path | None) -> bytes:
    """The form from a file or standard input, as far as a form may be long."""
    try:
        if source is None or str(source) == "-":
            data = sys.stdin.buffer.read(_MAX_FORM_BYTES + 1)
        else:
            with source.open("rb") as file:
                data = file.read(_MAX_FORM_BYTES + 1)
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(source)) from exc
    except OSError as exc:
        why = exc.strerror or "unknown"
        raise problem("file-unreadable", name=str(source), why=why) from exc
    if len(data) > _MAX_FORM_BYTES:
        raise problem("interview-malformed", why=f"it is longer than {_MAX_FORM_BYTES} bytes")
    return data


def _ask(what: str) -> str:
    return str(click.prompt(what, default="", show_default=False, err=True))


def _lines() -> str:
    show.note("What was said; end with a line that holds only a dot.")
    said: list[str] = []
    for line in sys.stdin:
        if line.rstrip("\r\n") == ".":
            break
        said.append(line)
    return "".join(said)
