"""The parts of messages that several of them share: the sale, the card, the transaction before. Pure."""

from typing import Annotated, Final, TypeVar

import msgspec

from terminal.api.nexo.answers import Unfit
from terminal.api.nexo.names import Shape
from terminal.pos import MAX_TEXT, CardNumber, Receipt
from terminal.texts import refuse_no_moment

T = TypeVar("T")
S = TypeVar("S", bound=Shape)

ENTRY_MODES: Final = {
    "Contactless": "contactless",
    "Tapped": "contactless",
    "RFID": "contactless",
    "Mobile": "contactless",
    "ICC": "icc",
    "SynchronousICC": "icc",
    "Scanned": "scanned",
    "MagStripe": "mag_stripe",
    "Keyed": "keyed",
    "Manual": "keyed",
}
"""The till's word for each EntryMode; File has none."""
SHOWN_MODES: Final = {
    "contactless": "Contactless",
    "icc": "ICC",
    "scanned": "Scanned",
    "mag_stripe": "MagStripe",
    "keyed": "Keyed",
    "phone": "Keyed",
}


class Moment(Shape, frozen=True):
    """`TransactionIdentification`: a number of whoever gave it, and an ISO 8601 time with its zone."""

    transaction_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    time_stamp: Annotated[str, msgspec.Meta(min_length=10, max_length=MAX_TEXT)]


class SaleData(Shape, frozen=True):
    """The sale as the POS knows it; it goes back with the answer as it came."""

    sale_transaction_id: Moment
    operator_id: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] | int | None = None
    operator_language: str | None = None
    shift_number: str | int | None = None
    sale_reference_id: str | int | None = None

    @property
    def operator(self) -> str | None:
        """Some POS send numbers for names, and an empty one for none."""
        return None if self.operator_id in {None, ""} else str(self.operator_id)

    def receipt(self) -> Receipt:
        """Raises Refusal where the time is none."""
        refuse_no_moment("SaleTransactionID.TimeStamp", self.sale_transaction_id.time_stamp)
        return Receipt(self.sale_transaction_id.transaction_id, issued_at=self.sale_transaction_id.time_stamp)


class LoyaltyAccountId(Shape, frozen=True):
    """A card that the POS has read itself."""

    loyalty_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    entry_mode: tuple[str, ...] | str = ()
    identification_type: str | None = None

    def card(self) -> CardNumber:
        """Raises Unfit."""
        modes = many(self.entry_mode)
        if self.identification_type == "PhoneNumber":
            # Taken for a card's number it would send the points to a card that does not exist.
            raise Unfit(
                "UnavailableService",
                "LoyaltyID is a phone number: ask POST /v1/phone-lookups for the card and send its number. No points"
                " moved.",
            )
        if "Scanned" in modes:
            return CardNumber(self.loyalty_id, entry_mode="scanned")
        if {"Keyed", "Manual"}.intersection(modes):
            return CardNumber(self.loyalty_id, entry_mode="keyed")
        return CardNumber(self.loyalty_id)


class LoyaltyAccountReq(Shape, frozen=True):
    """Which card: one that this till has read (`card_acquisition_reference`), or one that the POS names."""

    loyalty_account_id: LoyaltyAccountId | None = None
    card_acquisition_reference: Moment | None = None


class OriginalTransaction(Shape, frozen=True):
    """`OriginalPOITransaction`: what is taken back, by the POITransactionID of its answer."""

    poi_transaction_id: Moment | None = None


def card_of(asked: LoyaltyAccountReq) -> CardNumber | None:
    """The card that is meant; None where none is named. Raises Unfit."""
    account, reference = asked.loyalty_account_id, asked.card_acquisition_reference
    if account is not None and reference is not None:
        raise Unfit("MessageFormat", "Give either LoyaltyAccountID or CardAcquisitionReference. No points moved.")
    if reference is not None:
        return CardNumber(read_id=reference.transaction_id)
    return None if account is None else account.card()


def original_id(asked: OriginalTransaction | None) -> str:
    """Raises Unfit."""
    if asked is None or asked.poi_transaction_id is None:
        raise Unfit("MessageFormat", "OriginalPOITransaction.POITransactionID is missing. No points moved.")
    return asked.poi_transaction_id.transaction_id


def shape_of(body: bytes, shape: type[S]) -> S:
    """Raises Unfit."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Unfit("MessageFormat", f"{error}. No points moved.") from None


def many(value: tuple[T, ...] | T) -> tuple[T, ...]:
    """Some clients send one thing where others send a list of it."""
    return value if isinstance(value, tuple) else (value,)


def account_shown(number: str, entry_mode: str | None, brand: str) -> dict[str, object]:
    """`LoyaltyAccount` of an answer."""
    scanned = entry_mode == "scanned"
    account = {
        "EntryMode": [SHOWN_MODES.get(entry_mode or "", "Manual")],
        "IdentificationType": "BarCode" if scanned else "AccountNumber",
        "IdentificationSupport": "LoyaltyCard",
        "LoyaltyID": number,
    }
    return {**({"LoyaltyBrand": brand} if brand else {}), "LoyaltyAccountID": account}
