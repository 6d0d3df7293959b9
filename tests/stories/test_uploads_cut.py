"""Uploads to the real server over a real network: a stranger's client, cuts, kills, memory (S6)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from named_files import MB, Evidence, held, named
from once import Once
from small_region import Region, free_port, region_in
from tusclient.client import TusClient

from server.demo.processes import Stage

pytestmark = pytest.mark.xdist_group("uploads-cut")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Region]:
    """One server for all: every test sends files that no other one has."""
    made = region_in(Stage(tmp_path_factory.mktemp("uploads"), "127.0.0.1", free_port()), once)
    yield made
    made.end()


def create(region: Region, one: Evidence) -> str:
    headers = {"Upload-Length": str(one.size), "Upload-Metadata": one.metadata}
    answer = httpx.post(f"{region.stage.url}/api/files", headers={**one.headers, **headers})
    assert answer.status_code == 201, answer.text
    return region.stage.url + answer.headers["Location"]


def offset(url: str, one: Evidence) -> int:
    answer = httpx.head(url, headers=one.headers)
    assert answer.status_code == 200
    assert answer.headers["Upload-Length"] == str(one.size)
    return int(answer.headers["Upload-Offset"])


def patch_rest(url: str, one: Evidence) -> httpx.Response:
    at = offset(url, one)
    headers = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
    with one.path.open("rb") as file:
        file.seek(at)
        headers["Content-Length"] = str(one.size - at)
        return httpx.patch(url, headers={**one.headers, **headers}, content=file, timeout=120)


@contextlib.contextmanager
def half_a_patch(
    region: Region, url: str, one: Evidence, start: int, send: int
) -> Iterator[socket.socket]:
    """A connection on which a PATCH of all the rest has sent only so many bytes."""
    connection = http.client.HTTPConnection(region.stage.host, region.stage.port)
    connection.putrequest("PATCH", url.removeprefix(region.stage.url))
    for name, value in {
        **one.headers,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(start),
        "Content-Length": str(one.size - start),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    with one.path.open("rb") as file:
        file.seek(start)
        connection.send(file.read(send))
    try:
        yield connection.sock
    finally:
        connection.close()


def arrived(region: Region, at_least: int) -> int:
    """The bytes of the one upload that are in the server's folder, once there are enough."""
    folder = region.stage.server_data / "incoming"
    while True:
        (part,) = folder.glob("*.part")
        if part.stat().st_size >= at_least:
            return part.stat().st_size


def test_tuspy_uploads_in_pieces_and_goes_on_with_its_url(region: Region) -> None:
    (one,) = named(region, 3 * MB)
    client = TusClient(
        f"{region.stage.url}/api/files", headers={"Authorization": f"Bearer {one.token}"}
    )
    said = {"sha256": one.sha256, "filename": "recording.bin"}
    with one.path.open("rb") as file:
        more = {"file_stream": file, "metadata": said}
        uploader = client.uploader(chunk_size=400_000, **more)
        uploader.upload(stop_at=1_200_000)
        assert uploader.offset == 1_200_000 and not held(region, one)
        again = client.uploader(chunk_size=700_000, url=uploader.url, **more)
        assert again.offset == 1_200_000
        again.upload()
        assert again.offset == one.size and held(region, one)
        third = client.uploader(url=uploader.url, **more)
        assert third.offset == one.size, "complete is complete"


def test_a_patch_that_is_cut_keeps_what_arrived_and_the_rest_goes_on(region: Region) -> None:
    (one,) = named(region, 5 * MB)
    url = create(region, one)
    with half_a_patch(region, url, one, 0, 2 * MB) as cut:
        cut.shutdown(socket.SHUT_WR)
        assert b"204" in cut.recv(100), "whoever still listens is told how far it came"
    assert offset(url, one) == 2 * MB
    with half_a_patch(region, url, one, 2 * MB, MB):
        pass  # gone without a word
    arrived(region, 3 * MB - 65_536)
    at = offset(url, one)
    assert 3 * MB - 65_536 <= at <= 3 * MB
    answer = patch_rest(url, one)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(one.size))
    assert held(region, one)


def test_a_connection_that_hangs_does_not_hold_the_upload(region: Region) -> None:
    (one,) = named(region, 5 * MB)
    url = create(region, one)
    with half_a_patch(region, url, one, 0, 2 * MB) as hanging:
        assert arrived(region, 2 * MB - 65_536) <= offset(url, one) <= 2 * MB
        assert patch_rest(url, one).status_code == 204
        assert held(region, one)
        hanging.sendall(b"x" * 200_000)  # wakes up, and writes nowhere
        assert b"409" in hanging.recv(100)
    assert held(region, one)


def test_after_kill_9_of_the_server_the_upload_goes_on_from_what_arrived(region: Region) -> None:
    (one,) = named(region, 6 * MB)
    url = create(region, one)
    with half_a_patch(region, url, one, 0, 4 * MB):
        arrived(region, 4 * MB - 65_536)
        os.killpg(region.processes[-1].pid, signal.SIGKILL)
        region.processes[-1].wait()
        # Read after its end: up to then it goes on writing.
        there = arrived(region, 4 * MB - 65_536)
    region.serve()
    assert offset(url, one) == there
    assert create(region, one) == url
    assert patch_rest(url, one).status_code == 204
    assert held(region, one)
    assert not list((region.stage.server_data / "incoming").iterdir())


def test_the_devices_own_sync_goes_on_after_a_cut(region: Region) -> None:
    """S4, S6: what the server has is not sent again."""
    (one,) = named(region, 9 * MB)
    url = create(region, one)
    with half_a_patch(region, url, one, 0, 7 * MB) as cut:
        cut.shutdown(socket.SHUT_WR)
        cut.recv(100)
    kept = region.stage.home(region.person) / "files" / one.sha256[:2] / one.sha256
    # The device has the file's end alone; its beginning is at the server.
    with one.path.open("rb") as file:
        file.seek(7 * MB)
        kept.write_bytes(b"?" * (7 * MB) + file.read())
    region.fieldkit("sync")
    assert held(region, one)
    status = region.fieldkit("status")
    assert re.search(r"held safely +(\d+) of \1 entries, (\d+) of \2 file", status), status


def test_a_large_file_passes_with_little_memory(region: Region) -> None:
    (small, large) = named(region, MB, 200 * MB)
    assert patch_rest(create(region, small), small).status_code == 204

    def high_water() -> int:
        family = psutil.Process(region.processes[-1].pid)
        return sum(_peak(one) for one in [family, *family.children(recursive=True)])

    before = high_water()
    assert patch_rest(create(region, large), large).status_code == 204
    assert held(region, large)
    grown = high_water() - before
    assert grown < large.size // 8, json.dumps({"bytes": grown})


def _peak(process: psutil.Process) -> int:
    """The most memory that the process ever had, in bytes."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not say a process's high-water mark")
    (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
