"""What a visit costs on a link that is paid for by the byte, heads and answers counted (S1)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("bytes-on-the-wire")

ROOT = Path(__file__).parents[2]
ODK = 2_935  # bytes of the same answers as a form submission to ODK Central
MEASURE = """
import json, sys
from pathlib import Path
from tests.bench.wire import figures
print(json.dumps({one.name: one.value for one in figures(Path(sys.argv[1]))}))
"""


def test_an_inspection_costs_half_of_a_form_and_nothing_new_half_a_kilobyte(
    tmp_path: Path,
) -> None:
    """S1: request and answer with their heads, over the real transport from the real server."""
    words = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    print(measured)
    assert measured["a sync with nothing to say, up and down"] < 600
    assert measured["an inspection of 42 answers, up and down"] <= ODK / 2
    # As it is recorded: with readings, nonce, outcome, sign-off, and the device's own log.
    assert measured["42 answers recorded and signed by fieldkit: sent and received"] <= ODK / 2
