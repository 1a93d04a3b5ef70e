"""A till that burns down before its first sync: the customer's receipt brings the points, and only once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld

CARD = "2990000000017"
OTHER_CARD = "2990000000024"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start("--enrolment", "open", "--unknown-cards", "register")
    yield process
    process.stop()


@pytest.fixture
def tills(tmp_path: Path, ledger: LedgerProcess) -> Iterator[list[TillProcess]]:
    """Two tills of one shop; the ledger knows both."""
    url = f"http://127.0.0.1:{ledger.port}"
    extra = '[terminal]\nid = "{}"'
    found = [TillProcess(tmp_path / name, url, extra=extra.format(name)) for name in ("S001-T01", "S001-T02")]
    for process in found:
        process.start()
        process.drain()
    yield found
    for process in found:
        process.stop()


def points(ledger: LedgerProcess, number: str = CARD) -> int:
    return int(ledger.account(number)["points"])


def test_the_receipt_of_a_till_that_burnt(tmp_path: Path, ledger: LedgerProcess, tills: list[TillProcess]) -> None:
    """Sold without a card and without a line; its disk gone; another till takes the code; the disk comes back."""
    burnt, heir = tills
    ledger.stop()
    pos = burnt.pos()
    status, sold = pos.transaction("the-sale", "earn", points=30, receipt={"number": "4711"})
    pos.close()
    assert status == 201
    shown = asked("claim", "show", sold["id"], "--state", burnt.state)
    assert shown["claim"] == sold["claim"]
    burnt.kill()
    shutil.move(burnt.state, tmp_path / "ashes")

    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    typed = "\n".join(shown["lines"]).lower()
    told = asked("claim", "redeem", typed, "--card", CARD, "--state", heir.state)
    assert (told["points"], told["sale"]) == (30, sold["id"])
    heir.drain()
    assert points(ledger) == 30

    shutil.move(tmp_path / "ashes", burnt.state)
    burnt.start()
    burnt.drain()
    assert points(ledger) == 30
    late = tilld("claim", "redeem", sold["claim"], "--card", OTHER_CARD, "--state", burnt.state)
    assert late.returncode == 0, late.stderr
    burnt.drain()
    assert points(ledger) == 30
    assert asked("ledger", "verify", "--database", ledger.database)["ok"]


def test_a_code_at_the_command_line(tills: list[TillProcess]) -> None:
    """Shown to be printed, looked into, refused where it is wrong, with exit codes for scripts."""
    till = tills[0]
    pos = till.pos()
    sold = pos.transaction("k-1", "earn", points=30, card={"number": CARD})[1]
    right = pos.redeem("k-2", points=1, card={"number": CARD})[1]
    pos.close()
    shown = tilld("claim", "show", sold["id"], "--qr", "--state", till.state)
    assert (shown.returncode, sold["claim"] in shown.stdout, "█" in shown.stdout) == (0, True, True)
    assert tilld("claim", "show", right.get("id", "none"), "--state", till.state).returncode == 1
    seen = tilld("claim", "verify", sold["claim"], "--state", till.state)
    assert (seen.returncode, "Already credited to •••• 0017" in seen.stdout) == (1, True)
    refused = tilld("claim", "redeem", sold["claim"], "--card", OTHER_CARD, "--state", till.state)
    assert (refused.returncode, "Already credited" in refused.stderr) == (1, True)
    assert tilld("claim", "verify", " ", "--state", till.state).returncode == 2
    assert tilld("claim", "verify", "x" * 3000, "--state", till.state).returncode == 2
