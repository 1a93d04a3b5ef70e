"""Who is there: a card that may be ours, a phone, or a payment card, told by SELECTs that read nothing.

A payment card is asked for no more than whether it is one: no processing options and no record, so its number is
never asked for. Phones answer the payment environment too, so the wallets' own name comes first.
"""

from enum import Enum
from typing import Final

from drivers.apdu import OK, Exchange, select
from drivers.atr import CardKind
from drivers.base import EntryMode
from drivers.ndef import Damaged
from drivers.tlv import find

WALLETS: Final = select(b"OSE.VAS.01")
"""The entry of Apple's and Google's wallets for loyalty passes; bank cards do not know it."""
CONTACTLESS_PAYMENT: Final = select(b"2PAY.SYS.DDF01")
"""The Proximity Payment System Environment (EMV Contactless Book B section 3.3)."""
CONTACT_PAYMENT: Final = select(b"1PAY.SYS.DDF01")
"""The Payment System Environment (EMV Book 1 section 12.2)."""

_DIRECTORY_ENTRY: Final = 0x61
_MORE: Final = 0x61
"""First byte of the status by which a card of the protocol T=0 says that it has an answer."""


class Bearer(Enum):
    """What holds the chip."""

    CARD = "card"
    PHONE = "phone"
    PAYMENT_CARD = "payment card"


def bearer_of(kind: CardKind, exchange: Exchange) -> Bearer:
    """At most two SELECTs; storage cards have no applications and are not asked."""
    if kind.storage:
        return Bearer.CARD
    if kind.entry_mode is EntryMode.ICC:
        answer = exchange(CONTACT_PAYMENT)
        return Bearer.PAYMENT_CARD if answer[-2:] == OK or answer[-2:-1] == bytes([_MORE]) else Bearer.CARD
    if exchange(WALLETS)[-2:] == OK:
        return Bearer.PHONE
    return Bearer.PAYMENT_CARD if _lists_payment(exchange(CONTACTLESS_PAYMENT)) else Bearer.CARD


def _lists_payment(answer: bytes) -> bool:
    """Whether the environment is there with at least one entry; one that cannot be understood is taken for payment."""
    if answer[-2:] != OK:
        return False
    try:
        return find(answer[:-2], _DIRECTORY_ENTRY) is not None
    except Damaged:
        return True
