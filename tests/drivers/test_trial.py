"""A technician's test of a reader of chip cards: through a real pcscd, and of a PN532, at the real till."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal.commands import client
from tests.acceptance.rig import TillProcess
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import Card, NtagCard, UidCard, payment_card, phone

NUMBER = "2990000000017"
NO_LEDGER = "http://127.0.0.1:1"


@pytest.fixture
def till(card_reader: CardReader, tmp_path: Path) -> Iterator[TillProcess]:
    options = "".join(f'{name} = "{value}"\n' for name, value in card_reader.options.items())
    reader = f'[[reader]]\nname = "counter"\ndriver = "{card_reader.driver}"\n{options}'
    till = TillProcess(tmp_path / "till", NO_LEDGER, readers=reader)
    till.start()
    yield till
    till.kill()


def ask(till: TillProcess, method: str, path: str, body: object = None) -> Any:
    return client.ask(till.state / "tilld.sock", method, path, body, time_s=30).body


def test_what_a_reader_makes_of_each_kind_of_card(till: TillProcess, card_reader: CardReader) -> None:
    """A loyalty card, a phone, a bare serial number, a bank card: read, timed, told apart; the reader passes."""
    cards: list[Card] = [NtagCard.with_text(NUMBER), phone(), UidCard(bytes.fromhex("deadbeef")), payment_card()]
    wanted = {"taps": len(cards), "operator": "Anne"}
    for event in client.watch(till.state / "tilld.sock", "first"):
        if event.kind == "reader_status" and event.data["status"] == "ready":
            break
    trial = ask(till, "POST", "/v1/trials", wanted)
    for card in cards:
        card_reader.insert(card)
        path = f"/v1/trials/{trial['id']}?seen={trial['revision']}&wait_ms=20000"
        trial = ask(till, "GET", path)
        card_reader.remove()
    assert [tap["result"] for tap in trial["taps"]] == ["identified", "refused", "refused", "refused"]
    assert [tap["serial"] for tap in trial["taps"]] == ["fixed", "random", "fixed", "none"]
    assert trial["taps"][0]["read_ms"] is not None
    assert all(tap["till_ms"] is not None for tap in trial["taps"])
    judgement = trial["judgement"]
    assert (trial["state"], judgement["passed"], judgement["card_usable"]) == ("complete", True, False)
    codes = [remark["code"] for remark in judgement["remarks"]]
    assert codes == ["reads_all", "several_cards", "usable", "phone_without_pass", "bare_serial", "bank_card"]
    assert card_reader.slot.removesuffix(" 00 00") in trial["device"] or trial["driver"] == "contactless"
