"""The officer's pages in a real browser: they fit, they can be read, they work by keyboard."""

from __future__ import annotations

import pytest
from pages_region import GRADED, NEVER, OPERATING, TWO_HANDS, UNSIGNED, WITHHELD
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.xdist_group("browser")

PAGES = (
    "/facilities",
    f"/facilities/{GRADED}",
    f"/facilities/{WITHHELD}",
    f"/facilities/{NEVER}",
    f"/inspections/{TWO_HANDS}",
    f"/inspections/{OPERATING}",
    f"/inspections/{UNSIGNED}",
    "/held-aside",
)

# Every element that shows text of its own, with the size it is really drawn in.
TOO_SMALL = """() => [...document.querySelectorAll('body *')].filter(e => {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.getClientRects().length || e.closest('title, desc')) return false;
  const matrix = e instanceof SVGGraphicsElement ? e.getScreenCTM() : null;
  return parseFloat(getComputedStyle(e).fontSize) * (matrix ? matrix.a : 1) < 13.99;
}).map(e => e.tagName + ': ' + e.textContent.trim().slice(0, 40))"""

OPEN_ALL = "() => document.querySelectorAll('details').forEach(d => { d.open = true; })"


def opened(visitor: BrowserContext, address: str, path: str) -> tuple[Page, list[str]]:
    """The page, and what the browser complained of, such as a breach of the security policy."""
    complaints: list[str] = []
    page = visitor.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = page.goto(address + path, wait_until="networkidle")
    assert answer is not None and answer.ok
    return page, complaints


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_screen_and_no_text_is_too_small(
    visitor: BrowserContext, address: str, path: str
) -> None:
    page, complaints = opened(visitor, address, path)
    page.evaluate(OPEN_ALL)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.evaluate("window.innerWidth"), "the page scrolls sideways"
    assert page.evaluate(TOO_SMALL) == []
    assert complaints == []


def test_pictures_are_drawn(visitor: BrowserContext, address: str) -> None:
    page, _ = opened(visitor, address, f"/inspections/{OPERATING}")
    pictures = page.locator("#evidence img")
    assert pictures.count() >= 3
    for n in range(pictures.count()):
        pictures.nth(n).scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    widths = pictures.evaluate_all("all => all.map(one => one.naturalWidth)")
    assert min(widths) > 100


def test_the_first_tab_leads_past_the_header_and_focus_can_be_seen(
    visitor: BrowserContext, address: str
) -> None:
    page, _ = opened(visitor, address, f"/facilities/{WITHHELD}")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to the content"
    assert link.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    box = link.bounding_box()
    assert box is not None and box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_what_was_compared_opens_by_keyboard(visitor: BrowserContext, address: str) -> None:
    page, _ = opened(visitor, address, f"/inspections/{OPERATING}")
    summary = page.locator("#flags summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#flags details[open] dt", has_text="Threshold").first.is_visible()


def test_from_the_list_to_the_evidence_by_links_alone(
    visitor: BrowserContext, address: str
) -> None:
    page, _ = opened(visitor, address, "/facilities")
    page.locator("a.facility-name").first.click()
    page.locator("#visits a").first.click()
    page.get_by_role("link", name="All facts").first.click()
    assert "#evidence-" in page.url
    assert page.locator(":target").is_visible()


def test_print_unfolds_what_is_folded(visitor: BrowserContext, address: str) -> None:
    page, _ = opened(visitor, address, f"/facilities/{WITHHELD}")
    page.emulate_media(media="print")
    assert page.locator("#flags dt", has_text="Threshold").first.is_visible()
    assert not page.locator("nav.jump").is_visible()
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
