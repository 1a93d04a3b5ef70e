"""A POS in one page: settles what a crash left open, waits for a card, and earns, redeems and reverses with it.

    python counter.py --socket ~/.local/state/tilld/tilld.sock --folder ~/.local/state/counter
    python counter.py --url http://127.0.0.1:8780 --token-file pos.token --folder ~/.local/state/counter

Then present a card (`tilld tap 2990000000017`). Kill it whenever you like and start it again: nothing counts twice.
"""

import argparse
import os
import sys
from pathlib import Path

from tilld_client import CardWish, Pending, Refused, Till, Unanswered


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    pending = Pending(chosen.folder / "pending")
    try:
        with till_of(chosen, pending) as till:
            settle_what_was_open(till)
            visit(till, next_receipt(chosen.folder))
    except Refused as refused:
        print("refused:", refused.detail, *refused.next, flush=True)
        return 1
    except Unanswered as unanswered:
        print(f"{unanswered}. Start again: it is settled then.", file=sys.stderr)
        return 3
    return 0


def settle_what_was_open(till: Till) -> None:
    for resumed in till.resume():
        became = resumed.refused.code if resumed.refused else resumed.answer and resumed.answer["state"]
        print(f"settled: {resumed.request['kind']} {resumed.key} {became}", flush=True)


def visit(till: Till, receipt: str) -> None:
    """One customer: a card, a sale of 24.90, 10 points spent, and the sale taken back."""
    print("present a card", flush=True)
    read = till.read(timeout_s=60)
    print("card:", read["card"]["masked"], *read["hints"], flush=True)
    # A number outlives a restart of the till, a `read_id` does not.
    card: CardWish = {"number": read["card"]["number"] or ""}

    sale = till.earn(f"{receipt}-E", card, amount={"value": 2490, "currency": "EUR"}, receipt={"number": receipt})
    print(f"earned: {sale['points']}, claim code for the receipt: {sale.get('claim')}", flush=True)

    spent = till.redeem(f"{receipt}-R", card, 10)
    print(f"redeemed: {spent['points']} ({spent.get('promise')}); hand over the reward", flush=True)

    back = till.reverse(f"{receipt}-V", sale["id"])
    print(f"reversed: {back['points']}", flush=True)


def next_receipt(folder: Path) -> str:
    """A number that is never given twice: it is on the disk before anything is sent under it."""
    count, fresh = folder / "receipts", folder / "receipts.new"
    number = int(count.read_text()) + 1 if count.exists() else 1
    with fresh.open("w") as file:
        file.write(str(number))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(count)
    return f"S001-T01-{number}"


def till_of(chosen: argparse.Namespace, pending: Pending) -> Till:
    if chosen.socket:
        return Till.on_socket(chosen.socket, pending)
    return Till.at(chosen.url, chosen.token_file.read_text().strip(), pending)


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--socket", type=Path, help="tilld.sock in the till's state folder")
    parser.add_argument("--url", default="http://127.0.0.1:8780")
    parser.add_argument("--token-file", type=Path, default=Path("pos.token"))
    parser.add_argument("--folder", type=Path, required=True, help="where this POS keeps what is pending")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
