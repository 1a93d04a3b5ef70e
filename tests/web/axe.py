"""Accessibility as axe-core sees it: the faults that keep somebody from using a page (WCAG 2.2 A and AA)."""

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page

AXE: Final = Path(__file__).resolve().parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
RUN: Final = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(" ")}`)"""


def faults(page: Page) -> list[str]:
    """Of the page as it is now; its context must have been made with `bypass_csp`, for axe is no script of the page."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (make setup-dev)")
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN)
    return found
