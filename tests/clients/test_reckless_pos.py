"""A POS that retries everything three times and crashes at random never doubles a point, nor loses one."""

import os
import random
import subprocess
import sys
from pathlib import Path

from tests.acceptance.line import Faults
from tests.clients.reckless_pos import CARD, Receipts
from tests.clients.shop import DEADLINE_S, Shop, open_shop

HERE = Path(__file__).resolve()
PYTHONPATH = os.pathsep.join(map(str, (HERE.parents[2], HERE.parents[2] / "clients" / "python")))
VISITS = int(os.environ.get("TILLD_VISITS", "30"))


class Deadly(Faults):
    """Loses one answer in ten, swaps one in thirty for a portal's page, and after some answers kills the POS."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(lose=0.1, html=0.03, source=source)
        self.victim: subprocess.Popen[str] | None = None
        self._left = 0

    def aim(self, victim: "subprocess.Popen[str]") -> None:
        self.victim, self._left = victim, self.source.randint(1, 25)

    def pick(self) -> str:
        self._left -= 1
        if self._left == 0 and self.victim is not None:
            self.victim.kill()
            return self.source.choice(("lose", "pass"))
        return super().pick()


def run(shop: Shop, folder: Path, seed: int, faults: Deadly | None) -> int:
    """One life of the POS; its exit code, negative when it was killed."""
    arguments = [shop.line.url, shop.token_file, folder, seed, VISITS]
    command = [sys.executable, str(HERE.parent / "reckless_pos.py"), *map(str, arguments)]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": PYTHONPATH}, stdout=subprocess.PIPE, text=True
    ) as pos:
        if faults is not None:
            faults.aim(pos)
        pos.communicate(timeout=DEADLINE_S * 2)
        return pos.returncode


def test_every_receipt_counts_once(tmp_path: Path) -> None:
    """Killed between sending and hearing, between two of its three times, while it settles what was open: in the
    end each receipt has its points in the ledger's books, and none has them twice."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    faults = Deadly(random.Random(seed))
    with open_shop(tmp_path) as shop:
        shop.line.faults = faults
        lives = 0
        while run(shop, tmp_path, seed + lives, faults) != 0:
            lives += 1
            if lives % 3 == 0:
                shop.till.kill()
                shop.till.start()
        shop.line.faults = Faults()
        shop.till.drain()
        account = shop.ledger.account(CARD)
    meant = Receipts(tmp_path / "receipts.jsonl").meant
    print(f"{len(meant)} receipts in {lives + 1} lives")
    assert lives >= 2
    assert len(meant) == VISITS
    assert list((tmp_path / "pending").iterdir()) == []
    assert len(account["entries"]) == VISITS
    assert account["points"] == sum(-1 if each["kind"] == "reverse" else each["points"] for each in meant.values())
