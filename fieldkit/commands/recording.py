"""start, answer, observe, outcome, sign-off: what the auditor records."""

from __future__ import annotations

import secrets

import click

from fieldkit import show
from fieldkit.capture import (
    Extras,
    Recorded,
    about_of,
    checklist_of,
    set_outcome,
)
from fieldkit.capture import (
    answer as record_answer,
)
from fieldkit.capture import (
    observe as record_observation,
)
from fieldkit.capture import (
    start as begin,
)
from fieldkit.commands.desk import Desk, desk, fix_option, inspection_option
from sync.inspection import Fix
from sync.problems import problem

_EVIDENCE = click.option(
    "--evidence", multiple=True, metavar="DIGEST", help="A file's digest, or how it begins."
)
_NOTE = click.option("--note", default="", help="A note, without names of people.")


@click.command()
@click.argument("facility")
@click.option("--purpose", default="", help="Why; the assignment's purpose otherwise.")
@fix_option
@click.option("--training", is_flag=True, help="An exercise: it never counts.")
@click.option("--new", is_flag=True, help="Another inspection, though one is not signed yet.")
@desk
def start(
    at: Desk, facility: str, purpose: str, fix: Fix | None, training: bool, new: bool
) -> None:
    """Begin an inspection of FACILITY, or go on with the one that is not signed yet."""
    mode = "training" if training else "live"
    if at.home.data_key is None and facility in at.library.in_conflict():
        raise problem("passphrase-needed", facility=facility)
    begun = begin(at.recorder(), facility, purpose=purpose, fix=fix, mode=mode, new=new)
    name = str(begun.facility.get("name", facility))
    example = bool(begun.facility.get("example"))
    at.say(
        [
            ("inspection", begun.inspection),
            ("facility", f"{name} (example)" if example else name),
            ("checklist", f"{begun.checklist.title}, version {begun.checklist.version}"),
            ("mode", mode),
            ("begun", "now" if begun.new else "earlier; going on with it"),
        ],
        {
            "inspection": begun.inspection,
            "facility": facility,
            "name": name,
            "example": example,
            "checklist": begun.checklist.digest,
            "mode": mode,
            "new": begun.new,
        },
    )


@click.command()
@click.argument("item")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--instance", help="Which well, outfall or pond it is about.")
@_NOTE
@click.option("--reason", default="", help="Why the item does not apply.")
@click.option("--second", default="", metavar="PERSON", help="Who agrees that it does not apply.")
@_EVIDENCE
@fix_option
@inspection_option
@desk
def answer(
    at: Desk,
    item: str,
    values: tuple[str, ...],
    instance: str | None,
    note: str,
    reason: str,
    second: str,
    evidence: tuple[str, ...],
    fix: Fix | None,
    inspection: str | None,
) -> None:
    """Answer ITEM with a level (fully, substantially, partially, does-not-meet; FM SM PM DNM; met
    and not-met where the item has these), with not-observed, refused or not-applicable (NO REF
    NA), or with readings such as "As=0.008±0.001 mg/L".
    """
    recorded = record_answer(
        at.recorder(),
        at.inspection(inspection),
        item,
        values,
        instance=instance,
        reason=reason,
        second=second,
        extras=Extras(note, evidence, fix),
    )
    _say(at, recorded, _answer_text(recorded))


@click.command()
@click.argument("what", metavar="WHAT[/INSTANCE]")
@click.argument("value")
@_NOTE
@_EVIDENCE
@fix_option
@inspection_option
@desk
def observe(
    at: Desk,
    what: str,
    value: str,
    note: str,
    evidence: tuple[str, ...],
    fix: Fix | None,
    inspection: str | None,
) -> None:
    """Record something seen that is not scored, such as: operating/warm-kiln yes."""
    recorded = record_observation(
        at.recorder(), at.inspection(inspection), what, value, Extras(note, evidence, fix)
    )
    _say(at, recorded, f"{value} {recorded.value.get('unit', '')}".strip())


@click.command()
@click.argument("outcome_", metavar="OUTCOME")
@_NOTE
@fix_option
@inspection_option
@desk
def outcome(at: Desk, outcome_: str, note: str, fix: Fix | None, inspection: str | None) -> None:
    """Record how the visit ended: visited, partly, refused-at-the-gate, unsafe-and-left or
    evacuated.
    """
    recorded = set_outcome(at.recorder(), at.inspection(inspection), outcome_, note, fix)
    _say(at, recorded, outcome_)


@click.command("sign-off")
@click.option("--statement", default="", help="What you declare; a plain sentence otherwise.")
@inspection_option
@desk
def sign_off(at: Desk, statement: str, inspection: str | None) -> None:
    """Sign everything recorded so far; what comes later can be signed again."""
    from fieldkit.declared import processes_of
    from fieldkit.glance import glance
    from fieldkit.interviews import Protection
    from fieldkit.progress import open_critical, progress
    from fieldkit.signing import sign_off as sign

    recorder, which = at.recorder(), at.inspection(inspection)
    seen = glance(at.store, which)
    read = seen.inspection
    facility = at.library.facility_or_id(about_of(read).facility)
    checklist = checklist_of(at.store, at.library, which)
    items = progress(checklist, read, processes_of(at.library, read, facility), seen.given)
    protection = Protection(at.blobs, secrets.SystemRandom().shuffle)
    signed = sign(recorder, which, statement, protection)
    left = open_critical(items)
    if left and not at.json:
        show.warn(f"Critical items without a whole answer: {', '.join(left)}")
    covers = (
        f"{show.number(signed.entries, 'entry', 'entries')} of {show.number(signed.logs, 'log')}"
    )
    if signed.protected:
        covers += f", {show.number(signed.protected, 'protected one')} among them"
    if signed.without:
        left_out = show.number(signed.without, "that does", "that do")
        covers += f"; {left_out} not count left out"
    at.say(
        [
            ("inspection", which),
            ("signed", "now" if signed.new else "earlier; nothing came since"),
            ("covers", covers),
            ("next", "fieldkit sync, when there is a network"),
        ],
        {
            "inspection": which,
            "new": signed.new,
            "entries": signed.entries,
            "logs": signed.logs,
            "protected": signed.protected,
            "without": signed.without,
            "open_critical": left,
            "conflicts": list(read.conflicts),
        },
    )


def _say(at: Desk, recorded: Recorded, text: str) -> None:
    kept = "now" if recorded.new else "already so; nothing was added"
    path = recorded.path.partition("/")[2].removesuffix("/-") or recorded.path
    data = {"path": recorded.path, "value": recorded.value, "new": recorded.new}
    at.say([(path, text), ("kept", kept)], data)


def _answer_text(recorded: Recorded) -> str:
    value = recorded.value
    if "readings" not in value:
        return str(value.get("level") or value.get("special"))
    parts = []
    for one in value["readings"]:
        spread = f" ± {one['u']}" if "u" in one else ""
        parts.append(f"{one['analyte']} {one['value']}{spread} {one['unit']}")
    return "\n".join(parts)
