"""`tapak checklist preview`: the same sheet in the terminal, as a page and as a PDF."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner, Result
from fontTools.ttLib import TTFont

from checklists.draft import blank_draft
from checklists.sheet_words import Words
from server.checklist import sheet_fonts
from server.checklist.sheet_fonts import faces
from server.cli import main

Run = Callable[..., Result]

THAI, BURMESE = "ใบอนุญาต", "ခွင့်ပြုမိန့်"
WATER = 'title: {en: "Water"}'


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    text = blank_draft("my-site", "My <site> & more").decode()
    for old, new in (
        ("languages: [en]", "languages: [en, th, my]\ndrafts: [th]"),
        ('title: {en: "Papers"}', f'title: {{en: "Papers", th: "{THAI}", my: "{BURMESE}"}}'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "my-site.yaml").write_text(text, encoding="utf-8")

    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["checklist", "preview", *words])
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


def test_the_terminal_the_data_and_the_page_mark_the_same_fallbacks(
    run: Run, tmp_path: Path
) -> None:
    said = run("my-site.yaml", "--lang", "th").stdout
    laid = json.loads(run("my-site.yaml", "--lang", "th", "--json").stdout)
    assert f"== {THAI}\n" in said
    assert said.count("[en] ") == laid["missing"] > 20
    told = run("my-site.yaml", "--lang", "th", "--html", "page.html").stdout
    assert told.splitlines() == ["Written: page.html.", *(one["words"] for one in laid["told"])]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    # The title stands in the head too, and each section's title in the list of sections.
    again = sum(one["title"]["fallback"] for one in laid["sections"])
    assert page.count('class="tag"') == laid["missing"] + again
    assert '<html lang="th">' in page
    for line in laid["told"]:
        assert line["lang"] == "th"
        assert line["words"] in page


def test_the_page_holds_texts_as_texts_and_asks_for_nothing_else(run: Run, tmp_path: Path) -> None:
    run("my-site.yaml", "--html", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "My &lt;site&gt; &amp; more" in page
    assert "<site>" not in page
    for asking in ("http:", "https:", "src=", "<link", "@import", "url("):
        assert asking not in page


def test_the_page_carries_the_letters_of_its_script_and_what_they_are_made_of(
    run: Run, tmp_path: Path
) -> None:
    run("my-site.yaml", "--lang", "th", "--html", "th.html")
    page = (tmp_path / "th.html").read_text(encoding="utf-8")
    fonts = re.findall(r'family: "([^"]+)".*?base64,([^)]+)\)', page)
    assert [family for family, _ in fonts] == ["Noto Sans Thai"]
    letters = TTFont(BytesIO(base64.b64decode(fonts[0][1]))).getBestCmap()
    assert {ord(c) for c in THAI} <= set(letters)
    # A shaper takes sara am apart into nikhahit and sara aa.
    made_of = faces("\u0e33")
    assert made_of == faces("\u0e33\u0e4d\u0e32") != ""
    assert page.replace("data:font", "").count("url(") == 1
    run("my-site.yaml", "--lang", "th", "--html", "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(("language", "font"), [("th", "NotoSansThai"), ("my", "NotoSansMyanmar")])
def test_the_pdf_has_the_script_the_marks_and_the_same_bytes_each_time(
    run: Run, tmp_path: Path, language: str, font: str
) -> None:
    run("my-site.yaml", "--lang", language, "--pdf", "x.pdf")
    made = (tmp_path / "x.pdf").read_bytes()
    read = pypdf.PdfReader(BytesIO(made))
    fonts = {
        str(one.get_object()["/BaseFont"]).partition("+")[2]
        for page in read.pages
        for one in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert any(name.startswith(font) for name in fonts), fonts
    words = " ".join(page.extract_text() for page in read.pages)
    laid = json.loads(run("my-site.yaml", "--lang", language, "--json").stdout)
    assert len(re.findall(r"(?<![a-z\[])en(?![a-z\]])", words)) == laid["missing"]
    # Above the sheet: what is a draft (the texts, or only the sheet's own words), what is missing.
    texts = {"th": "told-draft", "my": "told-draft-words"}[language]
    own = Words(language)
    name = laid["language_name"]
    assert laid["told"][0] == own.say(texts, language=f"{name} ({language})")
    assert words.count(f"({language})") == len(laid["told"]) == 2
    run("my-site.yaml", "--lang", language, "--pdf", "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == made


def test_a_character_that_no_font_has_is_named_and_nothing_is_written(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "my-site.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(WATER, 'title: {en: "Water 水 ཀ"}'), encoding="utf-8")
    said = run("my-site.yaml", "--pdf", "x.pdf", code=1).stderr
    assert "2 characters are in none of the fonts: 水 (U+6C34), ཀ (U+0F40)." in said
    assert "--fonts FOLDER" in said
    assert not (tmp_path / "x.pdf").exists()


def test_without_typst_the_pdf_is_refused_and_the_page_is_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    assert "tapak[print]" in run("my-site.yaml", "--pdf", "x.pdf", code=1).stderr
    assert not (tmp_path / "x.pdf").exists()
    run("my-site.yaml", "--html", "x.html")


def test_without_fonts_to_carry_the_page_is_written_and_its_reader_is_told_of(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "carries no fonts" not in run("my-site.yaml", "--lang", "th", "--html", "x.html").stdout
    monkeypatch.setattr(sheet_fonts, "complete", lambda: False)
    for language in ("en", "th"):
        said = run("my-site.yaml", "--lang", language, "--html", "x.html", "--force").stdout
        assert ("The page carries no fonts" in said) == (language == "th")
        assert "@font-face" not in Path("x.html").read_text(encoding="utf-8")


def test_vietnamese_is_latin_and_needs_no_font_of_the_other_scripts(run: Run) -> None:
    run("logistics-hub", "--lang", "vi", "--html", "vi.html")
    page = Path("vi.html").read_text(encoding="utf-8")
    assert "Trung tâm hậu cần" in page
    assert "@font-face" not in page


def test_the_sheets_own_words_are_in_its_language_and_fall_back_with_a_mark(
    run: Run, tmp_path: Path
) -> None:
    run("my-site.yaml", "--lang", "my", "--html", "my.html")
    page = (tmp_path / "my.html").read_text(encoding="utf-8")
    assert "<dt>ကြည့်ရန်</dt>" in page
    for english in ("Look at", "Asked when", "weight ", "Critical", "Photo", "Fully", "at least"):
        assert english not in page.partition("<body>")[2], english
    # No file of words is there for Lao, so every label is English and says so.
    file = tmp_path / "my-site.yaml"
    text = file.read_text(encoding="utf-8").replace("[en, th, my]", "[en, th, my, lo]")
    file.write_text(text, encoding="utf-8")
    run("my-site.yaml", "--lang", "lo", "--html", "lo.html", "--pdf", "lo.pdf")
    page = (tmp_path / "lo.html").read_text(encoding="utf-8")
    assert re.search(
        r'<dt><span lang="en"><span class="tag"[^>]*>en</span> Look at</span></dt>', page
    )
    assert "[en] look at: [en] " in run("my-site.yaml", "--lang", "lo").stdout


def test_a_recipe_is_composed_and_names_mean_what_they_mean_elsewhere(
    run: Run, tmp_path: Path
) -> None:
    recipe = 'format: tapak-recipe/1\nid: one-more\nversion: "1"\ntitle: {en: "One more"}\n'
    (tmp_path / "one.yaml").write_text(f"{recipe}parts: [logistics, observations]\n")
    assert run("one.yaml", "--lang", "ms").stdout.startswith("[en] One more  (one-more 1)\n")
    assert run("logistics-hub@2026.1", "--limits", "ph").stdout.startswith("Logistics hub")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("my-site.yaml", "--lang", "tn"), "no language of the checklist called 'tn'"),
        (("logistics-hob",), "nearest: logistics-hub"),
        (("my-site.yaml", "--limits", "logistics-hub"), "logistics-hub@2026.1:1: "),
        (("my-site.yaml", "--html", "no/such/x.html"), "cannot be written"),
        (("my-site.yaml", "--html", "my-site.yaml"), "already"),
    ],
)
def test_what_cannot_be_shown_is_three_sentences(
    run: Run, words: tuple[str, ...], told: str
) -> None:
    said = run(*words, code=1).stderr
    assert told in said
    assert "Traceback" not in said
