"""`make demo`: half a minute with a till, told as it happens; every number is read from its parts."""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.acceptance.checker import compare
from tests.acceptance.line import Line
from tests.acceptance.rig import LedgerProcess, Pos, TillProcess, tilld
from tests.virtual.cards import NtagCard
from tests.virtual.pcscd import VirtualPcscd, missing

CARD = "2990000000017"
PACE_S = 1.2 if sys.stdout.isatty() else 0.0
"""Time for a person to read a sentence."""
SALES_OFFLINE = 12
READERS = '[[reader]]\nname = "counter"\ndriver = "pcsc"\n[[reader]]\nname = "simulated"\ndriver = "simulated"\n'
BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 4

began = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)
    time.sleep(PACE_S)


def title(text: str) -> None:
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


class Shop:
    """The ledger, the line and the till of the demo, and what its customers were told."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.effects: dict[str, tuple[str, int]] = {}
        self.ledger = LedgerProcess(folder)
        stack.callback(self.ledger.stop)
        tilld("ledger", "register", CARD, "--points", "200", "--database", self.ledger.database)
        self.gift = [line["id"] for line in self.ledger.account(CARD)["entries"]]
        self.ledger.start("--enrolment", "open")
        self.line = Line(("127.0.0.1", self.ledger.port))
        stack.callback(self.line.close)
        self.till = TillProcess(folder, self.line.url, readers=READERS)
        stack.callback(self.till.stop)

    def transact(self, pos: Pos, key: str, kind: str, points: int, card: dict[str, str]) -> tuple[int, Any]:
        status, answer = pos.transaction(key, kind, card=card, points=points)
        if status == 201:
            self.effects[answer["id"]] = CARD, points if kind == "earn" else -points
        return status, answer

    def findings(self) -> Any:
        account = self.ledger.account(CARD)
        account["entries"] = [line for line in account["entries"] if line["id"] not in self.gift]
        return compare(self.effects, {CARD: account}), account


def read_a_card(pcscd: VirtualPcscd | None, pos: Pos) -> dict[str, str]:
    """The card that the customer presents; without root it is keyed in."""
    if pcscd is None:
        say(f"No virtual card reader here ({missing()}): the cashier keys the number.")
        return {"number": CARD}
    pcscd.insert(NtagCard.with_text(CARD))
    status, read, _ = pos.ask("POST", "/v1/reads", {"timeout_ms": 10000})
    assert status == 200, read
    say(f"{read['reader']} read an {read['technology'].upper()} through pcscd: card {read['card']['masked']}.")
    pcscd.remove()
    return {"read_id": read["read_id"]}


def online(shop: Shop, pos: Pos, card: dict[str, str]) -> None:
    status, answer = shop.transact(pos, "demo-1", "earn", 24, card)
    say(f"Sale of 24.90 EUR: {status}, {answer['points']} points, durable as {answer['id'][:13]}…")
    status, answer = shop.transact(pos, "demo-2", "redeem", 50, card)
    say(f"50 points redeemed: {status}, the ledger reserved just that amount first.")
    status, _, headers = pos.ask(
        "POST", "/v1/transactions", {"kind": "redeem", "card": card, "points": 50}, Idempotency_Key="demo-2"
    )
    replayed = headers.get("Idempotency-Replayed") == "true"
    say(f"The POS asks again with the same key: {status}, the same answer{' (replayed)' if replayed else ''}.")
    shop.till.drain()


def offline(shop: Shop, pos: Pos) -> None:
    number = {"number": CARD}
    for sale in range(SALES_OFFLINE):
        shop.transact(pos, f"demo-off-{sale}", "earn", 10 + sale, number)
    waiting = pos.ask("GET", "/v1/status")[1]["queue"]["queued"]
    say(f"{SALES_OFFLINE} sales went on as before; {waiting} records wait in the journal.")
    status, answer = shop.transact(pos, "demo-off-redeem", "redeem", 20, number)
    say(f"A redemption is refused ({status} {answer['code']}): {answer['detail']}")


def killed(shop: Shop, environment: dict[str, str]) -> Pos:
    shop.till.kill()
    say("kill -9. The till is gone, in the middle of its work.")
    started = time.monotonic()
    shop.till.start(environment)
    pos = shop.till.pos()
    waiting = pos.ask("GET", "/v1/status")[1]["queue"]["queued"]
    say(f"Started again in {time.monotonic() - started:.1f} s; {waiting} records still wait, none is lost.")
    return pos


def proof(shop: Shop) -> bool:
    findings, account = shop.findings()
    for lot in account["lots"][:3]:
        say(f"lot of {lot['points']} points from {lot['earned_at'][:19]}, {lot['remaining']} left")
    say(f"{len(account['entries'])} entries explain the {account['points']} points of card •••• {CARD[-4:]}.")
    journal = json.loads(tilld("queue", "verify", "--state", shop.till.state, "--json").stdout)
    say(f"The journal's chains: {journal['records']} records, {'whole' if journal['ok'] else 'BROKEN'}.")
    books = tilld("ledger", "verify", "--database", shop.ledger.database)
    say(f"The ledger's books: {books.stdout.strip() or books.stderr.strip()}")
    clean = findings.clean and journal["ok"] and books.returncode == 0
    mark = f"{GREEN}✓" if clean else f"{RED}✗"
    lost, double = len(findings.lost), len(findings.double)
    print(f"\n{mark} {findings.answered} sales were told yes: {lost} lost, {double} double{PLAIN}", flush=True)
    return clean


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-demo-")))
        title("A ledger, a till and a card reader start")
        pcscd = None if missing() else stack.enter_context(VirtualPcscd())
        environment = dict(pcscd.environment) if pcscd else {}
        shop = Shop(folder, stack)
        shop.till.start(environment)
        pos = shop.till.pos()
        say(f"Ledger on port {shop.ledger.port}, till on port {shop.till.port}; the card holds 200 points.")
        title("Online: a card, a sale, a redemption")
        online(shop, pos, read_a_card(pcscd, pos))
        title("The line is cut")
        shop.line.cut()
        offline(shop, pos)
        pos.close()
        title("The till is killed")
        pos = killed(shop, environment)
        title("The line is back")
        shop.line.mend()
        shop.till.drain()
        posted = pos.ask("GET", "/v1/transactions?idempotency_key=demo-off-0")[1]
        say(f"Everything is delivered. The first offline sale is now `{posted['state']}`.")
        pos.close()
        title("The proof, from the ledger's own books")
        return 0 if proof(shop) else 1


if __name__ == "__main__":
    raise SystemExit(main())
