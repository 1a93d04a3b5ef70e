"""Two tills and their ledger, any of which may die at any moment, with a bad line in between; on every engine."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.checker import compare
from tests.acceptance.line import Faults, Line
from tests.acceptance.rig import LedgerProcess, TillProcess, tilld
from tests.acceptance.shoppers import CARDS, Log, Shopper
from tests.ledger.cluster import MISSING, PROGRAMS, cluster

KILLS = int(os.environ.get("TILLD_KILLS", "30")) // 7
SHOPPERS_A_TILL = 2


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerProcess]:
    with ExitStack() as stack:
        process = LedgerProcess(tmp_path)
        if request.param == "postgres":
            if PROGRAMS is None:
                pytest.skip(MISSING)
            process.database = stack.enter_context(cluster()).emptied()
        stack.callback(process.kill)
        yield process


class Shop:
    """Two tills behind bad lines, and their customers."""

    def __init__(self, folder: Path, ledger: LedgerProcess, seed: int) -> None:
        self.ledger, self.closing = ledger, threading.Event()
        self.lines = [
            Line(("127.0.0.1", ledger.port), Faults(lose=0.05, html=0.02, source=random.Random(seed + n)))
            for n in range(2)
        ]
        self.tills = [
            TillProcess(folder / f"till{n}", line.url, extra=f'[terminal]\nid = "S001-T{n:02d}"')
            for n, line in enumerate(self.lines)
        ]
        self.up = [threading.Event() for _ in self.tills]
        self.logs = [Log() for _ in self.tills]
        self.shoppers = [
            Shopper(f"till{t}-pos{n}", seed + 10 * t + n, self.logs[t], self.up[t], self.closing, self.tills[t].pos)
            for t in range(len(self.tills))
            for n in range(SHOPPERS_A_TILL)
        ]

    def open(self) -> None:
        """Both tills have met the ledger before the customers come: behind these a queue is never seen empty."""
        for till, up in zip(self.tills, self.up, strict=True):
            till.start()
            till.drain()
            up.set()
        for shopper in self.shoppers:
            shopper.start()

    def kill(self, victim: int) -> None:
        """One of the tills, or the ledger; it comes back at once."""
        if victim == len(self.tills):
            self.ledger.kill()
            self.ledger.start()
            return
        self.up[victim].clear()
        self.tills[victim].kill()
        self.tills[victim].start()
        self.up[victim].set()

    def close(self) -> None:
        """Customers finish what they have begun, and everything is delivered over lines that are mended."""
        self.closing.set()
        for shopper in self.shoppers:
            shopper.join(300)
        for line, till in zip(self.lines, self.tills, strict=True):
            line.faults = Faults()
            till.drain()

    def end(self) -> None:
        self.closing.set()
        for up, till, line in zip(self.up, self.tills, self.lines, strict=True):
            up.set()
            till.kill()
            line.close()


@pytest.mark.timeout(300)
def test_whoever_dies_every_yes_counts_once(tmp_path: Path, ledger: LedgerProcess) -> None:
    """Customers of two tills share their cards; what each was told is in the books, once, and nothing else is."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    for number in CARDS:
        assert tilld("ledger", "register", number, "--database", ledger.database).returncode == 0
    ledger.start("--enrolment", "open")
    shop = Shop(tmp_path, ledger, seed)
    try:
        shop.open()
        for _ in range(KILLS):
            log = chance.choice(shop.logs)
            log.wait_for_sent(log.sent + chance.randint(1, 30))
            shop.kill(chance.randrange(len(shop.tills) + 1))
        shop.close()
        effects = {entry: effect for log in shop.logs for entry, effect in log.effects.items()}
        findings = compare(effects, {number: ledger.account(number) for number in CARDS})
        print(f"{findings.answered} answered with yes; {findings}")
        assert [shopper.failure for shopper in shop.shoppers if shopper.failure] == []
        assert [log.wrong for log in shop.logs] == [[], []]
        assert findings.clean
        assert findings.answered > KILLS
        for till in shop.tills:
            assert till.stop() == 0
            assert tilld("queue", "verify", "--state", till.state).returncode == 0
        assert tilld("ledger", "verify", "--database", ledger.database).returncode == 0
    finally:
        shop.end()
