"""What every transport must do, for each that there is: directly in memory, and over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from memory_server import DirectTransport, Office, served

from fieldkit.transport import HttpTransport, Transport
from fieldkit.tus import CHECKED_BYTES, Chunks
from sync import wire
from sync.generation import GenerationRequest, HashesAnswer, HeldAnswer, prove, read_held
from sync.log import device_id, genesis, link, sign_head, write_line
from sync.own_lines import OwnLines
from sync.packing import GZIP, LZMA, PACKINGS
from sync.problems import Problem
from sync.session import Change, Request, Segment, read_answer, write_request

INSPECTION = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(params=["direct", "http"])
def transport(request: Any, office: Office, key: Ed25519PrivateKey) -> Iterator[Transport]:
    public_key = key.public_key().public_bytes_raw()
    office.devices[device_id(public_key)] = public_key
    token = f"token-{device_id(public_key)}"
    if request.param == "direct":
        yield DirectTransport(office, token)
        return
    with served(office) as address, HttpTransport(address, token) as carried:
        yield carried


class CutError(Exception):
    """The network ends in the middle of a file."""


def chunks_of(data: bytes, asked: list[int] | None = None) -> Chunks:
    """The bytes from an offset on; `asked` notes the offsets that were asked for."""

    def chunks(start: int) -> Iterator[bytes]:
        if asked is not None:
            asked.append(start)
        return (data[at : at + 65_536] for at in range(start, len(data), 65_536))

    return chunks


def _request(key: Ed25519PrivateKey, device: str | None = None) -> bytes:
    public_key = key.public_key().public_bytes_raw()
    line = write_line(1, 5, "p-auditor2", "outcome", {"outcome": "visited", "note": "က"})
    head = link(genesis(public_key, INSPECTION), line)
    segment = Segment(device_id(public_key), INSPECTION, 1, (line,), sign_head(key, head))
    return write_request(Request(device_id(public_key), None, (), (segment,)))


def test_lines_arrive_byte_for_byte(
    transport: Transport, office: Office, key: Ed25519PrivateKey
) -> None:
    request = _request(key)
    answer = read_answer(transport.exchange(request))
    device = device_id(key.public_key().public_bytes_raw())
    assert answer.logs[0].state == "held"
    assert office.lines(device, INSPECTION) == [request.split(b"\n")[2]]


def test_a_file_arrives_byte_for_byte_from_its_chunks(transport: Transport, office: Office) -> None:
    data = bytes(range(256)) * 20_000
    for size in (1, 65_536, 400_000, len(data)):
        part = data[:size]
        sha256 = hashlib.sha256(part).hexdigest()
        transport.send_file(sha256, size, chunks_of(part))
        assert office.files == {sha256: part}
        office.files.clear()


@pytest.mark.parametrize("size", [300_000, 2_000_000, 9_000_000])
def test_after_a_cut_only_what_is_not_there_travels_again(
    transport: Transport, office: Office, size: int
) -> None:
    """S6"""
    data = bytes(range(250)) * (size // 250)
    sha256 = hashlib.sha256(data).hexdigest()
    asked: list[int] = []

    def cut(start: int) -> Iterator[bytes]:
        asked.append(start)
        for at in range(start, len(data), 50_000):
            if at >= size * 2 // 3:
                office.wait_for(sha256, at - CHECKED_BYTES)
                raise CutError
            yield data[at : at + 50_000]

    with pytest.raises(CutError):
        transport.send_file(sha256, len(data), cut)
    assert sha256 not in office.files
    again: list[int] = []
    transport.send_file(sha256, len(data), chunks_of(data, again))
    assert office.files == {sha256: data}
    assert asked[0] == 0
    assert min(again) >= asked[-1] and min(again) >= size * 2 // 3 - CHECKED_BYTES, (
        "only what was not there"
    )


def test_a_file_that_is_there_already_is_not_sent_again(
    transport: Transport, office: Office
) -> None:
    """S6"""
    data = b"x" * 3_000_000
    sha256 = hashlib.sha256(data).hexdigest()
    asked: list[int] = []
    transport.send_file(sha256, len(data), chunks_of(data, asked))
    assert asked == sorted(set(asked)) and asked[0] == 0
    again: list[int] = []
    transport.send_file(sha256, len(data), chunks_of(data, again))
    assert again == []


def test_the_server_says_who_it_is(transport: Transport, office: Office) -> None:
    """S8"""
    said = wire.EnrolGreeting().load(json.loads(transport.greet("ab" * 32)))
    assert said["server_key"] == office.public_key


def test_an_enrolment_is_answered(transport: Transport, office: Office) -> None:
    public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    code = next(iter(office.codes))
    encoded = base64.b64encode(public_key).decode()
    answer = json.loads(transport.enrol({"code": code, "public_key": encoded, "name": "x"}))
    assert answer["token"] == f"token-{device_id(public_key)}"


def test_the_servers_own_problem_comes_back_as_it_is(transport: Transport) -> None:
    with pytest.raises(Problem) as raised:
        transport.send_file("0" * 64, 3, chunks_of(b"abc"))
    assert raised.value.code == "file-digest"
    assert raised.value.detail["wanted"] == "0" * 64


def test_a_device_that_is_not_known_is_told_so(
    transport: Transport, office: Office, key: Ed25519PrivateKey
) -> None:
    office.devices.clear()
    with pytest.raises(Problem) as raised:
        transport.exchange(_request(key))
    assert raised.value.code == "token-unknown"


# -- what only a network can do -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (302, "text/html", b"<html>Sign in</html>"),
        (500, "text/html", b"<html>Oops</html>"),
        (503, "application/problem+json", b"not json"),
        (503, "application/problem+json", b"[]"),
        (507, "application/problem+json; charset=utf-8", b'{"code": 3}'),
    ],
)
def test_an_answer_without_a_named_problem_is_a_server_error(
    office: Office, status: int, media_type: str, body: bytes
) -> None:
    page = (status, media_type, body)
    with (
        served(office, page) as address,
        HttpTransport(address, "t") as carried,
        pytest.raises(Problem) as raised,
    ):
        carried.exchange(b"x\n")
    assert raised.value.code == "server-error"
    assert raised.value.detail["status_code"] == status


def test_a_full_disk_of_the_server_is_told_in_its_words(office: Office) -> None:
    said = {"code": "disk-full", "detail": {"what": "the file"}, "title": "x"}
    page = (507, "application/problem+json; charset=utf-8", json.dumps(said).encode())
    with (
        served(office, page) as address,
        HttpTransport(address, "t") as carried,
        pytest.raises(Problem, match="the file could not be written") as raised,
    ):
        carried.exchange(b"x\n")
    assert raised.value.code == "disk-full"


def test_a_problem_of_a_newer_server_is_shown_in_its_own_words(office: Office) -> None:
    said = {"code": "moon-phase", "title": "The moon {is} new.", "safe": "All.", "remedy": "Wait."}
    page = (409, "application/problem+json", json.dumps(said).encode())
    with (
        served(office, page) as address,
        HttpTransport(address, "t") as carried,
        pytest.raises(Problem) as raised,
    ):
        carried.exchange(b"x\n")
    assert (raised.value.code, raised.value.happened) == ("moon-phase", "The moon {is} new.")


@pytest.mark.parametrize("packings", [PACKINGS, (LZMA, GZIP), (GZIP,)])
def test_an_older_server_is_sent_gzip_after_it_refused_the_newest_packing_once(
    office: Office, key: Ed25519PrivateKey, packings: tuple[str, ...]
) -> None:
    """S1: what the server cannot read costs one refusal in a run, and nothing is lost by it."""
    public_key = key.public_key().public_bytes_raw()
    device = device_id(public_key)
    office.devices[device] = public_key
    office.packings = packings
    office.changes = [Change("facility", f"site-{n}", {"name": "A site"}) for n in range(9)]
    with served(office) as address, HttpTransport(address, f"token-{device}") as carried:
        answers = [read_answer(carried.exchange(_request(key))) for _ in range(2)]
    assert [(one.state, one.seq) for answer in answers for one in answer.logs] == [("held", 1)] * 2
    assert all(len(answer.changes) == 9 for answer in answers)
    newest = PACKINGS[0]
    assert office.came_as == ([newest] * 2 if packings == PACKINGS else [newest, GZIP, GZIP])


def test_a_refusal_that_gzip_does_not_mend_is_told(office: Office) -> None:
    said = {"code": "media-type", "detail": {"given": "x", "wanted": "y"}}
    page = (415, "application/problem+json", json.dumps(said).encode())
    with served(office, page) as address, HttpTransport(address, "t") as carried:
        for _ in range(2):
            with pytest.raises(Problem, match="media-type"):
                carried.exchange(b"x\n")


def test_a_server_that_has_stopped_is_away(office: Office) -> None:
    with served(office) as address:
        pass
    with HttpTransport(address, "t") as carried, pytest.raises(Problem) as raised:
        carried.exchange(b"x\n")
    assert raised.value.code == "server-away"


def test_a_request_that_is_begun_is_answered_as_one_that_is_waited_for(
    transport: Transport, office: Office, key: Ed25519PrivateKey
) -> None:
    request = _request(key)
    answer = read_answer(transport.begin(request)())
    assert answer == read_answer(transport.exchange(request))
    office.devices.clear()
    refused = transport.begin(request)
    with pytest.raises(Problem, match="token-unknown"):
        refused()


def test_who_stops_before_the_answer_does_not_wait_for_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with HttpTransport(address, "t") as carried:
            carried.begin(b"x\n")
            asked, _ = silent.accept()
        with asked:
            assert asked.recv(4) == b"POST"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "ftp://x"])
def test_no_server_there_is_told_as_away(address: str) -> None:
    with HttpTransport(address, "t") as carried, pytest.raises(Problem) as raised:
        carried.exchange(b"x\n")
    assert raised.value.code == "server-away"


def test_the_next_generation_is_answered_and_speaks_for_itself(
    transport: Transport, office: Office, key: Ed25519PrivateKey
) -> None:
    """S3: the old key vouches for the new one; what is held of the old one is told to both."""
    transport.exchange(_request(key))
    fresh = Ed25519PrivateKey.generate()
    public_key = fresh.public_key().public_bytes_raw()
    former = device_id(key.public_key().public_bytes_raw())
    asked = {"public_key": public_key, "proof": prove(key, public_key)}
    answer = json.loads(transport.next_generation(GenerationRequest().dump(asked)))
    transport.go_on_as(answer["token"])
    (held,) = read_held(HeldAnswer().loads(transport.held_of(former))).values()
    assert (held.log, held.seq) == (INSPECTION, 1)
    hashes = transport.hashes_of(former, {"log": INSPECTION, "at": [1, 2]})
    assert HashesAnswer().loads(hashes) == {"h": [held.h, None]}
    assert read_answer(transport.exchange(_request(fresh))).logs[0].state == "held"
    asked = {"public_key": public_key, "proof": prove(fresh, b"another")}
    transport.go_on_as(f"token-{former}")
    with pytest.raises(Problem) as caught:
        transport.next_generation(GenerationRequest().dump(asked))
    assert caught.value.code == "generation-unproved"
    for ask in (
        lambda: transport.held_of("a" * 32),
        lambda: transport.hashes_of("a" * 32, {"log": INSPECTION, "at": [1]}),
    ):
        with pytest.raises(Problem) as caught:
            ask()
        assert caught.value.code == "device-not-yours"


def test_a_devices_own_lines_come_back_a_page_at_a_time(
    transport: Transport, office: Office, key: Ed25519PrivateKey
) -> None:
    """S11: what was sealed away is asked for again, by position."""
    transport.exchange(_request(key))
    device = device_id(key.public_key().public_bytes_raw())
    page = OwnLines().loads(transport.own_lines(device, INSPECTION, 0))
    assert (page["seq"], page["lines"]) == (1, office.lines(device, INSPECTION))
    assert OwnLines().loads(transport.own_lines(device, INSPECTION, 1))["lines"] == []
    with pytest.raises(Problem) as caught:
        transport.own_lines("a" * 32, INSPECTION, 0)
    assert caught.value.code == "device-not-yours"
