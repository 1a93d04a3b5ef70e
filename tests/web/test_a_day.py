"""A shop's day in one real Chromium: the till is set up, sells, loses the line, gets it back, and is looked after."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance import day
from tests.acceptance.rig import asked, tilld
from tests.web.conftest import Said

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}
POINTS = 180 + 24 + 19 + 10 + 40
"""Of the card at the end: what it had, and its sales. The sale without a card waits on its receipt."""


class Inspector:
    """Looks at each moment of the day with the rules of axe."""

    def __init__(self) -> None:
        self.moments: list[str] = []
        self.faults: dict[str, Any] = {}

    def __call__(self, moment: str, page: Page) -> None:
        self.moments.append(moment)
        if not AXE.exists():
            return
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run().then(({ violations }) => violations)")
        for fault in found:
            if fault["impact"] in GRAVE:
                self.faults[f"{moment}: {fault['id']}"] = [node["html"][:200] for node in fault["nodes"]]


@pytest.mark.timeout(600)
def test_a_day(browser: Browser, tmp_path: Path) -> None:
    """Every step is on the screen, no point is lost, no page complains, and everybody can read it."""
    inspect = Inspector()
    with ExitStack() as stack:
        shop = day.Shop(tmp_path, stack)
        assert shop.set_up["ok"], shop.set_up
        context = stack.enter_context(browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}))
        counter, office = day.opened(context), day.opened(context)
        said = [Said(counter), Said(office)]
        day.morning(shop, counter, inspect)
        day.noon(shop, counter, inspect)
        disputed = day.afternoon(shop, counter, inspect)
        day.evening(shop, office, inspect, disputed)
        expect(counter.locator("#conflicts")).to_be_hidden()
        sheet = day.reader_tested(shop, office, inspect, tmp_path)
        office.goto(sheet.as_uri())
        inspect("sheet", office)
        assert tilld("test-card", "--verify", sheet, *shop.place).returncode == 0
        assert shop.ledger.account(day.CARD)["points"] == POINTS
        assert asked("ledger", "verify", "--database", shop.ledger.database)["problems"] == []
        assert [one.complaints for one in said] == [[], []]
    assert inspect.faults == {}
    assert inspect.moments[-3:] == ["technician", "test-card", "sheet"]
