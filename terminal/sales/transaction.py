"""From what the POS asks to the entry that will be recorded. Pure: the time and the new id are arguments.

A request that makes no sense is refused as `invalid`, in English for the programmer of the POS; what a cashier can
bring about is in the cashier's words.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from offline_queue.claim_codes import KEY_PREFIX
from offline_queue.counted import in_points
from offline_queue.entry import MAX_ENTRY_BYTES, MAX_POINTS, Amount, Card, Clock, Entry, Kind, Receipt, encode
from offline_queue.words import Words
from terminal.pos import MAX_TEXT, TransactionRequest, invalid
from terminal.texts import refuse_hidden, refuse_no_moment

REVERSIBLE = frozenset({Kind.EARN, Kind.REDEEM, Kind.CLAIM})


@dataclass(frozen=True)
class PointsRule:
    """How money becomes points and points become money.

    A sale earns `points` for each full `per` minor units of `currency`; one point pays `worth` minor units.
    `name` (`id@version`) is written into each entry, so the ledger can tell who computed what.
    """

    name: str = "base@1"
    currency: str = "EUR"
    points: int = 1
    per: int = 100
    worth: int = 1

    def earned(self, amount: Amount) -> int:
        """Rounded down: a started unit earns nothing."""
        return amount.value * self.points // self.per

    def needed(self, amount: Amount) -> int:
        """Rounded up: the points must cover the amount."""
        return -(-amount.value // self.worth)


@dataclass(frozen=True)
class Stamp:
    """What is new with each entry: its id (UUIDv7), when it was made, and what the till knew of changes by then."""

    id: str
    terminal: str
    business_day: str
    occurred_at: str
    clock: Clock
    hotlist: int | None = None

    def entry(self, kind: Kind, key: str) -> Entry:
        """With nothing in it yet but what every entry has."""
        return Entry(
            id=self.id,
            key=key,
            kind=kind,
            terminal=self.terminal,
            business_day=self.business_day,
            occurred_at=self.occurred_at,
            clock=self.clock,
            hotlist=self.hotlist,
        )


@dataclass(frozen=True)
class Original:
    """A recorded entry that is to be reversed, and the points of it that earlier reversals have taken."""

    entry: Entry
    reversed: int = 0

    @property
    def rest(self) -> int:
        return self.entry.points - self.reversed


REVERSED_TWICE: Final = Words(
    "The original is wholly reversed already; there is nothing left to take back.",
    "L'opération d'origine est déjà entièrement annulée ; il ne reste rien à reprendre.",
)
_NOTHING_TO_REVERSE: Final = Words(
    "What is taken back comes to no whole point, so none has to be reversed.",
    "Ce qui est rendu ne fait pas un point entier : il n'y a rien à annuler.",
)
_OVER_REVERSAL: Final = Words(
    "The original was of {points}; only {left} can still be reversed.",
    "L'opération d'origine portait sur {points} ; il ne reste que {left} à annuler.",
)
_NOT_REVERSIBLE: Final = Words(
    "`reverses` names a record of kind {kind}; only earn, redeem and claim can be reversed.",
    "`reverses` désigne une opération de type {kind} ; seules earn, redeem et claim peuvent être annulées.",
)


def check_key(key: str) -> None:
    """Raises Refusal unless `key` is 1-64 printable ASCII characters, and not a key that a claim may have."""
    if not (1 <= len(key) <= MAX_TEXT and key.isascii() and key.isprintable()):
        raise invalid(f"An Idempotency-Key has 1 to {MAX_TEXT} printable ASCII characters.")
    if key.startswith(KEY_PREFIX):
        raise invalid(f"An Idempotency-Key that begins with {KEY_PREFIX} is the claim's of another sale. Name it anew.")


def draft_earn(request: TransactionRequest, key: str, rule: PointsRule, card: Card | None, stamp: Stamp) -> Entry:
    """A sale; without a card it is kept by its receipt. Raises Refusal("invalid")."""
    _refuse_reverses(request)
    return _draft(Kind.EARN, request, key, stamp, card, _points(request, rule), rule.name)


def draft_redemption(request: TransactionRequest, key: str, rule: PointsRule, card: Card | None, stamp: Stamp) -> Entry:
    """A redemption, still without the right to it (`allowance`). Raises Refusal("invalid")."""
    _refuse_reverses(request)
    if card is None:
        raise invalid("A redemption needs `card`: the points come out of somebody's account.")
    points = _points(request, rule)
    if points == 0:
        raise invalid("A redemption must be of at least one point.")
    return _draft(Kind.REDEEM, request, key, stamp, card, points, rule.name)


def draft_reversal(
    request: TransactionRequest, key: str, rule: PointsRule, card: Card | None, original: Original, stamp: Stamp
) -> Entry:
    """Takes back a sale or a redemption, wholly or in part, on the card of the original.

    Raises Refusal("invalid") where the original is no such thing or has too little left, or a part comes to no point.
    """
    entry = original.entry
    if entry.kind not in REVERSIBLE:
        raise invalid(_NOT_REVERSIBLE.of(kind=entry.kind), "not_reversible")
    if card is not None and (entry.card is None or entry.card.number != card.number):
        raise invalid("`card` is not the card of the original. Leave it out: a reversal goes where its original went.")
    in_full = request.points is None and request.amount is None
    points = original.rest if in_full else _points(request, rule, entry.kind)
    if original.reversed and original.rest == 0:
        raise invalid(REVERSED_TWICE, "reversed_twice")
    if points == 0 and original.rest:
        raise invalid(_NOTHING_TO_REVERSE, "nothing_to_reverse")  # to the ledger 0 points are all that is left
    if points > original.rest:
        raise invalid(_OVER_REVERSAL.of(left=in_points(original.rest), points=in_points(entry.points)), "over_reversal")
    return _draft(Kind.REVERSE, request, key, stamp, entry.card, points, entry.rule)


def draft_release(allowance: str, card: str, points: int, stamp: Stamp) -> Entry:
    """Gives back a right that was granted and never used; only its holder may."""
    entry = stamp.entry(Kind.RELEASE, f"release:{allowance}")
    return replace(entry, points=points, card=Card(card), allowance=allowance)


def effect(kind: Kind, points: int, original: Kind | None = None) -> int:
    """What an entry does to its card's balance: signed points. A reversal undoes its `original`'s kind.

    A claim may have been made elsewhere before, so its points are not counted until the ledger has them in its balance.
    """
    match kind:
        case Kind.EARN:
            return points
        case Kind.REDEEM:
            return -points
        case Kind.REVERSE if original is Kind.CLAIM:
            return 0
        case Kind.REVERSE:
            return points if original is Kind.REDEEM else -points
        case _:
            return 0


def _points(request: TransactionRequest, rule: PointsRule, kind: Kind | None = None) -> int:
    if (request.points is None) == (request.amount is None):
        raise invalid("Give exactly one of `points` and `amount`.")
    if request.amount is None:
        return request.points or 0
    if request.amount.currency != rule.currency:
        raise invalid(f"`amount.currency` is {request.amount.currency}; this programme counts {rule.currency}.")
    points = rule.needed(request.amount) if (kind or request.kind) == Kind.REDEEM else rule.earned(request.amount)
    if points > MAX_POINTS:
        raise invalid(f"`amount` comes to {points}, more than the {MAX_POINTS} points one entry may move.")
    return points


def _refuse_reverses(request: TransactionRequest) -> None:
    if request.reverses is not None:
        raise invalid(f'`reverses` belongs to kind "reverse", not "{request.kind}".')


def _draft(
    kind: Kind, request: TransactionRequest, key: str, stamp: Stamp, card: Card | None, points: int, rule: str | None
) -> Entry:
    refuse_hidden("operator", request.operator)
    _check_receipt(request.receipt)
    entry = replace(
        stamp.entry(kind, key),
        points=points,
        card=card,
        amount=request.amount,
        receipt=request.receipt,
        rule=rule,
        reverses=request.reverses,
        operator=request.operator,
    )
    if len(encode(entry)) > MAX_ENTRY_BYTES:
        raise invalid(f"The transaction is longer than the {MAX_ENTRY_BYTES} bytes a record may have.")
    return entry


def _check_receipt(receipt: Receipt | None) -> None:
    if receipt is None:
        return
    for name in ("number", "store", "issued_at"):
        text = getattr(receipt, name)
        if text is not None and not 1 <= len(text) <= MAX_TEXT:
            raise invalid(f"`receipt.{name}` must be 1 to {MAX_TEXT} characters long.")
        refuse_hidden(f"receipt.{name}", text)
    refuse_no_moment("receipt.issued_at", receipt.issued_at)
