"""May this redemption be promised without the ledger and without a right? Pure.

Floor limits bound what may be lost and do not prevent it: two tills that are cut off can promise the same points. The
totals are those of redemptions that the ledger has not decided yet, so they are free again as it decides.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from offline_queue.counted import in_points
from offline_queue.entry import masked
from offline_queue.words import Words, in_a_row
from terminal.pos import Refusal


class Limits(msgspec.Struct, frozen=True):
    """Points `per_transaction`, `per_card` and in `total`; `count` redemptions; a balance's age in hours."""

    per_transaction: int
    per_card: int
    total: int
    count: int
    balance_age_h: float


class Facts(msgspec.Struct, frozen=True):
    """What this till knows when `points` of `card` are asked for.

    `balance` that the ledger has told of, less what was used here since (None: it has told nothing), and `age_h` of
    that word (None: its age cannot be told); what is undecided of the card (`of_card`), of all cards (`total`) and how
    many (`count`); `drawn` for an online check.
    """

    card: str
    points: int
    balance: int | None
    age_h: float | None
    of_card: int = 0
    total: int = 0
    count: int = 0
    drawn: bool = False


def is_drawn(chance: float, one_in: int) -> bool:
    """Whether this one of so many has to wait for the ledger; `chance` in [0, 1), `one_in` 0: never."""
    return one_in > 0 and chance < 1 / one_in


def worst_case(limits: Limits, tills: int) -> Words:
    """What the limits may cost at most: the ledger covers what one till promises of a card, not what all do."""
    each = min(limits.per_card, limits.total)
    figures = {
        "others": tills - 1,
        "tills": tills,
        "each": each,
        "lost": in_points((tills - 1) * each),
        "total": in_points(tills * limits.total),
    }
    return _WORST.of(**figures)


def floor_refusal(facts: Facts, limits: Limits) -> Refusal | None:
    """None where the till may promise, else which limit speaks against it and what to do."""
    for reason, breaks, left in _CHECKS:
        if breaks(facts, limits):
            return _refusal(reason, facts, left(facts, limits), room(facts, limits))
    return None


def room(facts: Facts, limits: Limits) -> int:
    """The most points that the till may promise of this card now: each limit leaves them, not only the one told."""
    rooms = [left(facts, limits) for _, breaks, left in _CHECKS if left is not _none or breaks(facts, limits)]
    return max(0, min(rooms))


def unconfirmed(card: str, promised: int) -> Refusal:
    """The ledger has granted a right without knowing what this till has promised of the card."""
    return Refusal(
        "offline_limit", _UNCONFIRMED.of(card=masked(card), promised=in_points(promised)), reason="unconfirmed"
    )


def _refusal(reason: str, facts: Facts, left: int, most: int) -> Refusal:
    what = _WORDS[reason].of(card=masked(facts.card), asked=in_points(facts.points), room=in_points(max(0, left)))
    then = _LESS if 0 < most < facts.points else _WAIT
    return Refusal("offline_limit", in_a_row((what, then.of(room=in_points(most)))), reason=reason)


_Breaks = Callable[[Facts, Limits], bool]
_Room = Callable[[Facts, Limits], int]


def _none(_: Facts, __: Limits) -> int:
    return 0


_CHECKS: Final[tuple[tuple[str, _Breaks, _Room], ...]] = (
    ("balance_unknown", lambda f, _: f.balance is None or f.age_h is None, _none),
    ("balance_age", lambda f, limits: f.age_h is not None and not 0 <= f.age_h <= limits.balance_age_h, _none),
    ("balance", lambda f, _: f.points > (f.balance or 0), lambda f, _: f.balance or 0),
    ("per_transaction", lambda f, limits: f.points > limits.per_transaction, lambda _, limits: limits.per_transaction),
    (
        "per_card",
        lambda f, limits: f.of_card + f.points > limits.per_card,
        lambda f, limits: limits.per_card - f.of_card,
    ),
    ("total", lambda f, limits: f.total + f.points > limits.total, lambda f, limits: limits.total - f.total),
    ("count", lambda f, limits: f.count >= limits.count, _none),
    ("online_check", lambda f, _: f.drawn, _none),
)
"""Reason, when it applies, and the points for which it would not: none where they do not matter. The first that applies
is told."""

_UNCONFIRMED: Final = Words(
    en=(
        "Redeemed here without the ledger from {card}: {promised}. The ledger has not confirmed that yet and has too"
        " few for both. No points moved. Try again in a moment, or let the customer pay and keep the points."
    ),
    fr=(
        "Utilisé ici sans le serveur sur {card} : {promised}. Le serveur ne l'a pas encore confirmé et en a trop peu"
        " pour les deux. Aucun point n'a bougé. Réessayez dans un instant, ou le client paie et garde ses points."
    ),
)
_WAIT: Final = Words(
    en="No points moved. Try again when the ledger answers, or let the customer pay and keep the points.",
    fr="Aucun point n'a bougé. Réessayez quand le serveur répondra, ou le client paie et garde ses points.",
)
_LESS: Final = Words(
    en="No points moved. Redeem at most {room}, or try again when the ledger answers.",
    fr="Aucun point n'a bougé. Utilisez au plus {room}, ou réessayez quand le serveur répondra.",
)
_WORDS: Final[dict[str, Words]] = {
    "balance_unknown": Words(
        en="The ledger does not answer, and this till has never heard how many points {card} has.",
        fr="Le serveur de points ne répond pas et cette caisse ne connaît pas le solde de {card}.",
    ),
    "balance_age": Words(
        en="The ledger does not answer, and what this till knows of {card} is too old to promise points on.",
        fr="Le serveur de points ne répond pas et le solde connu de {card} est trop ancien.",
    ),
    "balance": Words(
        en="As far as the ledger has told this till, {card} has {room}; the sale asks for {asked}.",
        fr="D'après le dernier solde du serveur, {card} dispose de {room} ; la vente demande {asked}.",
    ),
    "per_transaction": Words(
        en="Without the ledger at most {room} may be redeemed at a time.",
        fr="Sans le serveur, {room} au plus par opération.",
    ),
    "per_card": Words(
        en="Without the ledger {card} may redeem {room} more at this till.",
        fr="Sans le serveur, {card} peut encore utiliser {room} à cette caisse.",
    ),
    "total": Words(
        en="Without the ledger this till may give out {room} more in all.",
        fr="Sans le serveur, cette caisse peut encore donner {room} en tout.",
    ),
    "count": Words(
        en="This till has promised as often as it may without the ledger.",
        fr="Cette caisse a atteint le nombre d'utilisations permises sans le serveur.",
    ),
    "online_check": Words(
        en="{card} was drawn by chance to be checked with the ledger first.",
        fr="{card} a été tirée au sort pour une vérification auprès du serveur.",
    ),
}
_WORST: Final = Words(
    en=(
        "Floor limits bound the loss, they do not prevent it. At worst one card is used at all {tills} tills while they"
        " are cut off: {others} x {each} = {lost} beyond its balance (never more than {others} x that balance);"
        " over all cards {total}. Such a balance is negative until later purchases repay it."
    ),
    fr=(
        "Les limites hors ligne bornent la perte sans l'empêcher. Au pire, une carte est utilisée aux {tills} caisses"
        " coupées du serveur : {others} x {each} = {lost} au-delà de son solde (jamais plus de {others} x ce solde) ;"
        " {total} toutes cartes réunies. Le solde reste négatif jusqu'aux achats suivants."
    ),
)
