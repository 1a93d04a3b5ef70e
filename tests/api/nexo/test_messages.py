"""Envelopes, headers and the small rules of the protocol's shapes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.api.nexo import acquisition, loyalty, money, reversal, stored_value
from terminal.api.nexo.answers import Unfit, additional, refused
from terminal.api.nexo.guarding import refuse_foreign, refuse_out_of_time, refuse_reused
from terminal.api.nexo.messages import Message, message_of, parts
from terminal.api.nexo.names import nexo_name
from terminal.api.nexo.sale_shapes import LoyaltyAccountId, SaleData, card_of, shape_of
from terminal.api.nexo.talk import Shop
from terminal.api.problems import Refused
from terminal.pos import Amount, CardNumber, Refusal, TransactionRequest
from terminal.sales.transaction import PointsRule

SHOP = Shop("S001-T01", "S001-T01", "corner-club", "ledger", "0.1.0", PointsRule())
HEADER = {
    "ProtocolVersion": "3.0",
    "MessageClass": "Service",
    "MessageCategory": "Loyalty",
    "MessageType": "Request",
    "ServiceID": "1",
    "SaleID": "TILL-04",
    "POIID": "S001-T01",
}
SALE = {"SaleTransactionID": {"TransactionID": "1", "TimeStamp": "2026-11-21T17:03:11+01:00"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def document(body: object = None, **header: str | None) -> bytes:
    told = {name: value for name, value in {**HEADER, **header}.items() if value is not None}
    name = f"{told['MessageCategory']}Request"
    return json.dumps({"SaleToPOIRequest": {"MessageHeader": told, name: body or {}}}).encode()


def message(body: object = None, **header: str | None) -> Message:
    return message_of(parts(document(body, **header)))


def wanted(kind: str, data: object = (), **transaction: Any) -> TransactionRequest:
    body = {"SaleData": SALE, "LoyaltyTransaction": {"LoyaltyTransactionType": kind, **transaction}}
    return loyalty.request_of(shape_of(json.dumps({**body, "LoyaltyData": data}).encode(), loyalty.Request))


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("sale_to_poi_request", "SaleToPOIRequest"),
        ("poi_id", "POIID"),
        ("loyalty_account_id", "LoyaltyAccountID"),
        ("ean_upc", "EanUpc"),
        ("card_reader_ok_flag", "CardReaderOKFlag"),
    ],
)
def test_names_are_written_as_the_protocol_has_them(field: str, name: str) -> None:
    """One rule instead of a table."""
    assert nexo_name(field) == name


def refusal(act: Callable[[], object]) -> Refused | Unfit | None:
    try:
        act()
    except (Refused, Unfit) as why:
        return why
    return None


@settings(max_examples=80)
@given(st.one_of(st.binary(max_size=80), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_document_breaks_the_door(body: bytes) -> None:
    """Whatever comes is a message or a Refused with status 400."""
    why = refusal(lambda: message_of(parts(body)))
    assert isinstance(why, Refused)
    assert why.status == 400


@settings(max_examples=80)
@given(JSON)
def test_no_body_breaks_a_shape(body: Any) -> None:
    """Every family of messages says MessageFormat to what is none of its own."""
    text = json.dumps(body).encode()
    for shape in (loyalty.Request, acquisition.Request, reversal.Request, stored_value.Request):
        why = refusal(partial(shape_of, text, shape))
        assert isinstance(why, Unfit)
        assert why.condition == "MessageFormat"


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"{}",
        b'{"SaleToPOIRequest": {}}',
        document(MessageCategory="Robbery"),
        document(MessageType="Response"),
        document().replace(b"{}", b'{"a": 1e999}'),
        document(SaleID=None),
        document(POIID=""),
        document(ServiceID="12345678901"),
        b'{"SaleToPOIRequest": {"MessageHeader": {}, "MessageHeader": {}}}',
        b'{"SaleToPOIRequest":' * 5000,
        json.dumps({"SaleToPOIRequest": {"MessageHeader": HEADER}}).encode(),
    ],
)
def test_what_is_no_message_is_malformed(broken: bytes) -> None:
    """Told with 400, since there is no header to answer to."""
    with pytest.raises(Refused) as why:
        message_of(parts(broken))
    assert (why.value.code, why.value.status) == ("malformed", 400)


def test_a_message_has_one_digest_however_it_is_written() -> None:
    """The order of fields and white space are no difference, everything else is one."""
    one = parts(b'{"SaleToPOIRequest": {"MessageHeader": %s, "LoyaltyRequest": {"a": 1, "b": [2]}}}' % _header())
    other = parts(b'{"SaleToPOIRequest": {"LoyaltyRequest": { "b":[2],"a":1}, "MessageHeader": %s}}' % _header())
    assert message_of(one).digest == message_of(other).digest
    assert message_of(one).digest != message({"a": 1, "b": [3]}).digest


def _header() -> bytes:
    return json.dumps(HEADER).encode()


def test_a_message_for_another_till_or_without_a_number_is_refused() -> None:
    """Each by the condition that tells the POS's programmer what to mend."""
    refuse_foreign(message(), "S001-T01")
    for header, condition, words in (
        ({"POIID": "S001-T02"}, "NotAllowed", "POIID of this till"),
        ({"ServiceID": None}, "MessageFormat", "ServiceID is missing"),
        ({"MessageClass": "Device"}, "MessageFormat", "Loyalty is of MessageClass Service"),
        ({"MessageClass": "Device", "DeviceID": "1"}, "MessageFormat", "Loyalty is of MessageClass Service"),
    ):
        with pytest.raises(Unfit, match=words) as why:
            refuse_foreign(message(**header), "S001-T01")
        assert why.value.condition == condition


