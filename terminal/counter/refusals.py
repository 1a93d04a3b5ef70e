"""Why a card was refused, in words for the cashier: what it means for the points and what to do next. Pure."""

from dataclasses import dataclass
from functools import reduce
from typing import Final

from offline_queue.words import Words


@dataclass(frozen=True)
class Refused:
    """`reason` is a stable code; `detail` and `steps` are for the cashier."""

    reason: str
    detail: Words
    steps: tuple[Words, ...]


def mistyped_words(places: tuple[int, ...]) -> Refused:
    """For a wrong check digit; `places` are the first characters, counted from 1, of pairs that may be exchanged.

    Places are told and no characters: the words may be read by others.
    """
    plain = refused("check_digit")
    if not places:
        return plain
    first, *others = (_PAIR.of(first=place, second=place + 1) for place in places)
    pairs = reduce(lambda said, pair: _OR.of(one=said, other=pair), others, first)
    return Refused(plain.reason, plain.detail, (_EXCHANGED.of(pairs=pairs), *plain.steps))


def refused(reason: str) -> Refused:
    """The words for a reason code."""
    detail, *steps = WORDS[reason]
    return Refused(reason, detail, tuple(steps))


_OR: Final = Words("{one}, or {other}", "{one}, ou {other}")
_PAIR: Final = Words("characters {first} and {second}", "caractères {first} et {second}")
_EXCHANGED: Final = Words(
    "Compare with the card first: {pairs} may be exchanged.",
    "Comparez d'abord avec la carte : {pairs} sont peut-être inversés.",
)

