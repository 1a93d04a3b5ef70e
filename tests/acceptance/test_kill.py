"""`kill -9` under load: recovery, not durability (tests/power_cut proves that)."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.checker import books_against
from tests.acceptance.line import Faults, Line
from tests.acceptance.rig import LedgerProcess, TillProcess, tilld
from tests.acceptance.shoppers import CARDS, Log, Shopper

KILLS = int(os.environ.get("TILLD_KILLS", "30"))
SHOPPERS = 4


@dataclass(frozen=True)
class Rush:
    """A shop full of customers: they come while it is `up`, and go when it is `closing`."""

    ledger: LedgerProcess
    line: Line
    till: TillProcess
    shoppers: list[Shopper]
    log: Log
    up: threading.Event
    closing: threading.Event

    def killed(self, sales_later: int) -> None:
        """The till ends in the middle of some sale, and starts again."""
        self.log.wait_for_sent(self.log.sent + sales_later)
        self.up.clear()
        self.till.kill()
        self.till.start()
        self.up.set()

    def over(self) -> None:
        """The last customer has gone, and the ledger has heard everything."""
        self.closing.set()
        for shopper in self.shoppers:
            shopper.join(300)
        self.line.faults = Faults()
        self.till.drain()


@contextmanager
def rush(folder: Path, seed: int) -> Iterator[Rush]:
    log, up, closing = Log(), threading.Event(), threading.Event()
    ledger = LedgerProcess(folder)
    for number in CARDS:
        tilld("ledger", "register", number, "--database", ledger.database)
    ledger.start("--enrolment", "open")
    line = Line(("127.0.0.1", ledger.port), Faults(lose=0.05, html=0.02, source=random.Random(seed + 1)))
    till = TillProcess(folder, line.url)
    shoppers = [Shopper(f"pos{n}", seed + 10 + n, log, up, closing, till.pos) for n in range(SHOPPERS)]
    try:
        till.start()
        up.set()
        for shopper in shoppers:
            shopper.start()
        yield Rush(ledger, line, till, shoppers, log, up, closing)
    finally:
        closing.set()
        up.set()
        till.kill()
        line.close()
        ledger.kill()


@pytest.mark.timeout(600)
def test_killed_under_load_every_yes_counts_once(tmp_path: Path) -> None:
    """Killed at random moments with sales in flight and a ledger that loses answers: each 201 is in the books once,
    and nothing that was answered with an error is there."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    with rush(tmp_path, seed) as shop:
        for _ in range(KILLS):
            shop.killed(chance.randint(1, 40))
        shop.over()
        findings = books_against(shop.log, shop.ledger, shop.till.state)
        print(f"{findings.answered} answered with yes, {len(shop.log.no)} refused; {findings}")
        assert [shopper.failure for shopper in shop.shoppers if shopper.failure] == []
        assert shop.log.wrong == []
        assert findings.clean
        assert findings.answered > KILLS
        assert shop.till.stop() == 0
        assert tilld("queue", "verify", "--state", shop.till.state).returncode == 0
        assert tilld("ledger", "verify", "--database", shop.ledger.database).returncode == 0
