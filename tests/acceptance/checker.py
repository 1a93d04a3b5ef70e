"""An independent look at the books: the customers' log on one side, the ledger's account of every card on the other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.rig import LedgerProcess, tilld
from tests.acceptance.shoppers import CARDS, Log


@dataclass(frozen=True)
class Findings:
    """Ids of entries: `lost` were answered with 201 and are not in the books, `double` are there more than once,
    `wrong` are there with another effect, `unasked` are there although no customer was told yes."""

    answered: int
    lost: list[str]
    double: list[str]
    wrong: list[str]
    unasked: list[str]

    @property
    def clean(self) -> bool:
        return not (self.lost or self.double or self.wrong or self.unasked)


def compare(effects: dict[str, tuple[str, int]], accounts: dict[str, Any]) -> Findings:
    """`effects`: card and signed points of each entry that got a yes; `accounts`: the ledger's word on each card."""
    posted: dict[str, list[tuple[str, int]]] = {}
    for number, account in accounts.items():
        for line in account["entries"]:
            posted.setdefault(line["id"], []).append((number, line["points"]))
    return Findings(
        answered=len(effects),
        lost=[entry for entry in effects if entry not in posted],
        double=[entry for entry, lines in posted.items() if len(lines) > 1],
        wrong=[e for e, lines in posted.items() if e in effects and lines[0] != effects[e]],
        unasked=[entry for entry in posted if entry not in effects],
    )


def books_against(log: Log, ledger: LedgerProcess, state: Path) -> Findings:
    """Also holds the journal to the log: every yes is in it once, and nothing that was refused."""
    told = [json.loads(line) for line in exported(state)]
    keys = [json.loads(line["record"])["key"] for line in told if line["line"] == "record"]
    assert len(keys) == len(set(keys)), "a key is in the journal twice"
    assert not set(log.yes) - set(keys), "a sale that got a yes is not in the journal"
    assert not set(log.no) & set(keys), "a sale that was refused is in the journal"
    return compare(log.effects, {number: ledger.account(number) for number in CARDS})


def exported(state: Path) -> list[str]:
    done = tilld("queue", "export", "--state", state)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
