"""Why a card was refused, in words for the cashier: what it means for the points and what to do next. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Refused:
    """`reason` is a stable code; `detail` and `steps` are words for the cashier in the till's language."""

    reason: str
    detail: str
    steps: tuple[str, ...]


def mistyped_words(places: tuple[int, ...], language: Language) -> Refused:
    """For a wrong check digit; `places` are the first characters, counted from 1, of pairs that may be exchanged.

    Places are told and no characters: the words may be read by others.
    """
    plain = refused("check_digit", language)
    if not places:
        return plain
    pairs = _OR[language].join(_PAIR[language].format(first=place, second=place + 1) for place in places)
    return Refused(plain.reason, plain.detail, (_EXCHANGED[language].format(pairs=pairs), *plain.steps))


def refused(reason: str, language: Language) -> Refused:
    """The words for a reason code."""
    detail, *steps = WORDS[reason][language]
    return Refused(reason, detail, tuple(steps))


_OR: Final[dict[Language, str]] = {"en": ", or ", "fr": ", ou "}
_PAIR: Final[dict[Language, str]] = {"en": "characters {first} and {second}", "fr": "caractères {first} et {second}"}
_EXCHANGED: Final[dict[Language, str]] = {
    "en": "Compare with the card first: {pairs} may be exchanged.",
    "fr": "Comparez d'abord avec la carte : {pairs} sont peut-être inversés.",
}

