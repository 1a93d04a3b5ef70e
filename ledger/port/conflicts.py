"""Entries that need a person's decision, and what became of it."""

import msgspec

from ledger.port.statements import Line


class Flagged(msgspec.Struct, frozen=True):
    """A record that waits or needs a person's look; its `id` is None where it cannot be read, `card` is masked.

    `name` is what a correction calls it: its id, or STREAM:SEQ where it cannot be read or is not of whom it says.
    """

    terminal: str
    stream: str
    seq: int
    state: str
    code: str
    detail: str | None
    id: str | None
    kind: str | None
    points: int | None
    card: str | None
    name: str


class Outcome(msgspec.Struct, frozen=True):
    """What a decision would do: the entry `shall` have had so many points, `effect` is posted for that.

    `balance` is the account's then; `why_not` tells why it cannot be decided so.
    """

    shall: int
    effect: int
    balance: int | None = None
    why_not: str | None = None


class Told(msgspec.Struct, frozen=True):
    """An earlier word on an entry: by whom and why, and what the entry had and was to have."""

    id: str
    author: str
    reason: str
    terminal: str
    had: int
    shall: int


class Conflict(msgspec.Struct, frozen=True):
    """An entry and all that bears on its resolution.

    `asked` is the effect it asked for, `has` its effect now, `undone` what reversals made of that. `first` is the entry
    that stands under the same key. `balance` and `reserved` are those of its account, None without one.
    """

    record: Flagged
    occurred_at: str | None
    receipt: str | None
    asked: int
    has: int
    undone: int
    balance: int | None
    reserved: int | None
    first: Line | None
    words: list[Told]
    honour: Outcome
    refuse: Outcome


class Settled(msgspec.Struct, frozen=True):
    """What became of a resolution: the `correction` that says it, and its `effect` on the account.

    `code` is that of the correction's verdict; `repeated` where the entry was settled like this before.
    """

    id: str
    correction: str
    effect: int
    code: str
    detail: str | None
    repeated: bool = False
