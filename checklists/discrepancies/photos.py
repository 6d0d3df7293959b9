"""R12 and R13: what a photograph's own record says, and whether it was submitted before.

Only photographs are judged: documents are scanned, sent on and shown every year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checklists.discrepancies.case import Case, CasePhoto, Finding, Use, called, shown
from checklists.discrepancies.days import day_of
from checklists.discrepancies.rule import Rule


def _called(photo: CasePhoto) -> str:
    return called(photo.name, photo.sha256)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


# -- R12 ------------------------------------------------------------------------------------------


def _metadata(case: Case) -> tuple[Finding, ...]:
    found: list[Finding] = []
    absent: list[CasePhoto] = []
    broken: list[CasePhoto] = []
    for photo in sorted(case.photos, key=lambda p: p.sha256):
        reason = _fault(photo, case.settings["R12"]["editors"])
        if reason:
            found.append(_metadata_flag(case, photo, *reason))
        elif _judged_by_exif(photo) and photo.facts is None:
            (broken if photo.unreadable else absent).append(photo)
    needs: list[str] = []
    if absent:
        needs.append(f"the file(s) {_list(map(_called, absent))}, which have not arrived here")
    if broken:
        copies = (f"{_called(p)} ({shown(p.unreadable)})" for p in broken)
        needs.append(f"a readable copy of {_list(copies)}")
    if needs:
        found.append(R12.needs("; ".join(needs)))
    return tuple(found)


def _judged_by_exif(photo: CasePhoto) -> bool:
    """Browsers strip what a camera writes, so only pictures that were brought in are judged."""
    return photo.kind == "photo" and photo.source == "imported"


def _fault(photo: CasePhoto, editors: Iterable[str]) -> tuple[str, str, str] | None:
    """What is wrong with a photograph: a code, in plain words, and the program it names."""
    software = str((photo.facts or {}).get("software") or "")
    if not photo.digest_holds:
        return "digest", "differs from the digest that was signed when it was attached", software
    if not _judged_by_exif(photo) or photo.facts is None:
        return None
    if not photo.facts.get("exif"):
        return "exif-absent", "carries no camera metadata (EXIF) at all", software
    for editor in editors:
        if re.search(rf"(?<!\w){re.escape(editor)}(?!\w)", software, re.IGNORECASE):
            return "edited", f"names a program that alters pictures ({shown(software)})", software
    return None


def _metadata_flag(case: Case, photo: CasePhoto, code: str, words: str, software: str) -> Finding:
    facts = photo.facts or {}
    text = (
        f"The file {_called(photo)} {words}."
        if code == "digest"
        else f"The photograph {_called(photo)}, which was brought in from elsewhere, {words}. "
        "It cannot show by itself when and where it was taken."
    )
    return R12.flag(
        case,
        photo.sha256,
        "major",
        text,
        {
            "reason": code,
            "sha256": photo.sha256,
            "sha256_of_the_bytes": str(facts.get("sha256") or "unknown"),
            "source": photo.source,
            "kind": photo.kind,
            "software": software,
            "camera_time": str(facts.get("camera_time") or ""),
            "modified_time": str(facts.get("modified_time") or ""),
            "entry": photo.entry,
        },
        "camera metadata present, no editing program named, digest as signed",
        "not a measured quantity",
        (photo.sha256,),
    )


# -- R13 ------------------------------------------------------------------------------------------


def _reuse(case: Case) -> tuple[Finding, ...]:
    found: list[Finding] = []
    alone: list[CasePhoto] = []
    for photo in sorted(case.photos, key=lambda p: p.sha256):
        if photo.kind != "photo" or photo.source == "scan":
            continue
        uses = [u for u in case.other_uses.get(photo.sha256, ()) if u.inspection != case.inspection]
        if uses:
            uses.sort(key=lambda u: (u.at, u.inspection))
            found.append(_reuse_flag(case, photo, uses))
        else:
            alone.append(photo)
    if alone and not case.uses_complete:
        found.append(R13.needs("the server's other visits; this device knows its own only"))
    return tuple(found)


def _reuse_flag(case: Case, photo: CasePhoto, uses: list[Use]) -> Finding:
    first = uses[0]
    # Which other facility it is may be more than this facility's readers may know.
    where = "this facility" if first.facility == case.facility else "another facility"
    day = day_of(first.at)
    on = f" on {day}" if day else ""
    more = f", and in {len(uses) - 1} more" if len(uses) > 1 else ""
    return R13.flag(
        case,
        photo.sha256,
        "critical",
        f"The photograph {_called(photo)} is, byte for byte, a file that was also submitted for "
        f"another visit: at {where}{on}{more}. One photograph cannot show two visits.",
        {
            "sha256": photo.sha256,
            "source": photo.source,
            "entry": photo.entry,
            "uses": [
                {
                    "inspection": u.inspection,
                    "at": u.at,
                    "where": "this facility" if u.facility == case.facility else "another facility",
                }
                for u in uses
            ],
        },
        "the same SHA-256 in no other visit",
        f"{len(uses)} other visit(s)",
        (photo.sha256,),
    )


R12 = Rule(
    "R12",
    "1",
    "record",
    "Metadata of a picture missing, edited, or its bytes changed",
    "A photograph that was brought in has no EXIF or names an editing program; any file differs "
    "from the digest that was signed.",
    (
        "a messaging app, which removes metadata when it sends a picture",
        "the picture was turned or cropped in an editor to make it clearer",
    ),
    "The original file from the camera's card, or a new photograph taken with the client.",
    _metadata,
)

R13 = Rule(
    "R13",
    "1",
    "record",
    "The same photograph in another visit",
    "The SHA-256 of a photograph occurs in another visit; documents and scans are excepted.",
    (
        "a deliberate reference to an earlier state, which should be said in the note",
        "the picture was attached to the wrong visit by mistake",
    ),
    "The auditor's account of which visit the photograph shows, or a new photograph.",
    _reuse,
)
