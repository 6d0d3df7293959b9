"""Tracks at the office: shown to officers with their gaps, and sent to nobody's device."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from region import HILL, OTHER, VISIT_1, Device, assign_to, enrolled_device, fix, jpeg

from server import create_app
from server.context import Context
from server.services import accounts
from server.services.intake import receive
from sync.inspection import TrackPoint
from sync.session import Request, read_answer, write_request
from sync.track_entry import track_values

PASSWORD = "a password for tests only"
SECRET = "20.4512345"


@pytest.fixture
def device(region: Context) -> Device:
    """A device whose visit has a track with a gap, and a photo that was placed from it."""
    made = enrolled_device(region)
    made.start(VISIT_1, HILL, fix=fix())
    points = [
        TrackPoint(at, lat, "99.8800000", "6.0")
        for at, lat in ((0, "20.45"), (1000, SECRET), (900_000, "20.455"), (901_000, "20.456"))
    ]
    for n, value in enumerate(track_values("imported", "a" * 64, points, (0, 2)), start=1):
        made.record(VISIT_1, f"track/{made.id}/{n}", value)
    picture = jpeg(1)
    sha256 = made.photo(VISIT_1, picture, ["GEN-G1/-"], "imported")
    placed = {"lat": "20.4505", "lon": "99.88", "accuracy_m": "7.5", "source": "track", "at": 500}
    value = {"kind": "photo", "source": "imported", "media_type": "image/jpeg"}
    value |= {"size": len(picture), "items": ["GEN-G1/-"], "fix": placed}
    made.record(VISIT_1, f"evidence/{sha256}/{made.id}", value)
    made.send()
    made.send_file(picture)
    return made


@pytest.fixture
def officer(region: Context) -> FlaskClient:
    grants = [("officer", "example")]
    accounts.add_person(
        region,
        "system:test",
        login="rosa",
        name="Rosa Contoh",
        password=PASSWORD,
        grants=grants,
    )
    client = create_app(region).test_client()
    assert client.post("/login", data={"login": "rosa", "password": PASSWORD}).status_code == 303
    return client


@pytest.mark.usefixtures("device")
def test_the_inspections_map_shows_the_track_with_its_gap_left_open(officer: FlaskClient) -> None:
    page = officer.get(f"/inspections/{VISIT_1}").text
    found = re.search(r'<path class="way" d="([^"]+)"/>\s*\n', page)
    assert found is not None
    assert found.group(1).count("M") == 2
    # 0.0012345 and 0.001 degrees of latitude; the 400 m between are not counted.
    assert re.search(r"Track, 247(\.\d)? m; its gaps are left open", page)


@pytest.mark.usefixtures("device")
def test_a_photo_that_was_placed_is_marked_as_such(officer: FlaskClient) -> None:
    page = officer.get(f"/inspections/{VISIT_1}").text
    assert 'class="spot of-photo placed"' in page
    assert "position from the track" in page


def test_a_track_goes_to_no_other_device(region: Context, device: Device) -> None:
    """S5: neither to a colleague's who inspects the same facility, nor back to the one that sent
    it.
    """
    assign_to(region, HILL, OTHER)
    colleague = enrolled_device(region, OTHER, 2)
    for one in (colleague, device):
        body = write_request(Request(one.id, None, (), (), region.now()))
        sent = receive(region, one.id, one.person, body)
        assert read_answer(sent).changes
        assert SECRET.encode() not in sent and b"track/" not in sent and b"lat_e7" not in sent
