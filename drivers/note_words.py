"""Why a note was not written on a card, in words for a technician. No points hang on it: the till has them."""

from typing import Final

WORDS: Final = {
    "card_gone": "The card was taken away before the note was written.",
    "other_card": "Another card lies there now; nothing was written to it.",
    "no_room": "The card has no room for notes: they need an NTAG215, an NTAG216 or a configured DESFire file.",
    "occupied": "The pages for notes hold something else, which is left alone.",
    "refused": "The card or its reader refuses to write: it is locked, worn or protected by a password.",
    "not_authentic": "The card does not take the key of its note file.",
    "not_confirmed": "The card does not show what was written to it; the note before still counts.",
    "not_written": "The reader could not write to the card.",
}


class NotWritten(Exception):
    """`reason` is a key of WORDS."""

    def __init__(self, reason: str) -> None:
        super().__init__(WORDS[reason])
        self.reason = reason
