"""What the rungs of the reading ladder are called before a queue: one short sentence each. Pure."""

from typing import Final

from terminal.counter.ladder import Step
from terminal.counter.refusals import Language

_SAY: Final[dict[Step, dict[Language, str]]] = {
    Step.TAP_AGAIN: {
        "en": "Hold the card flat and still on the reader.",
        "fr": "Posez la carte à plat, sans bouger.",
    },
    Step.TURN: {"en": "Turn the card over and hold it there again.", "fr": "Retournez la carte et reposez-la."},
    Step.SCAN_QR: {
        "en": "Scan the QR code on the card, or on the pass open in the phone.",
        "fr": "Scannez le QR code de la carte, ou du pass ouvert dans le téléphone.",
    },
    Step.SCAN_BAR: {"en": "Scan the bar code on the card.", "fr": "Scannez le code-barres de la carte."},
    Step.KEY_NUMBER: {"en": "Key the number printed on the card.", "fr": "Saisissez le numéro imprimé sur la carte."},
    Step.PHONE: {
        "en": "Look the customer up by phone number.",
        "fr": "Cherchez le client par son numéro de téléphone.",
    },
    Step.NO_CARD: {"en": "Sell without a card; keep the receipt.", "fr": "Vendez sans carte ; gardez le ticket."},
}
_CLAIM: Final[dict[Language, str]] = {
    "en": "Sell without a card: the code on the receipt brings the points later.",
    "fr": "Vendez sans carte : le code du ticket donnera les points plus tard.",
}


def say(step: Step, language: Language, *, claims: bool) -> str:
    """`claims`: whether sales without a card get a claim code here."""
    return _CLAIM[language] if step is Step.NO_CARD and claims else _SAY[step][language]
