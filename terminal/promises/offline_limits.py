"""Why a redemption cannot be promised to the customer now. Pure.

A redemption needs a right granted by the ledger, just now or ahead of need: without the ledger's word there is no
promise, unless the shop has chosen floor limits (terminal/promises/floor_limits.py). Points handed over twice are the
one loss that a reversal cannot mend.
"""

from typing import Final

from offline_queue.counted import in_points
from offline_queue.entry import masked
from offline_queue.wire_accounts import AllowanceAnswer
from offline_queue.words import Words
from terminal.pos import Refusal

_OFFLINE: Final = Words(
    en=(
        "The ledger does not answer, so this till cannot promise {points} on {card}. No points moved."
        " Try again in a moment, or let the customer pay and keep the points."
    ),
    fr=(
        "Le serveur de points ne répond pas : impossible de promettre {points} sur {card}. Aucun point n'a bougé."
        " Réessayez dans un instant, ou le client paie et garde ses points."
    ),
)
_LESS_OFFLINE: Final = Words(
    en=(
        "The ledger does not answer, so this till cannot promise {points} on {card}. No points moved."
        " Redeem at most {held}, promised already, or try again in a moment."
    ),
    fr=(
        "Le serveur de points ne répond pas : impossible de promettre {points} sur {card}. Aucun point n'a bougé."
        " Utilisez au plus {held}, déjà promis, ou réessayez dans un instant."
    ),
)
_RECOVERING: Final = Words(
    en=(
        "The ledger was put back from a backup and waits for all tills to report. The points on {card} are safe and"
        " none moved; sales earn as ever. Redeeming comes back when all tills have reported."
    ),
    fr=(
        "Le serveur de points a été restauré et attend que toutes les caisses se signalent. Les points de {card} sont"
        " en sécurité, aucun n'a bougé ; les achats comptent. L'utilisation reprendra quand toutes l'auront fait."
    ),
)
_TOO_FEW: Final = Words(
    en="{card} has {available} free; the sale asks for {points}. No points moved. Redeem at most {available}.",
    fr="{card} a {available} ; la vente demande {points}. Aucun point n'a bougé. Utilisez au plus {available}.",
)
_TOO_FEW_UNTOLD: Final = Words(
    en="{card} has less than {points} free. No points moved. Redeem fewer, or let the customer pay.",
    fr="{card} dispose de moins de {points}. Aucun point n'a bougé. Utilisez-en moins, ou le client paie.",
)
_CARD: Final[dict[str, Words]] = {
    "card_unknown": Words(
        en="The ledger does not know {card}. No points moved. Register the card, then redeem.",
        fr="Le serveur de points ne connaît pas {card}. Aucun point n'a bougé. Enregistrez la carte d'abord.",
    ),
    "card_blocked_known": Words(
        en="{card} is blocked. No points moved. Ask the customer to speak to the loyalty desk.",
        fr="{card} est bloquée. Aucun point n'a bougé. Adressez le client au service fidélité.",
    ),
}
_OTHER: Final = Words(
    en="The ledger refuses {points} on {card} ({code}). No points moved. Let the customer pay.",
    fr="Le serveur de points refuse {points} sur {card} ({code}). Aucun point n'a bougé. Le client paie.",
)
_NONE_FREE: Final = Words(
    en="{card} has no points free; the sale asks for {points}. No points moved. Let the customer pay.",
    fr="{card} n'a aucun point disponible ; la vente demande {points}. Aucun point n'a bougé. Le client paie.",
)


def refusal(number: str, points: int, answer: AllowanceAnswer | None, held: int = 0) -> Refusal:
    """What the POS and the cashier are told where the ledger has not granted the right.

    `answer` is None where the ledger did not answer in the time a customer waits; `held` points of the card may be
    redeemed without it.
    """
    card = masked(number)
    if answer is None:
        words = _LESS_OFFLINE if held else _OFFLINE
        return Refusal("offline_limit", words.of(card=card, points=in_points(points), held=in_points(held)))
    if answer.code in _CARD:
        return Refusal("card_refused", _CARD[answer.code].of(card=card), reason=answer.code)
    if answer.code == "recovering":
        return Refusal("offline_limit", _RECOVERING.of(card=card), reason="recovering")
    if answer.code == "insufficient_points":
        return _too_few(card, points, answer, held)
    code = answer.code or "no reason given"
    return Refusal("offline_limit", _OTHER.of(card=card, points=in_points(points), code=code))


def _too_few(card: str, points: int, answer: AllowanceAnswer, held: int) -> Refusal:
    """What this till holds of the card is among the reserved points, and the customer may have it all the same."""
    if answer.balance is None and not held:
        return Refusal("insufficient_points", _TOO_FEW_UNTOLD.of(card=card, points=in_points(points)))
    free = answer.balance.points - answer.balance.reserved if answer.balance else 0
    available = max(free, held)
    words = _TOO_FEW if available > 0 else _NONE_FREE
    return Refusal("insufficient_points", words.of(card=card, points=in_points(points), available=in_points(available)))
