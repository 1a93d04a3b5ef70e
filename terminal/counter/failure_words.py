"""What was wrong with a presentation, for the cashier: the fact alone, for the reading ladder says what to do. Pure."""

from typing import Final

from drivers.base import CardUnreadable
from offline_queue.words import Words, untranslated

BROKEN_OFF: Final = frozenset(
    {"card_gone", "card_swapped", "card_was_there", "card_held", "half_scan", "scan_again", "not_read"}
)
"""Reasons that are not the card's own: a failed read, not an unreadable card."""

_WORDS: Final[dict[str, Words]] = {
    "card_gone": Words(en="The card left too soon.", fr="La carte a été retirée trop tôt."),
    "card_swapped": Words(en="Two cards were there at once.", fr="Deux cartes ont été présentées à la fois."),
    "card_was_there": Words(
        en="This card lay there before: lift it first.",
        fr="Cette carte était déjà posée : retirez-la d'abord.",
    ),
    "card_held": Words(
        en="Another program keeps the card to itself.",
        fr="Un autre programme utilise cette carte.",
    ),
    "mute": Words(en="The card does not answer.", fr="La carte ne répond pas."),
    "damaged": Words(en="What is on the card is damaged.", fr="Le contenu de la carte est abîmé."),
    "unsupported_card": Words(
        en="The card carries nothing that the till can read.",
        fr="Cette carte ne porte rien que la caisse sache lire.",
    ),
    "half_scan": Words(en="The scan broke off.", fr="La lecture du code s'est interrompue."),
    "scan_again": Words(en="Part of the scan was lost.", fr="Une partie du code lu a été perdue."),
    "code_unreadable": Words(en="What the code says cannot be made out.", fr="Le contenu du code est indéchiffrable."),
    "no_code": Words(en="No code is to be read there.", fr="Aucun code n'y est lisible."),
    "unreadable": Words(en="What is on the card cannot be made out.", fr="Le contenu de la carte est indéchiffrable."),
    "not_read": Words(en="The reader could not read the card.", fr="Le lecteur n'a pas pu lire la carte."),
    "no_pass": Words(
        en="The phone has no card of this shop.",
        fr="Ce téléphone n'a pas de carte de ce magasin.",
    ),
    "choose_pass": Words(
        en="The phone has several cards of this shop: choose one on it.",
        fr="Ce téléphone a plusieurs cartes du magasin : choisissez-en une.",
    ),
    "phone_locked": Words(en="The phone is locked.", fr="Le téléphone est verrouillé."),
    "pass_of_another_time": Words(
        en="The phone's clock and the till's differ.",
        fr="L'heure du téléphone et celle de la caisse diffèrent.",
    ),
    "terminal_not_trusted": Words(
        en="The card in the phone is not made for this till.",
        fr="La carte du téléphone n'est pas faite pour cette caisse.",
    ),
    "phone_refused": Words(en="The phone gives no card now.", fr="Le téléphone ne donne pas de carte maintenant."),
}


def told(failure: CardUnreadable) -> Words:
    """The driver's own words, which are English and for technicians, where there are none of ours."""
    return _WORDS.get(failure.reason) or untranslated(failure.detail)
