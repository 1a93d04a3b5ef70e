"""What a card that brought no customer is called on the screen: what it is, before why and what to do. Pure."""

from typing import Final

from offline_queue.words import Words

_NOT_READ: Final = Words("The card could not be read", "La carte n'a pas pu être lue")
_NO_NUMBER_OF_OURS: Final = Words("Not a number of ours", "Pas un de nos numéros")
_NOT_ACCEPTED: Final = Words("Card not accepted", "Carte non acceptée")
_CODE_NOT_READ: Final = Words("The code could not be read", "Le code n'a pas pu être lu")
_PHONE_GAVE_NONE: Final = Words("The phone gave no card", "Le téléphone n'a pas donné de carte")

_REFUSED: Final[dict[str, Words]] = {
    "payment_card": Words("Payment card", "Carte de paiement"),
    "card_blocked": Words("Blocked card", "Carte bloquée"),
    "phone": _PHONE_GAVE_NONE,
    "random_uid": Words("Anonymous chip", "Puce anonyme"),
    "no_number": Words("Not a card of ours", "Pas une de nos cartes"),
    "imitation": _NOT_ACCEPTED,
    "not_authentic": _NOT_ACCEPTED,
    "stale_code": Words("Code no longer valid", "Code périmé"),
    "replayed": Words("Presented before", "Déjà présenté"),
    "foreign_link": Words("Not a code of ours", "Pas un de nos codes"),
    "check_digit": Words("Slip in the number", "Erreur dans le numéro"),
    **dict.fromkeys(("foreign_number", "too_long", "too_short", "format"), _NO_NUMBER_OF_OURS),
}
"""Cards that were read and will not do, by the reason that refusals.py has words for."""
_FAILED: Final[dict[str, Words]] = {
    **dict.fromkeys(("half_scan", "scan_again", "code_unreadable", "no_code"), _CODE_NOT_READ),
    **dict.fromkeys(
        (
            *("no_pass", "choose_pass", "phone_locked"),
            *("pass_of_another_time", "terminal_not_trusted", "phone_refused"),
        ),
        _PHONE_GAVE_NONE,
    ),
}
"""What could not be read and is no card of plastic, by the driver's reason."""


def heading(reason: str) -> Words:
    """For any reason; one that is not known here is a card that could not be read."""
    return _REFUSED.get(reason) or _FAILED.get(reason) or _NOT_READ
