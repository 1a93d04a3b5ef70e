"""What a POS of the protocol is told of a record: the same from its first answer to its last."""

from typing import Any

import msgspec
import pytest

from offline_queue.entry import Amount, CardEvent, Entry, Happening, Kind, Receipt, State
from offline_queue.journal import Found
from offline_queue.wire_feeds import Verdict
from terminal.api.nexo.sale_shapes import account_shown
from terminal.api.nexo.talk import Shop
from terminal.api.nexo.transactions import loyalty_body, result, reversal_body, sale_shown, stored_value_body
from terminal.pos import BalanceView, CardView, Promise, TransactionAnswer
from terminal.sales.transaction import PointsRule
from terminal.wording import kept
from tests.api.nexo.test_transactions import SALE

SHOP = Shop("S001-T01", "S001-T01", "corner-club", "ledger", "0.1.0", PointsRule(worth=5))
NUMBER = "2990000000017"
BALANCE = BalanceView(120, "2026-11-22T11:00:00Z", 24, estimate=True)
MOMENT = {"TransactionID": SALE.id, "TimeStamp": SALE.occurred_at}


def recorded(balance: BalanceView | None = BALANCE, state: State = State.QUEUED, **changes: Any) -> Found:
    """A sale of 24 points for 24.90 EUR, changed, as the journal holds it with its first answer."""
    entry: Entry = msgspec.structs.replace(SALE, **changes)
    card = CardView("•••• 0017") if entry.card else None
    promise = Promise.HELD if entry.allowance else None
    said = TransactionAnswer(entry.id, entry.kind, State.QUEUED, entry.points, card, balance, promise=promise)
    verdict = Verdict(1, "s", 2, 2, state, "overdrawn") if state is State.CONFLICT else None
    return Found(entry, b"", "s", 2, state, verdict, kept(said), b"")


def moved(found: Found, *, rebate: bool = False) -> dict[str, Any]:
    (told,) = loyalty_body(found, SHOP, rebate=rebate)["LoyaltyResult"]
    return told


def test_a_sale_tells_card_points_and_balance() -> None:
    """And by which number it is taken back."""
    body = loyalty_body(
        recorded(receipt=Receipt("R-7", issued_at="2026-11-22T12:00:00Z"), operator="lea"), SHOP, rebate=False
    )
    assert body["POIData"] == {"POITransactionID": MOMENT}
    sale = {"SaleTransactionID": {"TransactionID": "R-7", "TimeStamp": "2026-11-22T12:00:00Z"}}
    assert body["SaleData"] == {"OperatorID": "lea", **sale}
    (told,) = body["LoyaltyResult"]
    assert told["LoyaltyAccount"] == account_shown(NUMBER, None, "corner-club")
    assert told["LoyaltyAmount"] == {"LoyaltyUnit": "Point", "Value": 24}
    assert told["CurrentBalance"] == 120
    assert told["LoyaltyAcquirerData"] == {"LoyaltyAcquirerID": "ledger", "LoyaltyTransactionID": MOMENT}
    assert "Rebates" not in told


def test_what_a_record_does_not_have_is_not_told() -> None:
    """A sale without a card and a message without a sale: no field says nothing."""
    body = loyalty_body(recorded(None, card=None), SHOP, rebate=False)
    assert not {"LoyaltyAccount", "CurrentBalance"} & set(body["LoyaltyResult"][0])
    assert "SaleData" not in body
    assert sale_shown(recorded(receipt=Receipt("R-7")).entry) == {
        "SaleData": {"SaleTransactionID": {"TransactionID": "R-7", "TimeStamp": None}}
    }


@pytest.mark.parametrize(
    ("state", "allowance", "code"),
    [
        (State.QUEUED, None, None),
        (State.QUEUED, "right-1", "right-1"),
        (State.CONFLICT, None, None),
        (State.POSTED, None, SALE.id),
        (State.POSTED, "right-1", SALE.id),
    ],
)
def test_an_approval_is_the_ledger_s_alone(state: State, allowance: str | None, code: str | None) -> None:
    """Ahead by a right, or by its decision: what only this till has promised has no ApprovalCode."""
    acquirer = moved(recorded(state=state, allowance=allowance))["LoyaltyAcquirerData"]
    assert acquirer.get("ApprovalCode") == code


