"""What a caller hears where the till gives no answer of its own: what it means, what to do next. Pure."""

from typing import Final

from offline_queue.words import Words

STUCK: Final = Words(
    "The till's thread is stuck; ask again, then see its log.",
    "La caisse ne répond plus ; redemandez, puis voyez son journal.",
)
STUCK_READING: Final = Words(
    "The till is stuck; the card may be presented again.",
    "La caisse ne répond plus ; la carte peut être présentée de nouveau.",
)
UNKNOWN_SALE: Final = Words(
    "It may be recorded or not: send it again with the same Idempotency-Key, it cannot count twice.",
    "C'est peut-être enregistré : renvoyez avec la même Idempotency-Key, rien ne comptera deux fois.",
)
UNKNOWN: Final = Words(
    "It may be recorded or not: send it again, it cannot count twice.",
    "C'est peut-être enregistré : renvoyez, rien ne comptera deux fois.",
)
UNKNOWN_CARD_EVENT: Final = Words(
    "It may be recorded or not: say it again; the same thing twice does no harm.",
    "C'est peut-être enregistré : recommencez ; deux fois la même chose ne fait aucun mal.",
)
OVERLOADED: Final = Words(
    "The till is not keeping up; nothing was recorded. Ask again in a second.",
    "La caisse est débordée ; rien n'est enregistré. Recommencez dans une seconde.",
)
CROWDED: Final = Words(
    "Too many requests at once; nothing was recorded. Ask again in a second.",
    "Trop de demandes à la fois ; rien n'est enregistré. Recommencez dans une seconde.",
)
FAILED: Final = Words(
    "A sale may be recorded or not: send it again with the same Idempotency-Key. The log says more.",
    "Une vente est peut-être enregistrée : renvoyez-la avec la même Idempotency-Key. Le journal en dit plus.",
)
