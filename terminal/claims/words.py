"""What the cashier is told of a claim code: what it means for the points and what to do next. Pure."""

from typing import Final

from offline_queue.words import Words

_WORDS: Final[dict[str, Words]] = {
    "foreign": Words(
        en="This is no code of our receipts. No points moved. Scan the receipt's code, or type all its lines.",
        fr="Ce n'est pas un code de nos tickets. Aucun point n'a bougé. Scannez celui du ticket ou saisissez-le.",
    ),
    "newer": Words(
        en="This code is newer than this till. No points moved. Keep the receipt; a technician must update the till.",
        fr="Ce code est plus récent que cette caisse. Aucun point n'a bougé. Gardez le ticket ; un technicien doit"
        " mettre la caisse à jour.",
    ),
    "damaged": Words(
        en="Part of this code is missing or wrong. No points moved. Scan it again, or type its lines from the receipt.",
        fr="Ce code est incomplet ou abîmé. Aucun point n'a bougé. Scannez-le de nouveau ou saisissez ses lignes.",
    ),
    "cut_short": Words(
        en="The code does not end with line {line}: lines are missing. No points moved. Type them all.",
        fr="Le code va plus loin que la ligne {line} : il manque des lignes. Aucun point n'a bougé. Saisissez tout.",
    ),
    "mistyped": Words(
        en="Line {line} of the code is not as on the receipt. No points moved. Compare that line and type it again.",
        fr="La ligne {line} du code diffère du ticket. Aucun point n'a bougé. Comparez-la et ressaisissez-la.",
    ),
    "proven": Words(
        en="This code is genuine: {points} of a sale at till {terminal}.",
        fr="Ce code est authentique : {points} d'une vente à la caisse {terminal}.",
    ),
    "unknown_till": Words(
        en=(
            "This till does not know till {terminal} yet and cannot prove the code. It may be redeemed all the same:"
            " the points come after the ledger's check."
        ),
        fr=(
            "Cette caisse ne connaît pas encore la caisse {terminal} et ne peut pas vérifier le code. Vous pouvez"
            " l'enregistrer : les points viendront après le contrôle du serveur."
        ),
    ),
    "unproven": Words(
        en="This code is not signed by till {terminal}: it may be forged. No points moved. Keep the receipt.",
        fr="Ce code n'est pas signé par la caisse {terminal} : un faux ? Aucun point n'a bougé. Gardez le ticket.",
    ),
    "claimed": Words(
        en="Already credited to {card}. Nothing is added; each sale counts once.",
        fr="Déjà crédité sur {card}. Rien n'est ajouté ; chaque vente compte une fois.",
    ),
    "reversed": Words(
        en="This sale was wholly taken back at this till: it has no points left. Nothing is added.",
        fr="Cette vente a été entièrement annulée à cette caisse : il n'en reste aucun point. Rien n'est ajouté.",
    ),
    "other_card": Words(
        en="This sale was made with another card. No points moved. Present the card that was used then.",
        fr="Cette vente a été faite avec une autre carte. Aucun point n'a bougé. Présentez la carte utilisée alors.",
    ),
    "redeemed": Words(
        en="On the way to {card}: {points}. This sale counts, just once, when the ledger has seen the code.",
        fr="À créditer sur {card} : {points}. Cette vente compte, une seule fois, dès que le serveur aura vu le code.",
    ),
}


def words(what: str, **of: object) -> Words:
    """The sentence, with what it is of filled in."""
    return _WORDS[what].of(**of)
