"""Which of many lines may hold what is looked for, found without reading them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.entry import lines_below, may_stand_below

WANTED = (b"about", b"evidence", b"observed/hazard/")
PART = st.sampled_from([*WANTED, b"\\", b"ab", b"out", b"x", b"", b'{"path":"'])
LINES = st.lists(st.lists(PART, max_size=4).map(b"".join), max_size=12)


@given(LINES)
def test_those_lines_are_found_in_which_it_may_stand_each_once_and_in_order(
    lines: list[bytes],
) -> None:
    expected = [n for n, line in enumerate(lines) if may_stand_below(line, WANTED)]
    assert lines_below(lines, WANTED) == expected
