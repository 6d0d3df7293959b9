"""Uploads by tus 1.0, as the protocol's own words have it (S4, S6)."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office import Browser, Office, make_office
from region import DAY_MS, Clock
from werkzeug.test import TestResponse

from server.services import uploads
from server.staging import Upload
from server.store import files
from sync.problems import Problem

DATA = bytes(range(256)) * 1200
SHA256 = hashlib.sha256(DATA).hexdigest()
BYTES = "application/offset+octet-stream"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture
def device(office: Office) -> Browser:
    return office.device()


@pytest.fixture(autouse=True)
def named(office: Office) -> None:
    name(office, SHA256)


def name(office: Office, sha256: str, person: str = "auditor", inspection: str = "i1") -> None:
    """As if an acknowledged entry of this person named the file."""
    one = files.NamedFile(sha256, inspection, f"d-{person}", office.person_id(person), "x", "photo")
    office.ctx.db.write(lambda tx: files.name_files(tx, [one]))


def tus(device: Browser, method: str, path: str, data: bytes = b"", **more: str) -> TestResponse:
    """A request as tus has it; `more` are headers, with _ for -."""
    headers = {"Tus-Resumable": "1.0.0"}
    if data or method == "PATCH":
        headers["Content-Type"] = BYTES
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    headers = {name: value for name, value in headers.items() if value != "leave out"}
    answer = device.call(method, path, headers=headers, data=data)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return answer


def metadata(sha256: str = SHA256) -> str:
    said = {"name": "a.jpg", "sha256": sha256}
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())


def create(device: Browser, data: bytes = b"", **more: str) -> TestResponse:
    more = {"Upload_Length": str(len(DATA)), "Upload_Metadata": metadata(), **more}
    return tus(device, "POST", "/api/files", data, **more)


def patch(device: Browser, path: str, offset: int, data: bytes, **more: str) -> TestResponse:
    return tus(device, "PATCH", path, data, Upload_Offset=str(offset), **more)


def stands(device: Browser, path: str) -> tuple[int, str | None]:
    """The status and offset that HEAD answers."""
    answer = tus(device, "HEAD", path)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.headers.get("Upload-Offset")


def incoming(office: Office) -> list[str]:
    return sorted(path.name for path in office.ctx.settings.incoming.iterdir())


def test_what_of_tus_is_spoken_is_told_to_anybody(office: Office) -> None:
    answer = office.anonymous().call("OPTIONS", "/api/files")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert {"creation", "expiration", "termination"} <= {
        *answer.headers["Tus-Extension"].split(",")
    }
    assert int(answer.headers["Tus-Max-Size"]) == 4 * 1024**3


def test_a_file_goes_up_in_pieces_and_counts_with_the_last(office: Office, device: Browser) -> None:
    """S6"""
    begun = create(device)
    assert begun.status_code == 201
    path = begun.headers["Location"]
    assert begun.headers["Upload-Offset"] == "0"
    at = 0
    for piece in (DATA[:100_000], DATA[100_000:100_001], DATA[100_001:]):
        assert stands(device, path) == (200, str(at))
        assert not office.ctx.blobs.has(SHA256)
        answer = patch(device, path, at, piece)
        at += len(piece)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(at))
        assert ("Upload-Expires" in answer.headers) == (at < len(DATA))
    assert b"".join(office.ctx.blobs.chunks(SHA256)) == DATA
    asked = tus(device, "HEAD", path)
    assert asked.headers["Upload-Offset"] == asked.headers["Upload-Length"] == str(len(DATA))
    assert incoming(office) == []


def test_a_file_that_comes_with_its_creation_needs_one_request(
    office: Office, device: Browser
) -> None:
    """S6"""
    answer = create(device, DATA)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(DATA)))
    assert office.ctx.blobs.digest_holds(SHA256)
    assert incoming(office) == []


def test_beginning_again_goes_on_with_the_same_upload(office: Office, device: Browser) -> None:
    """S6: a lost answer orphans nothing."""
    first = create(device)
    patch(device, first.headers["Location"], 0, DATA[:70_000])
    again = create(device)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Upload-Offset"] == "70000"
    second = office.device(seed=2)
    assert create(second).headers["Upload-Offset"] == "70000", "the same person's other device"
    whole = create(device, DATA)
    assert whole.headers["Upload-Offset"] == str(len(DATA))
    assert office.ctx.blobs.digest_holds(SHA256) and incoming(office) == []


@pytest.mark.parametrize("size", [uploads.SMALL_BYTES, uploads.SMALL_BYTES + 1])
def test_of_a_whole_file_what_is_here_already_is_passed_over(
    office: Office, device: Browser, size: int
) -> None:
    """S6"""
    data = os.urandom(size)
    sha256 = hashlib.sha256(data).hexdigest()
    name(office, sha256)
    more = {"Upload_Length": str(size), "Upload_Metadata": metadata(sha256)}
    assert create(device, data[:70_000], **more).headers["Upload-Offset"] == "70000"
    assert create(device, data[:9], **more).headers["Upload-Offset"] == "70000"
    assert create(device, data[:80_000], **more).headers["Upload-Offset"] == "80000"
    assert create(device, data, **more).headers["Upload-Offset"] == str(size)
    assert office.ctx.blobs.digest_holds(sha256) and incoming(office) == []
    name(office, SHA256)
    too_long = create(device, data[: len(DATA)] + b"x")
    assert (too_long.status_code, too_long.json["code"]) == (413, "upload-too-long")


def test_what_the_client_wrote_about_the_file_is_said_again(device: Browser) -> None:
    path = create(device).headers["Location"]
    asked = tus(device, "HEAD", path)
    assert asked.headers["Upload-Metadata"] == metadata()
    assert asked.headers["Upload-Length"] == str(len(DATA))


def test_a_file_that_this_person_delivered_is_complete_at_once(
    office: Office, device: Browser
) -> None:
    """S6"""
    create(device, DATA)
    again = create(office.device(seed=2))
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, str(len(DATA)))
    assert stands(device, again.headers["Location"]) == (200, str(len(DATA)))
    assert incoming(office) == []


def test_nobody_learns_what_others_hold_or_send(office: Office, device: Browser) -> None:
    """S6"""
    stranger = office.device("officer", seed=3)
    for _ in range(2):  # while it is under way, and when it is held
        path = create(device, DATA[:1000]).headers["Location"]
        refused = create(stranger)
        assert (refused.status_code, refused.json["code"]) == (409, "file-not-named")
        assert stands(stranger, path) == (404, None)
        assert patch(stranger, path, 1000, b"x").json["code"] == "upload-unknown"
        assert tus(stranger, "DELETE", path).status_code == 404
        create(device, DATA)
    name(office, SHA256, "officer", "i2")
    named = create(stranger)
    assert named.headers["Upload-Offset"] == "0", "naming it is not having it"
    assert patch(stranger, path, 0, b"\0" * len(DATA)).json["code"] == "file-digest"
    assert office.ctx.blobs.digest_holds(SHA256)
    assert create(stranger, DATA).headers["Upload-Offset"] == str(len(DATA))


def test_a_wrong_digest_is_named_and_the_upload_may_begin_again(
    office: Office, device: Browser
) -> None:
    """S6: a file counts when its digest is verified."""
    path = create(device).headers["Location"]
    patch(device, path, 0, b"?" * 1000)
    answer = patch(device, path, 1000, DATA[1000:])
    assert (answer.status_code, answer.json["code"]) == (422, "file-digest")
    assert not office.ctx.blobs.has(SHA256) and incoming(office) == []
    assert stands(device, path) == (404, None)
    assert create(device, b"!" * len(DATA)).json["code"] == "file-digest"
    assert create(device, DATA).status_code == 201
    assert office.ctx.blobs.digest_holds(SHA256)


def test_a_wrong_offset_changes_nothing(device: Browser) -> None:
    path = create(device, DATA[:500]).headers["Location"]
    for offset in (0, 499, 501, len(DATA)):
        answer = patch(device, path, offset, b"x")
        assert (answer.status_code, answer.json["code"]) == (409, "upload-offset")
        assert answer.json["detail"]["offset"] == 500
    assert stands(device, path) == (200, "500")


def test_more_than_was_announced_is_refused_and_what_was_there_is_kept(
    office: Office, device: Browser
) -> None:
    path = create(device, DATA[:500]).headers["Location"]
    answer = patch(device, path, 500, DATA[500:] + b"x")
    assert (answer.status_code, answer.json["code"]) == (413, "upload-too-long")
    status, offset = stands(device, path)
    assert status == 200 and 500 <= int(offset or 0) < len(DATA)
    assert patch(device, path, int(offset or 0), DATA[int(offset or 0) :]).status_code == 204
    assert office.ctx.blobs.digest_holds(SHA256)


def test_another_length_for_the_same_digest_starts_anew(office: Office, device: Browser) -> None:
    create(device, DATA[:500], Upload_Length="900000")
    assert create(device).headers["Upload-Offset"] == "0"
    assert create(device, DATA).status_code == 201


def test_a_file_without_bytes_is_complete_with_its_creation(
    office: Office, device: Browser
) -> None:
    empty = hashlib.sha256(b"").hexdigest()
    name(office, empty)
    answer = create(device, Upload_Length="0", Upload_Metadata=metadata(empty))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert office.ctx.blobs.size(empty) == 0
    wrong = create(device, Upload_Length="0")
    assert wrong.json["code"] == "file-digest"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus_Resumable": "0.2.2"}, 412, "tus-version"),
        ({"Tus_Resumable": "leave out"}, 412, "tus-version"),
        ({"Upload_Length": "leave out"}, 400, "upload-malformed"),
        ({"Upload_Length": "-1"}, 400, "upload-malformed"),
        ({"Upload_Length": "1e3"}, 400, "upload-malformed"),
        ({"Upload_Length": "9" * 30}, 400, "upload-malformed"),
        ({"Upload_Length": str(4 * 1024**3 + 1)}, 413, "file-too-large"),
        ({"Upload_Length": "leave out", "Upload_Defer_Length": "1"}, 400, "upload-malformed"),
        ({"Upload_Metadata": ""}, 400, "upload-malformed"),
        ({"Upload_Metadata": "leave out"}, 400, "upload-malformed"),
        ({"Upload_Metadata": "name YQ=="}, 400, "upload-malformed"),
        ({"Upload_Metadata": "sha256"}, 400, "upload-malformed"),
        ({"Upload_Metadata": "sha256 !"}, 400, "upload-malformed"),
        ({"Upload_Metadata": "sha256 YQ=="}, 400, "upload-malformed"),
        ({"Upload_Metadata": f"{metadata()},{metadata()}"}, 400, "upload-malformed"),
        ({"Upload_Metadata": metadata("0" * 64)}, 409, "file-not-named"),
        ({"Content_Type": "image/jpeg"}, 415, "media-type"),
    ],
)
def test_a_creation_that_cannot_be_is_refused_in_plain_words(
    office: Office, device: Browser, headers: dict[str, str], status: int, code: str
) -> None:
    answer = create(device, b"x" if "Content_Type" in headers else b"", **headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert ("Tus-Version" in answer.headers) == (status == 412)
    assert incoming(office) == []


def test_the_digest_may_also_come_as_its_bytes(device: Browser) -> None:
    raw = base64.b64encode(bytes.fromhex(SHA256)).decode()
    answer = create(device, Upload_Metadata=f"sha256 {raw}")
    assert answer.headers["Location"].endswith(SHA256)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus_Resumable": "2"}, 412, "tus-version"),
        ({"Content_Type": "application/octet-stream"}, 415, "media-type"),
        ({"Upload_Offset": "x"}, 400, "upload-malformed"),
        ({"Upload_Offset": "leave out"}, 400, "upload-malformed"),
    ],
)
def test_a_patch_that_cannot_be_changes_nothing(
    device: Browser, headers: dict[str, str], status: int, code: str
) -> None:
    path = create(device).headers["Location"]
    answer = tus(device, "PATCH", path, b"abc", **{"Upload_Offset": "0", **headers})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert stands(device, path) == (200, "0")


@pytest.mark.parametrize("path", ["/api/files/" + "0" * 64, "/api/files/x", "/api/files/%00%ff"])
def test_an_unknown_upload_is_not_found(device: Browser, path: str) -> None:
    assert stands(device, path) == (404, None)
    for answer in (patch(device, path, 0, b"x"), tus(device, "DELETE", path)):
        assert (answer.status_code, answer.json["code"]) == (404, "upload-unknown")


def test_a_client_that_can_only_post_says_which_method_it_means(
    office: Office, device: Browser
) -> None:
    path = create(device).headers["Location"]
    more = {"X_HTTP_Method_Override": "PATCH", "Upload_Offset": "0"}
    assert tus(device, "POST", path, DATA[:100], **more).status_code == 204
    asked = tus(device, "POST", path, X_HTTP_Method_Override="HEAD")
    assert asked.headers["Upload-Offset"] == "100"
    assert tus(device, "POST", path, X_HTTP_Method_Override="DELETE").status_code == 204
    assert stands(device, path) == (404, None)
    elsewhere = device.call("POST", "/api/sync", headers={"X-HTTP-Method-Override": "DELETE"})
    assert elsewhere.status_code == 415, "only for uploads"


def test_an_upload_can_be_given_up_but_evidence_cannot(office: Office, device: Browser) -> None:
    """S4: a file that an entry names is never swept."""
    path = create(device, DATA[:500]).headers["Location"]
    assert tus(device, "DELETE", path).status_code == 204
    assert stands(device, path) == (404, None) and incoming(office) == []
    create(device, DATA)
    answer = tus(device, "DELETE", path)
    assert (answer.status_code, answer.json["code"]) == (409, "upload-held")
    assert office.ctx.blobs.digest_holds(SHA256)


def test_uploads_that_nobody_moves_on_are_forgotten_after_weeks_and_evidence_never(
    office: Office, device: Browser
) -> None:
    """S4"""
    other = os.urandom(1000)
    name(office, hashlib.sha256(other).hexdigest())
    sha256 = hashlib.sha256(other).hexdigest()
    create(device, other, Upload_Length="1000", Upload_Metadata=metadata(sha256))
    path = create(device, DATA[:500]).headers["Location"]
    left = office.ctx.settings.incoming / "spool-left"
    left.write_bytes(b"of a process that ended")
    long_ago = (office.clock.at - 60 * DAY_MS) / 1000
    os.utime(left, (long_ago, long_ago))
    office.clock.at += 20 * DAY_MS
    assert uploads.sweep(office.ctx) == 1
    assert stands(device, path) == (200, "500")
    patch(device, path, 500, DATA[500:600])
    office.clock.at += 20 * DAY_MS
    assert uploads.sweep(office.ctx) == 0, "moved on, so kept"
    office.clock.at += 2 * DAY_MS
    assert uploads.sweep(office.ctx) == 1
    assert stands(device, path) == (404, None)
    assert incoming(office) == []
    assert office.ctx.blobs.digest_holds(sha256)


# -- one writer at a time -------------------------------------------------------------------------


def test_a_writer_whose_turn_is_over_stops_and_what_it_wrote_is_counted(
    office: Office, device: Browser
) -> None:
    """S6: a dead connection cannot hold an upload, nor write into it behind the next one's back."""
    person = office.person_id("auditor")
    path = create(device).headers["Location"]

    def slow() -> Iterator[bytes]:
        yield DATA[:1000]
        assert stands(device, path) == (200, "1000")
        yield DATA[1000:2000]

    with pytest.raises(Problem) as caught:
        uploads.append(office.ctx, person, SHA256, 0, slow())
    assert caught.value.code == "upload-taken-over"
    assert stands(device, path) == (200, "1000")

    def overtaken() -> Iterator[bytes]:
        yield DATA[1000:2000]
        assert patch(device, path, 2000, DATA[2000:]).status_code == 204
        yield b"x"

    with pytest.raises(Problem) as caught:
        uploads.append(office.ctx, person, SHA256, 1000, overtaken())
    assert caught.value.code == "upload-taken-over"
    assert office.ctx.blobs.digest_holds(SHA256)
    assert incoming(office) == []


