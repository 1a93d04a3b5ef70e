"""The technician's page on a real till with a real ledger: what the parts say of themselves is on the screen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld
from tests.web.conftest import Said

pytestmark = pytest.mark.browser
READERS = """
[[reader]]
name = "simulated"
driver = "simulated"

[[reader]]
name = "scanner"
driver = "serial_line"
port = "/dev/no-such-scanner"
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    ledger = LedgerProcess(tmp_path)
    ledger.start("--unknown-cards", "register", "--enrolment", "open")
    yield ledger
    ledger.stop()


@pytest.fixture
def real(ledger: LedgerProcess, tmp_path: Path) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path / "till", f"http://127.0.0.1:{ledger.port}", readers=READERS)
    till.start()
    yield till
    till.stop()


def test_a_technician_sees_the_cause_and_what_mends_it(browser: Browser, real: TillProcess) -> None:
    """A reader that is not plugged in: at the top, in its row and in the examination; a sale is charted."""
    pos = real.pos()
    assert pos.transaction("k-1", "earn", card={"number": "2990000000017"}, points=5)[0] == 201
    pos.close()
    real.drain()
    with browser.new_context(locale="en-GB", viewport={"width": 1024, "height": 768}) as context:
        page = context.new_page()
        said = Said(page)
        page.goto(f"http://127.0.0.1:{real.port}/technician")
        page.get_by_label("The content of technician.token").fill((real.state / "technician.token").read_text().strip())
        page.keyboard.press("Enter")
        expect(page.locator("#verdict")).to_contain_text("reader scanner is absent")
        expect(page.locator("#readers tbody tr").nth(1)).to_contain_text("/dev/no-such-scanner")
        expect(page.locator("#doctor details[open]").first).to_contain_text("scanner")
        expect(page.locator("#books")).to_contain_text("reachable")
        expect(page.locator(".chart").nth(2).locator("figcaption")).to_contain_text("longest")
        page.get_by_role("button", name="Sync now").click()
        expect(page.locator("#sync-state")).to_have_text("Sync has ended.")
        expect(page.locator("#doctor-state")).to_contain_text("The worst is")
        page.get_by_role("button", name="Also try disk, network and readers").click()
        expect(page.locator("#doctor-state")).to_contain_text("external")
        assert said.complaints == []


def test_the_last_days_and_the_glance_outlive_the_daemon(real: TillProcess, ledger: LedgerProcess) -> None:
    """What was counted before a restart is counted after it; a pass is waited for; its failure is an exit code."""
    pos = real.pos()
    assert pos.transaction("k-1", "earn", card={"number": "2990000000017"}, points=5)[0] == 201
    assert asked("sync", "--wait", "--state", real.state)["phase"] == "ended"
    pos.close()
    real.stop()
    real.start()
    pos = real.pos()
    told = pos.ask("GET", "/v1/history?hours=1")[1]
    assert sum(stretch["taken"] for stretch in told["stretches"]) == 1
    shown = tilld("status", "--state", real.state).stdout
    assert shown.splitlines()[0].startswith("attention: ")
    ledger.stop()
    failed = tilld("sync", "--wait", "--json", "--state", real.state)
    assert (failed.returncode, json.loads(failed.stdout)["phase"]) == (1, "failed")
    pos.close()
