"""How the device sends a file: checked at first, long once the link is good, careful after harm."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from fieldkit.tus import CHECKED_BYTES, LONG_BYTES, Uploads
from sync.problems import Problem, problem

DATA = bytes(range(251)) * 40_000
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Server:
    """What a server makes of the requests, over a link that takes `seconds` for each of them and
    changes the bytes of those whose numbers are in `harmed`.
    """

    seconds: float = 0.0
    harmed: set[int] = field(default_factory=set)
    got: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=list)
    checked: list[bool] = field(default_factory=list)
    at: float = 0.0

    def send(
        self, method: str, path: str, body: bytes | Iterator[bytes], headers: dict[str, str]
    ) -> Mapping[str, str]:
        data = body if isinstance(body, bytes) else b"".join(body)
        self.at += self.seconds
        self.sizes.append(len(data))
        checksum = headers.get("Upload-Checksum")
        self.checked.append(checksum is not None)
        if len(self.sizes) in self.harmed:
            data = b"?" + data[1:]
        if checksum is not None:
            came = base64.b64encode(hashlib.sha256(data).digest()).decode()
            if checksum != f"sha256 {came}":
                raise problem("upload-checksum", algorithm="sha256")
        self.got += data
        whole = len(self.got) == len(DATA)
        if whole and hashlib.sha256(self.got).hexdigest() != SHA256:
            self.got.clear()
            raise problem("file-digest", got="?", wanted=SHA256)
        return {"Upload-Offset": str(len(self.got))}

    def take(self, data: bytes = DATA) -> None:
        def chunks(start: int) -> Iterator[bytes]:
            return (data[at : at + 100_000] for at in range(start, len(data), 100_000))

        Uploads(self.send, lambda: self.at).send_file(SHA256, len(data), chunks)


def test_over_a_good_link_long_requests_follow_the_first_one() -> None:
    """S6"""
    server = Server(seconds=0.1)
    server.take()
    rest = len(DATA) - CHECKED_BYTES
    assert server.sizes == [0, CHECKED_BYTES, LONG_BYTES, LONG_BYTES, rest - 2 * LONG_BYTES]
    assert server.checked == [False, True, False, False, False]
    assert server.got == DATA


def test_over_a_bad_link_every_request_is_small_and_carries_a_checksum() -> None:
    """S6, S7"""
    server = Server(seconds=0.6)
    server.take()
    assert max(server.sizes) == CHECKED_BYTES
    assert all(server.checked[1:]) and server.got == DATA


def test_bytes_that_arrive_changed_are_sent_again_alone() -> None:
    """S6"""
    server = Server(harmed={2, 3})
    server.take()
    assert server.sizes[1:4] == [CHECKED_BYTES] * 3
    assert all(server.checked[1:]), "from then on nothing goes unchecked"
    assert server.got == DATA


def test_a_link_that_always_changes_bytes_is_told_after_some_tries() -> None:
    server = Server(harmed=set(range(100)))
    with pytest.raises(Problem) as caught:
        server.take()
    assert caught.value.code == "upload-checksum"
    assert server.sizes == [0] + [CHECKED_BYTES] * 3


def test_a_long_request_that_was_harmed_has_the_file_sent_again_in_small_ones() -> None:
    """S6"""
    server = Server(harmed={4})
    server.take()
    assert server.got == DATA
    again = server.checked.index(False, 5)  # where it begins anew
    assert all(server.checked[again + 1 :]) and len(server.checked) > 100


def test_a_file_that_is_another_one_here_is_not_sent_twice() -> None:
    server = Server()
    with pytest.raises(Problem) as caught:
        server.take(b"!" + DATA[1:])
    assert caught.value.code == "file-digest"
    assert sum(server.sizes) == len(DATA)
