"""export and score: taking an inspection away, and computing a score again."""

from __future__ import annotations

from pathlib import Path

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, inspection_option
from sync.problems import problem


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace OUT.zip where it is there already.")
@inspection_option
@desk
def export(at: Desk, out: Path, force: bool, inspection: str | None) -> None:
    """Write one inspection to OUT.zip: logs, signatures, files, and its score as a preview."""
    from fieldkit.capture import about_of
    from fieldkit.export import write_export
    from fieldkit.generations import own_keys, settle_keys
    from fieldkit.glance import glance
    from fieldkit.preview import score_document

    if out.exists() and not force:
        raise problem("file-exists", name=str(out))
    which = at.inspection(inspection)
    identity, sources = at.store.identity(), at.sources()
    training = about_of(glance(at.store, which).inspection).mode == "training"
    document = None if training else score_document(sources, which)
    settle_keys(at.home, identity)
    done = write_export(sources, identity, own_keys(at.home, at.store), which, document, out)
    if done.unsigned and not at.json:
        count = show.number(done.unsigned, "entry", "entries")
        show.warn(f"{count} in it cannot be signed: the key of their device is gone.")
    if done.missing and not at.json:
        show.warn(f"{show.number(len(done.missing), 'file')} not on this device, so not in it.")
    rows: list[show.Fact] = [
        ("file", f"{out} ({show.size(done.size)})"),
        ("holds", f"{done.entries} entries, {show.number(done.files, 'evidence file')}"),
    ]
    if training:
        rows.append(("score", "none: an exercise is not scored"))
    else:
        rows.append(("check it", f"fieldkit score {out}"))
    at.say(
        rows,
        {
            "file": str(out),
            "inspection": which,
            "entries": done.entries,
            "files": done.files,
            "missing": list(done.missing),
            "unsigned": done.unsigned,
            "size": done.size,
        },
    )


@click.command()
@click.argument("exported", required=False, metavar="[EXPORT]", type=click.Path(path_type=Path))
@inspection_option
@desk
def score(at: Desk, exported: Path | None, inspection: str | None) -> None:
    """Compute the score of an EXPORT again and compare, or preview the current inspection's."""
    from checklists.scoring import explain, inputs_from_json

    if exported is None:
        from fieldkit.preview import score_document

        document = score_document(at.sources(), at.inspection(inspection))
        limits = inputs_from_json(document["inputs"]).limits
        caution = limits.caution if limits else ""
        if at.json:
            show.data({"preview": True, "limits_caution": caution, **document})
            return
        click.echo(explain(document["score"]), nl=False)
        _say_caution(caution)
        click.echo(
            "A preview from what is on this device; the server's score is the one that counts."
        )
        return
    from fieldkit.recompute import recompute

    done = recompute(exported)
    same = not done.differences
    if at.json:
        show.data(
            {
                "same": same,
                "differences": list(done.differences),
                "entries_verified": done.entries,
                "entries_unsigned": done.unsigned,
                "files_verified": done.files,
                "entries_withheld": done.withheld,
                "entries_vouched": done.vouched,
                "entries_aside": done.aside,
                "entries_aside_signed": done.aside_signed,
                "limits_caution": done.caution,
                "score": done.score,
            }
        )
    else:
        click.echo(explain(done.score), nl=False)
        _say_caution(done.caution)
        if done.entries:
            click.echo(f"{done.entries} entries and {done.files} files verified.")
        if done.withheld:
            parts = show.number(done.withheld, "entry is", "entries are")
            click.echo(f"{parts} withheld: tracks of colleagues stay at the office.")
        if done.vouched:
            parts = show.number(done.vouched, "entry is", "entries are")
            click.echo(f"{parts} vouched for by the server, not signed alone by the device.")
        if done.unsigned:
            count = show.number(done.unsigned, "entry is", "entries are")
            show.warn(f"{count} not signed: the key of their device is gone.")
        if done.aside:
            count = show.number(done.aside, "entry is", "entries are")
            show.warn(f"{count} left out as set aside by the office; the export cannot prove that.")
        if done.aside_signed:
            show.warn(f"Of these {done.aside_signed} were signed for as counting.")
        if same:
            click.echo("Computed again from the export: the same to the digit.")
        else:
            show.warn("Computed again from the export, it differs:")
            show.warn("\n".join(done.differences))
    if not same:
        click.get_current_context().exit(1)


def _say_caution(caution: str) -> None:
    if caution:
        click.echo(f"The limits that it is judged by are {caution}.")
