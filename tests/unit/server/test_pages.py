"""The officer's pages: what they show, to whom, and that nothing of a user's becomes markup."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from once import Once
from pages_region import (
    DISPUTED,
    ELSEWHERE,
    FAR_AWAY,
    GRADED,
    HIDDEN,
    HOSTILE,
    NEVER,
    NEVER_SENT,
    OPERATING,
    PASSWORD,
    SITES,
    TRAINING,
    TWO_HANDS,
    UNSIGNED,
    WITHHELD,
    region_in,
)
from region import make_context
from sqlalchemy import event, insert

from checklists import published
from checklists.scoring import inputs_digest, inputs_from_json, score, score_bytes
from checklists.scoring.document import canonical
from server import create_app
from server.context import Context
from server.permissions import Principal
from server.services.browse import list_facilities
from server.services.registry import add_jurisdiction
from server.services.score_inputs import whole_inputs
from server.services.standards import caution_of
from server.store import assessments, tables
from server.store.jurisdictions import Jurisdiction

pytestmark = pytest.mark.xdist_group("pages")

PAGES = (
    "/facilities",
    f"/facilities/{GRADED}",
    f"/facilities/{WITHHELD}",
    f"/facilities/{NEVER}",
    f"/inspections/{TWO_HANDS}",
    f"/inspections/{OPERATING}",
    f"/inspections/{UNSIGNED}",
    f"/inspections/{TRAINING}",
)


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Context]:
    made = region_in(tmp_path_factory.mktemp("region"), once)
    yield made
    made.db.close()


@pytest.fixture(scope="module")
def app(ctx: Context) -> Flask:
    return create_app(ctx)


@pytest.fixture
def enter(app: Flask) -> Callable[[str], FlaskClient]:
    def log_in(login: str) -> FlaskClient:
        client = app.test_client()
        sent = client.post("/login", data={"login": login, "password": PASSWORD})
        assert sent.status_code == 303
        return client

    return log_in


@pytest.fixture
def officer(enter: Callable[[str], FlaskClient]) -> FlaskClient:
    return enter("rosa")


class Page(HTMLParser):
    """A page taken apart: its text as one line, and its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def read(client: FlaskClient, path: str, status: int = 200) -> Page:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return Page(answer.text)


def score_of(ctx: Context, scope: str, subject: str) -> dict[str, Any]:
    with ctx.db.read() as tx:
        found = assessments.find(tx, scope, subject)
    assert found is not None
    whole: dict[str, Any] = json.loads(found.score)
    return whole


# -- logging in -----------------------------------------------------------------------------------


def test_who_is_not_logged_in_is_led_to_the_login_and_back(app: Flask) -> None:
    client = app.test_client()
    sent = client.get(f"/facilities/{GRADED}")
    assert sent.status_code == 303
    assert sent.location.startswith("/login?next=")
    form = Page(client.get(sent.location).text)
    onward = next(i["value"] for i in form.all("input") if i.get("name") == "next")
    data = {"login": "rosa", "password": PASSWORD, "next": onward}
    assert client.post("/login", data=data).location == f"/facilities/{GRADED}"
    assert read(client, f"/facilities/{GRADED}")


def test_a_wrong_password_says_so_and_keeps_the_name(app: Flask) -> None:
    sent = app.test_client().post("/login", data={"login": "rosa", "password": "not it at all"})
    assert sent.status_code == 401
    page = Page(sent.text)
    assert "The name or the password is not right." in page.text
    assert "rosa" in [i.get("value") for i in page.all("input")]
    assert "not it at all" not in sent.text


@pytest.mark.parametrize(
    "wish",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "facilities"],
)
def test_a_login_never_leads_to_another_host(app: Flask, wish: str) -> None:
    data = {"login": "rosa", "password": PASSWORD, "next": wish}
    assert app.test_client().post("/login", data=data).location == "/"


