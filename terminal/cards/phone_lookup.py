"""A customer without a card: the cards that head office has linked to their phone number.

Only the ledger knows them; this till keeps no phone number, writes none to its log, and finds nothing without a line.
"""

import logging
from typing import Final

import msgspec

from offline_queue.entry import masked
from offline_queue.ledger_answers import LedgerError, LedgerRefused
from offline_queue.ledger_client import Ledger
from offline_queue.timepiece import Timepiece
from offline_queue.wire_accounts import PhoneLookup
from offline_queue.words import Words
from terminal.pos import CardView, Refusal

MAX_PHONE: Final = 32
"""Characters as people write them: 15 digits at most (ITU-T E.164), and what stands between."""

log = logging.getLogger("phone")

_ODD: Final = Words(
    en="This is no phone number. Check it with the customer, or sell without a card. No points moved.",
    fr="Ce n'est pas un numéro de téléphone. Vérifiez avec le client, ou vendez sans carte. Aucun point n'a bougé.",
)
_NONE: Final = Words(
    en="No card is linked to this phone number. Check it, or sell without a card: the receipt brings the points.",
    fr="Aucune carte n'est liée à ce numéro. Vérifiez-le, ou vendez sans carte : le ticket donnera les points.",
)
_SILENT: Final = Words(
    en="The ledger did not answer, and only it knows phone numbers. Sell without a card: the receipt brings the"
    " points.",
    fr="Le serveur de points n'a pas répondu, et lui seul connaît les numéros de téléphone. Vendez sans carte :"
    " le ticket donnera les points.",
)


class PhoneCards(msgspec.Struct, frozen=True):
    """The cards of a phone number, the newest link first: one for most people, several in a family."""

    cards: list[CardView]


def international(text: str, region: str) -> str | None:
    """A number as people write it in `region` (ISO 3166), after ITU-T E.164; None where it can be nobody's."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_possible_number(number) else None


class PhoneDesk:
    """Asks the ledger while the caller waits. May be used from several threads."""

    def __init__(self, ledger: Ledger, timepiece: Timepiece, region: str) -> None:
        self._ledger, self._timepiece, self._region = ledger, timepiece, region

    def find(self, phone: str) -> PhoneCards:
        """At least one card. Raises Refusal `not_found`, `invalid` or `ledger_unreachable`."""
        number = international(phone, self._region)
        if number is None:
            raise Refusal("invalid", _ODD)
        cards = self._asked(number)
        if not cards:
            raise Refusal("not_found", _NONE)
        return PhoneCards([CardView(masked(card), card) for card in cards])

    def _asked(self, number: str) -> list[str]:
        request = self._timepiece.random(16).hex()
        try:
            return self._ledger.phone(PhoneLookup(request, number)).cards
        except LedgerRefused as refused:
            log.warning("the ledger looks up no phone number: %s", refused)
        except LedgerError as error:
            log.info("a phone number was not looked up: %s", error)
        raise Refusal("ledger_unreachable", _SILENT)