@settings(max_examples=40)
@given(st.integers(-10 * 86400, 10 * 86400))
def test_an_encrypted_sale_is_taken_on_its_own_day(seconds: int) -> None:
    """24 hours to each side by the till's clock; a message without a time has nothing to be compared."""
    at = 1_795_277_000.0
    for odd in ("2026-01-21T17:03:11", "yesterday at noon"):
        refuse_out_of_time(message({"SaleData": {"SaleTransactionID": {"TransactionID": "1", "TimeStamp": odd}}}), at)
    stamped = {"SaleTransactionID": {"TransactionID": "1", "TimeStamp": _stamp(at + seconds)}}
    refuse_out_of_time(message({}), at)
    if abs(seconds) <= 86400:
        refuse_out_of_time(message({"SaleData": stamped}), at)
    else:
        with pytest.raises(Unfit):
            refuse_out_of_time(message({"SaleData": stamped}), at)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_another_message_under_a_number_is_refused() -> None:
    """The first stands; the POS is told to number its messages."""
    refuse_reused(b"a", b"a")
    with pytest.raises(Unfit, match="48 hours"):
        refuse_reused(b"a", b"b")


def test_loyalty_becomes_the_request_of_the_other_routes() -> None:
    """Points as they are, money in minor units, refunds by what they take back."""
    card = {"LoyaltyAccountID": {"EntryMode": "Scanned", "LoyaltyID": "2990000000017"}}
    points = {"LoyaltyAmount": {"LoyaltyUnit": "Point", "Value": 24.0}}
    euros = {"LoyaltyAmount": {"LoyaltyUnit": "Monetary", "Value": 0.30, "Currency": "EUR"}}
    award = wanted("Award", [{**card, **points}])
    assert (award.kind, award.points, award.amount) == ("earn", 24, None)
    assert award.card == CardNumber("2990000000017", entry_mode="scanned")
    assert award.receipt is not None
    assert (award.receipt.number, award.receipt.issued_at) == ("1", "2026-11-21T17:03:11+01:00")
    assert wanted("Redemption", {**card, **euros}).amount == Amount(30, "EUR")
    assert wanted("Award", [card], TotalAmount=24.9, Currency="EUR").amount == Amount(2490, "EUR")
    assert wanted("Award", TotalAmount=500, Currency="XAF").card is None
    original = {"POITransactionID": {"TransactionID": "e-1", "TimeStamp": SALE["SaleTransactionID"]["TimeStamp"]}}
    refund = wanted("AwardRefund", [points], OriginalPOITransaction=original)
    assert (refund.kind, refund.reverses, refund.points) == ("reverse", "e-1", 24)


