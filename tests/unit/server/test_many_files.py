"""An inspection of many files: so many on a page, every one on some page, and all counted."""

from __future__ import annotations

import hashlib
import re

import pytest
from flask.testing import FlaskClient
from region import HILL, VISIT_1, Device, enrolled_device, fix

from server import create_app
from server.context import Context
from server.pages.map_groups import MOST, Drawn, Mark, grouped
from server.pages.wording import page_numbers
from server.services import accounts
from server.services.browse_evidence import A_PAGE, FEW
from server.services.browse_flags import A_PAGE as FLAGS_A_PAGE
from server.services.browse_flags import briefs, flag_page
from server.services.registry import add_jurisdiction
from server.store import flags
from server.store.flags import FlagRow
from server.store.jurisdictions import Jurisdiction

PASSWORD = "a password for tests only"
COUNT = 2 * A_PAGE + 4


@pytest.fixture
def digests(region: Context) -> list[str]:
    """The files of a visit, in the order in which they were taken; attached the other way round."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL, fix=fix())
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    found = [attach(device, n) for n in reversed(range(COUNT))]
    device.send()
    return found[::-1]


def attach(device: Device, n: int) -> str:
    sha256 = hashlib.sha256(f"picture {n}".encode()).hexdigest()
    value = {"kind": "photo", "source": "taken-here", "media_type": "image/jpeg", "size": 9}
    value |= {"taken_at": device.ctx.now() + n, "items": ["GEN-G1/-"] if n >= 3 else []}
    device.record(VISIT_1, f"evidence/{sha256}/{device.id}", value | {"fix": fix()})
    return sha256


def client(region: Context, login: str, jurisdiction: str) -> FlaskClient:
    accounts.add_person(
        region,
        "system:test",
        login=login,
        name=login.title(),
        password=PASSWORD,
        grants=[("officer", jurisdiction)],
    )
    made = create_app(region).test_client()
    assert made.post("/login", data={"login": login, "password": PASSWORD}).status_code == 303
    return made


@pytest.fixture
def officer(region: Context) -> FlaskClient:
    return client(region, "rosa", "example")


def listed(text: str) -> list[str]:
    return re.findall(r'<dd class="digest">([0-9a-f]{64})</dd>', text)


def test_every_file_is_on_one_of_the_pages_in_the_order_in_which_they_were_taken(
    officer: FlaskClient, digests: list[str]
) -> None:
    pages = [officer.get(f"/inspections/{VISIT_1}/evidence?page={n}").text for n in (1, 2, 3)]
    assert [len(listed(page)) for page in pages] == [A_PAGE, A_PAGE, 4]
    assert [sha256 for page in pages for sha256 in listed(page)] == digests
    assert f"{A_PAGE + 1} to {2 * A_PAGE} of {COUNT} files" in pages[1]
    assert 'rel="prev"' not in pages[0] and 'rel="next"' not in pages[2]


@pytest.mark.parametrize(
    ("asked", "page"), [("0", 1), ("-1", 1), ("99", 3), ("x", 1), ("²", 1), ("", 1), ("9" * 50, 1)]
)
def test_a_page_that_there_is_not_is_the_nearest_there_is(
    officer: FlaskClient, digests: list[str], asked: str, page: int
) -> None:
    answer = officer.get(f"/inspections/{VISIT_1}/evidence", query_string={"page": asked})
    assert answer.status_code == 200
    assert listed(answer.text)[0] == digests[(page - 1) * A_PAGE]


def test_the_inspection_shows_the_first_files_and_counts_the_others(
    officer: FlaskClient, digests: list[str]
) -> None:
    text = officer.get(f"/inspections/{VISIT_1}").text
    assert listed(text) == digests[:FEW]
    assert f"0 of {COUNT} files held here" in text
    assert f"and {COUNT - FEW} more: " in text
    assert f"and {COUNT - 3 - FEW} more: " in text, "three support no answer"
    assert f"/inspections/{VISIT_1}/evidence?item=GEN-G1" in text
    # What an answer shows leads to its facts, which may stand on a page further on.
    assert f'href="/inspections/{VISIT_1}/evidence?page=1#evidence-4"' in text


def test_the_files_of_one_answer_have_pages_of_their_own(
    officer: FlaskClient, digests: list[str]
) -> None:
    path = f"/inspections/{VISIT_1}/evidence?item=GEN-G1"
    found = [sha for n in (1, 2, 3) for sha in listed(officer.get(f"{path}&page={n}").text)]
    assert found == digests[3:]
    text = officer.get(path).text
    assert f"/inspections/{VISIT_1}#item-GEN-G1" in text
    assert "item=GEN-G1&amp;page=2" in text, "turning a page keeps to the answer"
    none = officer.get(f"/inspections/{VISIT_1}/evidence?item=GEN-G2")
    assert none.status_code == 200 and "No file of this inspection supports" in none.text


@pytest.mark.usefixtures("digests")
def test_the_files_of_another_region_are_not_found(region: Context) -> None:
    """S6: a digest tells that somebody has the file; the list is the region's alone."""
    elsewhere = Jurisdiction("other", "Another region", None, "region")
    add_jurisdiction(region, "system:test", elsewhere)
    outsider = client(region, "siti", "other")
    assert outsider.get(f"/inspections/{VISIT_1}/evidence").status_code == 404


