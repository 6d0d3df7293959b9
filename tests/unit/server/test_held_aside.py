"""The page of what is held aside: all there is, what to do, and for whom (L4, S3, S8, S9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from once import Once
from pages_region import GRADED, PASSWORD, TWO_HANDS, assess_all, region_in
from region import Device

from server import create_app
from server.context import Context
from server.services import enrolment, rebuild
from server.services.generations import next_generation
from server.services.intake import receive
from server.store import aside, refusals
from sync.adopted import Run, entries_for
from sync.generation import prove
from sync.log import Segment, link, sign_head, write_line
from sync.problems import Problem
from sync.session import Request, read_answer, write_request

NAMELESS = "a1111111-2222-4333-8444-555555555555"
PLACELESS = "b1111111-2222-4333-8444-555555555555"

Read = Callable[[str, str], tuple[int, str]]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Context]:
    ctx = region_in(tmp_path_factory.mktemp("region"), once)
    yield ctx
    ctx.db.close()


@pytest.fixture(scope="module")
def troubled(region: Context) -> Context:
    """A region in which everything that can be held aside is."""
    return make_trouble(region)


def make_trouble(ctx: Context) -> Context:
    """Two branches, carried lines without and with signature, unread lines, a revoked device."""
    device = newly_enrolled(ctx, 31)
    device.record(TWO_HANDS, "comments/one", {"text": "first"}, at=ctx.now())
    device.record(TWO_HANDS, "comments/two", {"text": "second"}, at=ctx.now())
    unreadable = b'{"seq":3,"of":"another time"}'
    device.logs[TWO_HANDS].append(unreadable)
    device.hashes[TWO_HANDS].append(link(device.hashes[TWO_HANDS][-1], unreadable))
    device.send()
    line = write_line(2, ctx.now(), device.person, "comments/two", {"text": "another branch"})
    h = link(device.hashes[TWO_HANDS][1], line)
    branch = Segment(device.id, TWO_HANDS, 2, (line,), sign_head(device.key, h))
    answer = receive(
        ctx, device.id, device.person, write_request(Request(device.id, None, (), (branch,)))
    )
    assert [s.state for s in read_answer(answer).logs] == ["forked"]
    new = Device(ctx, device.person, Ed25519PrivateKey.from_private_bytes(bytes([32]) * 32))
    next_generation(ctx, device.id, new.public_key, prove(device.key, new.public_key))
    run = Run(device.id, 2, device.hashes[TWO_HANDS][1], (line,), (h,), None)
    for _, path, value in entries_for(run):
        new.record(TWO_HANDS, path, value)
    new.send()
    enrolment.revoke_device(ctx, "system:test", device.id, "stolen at the gate")
    device.record(TWO_HANDS, "comments/late", {"text": "late"}, at=ctx.now())
    device.send()
    assess_all(ctx)
    return ctx


def newly_enrolled(ctx: Context, seed: int) -> Device:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    code = enrolment.invite(ctx, "aminah", "system:test").partition("#")[2].partition(".")[0]
    found = enrolment.enrol(ctx, code, key.public_key().public_bytes_raw(), f"laptop {seed}")
    return Device(ctx, found.person, key)


@pytest.fixture(scope="module")
def read(region: Context) -> Read:
    app = create_app(region)

    def ask(login: str, path: str) -> tuple[int, str]:
        client = app.test_client()
        client.post("/login", data={"login": login, "password": PASSWORD})
        answer = client.get(path)
        return answer.status_code, unescape(answer.text)

    return ask


def test_where_nothing_is_held_aside_the_page_says_so(read: Read) -> None:
    status, page = read("nobody", "/held-aside")
    assert status == 200
    assert "Nothing is held aside." in page
    assert "What to do" not in page


def test_each_kind_is_there_with_what_happened_what_is_safe_and_what_to_do(
    troubled: Context, read: Read
) -> None:
    """L4, S3, S8"""
    _, page = read("rosa", "/held-aside")
    for title in (
        "Branches of a log",
        "After a device was revoked",
        "Not understood",
        "Carried over from an earlier key",
    ):
        assert title in page
    assert page.count("What happened") == page.count("What is safe") == 4
    assert page.count("What to do") == 4
    assert "1 entry, from entry 2 on" in page
    assert "not signed at the source" in page
    assert page.count(f"/inspections/{TWO_HANDS}#record") == 3
    assert page.count(f"/inspections/{TWO_HANDS}#aside") == 1
    with troubled.db.read() as tx:
        (row,) = aside.at_facilities(tx, {GRADED})
    assert (row.revoked, row.unread, row.carried, row.unsigned) == (1, 2, 1, 1)


def test_the_inspections_page_says_it_too(troubled: Context, read: Read) -> None:
    """S3, S8"""
    _, page = read("rosa", f"/inspections/{TWO_HANDS}")
    assert "their device was revoked before" in page
    assert "Not signed at the source" in page
    assert "other bytes than held from entry 2 on" in page


def test_a_branch_is_downloaded_as_it_came(troubled: Context, read: Read) -> None:
    """S3"""
    _, page = read("rosa", "/held-aside")
    address = page.partition("/held-aside/")[2].partition('"')[0]
    status, lines = read("rosa", f"/held-aside/{address}")
    assert status == 200
    assert "another branch" in lines
    assert lines.endswith("\n")
    assert lines.count("\n") == 1


def test_outside_ones_regions_there_is_nothing_to_see(troubled: Context, read: Read) -> None:
    """S3: need-to-know, by jurisdiction; and a branch answers as if there were none."""
    _, page = read("rosa", "/held-aside")
    address = page.partition("/held-aside/")[2].partition('"')[0]
    status, page = read("nobody", "/held-aside")
    assert (status, "Nothing is held aside." in page) == (200, True)
    assert read("nobody", f"/held-aside/{address}")[0] == 404
    assert read("rosa", "/held-aside/none.ndjson")[0] == 404
    assert read("rita", "/held-aside")[0] == 403
    assert "Held aside" not in read("rita", "/facilities")[1]


def test_an_inspection_of_no_listed_site_is_shown_where_its_person_works(
    troubled: Context, read: Read
) -> None:
    """S4, S9: what is acknowledged is never out of sight, wherever it says that it is."""
    device = newly_enrolled(troubled, 41)
    device.start(NAMELESS, "no-such-site")
    device.record(PLACELESS, "comments/one", {"text": "made up"})
    device.send()
    _, page = read("rosa", "/held-aside")
    told = page.partition("Of no site that is listed")[2]
    assert "it names the site <bdi>no-such-site</bdi>" in told and "no site is named" in told
    assert NAMELESS in told and PLACELESS in told


def test_it_comes_out_the_same_when_everything_derived_is_made_anew(troubled: Context) -> None:
    with troubled.db.read() as tx:
        before = aside.at_facilities(tx, {GRADED})
    assert before
    rebuild.rebuild(troubled)
    with troubled.db.read() as tx:
        assert aside.at_facilities(tx, {GRADED}) == before


def test_what_is_refused_of_a_devices_sending_is_shown_without_a_line_of_it(
    troubled: Context, read: Read
) -> None:
    """L4, S12: alike ones are counted, in the regions of its inspection or of its person."""
    device = newly_enrolled(troubled, 51)
    line = write_line(1, troubled.now(), device.person, "comments/x", {"text": "never shown"})
    forged = Segment(device.id, TWO_HANDS, 1, (line,), bytes(64))
    own = Segment(device.id, "device", 1, (line,), bytes(64))
    body = write_request(Request(device.id, None, (), (forged, forged, own)))
    for _ in range(2):
        answer = read_answer(receive(troubled, device.id, device.person, body))
        assert {state.state for state in answer.logs} == {"refused"}
    with pytest.raises(Problem, match="segment-malformed"):
        receive(troubled, device.id, device.person, body.replace(b'"first":1', b'"first":0'))
    app = create_app(troubled)
    token = {"Authorization": f"Bearer {fresh_token(troubled, 52)}"}
    sent = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", **token}
    assert app.test_client().post("/api/sync", data=b"cut", headers=sent).status_code == 400
    _, page = read("rosa", "/held-aside")
    told = page.partition('id="refused-title"')[2].partition("</section>")[0]
    assert "laptop 51</bdi> of <bdi>Aminah" in told and "4 times, last" in told
    assert "signature of a segment does not fit its log" in told
    assert "Sync again from the device that wrote the log" in told
    assert "The device’s own log" in told and "2 times, last" in told
    assert told.count("A request that could not be read") == 2
    assert "segment-malformed" in told and "request-malformed" in told
    assert "never shown" not in page and "were taken in since" not in told.partition("<ul")[2]
    assert 'id="refused-title"' not in read("nobody", "/held-aside")[1]
    # What came afterwards is said beside it.
    device.ctx = replace(troubled, now=lambda: troubled.now() + 1000)
    device.record(TWO_HANDS, "comments/x", {"text": "signed"})
    device.send()
    assert "Entries of the same log were taken in since" in read("rosa", "/held-aside")[1]


def test_a_flood_of_refusals_leaves_a_bounded_record(troubled: Context) -> None:
    """S12"""
    device = newly_enrolled(troubled, 53)
    segments = tuple(
        Segment(device.id, f"{n:08x}-2222-4333-8444-555555555555", 1, (b"{}",), bytes(64))
        for n in range(3 * refusals.MOST)
    )
    body = write_request(Request(device.id, None, (), segments))
    receive(troubled, device.id, device.person, body)
    with troubled.db.read() as tx:
        kept = [one for one in refusals.every(tx) if one.sender == device.id]
    assert len(kept) == refusals.MOST


def fresh_token(ctx: Context, seed: int) -> str:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key().public_bytes_raw()
    code = enrolment.invite(ctx, "aminah", "system:test").partition("#")[2].partition(".")[0]
    return enrolment.enrol(ctx, code, key, f"laptop {seed}").token
