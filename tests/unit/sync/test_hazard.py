"""Which hazards stand, in which order, and which the office has seen (S7, L6)."""

from __future__ import annotations

from collections.abc import Sequence

from logs import INSPECTION, Device

from sync.entry import attributed
from sync.hazard import ACKNOWLEDGED, PREFIX, Hazard, hazards
from sync.inspection_reader import read_inspection
from sync.merge import merge


def tell(
    device: Device, text: str, severity: str = "immediate", name: str = "h1", at: int = 1_000
) -> str:
    """In place of what the device said of it before, beside whatever others say."""
    return device.write(f"{PREFIX}{name}", {"value": severity, "note": text}, at=at)


def standing(devices: Sequence[Device], office: Sequence[Device] = ()) -> tuple[Hazard, ...]:
    records = [r for one in devices for r in one.records()]
    records += [attributed(r, "p-officer2", signed=False) for one in office for r in one.records()]
    return hazards(read_inspection(INSPECTION, merge(records)))


def seen(office: Device, name: str, *heads: str, at: int = 5_000) -> None:
    path = f"{ACKNOWLEDGED}{name}/a{len(office.lines)}"
    office.write(path, {"heads": [*heads], "reason": "called"}, at=at, replaces=[])


def test_it_is_seen_once_all_that_stands_side_by_side_is() -> None:
    """S7, L6: and not by who saw one of the two alone."""
    one, two, office = Device(1), Device(2), Device(3)
    first, second = tell(one, "It slides."), tell(two, "It cracks.", "soon")
    seen(office, "h1", first)
    (found,) = standing([one, two], [office])
    assert found.open and found.text == "It slides." and found.severity == "immediate"
    assert found.heads == tuple(sorted((first, second)))
    seen(office, "h1", second, first, at=6_000)
    (found,) = standing([one, two], [office])
    assert not found.open and [made.written.at for made in found.acknowledged] == [6_000]
    assert [made.reason for made in found.acknowledged] == ["called"]


def test_a_later_word_about_it_is_unseen_and_has_another_code() -> None:
    """S7"""
    one, office = Device(1), Device(3)
    seen(office, "h1", tell(one, "It slides."))
    (before,) = standing([one], [office])
    tell(one, "It slides faster.")
    (now,) = standing([one], [office])
    assert not before.open and now.open
    assert before.code != now.code and len(now.code) == 16


def test_the_word_of_a_device_or_about_another_hazard_is_none() -> None:
    """S7, S9"""
    one, office = Device(1), Device(3)
    first = tell(one, "It slides.")
    seen(one, "h1", first)
    seen(office, "h2", first)
    (found,) = standing([one], [office])
    assert found.open and found.acknowledged == ()


def test_what_nobody_has_seen_comes_first_and_what_is_over_last() -> None:
    """S7: then by urgency, the latest first."""
    one, office = Device(1), Device(3)
    told = (
        ("h1", "over"),
        ("h2", "immediate"),
        ("h3", "soon"),
        ("h4", "soon"),
        ("h5", "immediate"),
    )
    for n, (name, severity) in enumerate(told):
        tell(one, name, severity, name, at=1_000 + n)
    seen(office, "h2", one.hashes[1].hex())
    assert [found.id for found in standing([one], [office])] == ["h5", "h4", "h3", "h2", "h1"]