@pytest.mark.usefixtures("digests")
def test_the_map_says_how_many_files_stand_at_one_place(officer: FlaskClient) -> None:
    text = officer.get(f"/inspections/{VISIT_1}").text
    assert f">×{COUNT}</text>" in text
    assert f"{COUNT} files at 1 place in all" in text
    assert text.count('<rect class="spot') == 1


def drawn(n: int, x: float, y: float, away: float | None = None) -> Drawn:
    mark = Mark(f"photo {n}", "photo", 0.0, 0.0, 5.0, n)
    return Drawn(mark, x, y, 5.0 if away is None else None, away)


def test_marks_drawn_as_one_are_all_counted_and_few_are_drawn_as_they_are() -> None:
    few = [drawn(n, 10 + n / 100, 10) for n in range(MOST)]
    assert grouped(few) == few
    many = [drawn(n, n % 480, n // 480 * 50.0) for n in range(2000)]
    far = [drawn(n, 14, 14, away=1000.0 + n) for n in range(50)]
    found = grouped([*many, *far])
    assert sum(one.count for one in found) == 2050
    assert len(found) <= 12 * 9 + 1
    (edge,) = [one for one in found if one.away_m is not None]
    assert (edge.count, edge.away_m, edge.away_to_m) == (50, 1000.0, 1049.0)


def test_the_pages_that_a_list_leads_to() -> None:
    assert page_numbers(1, 1) == [1]
    assert page_numbers(3, 5) == [1, 2, 3, 4, 5]
    assert page_numbers(21, 42) == [1, None, 19, 20, 21, 22, 23, None, 42]
    assert page_numbers(5, 42) == [1, 2, 3, 4, 5, 6, 7, None, 42]


def test_flags_come_worst_first_page_by_page_and_protected_ones_are_not_counted(
    region: Context,
) -> None:
    """Scoring rule 8."""
    severities = ("minor", "critical", "major")
    count = FLAGS_A_PAGE + 6
    rows = [row(f"f{n:03}", severities[n % 3]) for n in range(count)]
    hidden = row("hidden", "critical", b'{"protected":true,"title":"x"}')
    region.db.write(lambda tx: flags.replace(tx, HILL, [*rows, hidden]))
    found = briefs([*rows, hidden])
    with region.db.read() as tx:
        first, second, beyond = (flag_page(tx, found, n) for n in (1, 2, 9))
        assert flag_page(tx, [], 1).pages == 1
    shown = [flag for page in (first, second) for flag, _ in page.shown]
    assert len(shown) == count and {flag.id for flag in shown} == {r.id for r in rows}
    order = [severity for severity, many in first.severities for _ in range(many)]
    assert [flag.severity for flag in shown] == order
    assert first.severities == (("critical", 10), ("major", 10), ("minor", 10))
    assert (first.total, beyond.page) == (count, 2)


def row(name: str, severity: str, body: bytes = b'{"title":"x"}') -> FlagRow:
    return FlagRow(name, HILL, VISIT_1, "R07", severity, "record", "open", body)