def test_an_award_of_money_takes_its_currency_from_the_sale() -> None:
    """What LoyaltyAmount says comes first; of the other kinds TotalAmount says nothing here."""
    card = {"LoyaltyAccountID": {"EntryMode": "Scanned", "LoyaltyID": "2990000000017"}}
    of_ten = {"LoyaltyAmount": {"LoyaltyUnit": "Monetary", "Value": 10}}
    paid = {"TotalAmount": 24.9, "Currency": "EUR"}
    assert wanted("Award", [{**card, **of_ten}], **paid).amount == Amount(1000, "EUR")
    in_points = {"LoyaltyAmount": {"LoyaltyUnit": "Point", "Value": 7}}
    assert wanted("Redemption", [{**card, **in_points}], **paid).amount is None
    original = {"POITransactionID": {"TransactionID": "e-1", "TimeStamp": SALE["SaleTransactionID"]["TimeStamp"]}}
    refund = wanted("AwardRefund", [], OriginalPOITransaction=original, **paid)
    assert (refund.points, refund.amount) == (None, None)


def test_two_cards_in_one_message_get_nothing() -> None:
    """Neither the first alone nor both."""
    cards = [{"LoyaltyAccountID": {"EntryMode": "Scanned", "LoyaltyID": number}} for number in ("29901", "29902")]
    with pytest.raises(Unfit, match="more than one card"):
        wanted("Award", cards, TotalAmount=24.9, Currency="EUR")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("Award", []),
        ("Redemption", []),
        ("AwardRefund", []),
        ("Award", [{}, {}]),
        ("Award", [{"LoyaltyAmount": {"Value": 0.5}}]),
        ("Award", [{"LoyaltyAmount": {"Value": -1}}]),
        ("Award", [{"LoyaltyAmount": {"Value": 1e30}}]),
        ("Award", [{"LoyaltyAmount": {"LoyaltyUnit": "Monetary", "Value": 0.001, "Currency": "EUR"}}]),
        ("Award", [{"LoyaltyAmount": {"LoyaltyUnit": "Monetary", "Value": 1}}]),
        ("Gift", []),
    ],
)
def test_a_loyalty_message_that_makes_no_sense_moves_nothing(kind: str, data: object) -> None:
    """MessageFormat, in words for the programmer of the POS."""
    with pytest.raises(Unfit) as why:
        wanted(kind, data)
    assert why.value.condition == "MessageFormat"


def test_a_card_is_named_in_one_way() -> None:
    """By a read of this till, or by its number."""
    with pytest.raises(Unfit, match="phone-lookups"):
        LoyaltyAccountId("0612345678", (), "PhoneNumber").card()
    reference = {"TransactionID": "read-1", "TimeStamp": "2026-11-21T17:03:11Z"}
    both = {"LoyaltyAccountID": {"LoyaltyID": "1"}, "CardAcquisitionReference": reference}
    asked = shape_of(json.dumps(both).encode(), loyalty.LoyaltyData)
    with pytest.raises(Unfit):
        card_of(asked)


@pytest.mark.parametrize(
    ("modes", "entry_mode"),
    [
        *(("Scanned", "scanned"), (["Keyed", "Scanned"], "scanned"), ("Keyed", "keyed"), (["Manual"], "keyed")),
        *(("Contactless", msgspec.UNSET), ([], msgspec.UNSET)),
    ],
)
def test_how_the_pos_came_by_a_number(modes: object, entry_mode: object) -> None:
    """A scan first; what else it says of its reading makes no difference here."""
    told = {"LoyaltyAccountID": {"LoyaltyID": "29900", "EntryMode": modes}}
    card = card_of(shape_of(json.dumps(told).encode(), loyalty.LoyaltyData))
    assert card == CardNumber("29900", entry_mode=entry_mode)  # type: ignore[arg-type]


def test_a_read_of_this_till_is_named_by_its_reference() -> None:
    """What CardAcquisition has answered."""
    told = {"CardAcquisitionReference": {"TransactionID": "read-1", "TimeStamp": "2026-11-21T17:03:11Z"}}
    assert card_of(shape_of(json.dumps(told).encode(), loyalty.LoyaltyData)) == CardNumber(read_id="read-1")
    assert card_of(loyalty.LoyaltyData()) is None


