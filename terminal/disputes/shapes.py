"""What a shop and its till say to each other of entries in dispute; values only, as in terminal/pos.py."""

from typing import Annotated

import msgspec

from offline_queue.entry import MAX_POINTS, Kind, Resolution, State
from offline_queue.words import Words
from terminal.pos import CardView

Author = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Signed = Annotated[int, msgspec.Meta(ge=-MAX_POINTS, le=MAX_POINTS)]


class ResolutionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's decision: the entry counts as asked or not at all, or it shall have had `points` (negative: taken)."""

    decision: Resolution
    reason: Reason
    author: Author
    points: Signed | None = None


class ResolutionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last decision that was taken at this till; `state` is that of the correction `id` which carries it.

    While it is `queued` or `accepted` the ledger has not said yet what it makes of it.
    """

    id: str
    decision: Resolution
    author: str
    reason: str
    state: State
    points: int | None = None


class ResolutionAnswer(msgspec.Struct, frozen=True):
    """The decision is durable in the correction `id`; `conflict` is resolved when the ledger says so."""

    id: str
    conflict: str
    decision: Resolution
    state: State
    detail: Words


class Dispute(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry that somebody has to look at, or had to.

    `sentence` says it for the cashier, `code` and `detail` as the ledger did. It is `age_s` seconds old by the
    till's clock. `resolutions` are the decisions that can be taken here; none: head office's alone.
    """

    id: str
    kind: Kind
    state: State
    points: int
    idempotency_key: str
    occurred_at: str
    card: CardView | None
    code: str
    sentence: Words
    age_s: float
    resolutions: list[Resolution]
    detail: str | None = None
    receipt: str | None = None
    effect: int | None = None
    resolution: ResolutionView | None = None


class Disputes(msgspec.Struct, frozen=True):
    """Those that wait for a decision, the oldest first; ask again with `after` = `next` while there is one."""

    entries: list[Dispute]
    next: str | None
