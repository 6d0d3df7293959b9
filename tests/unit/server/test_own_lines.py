"""A device's own log given back to it (S11): all of it, page by page, and to nobody else."""

from __future__ import annotations

import pytest
from region import HILL, VISIT_1, Device, enrolled_device, visit

from server.context import Context
from server.services import own_lines
from server.services.own_lines import own_lines as given
from sync.problems import Problem

VISIT = VISIT_1


@pytest.fixture
def device(region: Context) -> Device:
    made = enrolled_device(region)
    visit(made, VISIT, HILL)
    return made


@pytest.mark.parametrize("lines,size", [(2000, 10**6), (2, 10**6), (3, 1), (2000, 600)])
def test_a_log_comes_back_whole_in_pages_s11(
    region: Context, device: Device, monkeypatch: pytest.MonkeyPatch, lines: int, size: int
) -> None:
    monkeypatch.setattr(own_lines, "PAGE_LINES", lines)
    monkeypatch.setattr(own_lines, "PAGE_BYTES", size)
    mine = device.logs[VISIT]
    back: list[bytes] = []
    while True:
        seq, page = given(region, device.person, device.id, VISIT, len(back))
        assert seq == len(mine)
        assert len(page) <= lines
        if not page:
            break
        back += page
    assert back == list(mine)


def test_a_log_that_is_not_held_has_no_lines_s11(region: Context, device: Device) -> None:
    assert given(region, device.person, device.id, "2" + VISIT[1:], 0) == (0, [])
    assert given(region, device.person, device.id, VISIT, 10**9)[1] == []


def test_nobody_elses_log_is_given_s11(region: Context, device: Device) -> None:
    for person, of in (("p-somebody", device.id), (device.person, "a" * 32), (device.person, "\0")):
        with pytest.raises(Problem) as told:
            given(region, person, of, VISIT, 0)
        assert told.value.code == "device-not-yours"
