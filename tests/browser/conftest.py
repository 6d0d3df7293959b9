"""A served example region and a real browser; skipped, saying so, where there is no Chromium."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from once import Once
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from werkzeug.serving import make_server

HERE = Path(__file__).parent
# The region is the one that the unit tests of the pages use.
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "server")]

from get_chromium import find  # noqa: E402
from pages_region import PASSWORD, region_in  # noqa: E402

from server import create_app  # noqa: E402

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip("no Chromium is installed; `make browser` gets one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser, once: Once
) -> Iterator[str]:
    """Where the region's pages are served."""
    assert chromium.is_connected()
    ctx = region_in(tmp_path_factory.mktemp("region"), once)
    server = make_server("127.0.0.1", 0, create_app(ctx), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    ctx.db.close()


@pytest.fixture(scope="session")
def cookies(chromium: Browser, address: str) -> list[dict[str, object]]:
    """The session of an officer who logged in with the form."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/login")
    page.get_by_label("Name").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/facilities")
    kept = [dict(cookie) for cookie in context.cookies()]
    context.close()
    return kept


@pytest.fixture(params=["small phone", "phone", "screen", "dark screen"])
def visitor(
    request: pytest.FixtureRequest, chromium: Browser, cookies: list[dict[str, object]]
) -> Iterator[BrowserContext]:
    """The logged-in officer on phones of 320 and 360 px, and on a light and a dark screen."""
    width = {"small phone": 320, "phone": 360}.get(request.param, 1280)
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if request.param == "dark screen" else "light",
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    yield context
    context.close()