def test_logging_out_needs_the_forms_token_and_ends_the_session(officer: FlaskClient) -> None:
    assert officer.post("/logout").status_code == 400
    form = read(officer, "/facilities")
    csrf = next(i["value"] for i in form.all("input") if i.get("name") == "csrf")
    assert officer.post("/logout", data={"csrf": csrf}).location == "/login"
    assert officer.get("/facilities").status_code == 303


# -- scope ----------------------------------------------------------------------------------------


def test_the_list_shows_the_officers_regions_only_and_what_is_urgent_first(
    officer: FlaskClient,
) -> None:
    page = read(officer, "/facilities")
    order = [
        href.rsplit("/", 1)[1]
        for a in page.all("a")
        if (href := a.get("href") or "").startswith("/facilities/")
    ]
    assert order == [WITHHELD, NEVER, GRADED]
    assert SITES[ELSEWHERE][0] not in page.text


@pytest.mark.parametrize(
    "path",
    [
        f"/facilities/{ELSEWHERE}",
        "/facilities/no-such-facility",
        f"/inspections/{FAR_AWAY}",
        "/inspections/no-such-inspection",
        f"/files/{hashlib.sha256(HIDDEN).hexdigest()}",
        f"/previews/{hashlib.sha256(HIDDEN).hexdigest()}",
        f"/files/{hashlib.sha256(NEVER_SENT).hexdigest()}",
        "/files/" + "0" * 64,
        "/files/not-a-digest",
        f"/scores/facility/{ELSEWHERE}.json",
        f"/scores/inspection/{FAR_AWAY}.json",
        f"/scores/facility/{NEVER}x.json",
        f"/scores/something/{GRADED}.json",
    ],
)
def test_what_is_outside_the_scope_looks_like_what_does_not_exist(
    officer: FlaskClient, path: str
) -> None:
    assert "There is nothing here that you may see." in read(officer, path, 404).text
    assert read(officer, path, 404).text == read(officer, "/facilities/none-at-all", 404).text


def test_a_reader_sees_scores_and_flags_but_no_inspection_and_no_file(
    enter: Callable[[str], FlaskClient], officer: FlaskClient
) -> None:
    reader = enter("rita")
    page = read(reader, f"/facilities/{GRADED}")
    assert not [a for a in page.all("a") if (a.get("href") or "").startswith("/inspections/")]
    assert read(reader, f"/inspections/{TWO_HANDS}", 403)
    picture = next(i["src"] for i in read(officer, f"/inspections/{TWO_HANDS}").all("img"))
    assert picture is not None
    assert reader.get(picture).status_code == 403


# -- the list -------------------------------------------------------------------------------------


def test_each_line_has_grade_interval_coverage_flags_and_the_last_visit(
    ctx: Context, officer: FlaskClient
) -> None:
    text = read(officer, "/facilities").text
    whole = score_of(ctx, "facility", GRADED)
    assert whole["grade_state"] == "provisional"
    assert re.search(rf"{whole['grade']} · 84\.0, capped from \d\d\.\d \(\d\d–100\)", text)
    assert "100 % seen · provisional" in text
    assert "grade withheld The critical flag R16 about operations is open." in text
    assert "1 critical" in text and "1 major" in text
    assert "20 Nov 2026 Visited" in text
    assert "21 Nov 2026 Visited in part" in text
    assert "No visit has been made." in text and "Not signed off yet" in text
    assert text.count("Example") == 4  # once a line, and once to say what it means


def test_a_search_finds_by_name_or_country_and_says_when_it_finds_nothing(
    officer: FlaskClient,
) -> None:
    assert "1 facility matching" in read(officer, "/facilities?q=bukit+perak").text
    nothing = read(officer, "/facilities?q=%3Cb%3E").text
    assert "No facility matches “ <b> ”" in nothing and "Show all 3 facilities" in nothing


def test_an_officer_without_facilities_is_told_what_to_do(
    enter: Callable[[str], FlaskClient],
) -> None:
    assert "No facility lies within your regions yet." in read(enter("nobody"), "/facilities").text


