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


def refused(reason: str, language: Language) -> Refused:
    """The words for a reason code."""
    detail, *steps = WORDS[reason][language]
    return Refused(reason, detail, tuple(steps))


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
            "Scan or key the whole number.",
        ),
        "fr": (
            "C'est plus court que tout numéro de notre programme. Aucun point n'a bougé.",
            "Scannez ou saisissez le numéro en entier.",
        ),
    },
    "format": {
        "en": (
            "This is no number of our programme: only letters, digits and hyphens. No points moved.",
            "Scan the loyalty code, not another code on the card or the article.",
        ),
        "fr": (
            "Ce n'est pas un numéro de notre programme : lettres, chiffres et tirets seuls. Aucun point n'a bougé.",
            "Scannez le code de fidélité, pas un autre code de la carte ou de l'article.",
        ),
    },
}
