"""May this redemption be promised to the customer now? Pure.

A redemption needs a right to just its points, granted by the ledger: without the ledger's word there is no
promise. Points handed over twice are the one loss that a reversal cannot mend.
"""

from typing import Final

from offline_queue.entry import masked
from offline_queue.wire import AllowanceAnswer
from terminal.pos import Refusal
from terminal.refusals import Language

_OFFLINE: Final[dict[Language, str]] = {
    "en": (
        "The ledger does not answer, so {points} points on {card} cannot be promised. No points moved."
        " Try again in a moment, or let the customer pay and keep the points."
    ),
    "fr": (
        "Le serveur de points ne répond pas : {points} points sur {card} ne peuvent être promis. Aucun point n'a bougé."
        " Réessayez dans un instant, ou le client paie et garde ses points."
    ),
}
_TOO_FEW: Final[dict[Language, str]] = {
    "en": "{card} has {available} points free, {points} are asked. No points moved. Redeem {available} or fewer.",
    "fr": "{card} dispose de {available} points, {points} demandés. Aucun point n'a bougé. Au plus : {available}.",
}
_TOO_FEW_UNTOLD: Final[dict[Language, str]] = {
    "en": "{card} has fewer than {points} points free. No points moved. Redeem fewer, or let the customer pay.",
    "fr": "{card} dispose de moins de {points} points. Aucun point n'a bougé. Utilisez-en moins, ou le client paie.",
}
_CARD: Final[dict[str, dict[Language, str]]] = {
    "card_unknown": {
        "en": "The ledger does not know {card}. No points moved. Register the card, then redeem.",
        "fr": "Le serveur de points ne connaît pas {card}. Aucun point n'a bougé. Enregistrez la carte d'abord.",
    },
    "card_blocked_known": {
        "en": "{card} is blocked. No points moved. Ask the customer to speak to the loyalty desk.",
        "fr": "{card} est bloquée. Aucun point n'a bougé. Adressez le client au service fidélité.",
    },
}
_OTHER: Final[dict[Language, str]] = {
    "en": "The ledger refuses {points} points on {card} ({code}). No points moved. Let the customer pay.",
    "fr": "Le serveur de points refuse {points} points sur {card} ({code}). Aucun point n'a bougé. Le client paie.",
}


def refusal(number: str, points: int, answer: AllowanceAnswer | None, language: Language) -> Refusal | None:
    """None where the ledger has granted the right, else what the POS and the cashier are told.

    `answer` is None where the ledger did not answer in the time a customer waits.
    """
    card = masked(number)
    if answer is None:
        return Refusal("offline_limit", _OFFLINE[language].format(card=card, points=points))
    if answer.granted:
        return None
    if answer.code in _CARD:
        return Refusal("card_refused", _CARD[answer.code][language].format(card=card), reason=answer.code)
    if answer.code == "insufficient_points":
        return _too_few(card, points, answer, language)
    code = answer.code or "no reason given"
    return Refusal("offline_limit", _OTHER[language].format(card=card, points=points, code=code))


def _too_few(card: str, points: int, answer: AllowanceAnswer, language: Language) -> Refusal:
    if answer.balance is None:
        return Refusal("insufficient_points", _TOO_FEW_UNTOLD[language].format(card=card, points=points))
    available = max(0, answer.balance.points - answer.balance.reserved)
    detail = _TOO_FEW[language].format(card=card, points=points, available=available)
    return Refusal("insufficient_points", detail)