WORDS: Final[dict[str, dict[Language, tuple[str, ...]]]] = {
    "payment_card": {
        "en": (
            "This is a payment card, not a loyalty card. Nothing of it was kept and no points moved.",
            "Ask for the loyalty card, or for the code in the customer's phone.",
            "On a phone: open the loyalty pass before holding it to the reader.",
        ),
        "fr": (
            "C'est une carte de paiement, pas une carte de fidélité. Rien n'en a été gardé, aucun point n'a bougé.",
            "Demandez la carte de fidélité ou le code dans le téléphone du client.",
            "Sur un téléphone : ouvrir la carte de fidélité avant de le présenter au lecteur.",
        ),
    },
    "card_blocked": {
        "en": (
            "This card is blocked. No points moved.",
            "Do not use it; ask the customer to speak to the loyalty desk, who can unblock or replace it.",
        ),
        "fr": (
            "Cette carte est bloquée. Aucun point n'a bougé.",
            "Ne l'utilisez pas ; adressez le client au service fidélité, qui peut la débloquer ou la remplacer.",
        ),
    },
    "phone": {
        "en": (
            "This phone shows another number at every tap, so it identifies nobody. No points moved.",
            "Ask the customer to open the loyalty pass, then scan its code.",
            "Or key the customer's card number.",
        ),
        "fr": (
            "Ce téléphone montre un autre numéro à chaque passage et n'identifie personne. Aucun point n'a bougé.",
            "Demandez au client d'ouvrir sa carte de fidélité, puis scannez-en le code.",
            "Ou saisissez le numéro de carte du client.",
        ),
    },
    "random_uid": {
        "en": (
            "This chip shows another number at every tap, so it identifies nobody. No points moved.",
            "Scan the code in the customer's phone, or key the number printed on the card.",
        ),
        "fr": (
            "Cette puce montre un autre numéro à chaque passage et n'identifie personne. Aucun point n'a bougé.",
            "Scannez le code dans le téléphone du client ou saisissez le numéro imprimé sur la carte.",
        ),
    },
    "no_number": {
        "en": (
            "This card carries no number of our programme. No points moved.",
            "Scan the bar code on the card, or key the number printed on it.",
        ),
        "fr": (
            "Cette carte ne porte aucun numéro de notre programme. Aucun point n'a bougé.",
            "Scannez le code-barres de la carte ou saisissez le numéro imprimé.",
        ),
    },
    "imitation": {
        "en": (
            "This card's chip is an imitation: it cannot show its maker's signature. No points moved.",
            "Scan the bar code on the card, or key the number printed on it.",
            "Where it happens often, ask the loyalty desk: the cards may come from another maker.",
        ),
        "fr": (
            "La puce de cette carte est une imitation : la signature de son fabricant manque. Aucun point n'a bougé.",
            "Scannez le code-barres de la carte ou saisissez le numéro imprimé.",
            "Si cela se répète, prévenez le service fidélité : les cartes viennent peut-être d'un autre fabricant.",
        ),
    },
    "not_authentic": {
        "en": (
            "This card does not prove that it is one of ours: it may be a copy. No points moved.",
            "Present the customer's own card to the contactless reader, not a picture of it.",
            "Or key the number printed on the card, where your shop allows it.",
        ),
        "fr": (
            "Cette carte ne prouve pas qu'elle est des nôtres : c'est peut-être une copie. Aucun point n'a bougé.",
            "Présentez la carte du client au lecteur sans contact, pas une image de celle-ci.",
            "Ou saisissez le numéro imprimé sur la carte, si votre magasin l'autorise.",
        ),
    },
    "stale_code": {
        "en": (
            "This code is not valid now: it is a picture, or too old. No points moved.",
            "Ask the customer to open the pass anew and scan the code that it shows now.",
            "Where it happens to everybody, the till's clock is wrong: see the technician's page.",
        ),
        "fr": (
            "Ce code n'est pas valable maintenant : c'est une image, ou il est trop ancien. Aucun point n'a bougé.",
            "Demandez au client de rouvrir sa carte et scannez le code affiché maintenant.",
            "Si cela arrive à tous, l'horloge de la caisse est fausse : voir la page du technicien.",
        ),
    },
    "replayed": {
        "en": (
            "This was presented before: each of these codes and taps counts once. No points moved.",
            "Tap the card again, or wait until the code on the phone changes and scan that one.",
        ),
        "fr": (
            "Ceci a déjà été présenté : chaque code, chaque passage ne compte qu'une fois. Aucun point n'a bougé.",
            "Présentez la carte de nouveau, ou attendez que le code du téléphone change et scannez le nouveau.",
        ),
    },
    "foreign_link": {
        "en": (
            "This code leads to a page that is not our programme's. No points moved.",
            "Scan the loyalty code: this one may belong to an article.",
        ),
        "fr": (
            "Ce code mène à une page qui n'est pas de notre programme. Aucun point n'a bougé.",
            "Scannez le code de fidélité : celui-ci est peut-être celui d'un article.",
        ),
    },
    "foreign_number": {
        "en": (
            "This number is not one of our programme's. No points moved.",
            "Scan or key the number on the loyalty card: this one may belong to an article or another shop.",
        ),
        "fr": (
            "Ce numéro n'est pas de notre programme. Aucun point n'a bougé.",
            "Scannez ou saisissez le numéro de la carte de fidélité : celui-ci est peut-être celui d'un article.",
        ),
    },
    "check_digit": {
        "en": (
            "There is a slip in this number: its check digit does not fit. No points moved.",
            "Compare it with the card character by character and key it again.",
        ),
        "fr": (
            "Il y a une erreur dans ce numéro : sa clé de contrôle ne convient pas. Aucun point n'a bougé.",
            "Comparez-le à la carte caractère par caractère et ressaisissez-le.",
        ),
    },
    "too_long": {
        "en": (
            "This is longer than any number of our programme. No points moved.",
            "Scan the loyalty code alone: another code may have been in view.",
        ),
        "fr": (
            "C'est plus long que tout numéro de notre programme. Aucun point n'a bougé.",
            "Scannez le code de fidélité seul : un autre code était peut-être visible.",
        ),
    },
    "too_short": {
        "en": (
            "This is shorter than any number of our programme. No points moved.",
            "Give the whole number.",
        ),
        "fr": (
            "C'est plus court que tout numéro de notre programme. Aucun point n'a bougé.",
            "Donnez le numéro en entier.",
        ),
    },
    "format": {
        "en": (
            "This is no number of our programme: only letters, digits and hyphens. No points moved.",
            "Take the number of the loyalty card, not another one on the card or the article.",
        ),
        "fr": (
            "Ce n'est pas un numéro de notre programme : lettres, chiffres et tirets seuls. Aucun point n'a bougé.",
            "Prenez le numéro de la carte de fidélité, pas un autre de la carte ou de l'article.",
        ),
    },
}