def test_while_the_bytes_are_verified_nobody_else_touches_them(
    office: Office, device: Browser
) -> None:
    path = create(device, DATA[:500]).headers["Location"]
    person = office.person_id("auditor")
    upload = Upload(person, SHA256, len(DATA), metadata())
    with office.ctx.uploads.writer(upload, 500, "t") as writer:
        writer.write(DATA[500:])
    with office.ctx.uploads.whole(upload) as whole:
        assert whole is not None and whole.read_bytes() == DATA
        assert stands(device, path) == (423, None)
        for answer in (
            patch(device, path, 0, b"x"),
            create(device),
            create(device, DATA[:9]),
            tus(device, "DELETE", path),
        ):
            assert (answer.status_code, answer.json["code"]) == (423, "upload-busy")
    assert stands(device, path) == (200, str(len(DATA))), "whoever asks first has it put away"
    assert office.ctx.blobs.digest_holds(SHA256)


def test_when_putting_away_fails_the_bytes_are_kept_and_the_next_request_tries_again(
    office: Office, device: Browser
) -> None:
    """S6: an offset at the end is answered only when the file is held."""
    path = create(device).headers["Location"]
    folder = office.ctx.settings.files
    folder.rmdir()
    folder.write_bytes(b"in the way")
    answer = patch(device, path, 0, DATA)
    assert (answer.status_code, answer.json["code"]) == (507, "folder-read-only")
    assert stands(device, path) == (507, None)
    assert create(device).status_code == 507
    folder.unlink()
    assert stands(device, path) == (200, str(len(DATA)))
    assert office.ctx.blobs.digest_holds(SHA256)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["create", "patch", "ask", "cut", "stale", "delete", "restart"]),
            st.integers(0, 40_000),
        ),
        max_size=12,
    )
)
def test_whatever_is_asked_the_offset_is_what_is_there_and_the_file_comes_whole(
    office: Office, device: Browser, steps: list[tuple[str, int]]
) -> None:
    """S6"""
    data = os.urandom(60_000)
    sha256 = hashlib.sha256(data).hexdigest()
    name(office, sha256)
    path, at = f"/api/files/{sha256}", 0
    more = {"Upload_Length": "60000", "Upload_Metadata": metadata(sha256)}
    create(device, **more)

    def part(size: int) -> bytes:
        return data[at : min(at + size, 59_999)]

    for what, size in steps:
        if what == "create":
            assert create(device, **more).headers["Upload-Offset"] == str(at)
        elif what == "patch":
            sent = part(size)
            assert patch(device, path, at, sent).headers["Upload-Offset"] == str(at + len(sent))
            at += len(sent)
        elif what == "cut":
            sent = part(size)
            cut = {"CONTENT_LENGTH": str(len(sent) + 1)}
            headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(at), "Content-Type": BYTES}
            device.call("PATCH", path, headers=headers, data=sent, environ_overrides=cut)
            at += len(sent)
        elif what == "stale" and size != at:
            assert patch(device, path, size, b"x").status_code == 409
        elif what == "delete":
            assert tus(device, "DELETE", path).status_code == 204
            create(device, **more)
            at = 0
        assert stands(device, path) == (200, str(at))
    assert patch(device, path, at, data[at:]).status_code == 204
    assert b"".join(office.ctx.blobs.chunks(sha256)) == data
