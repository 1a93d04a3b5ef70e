"""axe-core, the accessibility checker, in a page that lets tests in (`bypass_csp`)."""

import json
from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).resolve().parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"


def faults(page: Page) -> list[str]:
    """Every fault that axe calls serious or critical, with where it is."""
    page.evaluate(SCRIPT.read_text())
    found = page.evaluate("async () => (await axe.run()).violations")
    loud = [one for one in found if one["impact"] in {"serious", "critical"}]
    return [json.dumps([one["id"], [node["html"] for node in one["nodes"]]]) for one in loud]