WORDS: Final[dict[str, tuple[Words, ...]]] = {
    "payment_card": (
        Words(
            "This is a payment card, not a loyalty card. Nothing of it was kept and no points moved.",
            "C'est une carte de paiement, pas une carte de fidélité. Rien n'en a été gardé, aucun point n'a bougé.",
        ),
        Words(
            "Ask for the loyalty card, or for the code in the customer's phone.",
            "Demandez la carte de fidélité ou le code dans le téléphone du client.",
        ),
        Words(
            "On a phone: open the loyalty pass before holding it to the reader.",
            "Avec un téléphone : ouvrez la carte de fidélité avant de le présenter au lecteur.",
        ),
    ),
    "card_blocked": (
        Words(
            "This card is blocked. No points moved.",
            "Cette carte est bloquée. Aucun point n'a bougé.",
        ),
        Words(
            "Do not use it; ask the customer to speak to the loyalty desk, who can unblock or replace it.",
            "Ne l'utilisez pas ; adressez le client au service fidélité, qui peut la débloquer ou la remplacer.",
        ),
    ),
    "phone": (
        Words(
            "This phone shows another number at every tap, so it identifies nobody. No points moved.",
            "Ce téléphone montre un autre numéro à chaque passage et n'identifie personne. Aucun point n'a bougé.",
        ),
        Words(
            "Ask the customer to open the loyalty pass, then scan its code.",
            "Demandez au client d'ouvrir sa carte de fidélité, puis scannez-en le code.",
        ),
        Words(
            "Or key the customer's card number.",
            "Ou saisissez le numéro de carte du client.",
        ),
    ),
    "random_uid": (
        Words(
            "This chip shows another number at every tap, so it identifies nobody. No points moved.",
            "Cette puce montre un autre numéro à chaque passage et n'identifie personne. Aucun point n'a bougé.",
        ),
        Words(
            "Scan the code in the customer's phone, or key the number printed on the card.",
            "Scannez le code dans le téléphone du client ou saisissez le numéro imprimé sur la carte.",
        ),
    ),
    "no_number": (
        Words(
            "This card carries no number of our programme. No points moved.",
            "Cette carte ne porte aucun numéro de notre programme. Aucun point n'a bougé.",
        ),
        Words(
            "Scan the bar code on the card, or key the number printed on it.",
            "Scannez le code-barres de la carte ou saisissez le numéro imprimé.",
        ),
    ),
    "imitation": (
        Words(
            "This card's chip is an imitation: it cannot show its maker's signature. No points moved.",
            "La puce de cette carte est une imitation : la signature de son fabricant manque. Aucun point n'a bougé.",
        ),
        Words(
            "Scan the bar code on the card, or key the number printed on it.",
            "Scannez le code-barres de la carte ou saisissez le numéro imprimé.",
        ),
        Words(
            "Where it happens often, ask the loyalty desk: the cards may come from another maker.",
            "Si cela se répète, prévenez le service fidélité : les cartes viennent peut-être d'un autre fabricant.",
        ),
    ),
    "not_authentic": (
        Words(
            "This card does not prove that it is one of ours: it may be a copy. No points moved.",
            "Cette carte ne prouve pas qu'elle est des nôtres : c'est peut-être une copie. Aucun point n'a bougé.",
        ),
        Words(
            "Present the customer's own card to the contactless reader, not a picture of it.",
            "Présentez la carte du client au lecteur sans contact, pas une image de celle-ci.",
        ),
        Words(
            "Or key the number printed on the card, where your shop allows it.",
            "Ou saisissez le numéro imprimé sur la carte, si votre magasin l'autorise.",
        ),
    ),
    "stale_code": (
        Words(
            "This code is not valid now: it is a picture, or too old. No points moved.",
            "Ce code n'est pas valable maintenant : c'est une image, ou il est trop ancien. Aucun point n'a bougé.",
        ),
        Words(
            "Ask the customer to open the pass anew and scan the code that it shows now.",
            "Demandez au client de rouvrir sa carte et scannez le code affiché maintenant.",
        ),
        Words(
            "Where it happens to everybody, the till's clock is wrong: see the technician's page.",
            "Si cela arrive à tous, l'horloge de la caisse est fausse : voir la page du technicien.",
        ),
    ),
    "replayed": (
        Words(
            "This was presented before: each of these codes and taps counts once. No points moved.",
            "Ceci a déjà été présenté : chaque code, chaque passage ne compte qu'une fois. Aucun point n'a bougé.",
        ),
        Words(
            "Tap the card again, or wait until the code on the phone changes and scan that one.",
            "Présentez la carte de nouveau, ou attendez que le code du téléphone change et scannez le nouveau.",
        ),
    ),
    "foreign_link": (
        Words(
            "This code leads to a page that is not our programme's. No points moved.",
            "Ce code mène à une page qui n'est pas de notre programme. Aucun point n'a bougé.",
        ),
        Words(
            "Scan the loyalty code: this one may belong to an article.",
            "Scannez le code de fidélité : celui-ci est peut-être celui d'un article.",
        ),
    ),
    "foreign_number": (
        Words(
            "This number is not one of our programme's. No points moved.",
            "Ce numéro n'est pas de notre programme. Aucun point n'a bougé.",
        ),
        Words(
            "Scan or key the number on the loyalty card: this one may belong to an article or another shop.",
            "Scannez ou saisissez le numéro de la carte de fidélité : celui-ci est peut-être celui d'un article.",
        ),
    ),
    "check_digit": (
        Words(
            "There is a slip in this number: its check digit does not fit. No points moved.",
            "Il y a une erreur dans ce numéro : sa clé de contrôle ne convient pas. Aucun point n'a bougé.",
        ),
        Words(
            "Compare it with the card character by character and key it again.",
            "Comparez-le à la carte caractère par caractère et ressaisissez-le.",
        ),
    ),
    "too_long": (
        Words(
            "This is longer than any number of our programme. No points moved.",
            "C'est plus long que tout numéro de notre programme. Aucun point n'a bougé.",
        ),
        Words(
            "Scan the loyalty code alone: another code may have been in view.",
            "Scannez le code de fidélité seul : un autre code était peut-être visible.",
        ),
    ),
    "too_short": (
        Words(
            "This is shorter than any number of our programme. No points moved.",
            "C'est plus court que tout numéro de notre programme. Aucun point n'a bougé.",
        ),
        Words(
            "Give the whole number.",
            "Donnez le numéro en entier.",
        ),
    ),
    "format": (
        Words(
            "This is no number of our programme: only letters, digits and hyphens. No points moved.",
            "Ce n'est pas un numéro de notre programme : lettres, chiffres et tirets seuls. Aucun point n'a bougé.",
        ),
        Words(
            "Take the number of the loyalty card, not another one on the card or the article.",
            "Prenez le numéro de la carte de fidélité, pas un autre de la carte ou de l'article.",
        ),
    ),
}
