"""entries: every entry of an inspection, and between when it was written."""

from __future__ import annotations

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, inspection_option
from sync.log import Entry
from sync.written import Between


@click.command()
@inspection_option
@desk
def entries(at: Desk, inspection: str | None) -> None:
    """Every entry with its place, its claimed time, and between when it was written."""
    from fieldkit.written import entries_of

    which = at.inspection(inspection)
    found = entries_of(at.store, which)
    if at.json:
        show.data(
            {
                "inspection": which,
                "entries": [
                    {
                        "device": one.record.device,
                        "seq": one.record.seq,
                        "path": one.record.path,
                        "at": one.record.at,
                        "by": one.record.by if isinstance(one.record, Entry) else None,
                        "not_before": one.between.not_before,
                        "not_after": one.between.not_after,
                        "counts": one.counts,
                    }
                    for one in found
                ],
            }
        )
        return
    show.table(
        ("device", "entry", "what", "its clock said", "written"),
        [
            (
                one.record.device[:8],
                str(one.record.seq),
                (one.record.path or "unread") + ("" if one.counts else "; does not count"),
                show.time(one.record.at),
                _between(one.between),
            )
            for one in found
        ],
        frozenset({"entry"}),
    )


def _between(between: Between) -> str:
    after, before = between.not_before, between.not_after
    if after is None and before is None:
        return "nothing proves when"
    if after is None:
        return f"before {show.time(before or 0)}"
    if before is None:
        return f"after {show.time(after)}"
    return f"{show.time(after)} to {show.time(before)}"