def test_a_reversal_is_in_full_unless_money_is_named() -> None:
    """The money is held against the original's, which only the journal knows."""
    original = {"POITransactionID": {"TransactionID": "e-1", "TimeStamp": "2026-11-21T17:03:11Z"}}
    body = {"OriginalPOITransaction": original, "ReversalReason": "CustCancel"}
    request = reversal.request_of(shape_of(json.dumps(body).encode(), reversal.Request))
    assert (request.reverses, request.amount, request.points) == ("e-1", None, None)


@pytest.mark.parametrize(("sent", "operator"), [("lea", "lea"), (7, "7"), ("", None), (None, None)])
def test_numbers_and_strings_are_taken_alike(sent: object, operator: str | None) -> None:
    """No sale is refused for how a POS writes its operator or its shift."""
    moment = {"TransactionID": "1", "TimeStamp": "2026-11-21T17:03:11Z"}
    told = {"SaleTransactionID": moment, "OperatorID": sent, "ShiftNumber": 2, "SaleReferenceID": 3}
    assert shape_of(json.dumps(told).encode(), SaleData).operator == operator


def test_a_moment_without_its_zone_is_none() -> None:
    """The day of a sale must not depend on who reads it."""
    sale = msgspec.convert({"SaleTransactionID": {"TransactionID": "1", "TimeStamp": "2026-11-21T17:03:11"}}, SaleData)
    with pytest.raises(Refusal):
        sale.receipt()


def test_what_an_acquisition_wants() -> None:
    """The till's words for entry modes; nothing left to read is said before the customer waits."""
    assert acquisition.entry_modes(acquisition.Transaction(), SHOP) == frozenset()
    modes = acquisition.Transaction(force_entry_mode=("CheckReader", "Tapped", "MagStripe"))
    assert acquisition.entry_modes(modes, SHOP) == {"contactless", "mag_stripe"}
    for asked, condition in (
        (acquisition.Transaction(loyalty_handling="Forbidden"), "NotAllowed"),
        (acquisition.Transaction(allowed_loyalty_brand=("other",)), "NotAllowed"),
        (acquisition.Transaction(force_entry_mode="File"), "UnavailableDevice"),
    ):
        with pytest.raises(Unfit) as why:
            acquisition.entry_modes(asked, SHOP)
        assert why.value.condition == condition


@settings(max_examples=60)
@given(st.decimals(allow_nan=True, allow_infinity=True), st.sampled_from(["EUR", "JPY", "TND", "euro", None]))
def test_money_is_exact_or_refused(value: Decimal, currency: str | None) -> None:
    """No amount is rounded on its way."""
    try:
        amount = money.amount(value, currency)
    except Unfit:
        return
    digits = {"EUR": 2, "JPY": 0, "TND": 3}[amount.currency]
    assert Decimal(amount.value).scaleb(-digits) == value
    assert money.shown(amount.value, amount.currency) == float(value)


@pytest.mark.parametrize(
    ("code", "reason", "condition"),
    [
        ("offline_limit", None, "UnreachableHost"),
        ("insufficient_points", None, "Refusal"),
        ("card_refused", "card_blocked", "NotAllowed"),
        ("card_refused", "payment_card", "InvalidCard"),
        ("invalid", None, "MessageFormat"),
        ("invalid", "read_unknown", "NotFound"),
        ("invalid", "reversed_twice", "NotAllowed"),
        ("unanswered", None, "InProgress"),
        ("aborted", None, "Aborted"),
        ("not_recorded", None, "DeviceOut"),
        ("claimed", None, "Refusal"),
    ],
)
def test_the_tills_no_in_the_words_of_the_protocol(code: str, reason: str | None, condition: str) -> None:
    """A decline for want of the line is never a Refusal, and the other way round."""
    said = refused(Refusal(code, "why and what next", reason), "en")
    assert (said["Result"], said["ErrorCondition"]) == ("Failure", condition)


def test_what_the_protocol_has_no_field_for() -> None:
    """Percent-encoded pairs, what is unknown left out."""
    told = additional({"message": "a & b=c é", "none": None, "yes": True, "count": 3})
    assert told == "message=a%20%26%20b%3Dc%20%C3%A9&yes=true&count=3"
