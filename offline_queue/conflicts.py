"""Every way in which ledger and till disagree: its precedence, whether people must look, and what to tell them.

Pure. The ledger decides (docs/protocol.md lists its codes); this is what the till makes of its word.
"""

from enum import StrEnum
from typing import Final

import msgspec

from offline_queue.entry import State
from offline_queue.wire_feeds import Verdict
from offline_queue.words import Words

RESOLVED: Final = Words(
    en="A person has decided. Nothing to do: the points are as they said.",
    fr="Une personne a décidé. Rien à faire : les points sont comme elle l'a dit.",
)
"""For the cashier, once that is so."""

POSTED: Final = "posted"
"""The code of an entry that is in the books as the till wrote it."""


class ConflictKind(StrEnum):
    """Verdict codes, the strongest first: where several apply to a record the ledger names the first.

    Written out here once more, and not taken from the ledger's code: a till meets ledgers older and newer than itself.
    """

    UNDECODABLE = "undecodable"
    VERSION_UNKNOWN = "version_unknown"
    TERMINAL_UNKNOWN = "terminal_unknown"
    KEY_REVOKED = "key_revoked"
    SIGNATURE_BAD = "signature_bad"
    CLAIM_UNPROVEN = "claim_unproven"
    FORK = "fork"
    RESTORED = "restored"
    DUPLICATE = "duplicate"
    KEY_MISMATCH = "key_mismatch"
    RESOLUTION_REFUSED = "resolution_refused"
    CARD_EVENT_REFUSED = "card_event_refused"
    RECEIPT_DUPLICATE = "receipt_duplicate"
    CARD_COPIED = "card_copied"
    CARD_UNKNOWN = "card_unknown"
    CARD_REPLACED = "card_replaced"
    ACCOUNT_MERGED = "account_merged"
    CARD_BLOCKED_KNOWN = "card_blocked_known"
    CARD_BLOCKED_UNKNOWN = "card_blocked_unknown"
    ORIGINAL_UNKNOWN = "original_unknown"
    REVERSED_TWICE = "reversed_twice"
    OVER_REVERSAL = "over_reversal"
    CLOCK_IMPLAUSIBLE = "clock_implausible"
    LOT_EXPIRED = "lot_expired"
    POINTS_DIFFER = "points_differ"
    RULE_UNKNOWN = "rule_unknown"
    LIMIT_BREACH = "limit_breach"
    ALLOWANCE_EXCEEDED = "allowance_exceeded"
    ALLOWANCE_VOID = "allowance_void"
    OVERDRAWN = "overdrawn"


class Meaning(msgspec.Struct, frozen=True):
    """What a kind means for people. `looked_at`: somebody has to decide; otherwise it settles by itself."""

    looked_at: bool
    said: Words


