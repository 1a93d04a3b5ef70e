"""Entries in dispute as a shop meets them: what can be decided here, and how it is said. Pure."""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from offline_queue.conflicts import RESOLVED, ConflictKind, sentence
from offline_queue.entry import Correction, Entry, Kind, Resolution, State, masked
from offline_queue.journal import Found
from offline_queue.words import Words
from terminal.disputes.shapes import Dispute, ResolutionRequest, ResolutionView
from terminal.pos import CardView, Refusal
from terminal.sales.transaction import Stamp

BY_PLACE: Final = frozenset(
    {
        ConflictKind.UNDECODABLE,
        ConflictKind.VERSION_UNKNOWN,
        ConflictKind.TERMINAL_UNKNOWN,
        ConflictKind.KEY_REVOKED,
        ConflictKind.SIGNATURE_BAD,
        ConflictKind.CLAIM_UNPROVEN,
    }
)
"""Of these the ledger believes no id, so they go by their place in the stream."""
CANNOT_COUNT: Final = frozenset(
    {
        ConflictKind.UNDECODABLE,
        ConflictKind.VERSION_UNKNOWN,
        ConflictKind.CARD_UNKNOWN,
        ConflictKind.CARD_EVENT_REFUSED,
    }
)
"""There is nothing, or no account, that a decision to honour could credit."""
OPEN: Final = frozenset({State.CONFLICT, State.PARKED})
SAID: Final[dict[str, Words]] = {
    "unknown": Words(
        en="This till has recorded no transaction with this id. Settle it where it was recorded, or at head office.",
        fr="Cette caisse n'a pas enregistré d'opération sous ce numéro. Tranchez à la caisse d'origine ou au siège.",
    ),
    "undecided": Words(
        en="The ledger has not disagreed with this transaction: it is {state}. Nothing was changed.",
        fr="Le serveur ne conteste pas cette opération ({state}). Rien n'est changé.",
    ),
    "settled": Words(
        en="A person has settled this already. Head office can still change it. Nothing was changed.",
        fr="Cette opération est déjà tranchée. Le siège peut encore en décider autrement. Rien n'est changé.",
    ),
    "head_office": Words(
        en="Head office alone can settle this. Nothing was changed.",
        fr="Seul le siège peut trancher. Rien n'est changé.",
    ),
    "nothing_to_credit": Words(
        en="It cannot count yet: no account is known for it. Register the card first, or refuse it."
        " Nothing was changed.",
        fr="Impossible pour l'instant : aucun compte n'est connu. Enregistrez d'abord la carte, ou refusez."
        " Rien n'est changé.",
    ),
    "queued": Words(
        en="The decision is recorded and goes to the ledger; points move when it has agreed.",
        fr="La décision est enregistrée et part au serveur ; les points suivront son accord.",
    ),
}


STATES: Final = {
    State.QUEUED: Words("kept at this till", "gardée à cette caisse"),
    State.ACCEPTED: Words("received and not decided yet", "reçue, pas encore traitée"),
    State.POSTED: Words("booked", "comptée"),
    State.PARKED: Words("under review", "à vérifier"),
    State.CONFLICT: Words("in dispute", "contestée"),
    State.RESOLVED: Words("resolved", "tranchée"),
}


def undecided(found: Found) -> Words:
    """Of an entry on which there is nothing to decide, with where it stands."""
    return SAID["undecided"].of(state=STATES[found.state])


def name_of(found: Found) -> str:
    """What the ledger calls the entry."""
    placed = found.verdict is not None and found.verdict.code in BY_PLACE
    return f"{found.stream}:{found.seq}" if placed else found.entry.id


def resolutions(found: Found) -> list[Resolution]:
    """The decisions that may be taken at this till."""
    code = found.verdict.code if found.verdict else ""
    if found.state not in OPEN or code == ConflictKind.RESOLUTION_REFUSED:
        return []
    moves = found.entry.kind in (Kind.EARN, Kind.REDEEM, Kind.CLAIM)
    if code in CANNOT_COUNT or (moves and found.entry.card is None):
        return [Resolution.REFUSE]
    return [Resolution.HONOUR, Resolution.REFUSE]


def refuse_unless_open(found: Found | None, request: ResolutionRequest) -> Found:
    """Raises Refusal `not_found`, `not_in_dispute` or `not_here`."""
    if found is None:
        raise Refusal("not_found", SAID["unknown"])
    if found.state not in OPEN:
        raise Refusal("not_in_dispute", SAID["settled"] if found.state is State.RESOLVED else undecided(found))
    can = resolutions(found)
    if not can:
        raise Refusal("not_here", SAID["head_office"])
    moves = request.decision is Resolution.HONOUR or request.points
    if moves and Resolution.HONOUR not in can:
        raise Refusal("not_here", SAID["nothing_to_credit"], "no_account")
    return found


def dispute(found: Found, word: Found | None, now_ms: int) -> Dispute:
    """`word` is the last correction of it that this till wrote."""
    entry, verdict = found.entry, found.verdict
    code = verdict.code if verdict else ""
    return Dispute(
        id=entry.id,
        kind=entry.kind,
        state=found.state,
        points=entry.points,
        idempotency_key=entry.key,
        occurred_at=entry.occurred_at,
        card=CardView(masked(entry.card.number)) if entry.card else None,
        code=code,
        sentence=RESOLVED if found.state is State.RESOLVED else sentence(code),
        age_s=_age_s(entry, now_ms),
        resolutions=resolutions(found),
        detail=verdict.detail if verdict else None,
        receipt=entry.receipt.number if entry.receipt else None,
        effect=verdict.points if verdict else None,
        resolution=_view(word) if word else None,
    )


def correction_of(found: Found, request: ResolutionRequest, key: str, stamp: Stamp) -> Entry:
    correction = Correction(request.author, request.reason, name_of(found), request.decision, request.points)
    return replace(stamp.entry(Kind.CORRECTION, key), operator=request.author, correction=correction)


def same_word(word: Found, request: ResolutionRequest) -> bool:
    """Whether the decision was taken before, whoever took it and whatever was given as the reason."""
    said = word.entry.correction
    return said is not None and (said.resolution, said.points) == (request.decision, request.points)


def _view(word: Found) -> ResolutionView | None:
    said = word.entry.correction
    if said is None or said.resolution is None:
        return None
    return ResolutionView(word.entry.id, said.resolution, said.author, said.reason, word.state, said.points)


def _age_s(entry: Entry, now_ms: int) -> float:
    """A till's clock may have been wrong then or may be now; it decides nothing."""
    try:
        made = datetime.fromisoformat(entry.occurred_at).timestamp()
    except ValueError:
        return 0.0
    return max(0.0, now_ms / 1000 - made)
