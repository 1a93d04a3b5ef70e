"""Points for tills that know gift cards alone: what a StoredValue message asks for, and what is wrong with it."""

import json
from typing import Any

import pytest

from offline_queue.entry import CardEvent, Happening
from terminal.api.nexo.answers import Unfit
from terminal.api.nexo.exchange import NO_DAY, day_of
from terminal.api.nexo.sale_shapes import shape_of
from terminal.api.nexo.stored_value import Request, event_of, kind_of, request_of
from terminal.pos import Amount, CardNumber, Receipt, TransactionRequest

CARD, NEW = "2990000000017", "2990000000024"
MOMENT = {"TransactionID": "R-7", "TimeStamp": "2026-11-22T12:00:00+01:00"}
SALE = {"SaleTransactionID": MOMENT, "OperatorID": "lea"}


def item(kind: str, number: str | None = CARD, **more: Any) -> dict[str, Any]:
    account = {} if number is None else {"StoredValueAccountID": {"Value": number}}
    return {"StoredValueTransactionType": kind, **account, **more}


def asked(*data: dict[str, Any]) -> Request:
    return shape_of(json.dumps({"SaleData": SALE, "StoredValueData": data}).encode(), Request)


def wanted(*data: dict[str, Any]) -> TransactionRequest:
    request = asked(*data)
    assert isinstance(request.stored_value_data, tuple)
    return request_of(request.sale_data, request.stored_value_data[0])


@pytest.mark.parametrize(("kind", "ours"), [("Load", "earn"), ("Unload", "redeem"), ("Reserve", "redeem")])
def test_an_amount_without_a_currency_is_points(kind: str, ours: str) -> None:
    """With one it is money, which the programme's rule turns into points; the sale goes with it."""
    card, receipt = CardNumber(CARD), Receipt("R-7", issued_at=MOMENT["TimeStamp"])
    points = wanted(item(kind, ItemAmount=24.0))
    assert points == TransactionRequest(ours, card, 24, None, receipt, "lea")  # type: ignore[arg-type]
    money = wanted(item(kind, ItemAmount=24.9, Currency="EUR"))
    assert money == TransactionRequest(ours, card, None, Amount(2490, "EUR"), receipt, "lea")  # type: ignore[arg-type]


def test_what_was_moved_is_given_back_by_its_number() -> None:
    """In full unless an amount is named; the card is the original's, whichever is named."""
    original = {"OriginalPOITransaction": {"POITransactionID": {**MOMENT, "TransactionID": "e-1"}}}
    for number in (CARD, None):
        back = wanted(item("Reverse", number, **original))
        assert (back.kind, back.reverses, back.card, back.points, back.amount) == ("reverse", "e-1", None, None, None)
    assert wanted(item("Reverse", **original, ItemAmount=3)).points == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (item("Load"), "ItemAmount"),
        (item("Load", None, ItemAmount=1), "StoredValueAccountID"),
        (item("Load", "", ItemAmount=1), "StoredValueAccountID"),
        (item("Load", ItemAmount=0.5), "whole number"),
        (item("Load", ItemAmount=-1, Currency="EUR"), "out of range"),
        (item("Reverse"), "OriginalPOITransaction"),
        (item("Reverse", OriginalPOITransaction={}), "OriginalPOITransaction"),
    ],
)
def test_a_message_that_makes_no_sense_moves_nothing(data: dict[str, Any], words: str) -> None:
    """And tells the programmer of the POS what is missing."""
    with pytest.raises(Unfit, match=words) as why:
        wanted(data)
    assert why.value.condition == "MessageFormat"


def test_a_number_is_taken_under_either_of_its_names() -> None:
    """The libraries send `Value`, the protocol's documents say `StoredValueID`; of both the first counts."""
    named = item("Load", None, ItemAmount=1, StoredValueAccountID={"StoredValueID": NEW})
    assert wanted(named).card == CardNumber(NEW)
    both = item("Load", None, ItemAmount=1, StoredValueAccountID={"Value": CARD, "StoredValueID": NEW})
    assert wanted(both).card == CardNumber(CARD)


def test_cards_are_activated_and_replaced() -> None:
    """A Duplicate names the old card, then the one that takes its place."""
    activated, replaced = asked(item("Activate")), asked(item("Duplicate"), item("Duplicate", NEW))
    assert isinstance(activated.stored_value_data, tuple)
    assert isinstance(replaced.stored_value_data, tuple)
    assert event_of(activated.stored_value_data) == CardEvent(Happening.ACTIVATE)
    assert event_of(replaced.stored_value_data) == CardEvent(Happening.REPLACE, NEW)


@pytest.mark.parametrize(
    ("kinds", "fits"),
    [
        *((["Load"], True), (["Load", "Load"], False), (["Load", "Unload"], False), ([], False)),
        *((["Duplicate", "Duplicate"], True), (["Duplicate"], False), (["Duplicate"] * 3, False)),
        *((["Duplicate", "Load"], False), (["Activate", "Activate"], False)),
    ],
)
def test_a_message_does_one_thing(kinds: list[str], fits: bool) -> None:
    """Nothing is done of several, for one answer could not tell what became of each."""
    data = asked(*(item(kind, ItemAmount=1) for kind in kinds)).stored_value_data
    assert isinstance(data, tuple)
    if fits:
        assert kind_of(data) == kinds[0]
    else:
        with pytest.raises(Unfit, match="one item"):
            kind_of(data)


def test_a_day_is_the_one_that_the_pos_wrote() -> None:
    """By its own clock and zone, for TransactionStatus asks by it again; without a sale there is none."""
    assert day_of(MOMENT["TimeStamp"]) == "2026-11-22"
    assert day_of("2026-11-22T00:30:00+01:00") == "2026-11-22"
    assert day_of(None) == NO_DAY