MEANINGS: Final = {
    ConflictKind.UNDECODABLE: Meaning(
        looked_at=True,
        said=Words(
            en="The ledger cannot read this transaction. The points are kept safe; tell support.",
            fr="Le serveur ne sait pas lire cette opération. Les points sont conservés ; prévenez le support.",
        ),
    ),
    ConflictKind.VERSION_UNKNOWN: Meaning(
        looked_at=False,
        said=Words(
            en="The ledger is older than this till. The points are credited once it is updated.",
            fr="Le serveur est plus ancien que cette caisse. Les points seront crédités après sa mise à jour.",
        ),
    ),
    ConflictKind.TERMINAL_UNKNOWN: Meaning(
        looked_at=True,
        said=Words(
            en="This till is not enrolled. The points are kept safe; head office must enrol it.",
            fr="Cette caisse n'est pas enregistrée. Les points sont conservés ; le siège doit l'enregistrer.",
        ),
    ),
    ConflictKind.KEY_REVOKED: Meaning(
        looked_at=True,
        said=Words(
            en="This till's key was revoked. The points are kept safe without effect; tell head office.",
            fr="La clé de cette caisse a été révoquée. Les points sont conservés, sans effet ; prévenez le siège.",
        ),
    ),
    ConflictKind.SIGNATURE_BAD: Meaning(
        looked_at=True,
        said=Words(
            en="This transaction is not signed by the till it names. Nothing is credited; tell support.",
            fr="Cette opération n'est pas signée par la caisse nommée. Rien n'est crédité ; prévenez le support.",
        ),
    ),
    ConflictKind.CLAIM_UNPROVEN: Meaning(
        looked_at=True,
        said=Words(
            en="The receipt's code proves nothing. Nothing is credited; keep the customer's receipt.",
            fr="Le code du ticket ne prouve rien. Rien n'est crédité ; gardez le ticket du client.",
        ),
    ),
    ConflictKind.FORK: Meaning(
        looked_at=True,
        said=Words(
            en="Two machines continue the same journal. Each sale counts once; call the technician.",
            fr="Deux machines continuent le même journal. Chaque vente compte une fois ; prévenez le technicien.",
        ),
    ),
    ConflictKind.RESTORED: Meaning(
        looked_at=True,
        said=Words(
            en="This till came back from an older copy. Each sale counts once; call the technician.",
            fr="Cette caisse est revenue à un état ancien. Chaque vente compte une fois ; prévenez le technicien.",
        ),
    ),
    ConflictKind.DUPLICATE: Meaning(
        looked_at=False,
        said=Words(
            en="This sale was recorded before: it counts once. Nothing to do.",
            fr="Cette vente était déjà enregistrée : elle ne compte qu'une fois. Rien à faire.",
        ),
    ),
    ConflictKind.KEY_MISMATCH: Meaning(
        looked_at=True,
        said=Words(
            en="Two different sales carry the same key. The first one counts; compare both receipts.",
            fr="Deux ventes différentes portent le même numéro. La première compte ; comparez les deux tickets.",
        ),
    ),
    ConflictKind.RESOLUTION_REFUSED: Meaning(
        looked_at=True,
        said=Words(
            en="This till may not settle that case. Nothing is changed; head office decides.",
            fr="Cette caisse ne peut pas trancher ce cas. Rien n'est changé ; le siège décide.",
        ),
    ),
    ConflictKind.CARD_EVENT_REFUSED: Meaning(
        looked_at=True,
        said=Words(
            en="This change of a card cannot be made: card and points stay as they are. Head office decides.",
            fr="Ce changement de carte est impossible : carte et points restent tels quels. Le siège décide.",
        ),
    ),
    ConflictKind.RECEIPT_DUPLICATE: Meaning(
        looked_at=True,
        said=Words(
            en="This receipt earned points before. The first one counts; head office looks at the second.",
            fr="Ce ticket a déjà donné des points. Le premier compte ; le siège vérifie le second.",
        ),
    ),
    ConflictKind.CARD_COPIED: Meaning(
        looked_at=True,
        said=Words(
            en="This card was shown twice: one of them is a copy. Replace the card; head office looks into it.",
            fr="Cette carte a été présentée en double : l'une est une copie. Remplacez-la ; le siège vérifie.",
        ),
    ),
    ConflictKind.CARD_UNKNOWN: Meaning(
        looked_at=False,
        said=Words(
            en="The card is not registered yet. Earned points are credited as soon as it is.",
            fr="Carte encore inconnue. Les points gagnés seront crédités dès son enregistrement.",
        ),
    ),
    ConflictKind.CARD_REPLACED: Meaning(
        looked_at=False,
        said=Words(
            en="The card was replaced: the points are on the new one. Nothing to do.",
            fr="La carte a été remplacée : les points sont sur la nouvelle. Rien à faire.",
        ),
    ),
    ConflictKind.ACCOUNT_MERGED: Meaning(
        looked_at=False,
        said=Words(
            en="Two accounts were merged: the points are on the common one. Nothing to do.",
            fr="Deux comptes ont été fusionnés : les points sont sur le compte commun. Rien à faire.",
        ),
    ),
    ConflictKind.CARD_BLOCKED_KNOWN: Meaning(
        looked_at=True,
        said=Words(
            en="The card was blocked and the till knew. Earned points wait; see the loyalty desk.",
            fr="Carte bloquée, et la caisse le savait. Les points gagnés attendent ; voyez le service fidélité.",
        ),
    ),
    ConflictKind.CARD_BLOCKED_UNKNOWN: Meaning(
        looked_at=False,
        said=Words(
            en="The card had just been blocked. Earned points wait until it is unblocked.",
            fr="La carte venait d'être bloquée. Les points gagnés attendent son déblocage.",
        ),
    ),
    ConflictKind.ORIGINAL_UNKNOWN: Meaning(
        looked_at=False,
        said=Words(
            en="The reversal waits for the transaction it undoes. Nothing to do.",
            fr="L'annulation attend l'opération d'origine. Rien à faire.",
        ),
    ),
    ConflictKind.REVERSED_TWICE: Meaning(
        looked_at=True,
        said=Words(
            en="This transaction was reversed before: the second reversal has no effect.",
            fr="Cette opération était déjà annulée : la seconde annulation est sans effet.",
        ),
    ),
    ConflictKind.OVER_REVERSAL: Meaning(
        looked_at=True,
        said=Words(
            en="The reversal was larger than the original. Only what was left is undone; check the receipt.",
            fr="L'annulation dépassait l'opération d'origine. Seul le reste a été annulé ; vérifiez le ticket.",
        ),
    ),
    ConflictKind.CLOCK_IMPLAUSIBLE: Meaning(
        looked_at=False,
        said=Words(
            en="The till's clock is wrong. The points count; a technician should set it.",
            fr="L'horloge de la caisse est fausse. Les points comptent ; un technicien doit la régler.",
        ),
    ),
    ConflictKind.LOT_EXPIRED: Meaning(
        looked_at=True,
        said=Words(
            en="Some of the points used had expired. Head office decides; the customer need do nothing.",
            fr="Des points utilisés avaient expiré. Le siège décide ; le client n'a rien à faire.",
        ),
    ),
    ConflictKind.POINTS_DIFFER: Meaning(
        looked_at=False,
        said=Words(
            en="The ledger computes another number. The till's promise is kept and the difference shown.",
            fr="Le serveur compte autrement. La promesse de la caisse est tenue et l'écart signalé.",
        ),
    ),
    ConflictKind.RULE_UNKNOWN: Meaning(
        looked_at=False,
        said=Words(
            en="The ledger does not know this points rule yet. The till's promise is kept.",
            fr="Le serveur ne connaît pas encore cette règle. La promesse de la caisse est tenue.",
        ),
    ),
    ConflictKind.LIMIT_BREACH: Meaning(
        looked_at=True,
        said=Words(
            en="The offline limit was passed. It is applied and shown to head office.",
            fr="La limite hors ligne a été dépassée. C'est appliqué et signalé au siège.",
        ),
    ),
    ConflictKind.ALLOWANCE_EXCEEDED: Meaning(
        looked_at=True,
        said=Words(
            en="More points were redeemed than were promised. It is applied and shown to head office.",
            fr="Plus de points ont été utilisés que promis. C'est appliqué et signalé au siège.",
        ),
    ),
    ConflictKind.ALLOWANCE_VOID: Meaning(
        looked_at=True,
        said=Words(
            en="Points were redeemed without a valid allowance. It is applied and shown to head office.",
            fr="Des points ont été utilisés sans autorisation valable. C'est appliqué et signalé au siège.",
        ),
    ),
    ConflictKind.OVERDRAWN: Meaning(
        looked_at=True,
        said=Words(
            en="The card no longer had enough points. Its balance is negative; the next purchases make up for it.",
            fr="La carte n'avait plus assez de points. Son solde est négatif ; les prochains achats le compensent.",
        ),
    ),
}
UNKNOWN: Final = Meaning(
    looked_at=True,
    said=Words(
        en="The ledger reports a case that this version does not know. The points are kept safe; tell support.",
        fr="Le serveur signale un cas inconnu de cette version. Les points sont conservés ; prévenez le support.",
    ),
)
FINE: Final = Meaning(
    looked_at=False,
    said=Words(
        en="It is in the books as the till wrote it. Nothing to do.",
        fr="L'opération est comptée telle que la caisse l'a écrite. Rien à faire.",
    ),
)

_KINDS: Final = {kind.value: kind for kind in ConflictKind}
_DECIDED: Final = frozenset({State.POSTED, State.PARKED, State.CONFLICT, State.RESOLVED})


def kind_of(code: str) -> ConflictKind | None:
    """None for `posted` and for codes of a later version."""
    return _KINDS.get(code)


def meaning(code: str) -> Meaning:
    """Never raises: a code of a later version is for people to look at."""
    if code == POSTED:
        return FINE
    kind = kind_of(code)
    return MEANINGS[kind] if kind is not None else UNKNOWN


def verdict_state(verdict: Verdict) -> State:
    """The ledger's word, unless it is none that a decision can say: then people look."""
    return verdict.state if verdict.state in _DECIDED else State.CONFLICT


def needs_people(verdict: Verdict) -> bool:
    """True when somebody has to decide; a record that waits for its card or its original does not count."""
    state = verdict_state(verdict)
    return state is State.CONFLICT or (state is State.PARKED and meaning(verdict.code).looked_at)


def sentence(code: str) -> Words:
    """For the cashier: what happened, what it means for the points, what to do."""
    return meaning(code).said
