"""A score document as plain text, unfolded to every point (scoring rule 10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from checklists.scoring.grades import ADJUDICATE

Document = Mapping[str, Any]

_STATE = {
    "graded": "",
    "provisional": "provisional",
    "withheld": "grade withheld",
    "none": "no grade",
}
_DASH = "–"


def explain(score_json: Document) -> str:
    """The score as text for a terminal, from its JSON alone: every number with where it is from."""
    lines = [
        headline(score_json),
        f"{score_json['scope']} {score_json['subject']}, as of {score_json['as_of']}",
        score_json["disclaimer"],
        "",
        *_summary(score_json),
        *_listed("Why", [r["text"] for r in score_json["reasons"]]),
        *_listed("Answers not signed at the source", _unsigned(score_json["items"])),
        *_listed("Caps", [f"{c['at']}: {c['because']}" for c in score_json["caps"]]),
        *_groups(score_json),
        *_items(score_json),
        *_listed("Alerts", [f"{a['section']}: {a['text']}" for a in score_json["alerts"]]),
        *_listed(
            "Not scored for lack of a legal limit",
            [f"{g['item']}, {g['analyte']}: {g['text']}" for g in score_json["gaps"]],
        ),
        *_listed(
            "What would gain most next (points of the facility's lower bound)",
            [f"+{n['gain']}  {n['item']}: {n['text']}" for n in score_json["next"]],
        ),
        *_listed("Visits", [_visit(v) for v in score_json["visits"]]),
        *_listed("Computed from (SHA-256)", _digests(score_json["digests"])),
        f"Scoring rules that applied: {', '.join(score_json['rules'])}",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def headline(score_json: Document) -> str:
    """The grade with interval and coverage in one line: `B · 78.4 (70–84) · 93 % seen`."""
    parts = [score_json["grade"] or _DASH]
    if score_json["capped"] is not None:
        capped, raw = score_json["capped"], score_json["raw"]
        spread = "–".join(score_json["interval"])
        uncapped = (score_json.get("for_grade") or score_json)["raw"]
        how = f"{capped} for the grade, {raw} shown"
        if capped != uncapped:
            how = f"{capped} after caps, {raw} before"
        shown = raw if raw == capped else how
        parts.append(f"{shown} ({spread})")
    if score_json["coverage"] is not None:
        parts.append(f"{_percent(score_json['coverage'])} seen")
    if _STATE[score_json["grade_state"]]:
        parts.append(_STATE[score_json["grade_state"]])
    return " · ".join(parts)


def _summary(doc: Document) -> Iterator[str]:
    smallest = doc["smallest_pillar"]
    for_grade = doc.get("for_grade")
    rows = [
        ("raw", doc["raw"]),
        *([("for the grade", for_grade["raw"])] if for_grade else []),
        ("after caps", doc["capped"]),
        ("bounds", _span(doc["low"], doc["high"])),
        ("standard error", doc["se"]),
        ("95 % interval", _span(*(doc["interval"] or (None, None)))),
        ("smallest pillar", smallest and f"{smallest['pillar']} {smallest['value']}"),
    ]
    for name, value in rows:
        yield f"{name:<16}{value or _DASH}"
    yield ""


def _groups(doc: Document) -> Iterator[str]:
    rows = [["pillar", "weight", "S", "seen", "low", "high", "se"]]
    rows += [[p["pillar"], p["weight"], *_sums(p)] for p in doc["pillars"]]
    yield from _table(rows)
    yield ""
    rows = [["section", "", "S", "seen", "low", "high", "se"]]
    rows += [[s["title"], "", *_sums(s)] for s in doc["sections"]]
    yield from _table(rows)
    yield ""


def _items(doc: Document) -> Iterator[str]:
    rows = [["item", "weight", "answer", "evidence", "allows", "counts", "won", "lost", "status"]]
    details: list[list[str]] = [[]]
    for item in doc["items"]:
        rows.append(
            [
                item["item"],
                str(item["weight"]),
                _answer(item["answer"]),
                *(item[key] or _DASH for key in ("e", "allowance", "effective", "won", "lost")),
                item["status"],
            ]
        )
        details.append(list(_details(item)))
    for line, under in zip(_table(rows), details, strict=True):
        yield line
        for one in under:
            yield f"    {one}"
    yield ""


def _unsigned(items: Sequence[Document]) -> list[str]:
    told = [item for item in items if item.get("unsigned")]
    return [f"{item['item']}: entered at the office or carried without its key" for item in told]


def _details(item: Document) -> Iterator[str]:
    yield item["question"]
    if item["why"]:
        yield f"because: {item['why']}"
    if item.get("for_grade"):
        yield item["for_grade"]["text"]
    if item.get("adjudicate"):
        yield f"auditors disagree: {ADJUDICATE}"
    for ruling in item.get("ruled_out", ()):
        yield f"ruled out by {ruling['by']} in entry {ruling['entry'][:12]}: {ruling['reason']}"
    for entry in item.get("unsigned", ()):
        yield f"not signed at the source: the answer stands on entry {entry[:12]}"
    answer = item["answer"] or {}
    for reading in answer.get("readings", ()):
        yield _reading(reading)
    for name, place in answer.get("instances", {}).items():
        counts = place["effective"] or _DASH
        why = f": {place['why']}" if place["why"] else ""
        yield f"{name}: {_answer(place)}, {place['status']}, counts {counts}{why}"
    for piece in item["pieces"]:
        wanted = f"weight {piece['weight']}, at least {piece['at_least']}"
        yield f"{piece['kind']} ({wanted}) q {piece['q']}"
        for file in piece["evidence"]:
            yield f"  {file['sha256'][:12]}  q {file['q']}  {file['why']}"
    if item["carried"]:
        yield f"carried over from visit {item['visit']}"
    if item["next"]:
        yield f"next: {item['next']['text']} +{item['next']['gain']}"


def _answer(answer: Document | None) -> str:
    if not answer:
        return _DASH
    if answer.get("side_by_side"):
        return " / ".join(_answer(one) for one in answer["side_by_side"])
    told = answer.get("level") or answer.get("special") or answer.get("band")
    return str(told) if told else "readings"


def _reading(reading: Document) -> str:
    where = "" if reading["instance"] == "-" else f" at {reading['instance']}"
    give = f" ± {reading['uncertainty']}" if reading["uncertainty"] is not None else ""
    band = reading["band"] or "not used"
    why = f" ({reading['why']})" if reading["why"] else ""
    limit = f", limit {reading['limit']}" if reading["limit"] else ""
    measured = f"{reading['analyte']}{where} {reading['value']}{give} {reading['unit']}"
    return f"{measured}{limit}: {band}{why}"


def _sums(sums: Document) -> list[str]:
    coverage = sums["coverage"]
    seen = _percent(coverage) if coverage is not None else _DASH
    return [sums["S"] or _DASH, seen, *(sums[key] or _DASH for key in ("L", "U", "se"))]


def _visit(visit: Document) -> str:
    why = f" ({visit['why']})" if visit["why"] else ""
    counts = "counts" if visit["counts"] else "does not count"
    return f"{visit['inspection']}  {visit['outcome'] or 'no outcome'}: {counts}{why}"


def _digests(digests: Document) -> list[str]:
    return [f"{name:<10} {digest or 'none'}" for name, digest in sorted(digests.items())]


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {line}" for line in lines)
        yield ""


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _span(low: str | None, high: str | None) -> str | None:
    return None if low is None or high is None else f"{low} to {high}"


def _percent(share: str) -> str:
    """ "0.930" as "93.0 %", moving the point in the text so that nothing is rounded again."""
    digits = share.replace(".", "")
    return f"{int(digits[:-1])}.{digits[-1]} %"
