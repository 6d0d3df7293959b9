"""A checklist of two items and a limits table of one row, in as many versions as a test needs."""

from __future__ import annotations

import hashlib

_ITEM = """\
      - id: {id}
        pillar: environment
        severity: {severity}
        scale: levels
        question: {{en: "{question}"}}
        levels:
          fully: {{en: "Freeboard 0.5 m."}}
          substantially: {{en: "Freeboard 0.4 m."}}
          partially: {{en: "Freeboard 0.3 m."}}
          does-not-meet: {{en: "Less."}}
        evidence:
          - {{kind: photo, weight: 1, hint: {{en: "Wide."}}}}
"""
_HEAD = """\
format: tapak-checklist/1
id: pond-check
version: "{version}"
title: {{en: "Ponds"}}
languages: [en]
sections:
  - id: ponds
    title: {{en: "Ponds"}}
    items:
"""
_LIMITS = """\
format: tapak-limits/1
jurisdiction: pond-limits
title: Made-up limits
version: "{version}"
fictional: true
limits:
  surface-water/As:
    upper: {upper}
    unit: mg/L
    source: Made-up order, schedule 1
    date: 2026-01-01
"""
NAME = "pond-check"


def ponds(version: str = "1", *, ask: str = "Is it lined?", severity: str = "major") -> bytes:
    """A version of the checklist: PND-E1 is always the same, PND-E2 asks what it is told."""
    items = (
        _ITEM.format(id="PND-E1", severity="minor", question="Is it fenced?"),
        _ITEM.format(id="PND-E2", severity=severity, question=ask),
    )
    return (_HEAD.format(version=version) + "".join(items) + "observed: []\n").encode()


def limits(version: str = "1", upper: str = "0.010") -> bytes:
    """A version of the limits table."""
    return _LIMITS.format(version=version, upper=upper).encode()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