def test_how_it_stands_is_told_beside() -> None:
    """In the one field that is free: the state now, by what right, and of what the balance is an estimate."""
    told = result(recorded(state=State.CONFLICT, allowance="right-1"))["AdditionalResponse"]
    pairs = dict(pair.split("=") for pair in told.split("&"))
    assert pairs == {
        "syncState": "conflict",
        "verdict": "overdrawn",
        "promise": "held",
        "pending": "24",
        "balanceAsOf": "2026-11-22T11%3A00%3A00Z",
        "balanceIsEstimate": "true",
    }


@pytest.mark.parametrize(("amount", "rebate"), [(None, 1.2), (Amount(130, "EUR"), 1.3)])
def test_a_rebate_takes_off_the_price_what_its_points_are_worth(amount: Amount | None, rebate: float) -> None:
    """24 points of five cents, or the sum that was asked for; its refund and other messages take nothing off."""
    redeemed = recorded(kind=Kind.REDEEM, amount=amount)
    assert moved(redeemed, rebate=True)["Rebates"] == {"TotalRebate": rebate, "RebateLabel": "24 points"}
    assert "Rebates" not in moved(redeemed)
    assert "Rebates" not in moved(recorded(kind=Kind.REVERSE, reverses="e-1"), rebate=True)


def test_a_reversal_names_its_original_and_the_money_that_was_named() -> None:
    """Without money all was taken back."""
    back = recorded(kind=Kind.REVERSE, reverses="e-1", amount=Amount(500, "EUR"))
    body = reversal_body(back)
    assert body["OriginalPOITransaction"] == {"POITransactionID": {**MOMENT, "TransactionID": "e-1"}}
    assert (body["POIData"], body["ReversedAmount"]) == ({"POITransactionID": MOMENT}, 5.0)
    assert "ReversedAmount" not in reversal_body(recorded(kind=Kind.REVERSE, reverses="e-1", amount=None))


def test_points_on_a_stored_account_are_an_item_amount() -> None:
    """With the balance of the card, which is the account."""
    body = stored_value_body(recorded(), "Load")
    (told,) = body["StoredValueResult"]
    assert (told["StoredValueTransactionType"], told["HostTransactionID"], told["ItemAmount"]) == ("Load", MOMENT, 24)
    status = told["StoredValueAccountStatus"]
    assert (status["StoredValueAccountID"]["StoredValueID"], status["CurrentBalance"]) == (NUMBER, 120)
    assert "pending=24" in body["Response"]["AdditionalResponse"]
    assert (
        "StoredValueAccountStatus" not in stored_value_body(recorded(None, card=None), "Load")["StoredValueResult"][0]
    )


@pytest.mark.parametrize(("successor", "account"), [(None, NUMBER), ("2990000000024", "2990000000024")])
def test_an_event_of_a_card_moves_no_points(successor: str | None, account: str) -> None:
    """A card that was replaced is its successor from now on."""
    happening = Happening.REPLACE if successor else Happening.ACTIVATE
    event = recorded(kind=Kind.CARD_EVENT, points=0, event=CardEvent(happening, successor))
    body = stored_value_body(event, "Activate")
    assert body["Response"] == {"Result": "Success", "AdditionalResponse": "syncState=queued"}
    (told,) = body["StoredValueResult"]
    assert "ItemAmount" not in told
    status = told["StoredValueAccountStatus"]
    assert status["StoredValueAccountID"]["Value"] == status["StoredValueAccountID"]["StoredValueID"] == account
    assert "CurrentBalance" not in status


@pytest.mark.parametrize(
    ("entry_mode", "mode", "kind"),
    [
        *((None, "Manual", "AccountNumber"), ("keyed", "Keyed", "AccountNumber"), ("phone", "Keyed", "AccountNumber")),
        *(("scanned", "Scanned", "BarCode"), ("contactless", "Contactless", "AccountNumber")),
    ],
)
def test_an_account_tells_how_its_number_was_read(entry_mode: str | None, mode: str, kind: str) -> None:
    """In the words of the protocol; the brand where the programme has one."""
    told = account_shown(NUMBER, entry_mode, "")
    assert list(told) == ["LoyaltyAccountID"]
    account = told["LoyaltyAccountID"]
    assert isinstance(account, dict)
    assert (account["EntryMode"], account["IdentificationType"], account["LoyaltyID"]) == ([mode], kind, NUMBER)
    assert account_shown(NUMBER, entry_mode, "corner-club")["LoyaltyBrand"] == "corner-club"
