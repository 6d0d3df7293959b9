"""status and check: where the inspection stands, and what would be flagged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from checklists.model import Checklist
from checklists.moved import Affected
from fieldkit import show
from fieldkit.aside import Aside, held_aside
from fieldkit.authors import Author, authors
from fieldkit.bundle_content import InBundles, in_bundles
from fieldkit.capture import about_of, checklist_of
from fieldkit.commands.desk import Desk, desk, inspection_option, now
from fieldkit.commands.resolving import conflict_data, conflict_facts
from fieldkit.commands.sealed_shown import sealed_data, sealed_facts
from fieldkit.commands.versions import again_lines
from fieldkit.confirmed import not_counted
from fieldkit.glance import glance
from fieldkit.hazards import hazard_data, hazard_facts
from fieldkit.interviews import count_waiting
from fieldkit.ledger import FileState, Ledger
from fieldkit.left import Left, what_is_left
from fieldkit.library import PublishedText
from fieldkit.outbox import Outbox
from fieldkit.progress import ItemProgress, by_section, open_critical, progress
from fieldkit.resolving import Listed, listed_conflicts
from fieldkit.ruled_out import ruled_out, ruled_out_data, ruled_out_facts
from fieldkit.sealed_visits import sealed_visits
from fieldkit.shared import Colleague, NotTaken, colleagues, not_taken
from fieldkit.signing import Standing, standing
from fieldkit.versions import affected_here, in_force
from sync.hazard import Hazard
from sync.inspection import Inspection, Ruling
from sync.problems import Problem, problem

_NEXT = 3
_MISSING = 10
_SEVERITY_MARKS = {"critical": "▲", "major": "◆", "minor": "●", "query": "?"}


@dataclass(frozen=True)
class _Where:
    """Where an inspection stands, gathered for showing."""

    read: Inspection
    facility: dict[str, Any]
    checklist: Checklist
    items: list[ItemProgress]
    signed: Standing
    device: str
    entries: int  # of this device
    waiting: int
    colleagues: list[Colleague]
    not_taken: list[NotTaken]
    files: list[FileState]
    left: Left
    bundled: InBundles | None
    protected: int  # entries that are sealed and wait for the sign-off
    conflicts: list[Listed]
    hazards: tuple[Hazard, ...]
    ruled_out: tuple[Ruling, ...]
    authors: dict[str, Author]
    aside: list[Aside]
    again: list[Affected]
    newer: PublishedText | None  # another version is in force and this device has not signed


@click.command()
@click.option("--evidence", is_flag=True, help="List every file with its digest and state.")
@inspection_option
@desk
def status(at: Desk, evidence: bool, inspection: str | None) -> None:
    """What is answered, what is missing, what is signed, sent and held safely."""
    sealed = sealed_visits(at.store)
    try:
        where = _gather(at, at.inspection(inspection))
    except Problem as exc:
        if exc.code not in ("inspection-none", "inspection-sealed") or not sealed:
            raise
        at.say(sealed_facts(sealed), {"sealed": sealed_data(sealed)})
        return
    if at.json:
        show.data(_status_data(where) | {"sealed": sealed_data(sealed)})
        return
    show.facts(_head(where))
    if evidence:
        _say_evidence(where)
        return
    click.echo()
    show.table(
        ("section", "answered", "open"),
        [
            (section.title, str(section.answered), str(section.open))
            for section in by_section(where.checklist, where.items)
        ],
        frozenset({"answered", "open"}),
    )
    click.echo()
    show.facts(_tasks(where))
    _say_conflicts(where)
    click.echo()
    show.facts([*_safety(where), *sealed_facts(sealed)])
    if where.aside:
        click.echo()
        show.facts(
            [("held aside", f"{one.happened}\n{one.safe} {one.remedy}") for one in where.aside]
        )


@click.command()
@click.option(
    "--dump",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the rules read to this file, for `tapak rules try`.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@inspection_option
@desk
def check(at: Desk, inspection: str | None, dump: Path | None, force: bool) -> None:
    """What the rules would flag with what is on this device, and what they could not look at."""
    from checklists.discrepancies.case import Flag
    from checklists.discrepancies.case_file import case_bytes
    from checklists.discrepancies.catalogue import evaluate, findings_to_json
    from fieldkit.preview import case_of

    case = case_of(at.sources(), at.inspection(inspection))
    if dump is not None:
        _write(dump, case_bytes(case), force)
    findings = evaluate(case)
    if at.json:
        show.data({"findings": findings_to_json(findings)})
        return
    flags = [f for f in findings if isinstance(f, Flag)]
    for flag in flags:
        show.facts(
            [
                (
                    f"{_SEVERITY_MARKS[flag.severity]} {flag.severity}",
                    f"{flag.title} ({flag.rule})",
                ),
                ("why", flag.explanation),
                ("threshold", flag.threshold),
                ("margin", flag.margin),
                ("may be innocent", "\n".join(flag.innocent_causes)),
                ("would settle it", flag.would_settle),
            ]
        )
        click.echo()
    if not flags:
        click.echo("Nothing would be flagged by the rules that could look.")
    rest = [(f.rule, f"not evaluated: {f.needs}") for f in findings if not isinstance(f, Flag)]
    if rest:
        show.facts(rest)


# -- inside ---------------------------------------------------------------------------------------


def _write(file: Path, data: bytes, force: bool) -> None:
    """Raises `file-exists` and `file-unwritable`."""
    try:
        with file.open("wb" if force else "xb") as opened:
            opened.write(data)
    except FileExistsError as exc:
        raise problem("file-exists", name=str(file)) from exc
    except OSError as exc:
        raise problem("file-unwritable", name=str(file), why=exc.strerror or str(exc)) from exc


def _gather(at: Desk, inspection: str) -> _Where:
    from fieldkit.declared import processes_of

    seen = glance(at.store, inspection)
    read = seen.inspection
    facility = at.library.facility_or_id(about_of(read).facility)
    checklist = checklist_of(at.store, at.library, inspection)
    standard = in_force(at.library, facility, now())
    newer = None if standard is None or standard.digest == checklist.digest else standard
    database, identity = at.store.database, at.store.identity()
    entries = at.store.positions(inspection)
    carriers = at.store.carriers(inspection)
    others = colleagues(database, identity, inspection)
    mine = entries.keys() - {one.device for one in others}
    ledger, outbox = Ledger(database), Outbox(at.store, identity)
    urgent, ruled = seen.hazards, ruled_out(read)
    named = read.conflicts or ruled or any(one.acknowledged for one in urgent)
    waiting = ledger.waiting_lines(identity, inspection)
    previews = outbox.previews()
    files = [f for f in ledger.files(inspection) if f.sha256 not in previews]
    return _Where(
        read,
        facility,
        checklist,
        progress(checklist, read, processes_of(at.library, read, facility), seen.given),
        standing(entries, read, carriers, not_counted(database.rows, inspection)),
        identity.device,
        sum(len(entries[d]) for d in mine) - sum(1 for d, _ in carriers if d in mine),
        waiting,
        others,
        not_taken(database, inspection),
        files,
        what_is_left(outbox, inspection),
        _bundled(at, inspection, waiting, files),
        count_waiting(at.store, inspection),
        listed_conflicts(at.store, at.library, inspection, seen.conflicts),
        urgent,
        ruled,
        authors(at.store) if named else {},
        held_aside(at.store, inspection, len(read.unread)),
        affected_here(at.library, read, seen.given, checklist),
        None if read.sign_offs.get(identity.device) else newer,
    )


def _bundled(at: Desk, inspection: str, waiting: int, files: list[FileState]) -> InBundles | None:
    mine = at.store.count_lines(inspection, at.store.identity().device)
    lacking = [file.sha256 for file in files if file.held_at is None]
    return in_bundles(at.store, inspection, lacking, mine - waiting)


def _head(where: _Where) -> list[show.Fact]:
    about = about_of(where.read)
    name = str(where.facility.get("name", about.facility))
    if where.facility.get("example"):
        name += " (example)"
    outcome = ", ".join(o.outcome for o in where.read.outcome.heads)
    return [
        ("inspection", where.read.id),
        ("facility", name),
        ("begun", show.time((where.read.begun or about).written.at)),
        ("mode", about.mode),
        ("outcome", outcome or "none yet"),
        *_newer(where),
        *_shared(where),
        *hazard_facts(where.hazards, where.authors),
        *ruled_out_facts(where.ruled_out, where.authors),
    ]


def _newer(where: _Where) -> list[show.Fact]:
    if where.newer is None:
        return []
    said = f"version {where.newer.version} is in force here; see it with: fieldkit checklist"
    return [("checklist", f"version {where.checklist.version}; {said}")]


def _shared(where: _Where) -> list[show.Fact]:
    """Who else recorded (S5), and what of it could not be taken."""
    told = []
    for one in where.colleagues:
        text = f"{one.name}, {show.number(one.entries, 'entry', 'entries')}"
        if one.withheld:
            text += f"; {show.number(one.withheld, 'part')} of a track stayed at the office"
        if one.waiting:
            text += f"; {show.number(one.waiting, 'does', 'do')} not count, see below"
        if one.vouched:
            text += f"; {one.vouched} vouched for by the server, not signed alone by the device"
        told.append(text)
    rows: list[show.Fact] = [("also recorded by", "\n".join(told))] if told else []
    if where.not_taken:
        said = (f"{one.problem['title']} {one.problem['remedy']}" for one in where.not_taken)
        rows.append(("not taken", "\n".join(said)))
    return rows


def _tasks(where: _Where) -> list[show.Fact]:
    open_items = [i for i in where.items if i.state == "open"]
    rows: list[show.Fact] = []
    if open_items:
        shown = [f"{i.item.id}  {i.item.question}" for i in open_items[:_NEXT]]
        if len(open_items) > _NEXT:
            shown.append(f"and {len(open_items) - _NEXT} more")
        rows.append(("next", "\n".join(shown)))
    partly = [i.item.id for i in where.items if i.state == "partly"]
    if partly:
        rows.append(("incomplete", ", ".join(partly)))
    missing = [
        f"{i.item.id}  " + ", ".join(f"{m.kind} {m.have} of {m.need}" for m in i.missing)
        for i in where.items
        if i.missing
    ]
    if len(missing) > _MISSING:
        missing[_MISSING:] = [f"and {len(missing) - _MISSING} more items"]
    rows.append(("evidence missing", "\n".join(missing) or "none"))
    if where.again:
        rows.append(("other version", "\n".join(again_lines(where.again))))
    if where.conflicts:
        rows.append(("conflicts", f"{len(where.conflicts)}, below"))
    if where.read.unread:
        unread = "\n".join(f"entry {u.seq}: {u.why}" for u in where.read.unread)
        rows.append(("unread", unread))
    return rows


def _safety(where: _Where) -> list[show.Fact]:
    """Signed, sent and held safely: three things, told apart (S4)."""
    signed = "not yet" if not where.signed.devices else "yes"
    names = {one.device: one.name for one in where.colleagues}
    if where.signed.devices and where.device not in where.signed.devices:
        signed = f"by {', '.join(names.get(d, d) for d in where.signed.devices)}; not by you yet"
    if where.signed.devices and where.signed.after:
        count = show.number(where.signed.after, "entry came", "entries came")
        signed += f", but {count} after it; sign again"
    for signer, lacking in where.signed.lacking.items():
        entries = show.number(lacking, "entry", "entries")
        mine = signer == where.device
        who = "you" if mine else names.get(signer, signer)
        then = "sign again" if mine else "until they do, nothing counts as signed by that"
        verb = "does" if lacking == 1 else "do"
        signed += f"\n{entries} that {who} signed {verb} not count any more; {then}"
    sent = sum(1 for f in where.files if f.sent_at is not None)
    held = sum(1 for f in where.files if f.held_at is not None)
    entries = f"{where.entries - where.waiting} of {where.entries} entries"
    total = show.number(len(where.files), "file")
    safe = f"{entries}, {held} of {total}"
    if not where.left.nothing:
        safe += f"\nLeft: {where.left.text()}.\nKeep this device; connect when you can."
    if where.protected:
        waits = show.number(where.protected, "protected entry waits", "protected entries wait")
        signed += f"; {waits} for your sign-off"
    rows: list[show.Fact] = [("signed", signed), ("sent", f"{entries}, {sent} of {total}")]
    if where.bundled is not None:
        lie = show.number(where.bundled.entries, "entry", "entries")
        lie += f", {show.number(where.bundled.files, 'file')}: in a bundle of "
        rows.append(("on a stick", lie + show.time(where.bundled.at)))
    return [*rows, ("held safely", safe)]


def _say_conflicts(where: _Where) -> None:
    """Each conflict with its values side by side (L6), and how to look at one and end it."""
    for listed in where.conflicts:
        click.echo()
        told = conflict_facts(listed, where.authors)
        show.facts([*told, ("settle it", f"fieldkit resolve {listed.name}")])


def _say_evidence(where: _Where) -> None:
    states = {f.sha256: _file_state(f) for f in where.files}
    heads = sorted(
        (h for slot in where.read.evidence.values() for h in slot.heads),
        key=lambda h: (h.written.at, h.written.seq),
    )
    click.echo()
    show.table(
        ("digest", "kind", "source", "name", "size", "items", "state"),
        [
            (
                h.sha256[:12],
                h.kind,
                h.source,
                h.name,
                show.size(h.size),
                " ".join(i.removesuffix("/-") for i in h.items) or "–",
                states.get(h.sha256, "another device's"),
            )
            for h in heads
        ],
        frozenset({"size"}),
    )


def _file_state(file: FileState) -> str:
    if file.held_at is not None:
        return "held safely"
    return "sent" if file.sent_at is not None else "here only"


def _status_data(where: _Where) -> dict[str, Any]:
    about = about_of(where.read)
    left = [f for f in where.files if f.held_at is None]
    return {
        "inspection": where.read.id,
        "facility": about.facility,
        "mode": about.mode,
        "outcome": [o.outcome for o in where.read.outcome.heads],
        "sections": [asdict(s) for s in by_section(where.checklist, where.items)],
        "items": [
            {
                "item": i.item.id,
                "state": i.state,
                "instances": i.instances,
                "missing": [asdict(m) for m in i.missing],
            }
            for i in where.items
        ],
        "open_critical": open_critical(where.items),
        "checklist": {"version": where.checklist.version, "digest": where.checklist.digest},
        "newer_checklist": where.newer and where.newer.digest,
        "affected": [one.to_json() for one in where.again],
        "conflicts": [conflict_data(one, where.authors) for one in where.conflicts],
        "hazards": [hazard_data(one, where.authors) for one in where.hazards],
        "ruled_out": [ruled_out_data(one, where.authors) for one in where.ruled_out],
        "unread": [{"seq": u.seq, "why": u.why} for u in where.read.unread],
        "held_aside": [asdict(one) for one in where.aside],
        "signed": bool(where.signed.devices),
        "after_sign_off": where.signed.after,
        "signed_but_aside": dict(where.signed.lacking),
        "bundled": None if where.bundled is None else asdict(where.bundled),
        "protected_waiting": where.protected,
        "signed_by": list(where.signed.devices),
        "colleagues": [asdict(one) for one in where.colleagues],
        "not_taken": [asdict(one) for one in where.not_taken],
        "entries": {"all": where.entries, "held": where.entries - where.waiting},
        "files": {
            "all": len(where.files),
            "sent": sum(1 for f in where.files if f.sent_at is not None),
            "held": len(where.files) - len(left),
            "bytes_left": sum(f.size for f in left),
        },
        "left": where.left.to_json(),
        "evidence": [
            {
                "sha256": h.sha256,
                "kind": h.kind,
                "source": h.source,
                "name": h.name,
                "size": h.size,
                "items": list(h.items),
                "state": next(
                    (_file_state(f) for f in where.files if f.sha256 == h.sha256), "elsewhere"
                ),
            }
            for slot in where.read.evidence.values()
            for h in slot.heads
        ],
    }
