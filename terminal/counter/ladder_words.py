"""What the rungs of the reading ladder are called before a queue: one short sentence each. Pure."""

from typing import Final

from offline_queue.words import Words
from terminal.counter.ladder import Step

_SAY: Final[dict[Step, Words]] = {
    Step.TAP_AGAIN: Words(
        en="Hold the card flat and still on the reader.",
        fr="Posez la carte à plat, sans bouger.",
    ),
    Step.TURN: Words(en="Turn the card over and hold it there again.", fr="Retournez la carte et reposez-la."),
    Step.SCAN_QR: Words(
        en="Scan the QR code on the card, or on the pass open in the phone.",
        fr="Scannez le QR code de la carte, ou du pass ouvert dans le téléphone.",
    ),
    Step.SCAN_BAR: Words(en="Scan the bar code on the card.", fr="Scannez le code-barres de la carte."),
    Step.KEY_NUMBER: Words(en="Key the number printed on the card.", fr="Saisissez le numéro imprimé sur la carte."),
    Step.PHONE: Words(
        en="Look the customer up by phone number.",
        fr="Cherchez le client par son numéro de téléphone.",
    ),
    Step.NO_CARD: Words(en="Sell without a card; keep the receipt.", fr="Vendez sans carte ; gardez le ticket."),
}
_CLAIM: Final = Words(
    en="Sell without a card: the code on the receipt brings the points later.",
    fr="Vendez sans carte : le code du ticket donnera les points plus tard.",
)


def say(step: Step, *, claims: bool) -> Words:
    """`claims`: whether sales without a card get a claim code here."""
    return _CLAIM if step is Step.NO_CARD and claims else _SAY[step]
