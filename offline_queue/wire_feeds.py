"""The two feeds of the wire: the ledger's decisions for one till, and its changes for all.

Shapes only, as in wire.py.
"""

import msgspec

from offline_queue.entry import State
from offline_queue.wire import Count, Points, Seq
from offline_queue.wire_accounts import Balance


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ledger's decision on the records `first`..`last` of a stream: their state and why.

    Posted records of one batch of which the same is told share a verdict; every other record has its own. A later
    verdict on the same record replaces the earlier one (a parked earn is posted when its card is registered).
    `points` is the effect of each record on the account, negative for a redemption, where it differs from what was
    asked: 0 for sales that were in the books before.
    """

    n: Count
    stream: str
    first: Seq
    last: Seq
    state: State
    code: str
    detail: str | None = None
    points: Points | None = None


class Decisions(msgspec.Struct, frozen=True):
    """A page of the feed for this terminal: verdicts in order of `n`; ask again after `next` while `more`."""

    request: str
    generation: str
    verdicts: list[Verdict]
    balances: list[Balance]
    next: Count
    more: bool


class CardChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a card is from now on: `active`, `inactive`, `blocked`, `replaced` or `merged`, and into which."""

    number: str
    status: str
    successor: str | None = None


class KeyChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A terminal's public key (base64) with which claim codes are checked; `revoked`: what it signs counts no more."""

    terminal: str
    public_key: str
    revoked: bool = False


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change that every till takes over, numbered `n`; exactly one of the others is there."""

    n: Count
    card: CardChange | None = None
    key: KeyChange | None = None


class Changes(msgspec.Struct, frozen=True):
    """A page of the feed of changes, in order of `n`: it counts wholly or not at all. After `next` come `more`."""

    request: str
    generation: str
    changes: list[Change]
    next: Count
    more: bool
