"""Recorded transactions as the protocol shows them: first answers and later ones are both made of the journal. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from offline_queue.counted import in_points
from offline_queue.entry import Entry, Kind, State
from offline_queue.journal import Found
from terminal.api.nexo.answers import Body, balance_told, current, success
from terminal.api.nexo.exchange_log import KEPT_MS
from terminal.api.nexo.money import shown
from terminal.api.nexo.sale_shapes import account_shown
from terminal.api.nexo.talk import Shop
from terminal.pos import BalanceView, TransactionAnswer
from terminal.wording import read

KEPT: Final = timedelta(milliseconds=KEPT_MS)


def said(found: Found) -> TransactionAnswer:
    return read(found.reply, TransactionAnswer)


def outlived(entry: Entry, now: datetime) -> bool:
    """Whether its ServiceID may be another message's by now: it is too old by the till's clock and by the POS's."""
    stamps = [entry.occurred_at, *([entry.receipt.issued_at] if entry.receipt and entry.receipt.issued_at else [])]
    return all(now - datetime.fromisoformat(stamp) > KEPT for stamp in stamps)


def result(found: Found) -> Body:
    """`Response` of a transaction that is recorded: where it stands, and what the fields of the protocol cannot say."""
    first = said(found)
    return success(
        syncState=found.state,
        verdict=found.verdict.code if found.verdict else None,
        promise=first.promise,
        claim=first.claim,
        **balance_told(first.balance),
    )


def identified(entry: Entry) -> dict[str, Any]:
    """`POIData`."""
    return {"POITransactionID": {"TransactionID": entry.id, "TimeStamp": entry.occurred_at}}


def sale_shown(entry: Entry) -> dict[str, Any]:
    """`SaleData` as far as the journal keeps it; empty for a message that had none."""
    receipt, operator = entry.receipt, entry.operator
    if receipt is None:
        return {}
    sale: dict[str, Any] = {"OperatorID": operator} if operator else {}
    return {
        "SaleData": {
            **sale,
            "SaleTransactionID": {"TransactionID": receipt.number, "TimeStamp": receipt.issued_at},
        }
    }


def loyalty_body(found: Found, shop: Shop, *, rebate: bool) -> Body:
    """`LoyaltyResponse`. ApprovalCode is there when the ledger has agreed: by its decision, or ahead by a right."""
    entry, balance = found.entry, said(found).balance
    card = entry.card
    account = {"LoyaltyAccount": account_shown(card.number, card.entry_mode, shop.brand)} if card else {}
    moved: dict[str, Any] = {
        **account,
        "LoyaltyAmount": {"LoyaltyUnit": "Point", "Value": entry.points},
        **current(balance),
        "LoyaltyAcquirerData": _acquirer(found, shop),
    }
    if rebate and entry.kind is Kind.REDEEM:
        moved["Rebates"] = _rebates(found, shop)
    told = {"Response": result(found), **sale_shown(entry), "POIData": identified(entry)}
    return {**told, "LoyaltyResult": [moved]}


def reversal_body(found: Found) -> Body:
    """`ReversalResponse`; SaleData is no part of it."""
    entry = found.entry
    amount = {"ReversedAmount": shown(entry.amount.value, entry.amount.currency)} if entry.amount else {}
    original = {"POITransactionID": {"TransactionID": entry.reverses or "", "TimeStamp": entry.occurred_at}}
    told = {"Response": result(found), "POIData": identified(entry), "OriginalPOITransaction": original}
    return {**told, **amount}


def stored_value_body(found: Found, kind: str) -> Body:
    """`StoredValueResponse` of a `kind` of the protocol's; points are an ItemAmount without currency."""
    entry = found.entry
    own = identified(entry)["POITransactionID"]
    moved: dict[str, Any] = {"StoredValueTransactionType": kind, "HostTransactionID": own}
    if entry.kind is not Kind.CARD_EVENT:
        moved["ItemAmount"] = entry.points
    if entry.card is not None:
        event = entry.event
        number = event.successor if event and event.successor else entry.card.number
        balance = _balance(found)
        moved["StoredValueAccountStatus"] = {"StoredValueAccountID": stored_account(number), **current(balance)}
    told = {"Response": _stored_result(found), **sale_shown(entry), "POIData": identified(entry)}
    return {**told, "StoredValueResult": [moved]}


def stored_account(number: str) -> dict[str, Any]:
    """The libraries read `Value`, the protocol's documents say `StoredValueID`."""
    account = {"StoredValueAccountType": "Other", "EntryMode": ["Manual"], "IdentificationType": "AccountNumber"}
    return {**account, "Value": number, "StoredValueID": number}


def _stored_result(found: Found) -> Body:
    return success(syncState=found.state) if found.entry.kind is Kind.CARD_EVENT else result(found)


def _balance(found: Found) -> BalanceView | None:
    return None if found.entry.kind is Kind.CARD_EVENT else said(found).balance


def _acquirer(found: Found, shop: Shop) -> dict[str, Any]:
    entry = found.entry
    code = entry.id if found.state is State.POSTED else entry.allowance
    approved = {"ApprovalCode": code} if code else {}
    own = {"TransactionID": entry.id, "TimeStamp": entry.occurred_at}
    return {"LoyaltyAcquirerID": shop.acquirer, **approved, "LoyaltyTransactionID": own}


def _rebates(found: Found, shop: Shop) -> dict[str, Any]:
    """What the points take off the price."""
    entry, rule = found.entry, shop.rule
    amount = entry.amount.value if entry.amount else entry.points * rule.worth
    return {"TotalRebate": shown(amount, rule.currency), "RebateLabel": in_points(entry.points).said(shop.language)}
