"""What became of a bundle, as staff are told it: per log and per file, in words and as JSON."""

from __future__ import annotations

from typing import Any

from server.services.bundle_intake import (
    DAMAGED,
    HELD,
    KNOWN,
    NOT_NAMED,
    WITHDRAWN,
    Imported,
)

BECAME = {
    HELD: "verified and held",
    KNOWN: "held before",
    NOT_NAMED: "set aside: no entry that came along names it",
    WITHDRAWN: "not taken: the consent it belongs to was withdrawn",
    DAMAGED: "thrown away: other bytes than its digest says",
}
STATES = {
    "held": "held",
    "gap": "entries are missing before it; the next bundle or sync brings them",
    "forked": "set aside: other bytes than held; see what is set aside",
    "refused": "refused",
}


def as_json(done: Imported) -> dict[str, Any]:
    """The result for machines."""
    opening = done.opening
    return {
        "by": None if opening is None else {"device": opening.device, "name": opening.name},
        "made_at": None if opening is None else opening.at,
        "sha256": done.sha256,
        "logs": [
            {
                "log": state.log,
                "device": state.device,
                "state": state.state,
                "seq": state.seq,
                "problem": state.problem,
            }
            for state in done.logs.values()
        ],
        "new_entries": done.lines,
        "files": [{"sha256": sha256, "became": how} for sha256, how in done.files.items()],
        "new_file_bytes": done.file_bytes,
        "skipped": done.skipped,
        "problem": None if done.trouble is None else done.trouble.to_json(),
    }


def file_counts(done: Imported) -> dict[str, int]:
    """How many files became what, as a reader is told it; nothing of what none became."""
    became = list(done.files.values())
    return {text: became.count(how) for how, text in BECAME.items() if how in became}


def log_words(state: Any) -> str:
    """What became of one log, as a sentence's end."""
    if state.problem is not None:
        return f"{STATES[state.state]}: {state.problem['title']}"
    if state.state == "held":
        return f"held up to entry {state.seq}"
    return STATES[state.state]


def as_lines(done: Imported) -> list[str]:
    """The result as lines of a terminal."""
    lines = []
    if done.opening is not None:
        lines.append(f"by {done.opening.name}, device {done.opening.device or 'of the office'}")
    lines += [f"log {s.log} of {s.device[:12]}: {log_words(s)}" for s in done.logs.values()]
    lines += [f"files: {n} {text}" for text, n in file_counts(done).items()]
    lines += [f"passed over, of a newer version: {n} × {k}" for k, n in done.skipped.items()]
    lines.append(f"new entries: {done.lines}" if done.worth_a_note else "nothing new: all was here")
    if done.trouble is not None:
        trouble = done.trouble
        lines += [trouble.happened, trouble.safe, trouble.remedy]
    return lines
