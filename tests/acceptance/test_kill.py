"""`kill -9` under load: recovery, not durability (tests/power_cut proves that)."""

import os
import random
import threading
from pathlib import Path

import pytest

from tests.acceptance.checker import books_against
from tests.acceptance.line import Faults, Line
from tests.acceptance.rig import LedgerProcess, TillProcess, tilld
from tests.acceptance.shoppers import CARDS, Log, Shopper

KILLS = int(os.environ.get("TILLD_KILLS", "30"))
SHOPPERS = 4


@pytest.mark.timeout(600)
def test_killed_under_load_every_yes_counts_once(tmp_path: Path) -> None:
    """Killed at random moments with sales in flight and a ledger that loses answers: each 201 is in the books once,
    and nothing that was answered with an error is there."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    log, up, closing = Log(), threading.Event(), threading.Event()
    ledger = LedgerProcess(tmp_path)
    for number in CARDS:
        tilld("ledger", "register", number, "--database", ledger.database)
    ledger.start("--enrolment", "open")
    line = Line(("127.0.0.1", ledger.port), Faults(lose=0.05, html=0.02, source=random.Random(seed + 1)))
    till = TillProcess(tmp_path, line.url)
    shoppers = [Shopper(f"pos{n}", seed + 10 + n, log, up, closing, till.pos) for n in range(SHOPPERS)]
    try:
        till.start()
        up.set()
        for shopper in shoppers:
            shopper.start()
        for _ in range(KILLS):
            log.wait_for_sent(log.sent + chance.randint(1, 40))
            up.clear()
            till.kill()
            till.start()
            up.set()
        closing.set()
        for shopper in shoppers:
            shopper.join(120)
        line.faults = Faults()
        till.drain()
        findings = books_against(log, ledger, till.state)
        print(f"{findings.answered} answered with yes, {len(log.no)} refused; {findings}")
        assert [s.failure for s in shoppers if s.failure] == []
        assert log.wrong == []
        assert findings.clean
        assert findings.answered > KILLS
        assert till.stop() == 0
        assert tilld("queue", "verify", "--state", till.state).returncode == 0
        assert tilld("ledger", "verify", "--database", ledger.database).returncode == 0
    finally:
        closing.set()
        up.set()
        till.kill()
        line.close()
        ledger.kill()
