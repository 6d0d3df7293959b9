"""The laboratory knows what consent withdrawn after an acknowledgement leaves behind (L8, S4)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from . import protected, seams, stories
from .broken import every, in_place
from .device import Device
from .invariants import check
from .office import ANA
from .process import Tally
from .world import Story, claims, new_story

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def told() -> Iterator[tuple[Story, Device, str]]:
    """A story in which an interview is held at the office, and its device knows that."""
    with new_story("withdrawn", Tally()) as story:
        ana = story.enrol(ANA)
        stories.ready(story, ana)
        inspection = stories.begin(story, ana, quiet=True)
        protected.interview(story, ana, inspection)
        stories.finish(story, ana, inspection)
        assert story.sync(ana).how == "returned"
        assert len(ana.rows("select 1 from files where held_at is not null")) >= 2
        yield story, ana, inspection


def test_a_key_withdrawn_after_its_acknowledgement_is_no_finding_l8_s4(
    told: tuple[Story, Device, str],
) -> None:
    """L8, S4: its device takes it for held until it hears of it, and the older receipt stays."""
    story, ana, inspection = told
    protected.withdraw_consent(story, ana, inspection)
    assert len(story.book.withdrawn) == 1
    assert claims(story, ana) == []
    assert check(story) == []


def test_a_key_that_is_not_destroyed_is_found_l8(told: tuple[Story, Device, str]) -> None:
    """L8"""
    story, ana, inspection = told
    with in_place(next(one for one in every() if one.name == "key-stays")):
        protected.withdraw_consent(story, ana, inspection)
        found = check(story)
    (number,) = story.book.withdrawn
    assert f"withdrawn, and its key is there: {number}" in found


def test_a_device_that_goes_on_counting_on_a_withdrawn_key_is_found_l8(
    told: tuple[Story, Device, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8"""
    story, ana, inspection = told
    monkeypatch.setattr("fieldkit.syncer.drop_withdrawn", lambda *given: 0)
    protected.withdraw_consent(story, ana, inspection)
    (number,) = story.book.withdrawn
    assert f"withdrawn, and a device counts on its key: {number}" in check(story)


@pytest.mark.parametrize("at_office", [False, True], ids=["device", "office"])
def test_a_withdrawn_key_stays_away_after_a_power_cut_l8(
    told: tuple[Story, Device, str], at_office: bool
) -> None:
    """L8: of what is not settled on a disk, a cut takes back as much as chance will have it."""
    story, ana, inspection = told
    protected.withdraw_consent(story, ana, inspection)
    assert story.sync(ana).how == "returned"
    assert len(protected.withdrawn_keys(story)) == 1
    folder = story.office.folder if at_office else ana.home.folder
    media = [one for where, one in seams.media.items() if where.is_relative_to(folder)]
    assert media
    for one in media:
        one.cut(_AsBadAsCanBe())
    assert check(story) == []


class _AsBadAsCanBe(random.Random):
    """Nothing is left of what was not settled."""

    def randint(self, a: int, b: int) -> int:
        return a
