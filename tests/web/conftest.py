"""A real headless Chromium in front of a real web server and a fake till."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.api.conftest import Api, api, till

__all__ = ["api", "browser", "page", "till"]

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 60_000
"""For what a page shall show; Playwright itself gives up after 5 s, and a machine may be slow."""
expect.set_options(timeout=PATIENCE_MS)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A name that an attacker owns and that leads to this machine, as after DNS rebinding.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one file alone: while Playwright runs, no test of another file could start a loop of asyncio here."""
    with sync_playwright() as playwright:
        program = CHROMIUM if CHROMIUM.exists() else Path(playwright.chromium.executable_path)
        if not program.exists():
            pytest.skip("no Chromium is installed, neither Debian's nor Playwright's own (make setup-dev installs one)")
        browser = playwright.chromium.launch(executable_path=program, args=QUIET, timeout=3 * PATIENCE_MS)
        yield browser
        browser.close()


class Said:
    """What a page's console complains of: script errors, refused loads, broken policies."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        yield page
