"""What POS and till say to each other of claim codes; values only, as in terminal/pos.py."""

from enum import StrEnum
from typing import Annotated

import msgspec

from offline_queue.claim_codes import MAX_CHARACTERS
from offline_queue.entry import Kind, State
from offline_queue.words import Words
from terminal.pos import BalanceView, CardNumber, CardView

CodeText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARACTERS)]


class Proof(StrEnum):
    """`unknown_till`: this till does not hold the key of the one that signed, so only the ledger can tell."""

    PROVEN = "proven"
    UNKNOWN_TILL = "unknown_till"
    UNPROVEN = "unproven"


class ClaimQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim code as scanned, or as typed line by line."""

    code: CodeText


class ClaimRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim code, and the card that its points should go to."""

    code: CodeText
    card: CardNumber


class ClaimView(msgspec.Struct, frozen=True):
    """What a code says, and what this till knows of it. `code` is its form for scanners.

    `on_card`: the sale was made with a card, and only that one or its successor may claim it. `claimed` is the card
    that has the points as far as this till knows. `detail` is for the cashier.
    """

    code: str
    terminal: str
    id: str
    idempotency_key: str
    points: int
    occurred_at: str
    receipt: str | None
    store: str | None
    on_card: bool
    proof: Proof
    claimed: CardView | None
    detail: Words


class ClaimAnswer(msgspec.Struct, frozen=True):
    """What the POS hears once the claim is durable; `sale` is the id of the sale that it credits."""

    id: str
    kind: Kind
    state: State
    points: int
    card: CardView | None
    balance: BalanceView | None
    sale: str
    proof: Proof
    detail: Words