@pytest.mark.parametrize("page", ["0", "-1", "two", "99999", "9" * 30, "²"])
def test_a_page_number_that_means_nothing_shows_a_page_that_there_is(
    officer: FlaskClient, page: str
) -> None:
    assert SITES[GRADED][0] in read(officer, f"/facilities?page={page}").text


def test_a_long_list_is_cut_into_pages_and_costs_no_more_queries(tmp_path: Path) -> None:
    ctx = make_context(tmp_path)
    ctx = dataclasses.replace(ctx, settings=dataclasses.replace(ctx.settings, max_page_rows=20))
    add_jurisdiction(ctx, "test", Jurisdiction("here", "Here", None, "region"))
    who = Principal("person", "p-1", "N", None, (("officer", "here"),))
    said: list[str] = []
    event.listen(ctx.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    _add_sites(ctx, range(1))
    said.clear()
    list_facilities(ctx, who)
    for_one = len(said)
    _add_sites(ctx, range(1, 45))
    said.clear()
    found = list_facilities(ctx, who)
    assert len(said) == for_one
    assert (found.total, found.pages, len(found.lines)) == (45, 3, 20)
    last = list_facilities(ctx, who, page=3)
    assert [line.row.name for line in last.lines] == [f"Site {n:02d}" for n in range(40, 45)]
    ctx.db.close()


def _add_sites(ctx: Context, numbers: range) -> None:
    rows = [
        {
            "id": f"site-{n}",
            "name": f"Site {n:02d}",
            "country": "TH",
            "jurisdiction": "here",
            "checklist": "c",
            "example": True,
            "created_at": 0,
        }
        for n in numbers
    ]
    ctx.db.write(lambda tx: tx.execute(insert(tables.facilities), rows))


# -- a facility -----------------------------------------------------------------------------------


def test_a_facility_says_what_is_declared_as_it_was_given(officer: FlaskClient) -> None:
    text = read(officer, f"/facilities/{WITHHELD}").text
    assert "560000.0 (east or longitude), 2180000.0 (north or latitude)" in text
    assert "EPSG:24047, Indian 1975 / UTM zone 47N. Source:" in text
    assert "Care and maintenance since 1 Nov 2025" in text
    assert "Filed 31 Jan 2026" in text


def test_a_facilitys_flags_give_reasons_innocent_causes_and_what_would_settle_them(
    officer: FlaskClient,
) -> None:
    text = read(officer, f"/facilities/{WITHHELD}").text
    assert "critical Declared inactive, seen operating" in text
    for words in ("Innocent causes", "What would settle it", "Threshold", "Margin"):
        assert words in text


def test_a_facility_with_no_counted_visit_says_so(officer: FlaskClient) -> None:
    text = read(officer, f"/facilities/{NEVER}").text
    assert "Why there is no grade No visit has been made." in text


def test_a_protected_flag_changes_nothing_that_is_visible(
    ctx: Context, officer: FlaskClient
) -> None:
    """Scoring rule 8."""
    before = [officer.get(path).data for path in PAGES[:5]]
    body = {"title": "a protected finding", "protected": True}
    row = {
        "id": "f" * 16,
        "facility": GRADED,
        "inspection": TWO_HANDS,
        "rule": "R32",
        "severity": "critical",
        "subject": "operations",
        "status": "open",
        "body": json.dumps(body).encode(),
    }
    ctx.db.write(lambda tx: tx.execute(insert(tables.flags).values(**row)))
    after = [officer.get(path).data for path in PAGES[:5]]
    ctx.db.write(lambda tx: tx.execute(tables.flags.delete().where(tables.flags.c.rule == "R32")))
    assert before == after


# -- an inspection --------------------------------------------------------------------------------


def test_two_answers_stand_side_by_side_each_with_its_author(officer: FlaskClient) -> None:
    """Protocol L6."""
    html = officer.get(f"/inspections/{TWO_HANDS}").text
    article = html[html.index(f'id="item-{DISPUTED}"') :]
    text = Page(article[: article.index("</article>")]).text
    assert "2 answers stand side by side" in text
    assert "Aminah binti Contoh , 20 Nov 2026" in text
    assert "สมชาย ตัวอย่าง , 20 Nov 2026, 11:10 (UTC+8)" in text
    assert "it was locked. The guard had the key." in text


def test_what_came_after_the_sign_off_stands_beside_what_was_signed(officer: FlaskClient) -> None:
    """Protocol L7."""
    html = officer.get(f"/inspections/{TWO_HANDS}").text
    article = html[html.index('id="item-GEN-G4"') :]
    text = Page(article[: article.index("</article>")]).text
    assert "Partially meets" in text and "the register ends in June" in text
    assert re.search(r"Written after the sign-off\. What was signed, and counts: Subst", text)
    assert "1 entry came after" in Page(html).text


def test_an_entry_that_cannot_be_read_is_shown_as_such(officer: FlaskClient) -> None:
    """Protocol L4."""
    text = read(officer, f"/inspections/{TWO_HANDS}").text
    assert "GEN-Z9" in text and "An entry needs a newer version to be read." in text


def test_the_score_is_unfolded_to_every_point(ctx: Context, officer: FlaskClient) -> None:
    """Scoring rule 10."""
    page = officer.get(f"/inspections/{OPERATING}").text
    whole = score_of(ctx, "inspection", OPERATING)
    table = page[page.index('id="score"') :]
    for line in whole["items"]:
        if line["status"] in ("counted", "refused"):
            row = table[table.index(f'href="#item-{line["item"]}"') :]
            cells = Page(row[: row.index("</tr>")]).text
            assert f" {float(line['won']):.2f} {float(line['lost']):.2f}" in cells, line["item"]
            assert f" {line['effective']} " in cells
    assert f"= {whole['raw']}" in Page(table).text
    for digest in filter(None, whole["digests"].values()):
        assert digest in table


@pytest.mark.parametrize("path", [f"/inspections/{OPERATING}", f"/facilities/{GRADED}"])
def test_limits_that_are_no_verified_law_say_so_beside_their_name(
    ctx: Context, officer: FlaskClient, path: str
) -> None:
    digest = hashlib.sha256(published.limits_bytes("example")).hexdigest()
    assert re.search(rf"Limits example [\d.]+ · fictional · {digest}", read(officer, path).text)
    real = hashlib.sha256(published.limits_bytes("vn")).hexdigest()
    with ctx.db.read() as tx:
        assert caution_of(tx, {"limits": real}) == "not verified against the law"
        assert caution_of(tx, {"limits": None}) == ""


def test_a_photo_is_shown_with_its_position_and_how_far_outside_it_lies(
    officer: FlaskClient,
) -> None:
    page = read(officer, f"/inspections/{OPERATING}")
    outside = r"19\.\d{5}° N, 99\.\d{5}° E ± 5 m 9\d\d m ± 5 m outside the declared boundary"
    assert re.search(outside, page.text)
    assert "Not here yet; it comes with the device's next sync" in page.text
    assert "its bytes are not those of a JPEG" in page.text
    assert "R12 needs" in page.text
    source = next(i["src"] for i in page.all("img"))
    assert source is not None
    small = officer.get(source, buffered=True)
    assert (small.status_code, small.mimetype) == (200, "image/jpeg")
    whole = officer.get(source.replace("previews", "files"), buffered=True)
    assert (whole.status_code, whole.mimetype) == (200, "image/jpeg")
    assert hashlib.sha256(whole.data).hexdigest() == source.rsplit("/", 1)[1]
    assert "private" in whole.headers["Cache-Control"]


def test_anything_that_is_no_picture_is_handed_over_as_a_download(officer: FlaskClient) -> None:
    page = read(officer, f"/inspections/{TWO_HANDS}")
    shown = {(i.get("src") or "").rsplit("/", 1)[1] for i in page.all("img")}
    links = [a["href"] for a in page.all("a") if (a.get("href") or "").startswith("/files/")]
    other = next(href for href in links if href and href.rsplit("/", 1)[1] not in shown)
    sent = officer.get(other, buffered=True)
    assert sent.mimetype == "application/octet-stream"
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.data.startswith(b"EXAMPLE")


def test_a_training_inspection_shows_no_score(officer: FlaskClient) -> None:
    """Scoring rule 11."""
    text = read(officer, f"/inspections/{TRAINING}").text
    assert "A training inspection: no score and no flag comes from it." in text
    assert TRAINING not in officer.get(f"/facilities/{GRADED}").text


def test_a_score_taken_home_gives_the_same_digits_again(officer: FlaskClient) -> None:
    """Scoring rule 10: recomputed from the download alone."""
    for path in (f"/scores/facility/{GRADED}.json", f"/scores/inspection/{OPERATING}.json"):
        sent = officer.get(path)
        assert sent.mimetype == "application/json"
        document = json.loads(sent.data)
        assert sent.data == canonical(document)
        inputs = inputs_from_json(document["inputs"])
        again = score(inputs, inputs_digest(document["inputs"]))
        assert score_bytes(again) == canonical(document["score"])


def test_what_hidden_evidence_takes_from_the_grade_is_told_with_its_arithmetic(
    app: Flask, ctx: Context
) -> None:
    """Scoring rules 3 and 10: the score as shown, beside what the grade is read from."""
    with ctx.db.read() as tx:
        row = assessments.find(tx, "facility", GRADED)
        assert row is not None
        document = whole_inputs(tx, row)
    answers = [a for visit in document["visits"] for a in visit["answers"]]
    for fact in [f for a in answers if a["item"] == "GEN-G3" for f in a["evidence"]]:
        fact["held"] = False
    hidden = score(inputs_from_json(document)).to_json()
    with app.test_request_context():
        told = app.jinja_env.get_template("_score.html").module
        assert "GEN-G3 is counted for the grade as partially met" in told.head(hidden)
        total = told.sum(hidden)
        assert f"<strong>{hidden['raw']}</strong>\n" in total
        assert f"<strong>{hidden['for_grade']['raw']}</strong>, capped at" in total
        assert "0.3 for the grade" in told.arithmetic(hidden)
        assert "as it is read for the grade" in told.pillars(hidden)


# -- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_what_people_wrote_never_becomes_markup(officer: FlaskClient, path: str) -> None:
    html = officer.get(path).text
    assert HOSTILE not in html
    if path.endswith(OPERATING):
        assert "<bdi>&lt;b&gt;The clerk&lt;/b&gt; kept the \u202etime sheets.</bdi>" in html


@pytest.mark.parametrize("path", [*PAGES, "/facilities/none"])
def test_every_page_is_well_made(officer: FlaskClient, path: str) -> None:
    answer = officer.get(path)
    page = Page(answer.text)
    names = [tag for tag, _ in page.elements]
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids)), "an id stands twice"
    targets = {(a.get("href") or "")[1:] for a in page.all("a") if (a.get("href") or "")[:1] == "#"}
    assert targets <= set(ids), "a link leads nowhere"
    assert "script" not in names
    assert not [a for _, a in page.elements if "style" in a or any(k.startswith("on") for k in a)]
    assert names.count("main") == 1 and names.count("h1") == 1
    assert names.count("table") == names.count("caption")
    assert all("scope" in th for th in page.all("th"))
    assert all("alt" in image for image in page.all("img"))
    assert "A score is a finding of inspections, not a proof of compliance." in page.text
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_an_example_says_that_it_is_one(officer: FlaskClient, path: str) -> None:
    page = read(officer, path)
    assert "Example" in page.text and "fictional" in page.text
