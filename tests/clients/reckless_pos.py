"""A POS that sends everything three times and dies wherever it is told to: a program of its own, to be killed.

    python reckless_pos.py URL TOKEN FOLDER SEED VISITS

It writes down what it means to do before it does it, as a POS does with its receipts; what it has not finished when it
dies it finishes when it is started again. Receipt n is worth n points.
"""

import json
import os
import random
import sys
from pathlib import Path

from tilld_client import Patience, Pending, Request, Till

CARD = "2990000000017"
TIMES = 3
PATIENCE = Patience(total_s=30, first_s=0.01, most_s=0.1)


class Receipts:
    """One line for each receipt, synced before anything is sent under its number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.meant: dict[str, Request] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            self.meant.update(json.loads(line))

    def add(self, request: Request) -> str:
        key = f"S001-T01-{len(self.meant) + 1}"
        with self._path.open("a") as file:
            file.write(json.dumps({key: request}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.meant[key] = request
        return key


def main(url: str, token: str, folder: Path, seed: int, visits: int) -> None:
    chance, receipts = random.Random(seed), Receipts(folder / "receipts.jsonl")
    with Till.at(url, token, Pending(folder / "pending"), PATIENCE) as till:
        till.resume()
        settle_the_last(till, receipts)
        while len(receipts.meant) < visits:
            request = wish(chance, till, receipts)
            three_times(till, receipts.add(request), request)
            print(len(receipts.meant), flush=True)


def settle_the_last(till: Till, receipts: Receipts) -> None:
    """Killed between the receipt and its first sending: it was never pending, and the customer has paid."""
    for key, request in list(receipts.meant.items())[-1:]:
        if till.outcome(key) is None:
            till.transact(key, request)


def wish(chance: random.Random, till: Till, receipts: Receipts) -> Request:
    worth = len(receipts.meant) + 1
    if worth > 3 and chance.random() < 0.3:
        original = till.outcome(f"S001-T01-{chance.randint(1, worth - 1)}")
        assert original is not None
        taken_back = sum(request.get("reverses") == original["id"] for request in receipts.meant.values())
        if original["kind"] == "earn" and taken_back < original["points"]:
            return {"kind": "reverse", "reverses": original["id"], "points": 1}
    return {"kind": "earn", "card": {"number": CARD}, "points": worth}


def three_times(till: Till, key: str, request: Request) -> None:
    first = till.transact(key, request)
    for _ in range(TIMES - 1):
        assert till.transact(key, request) == first


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_text().strip(), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
