"""An account explained: every point of it by the entries and rules that gave or took it. Values only.

Times are RFC 3339 with the programme's own offset.
"""

import msgspec


class LotMove(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry did to a lot, `points` with sign: to one that it `made` (below zero: a debt) or that `entry` made.

    The lot's points may be used from `active_at` (at once without it) until `expires_at` (for ever), exclusive.
    """

    points: int
    entry: str
    earned_at: str
    made: bool = False
    active_at: str | None = None
    expires_at: str | None = None


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry and its effect: `points` with sign, and the `balance` after it.

    `at` is when it was, as far as the ledger believes it; `told_at` what the till's clock said where that differs by
    more than its tolerance. `sum` spells the rule's arithmetic out, `remarks` is what was decided of it in the end.
    """

    entry: str
    kind: str
    at: str
    posted_at: str
    terminal: str
    points: int
    balance: int
    code: str
    told_at: str | None = None
    store: str | None = None
    receipt: str | None = None
    operator: str | None = None
    card: str | None = None
    amount: str | None = None
    rule: str | None = None
    sum: str | None = None
    remarks: list[str] = []
    lots: list[LotMove] = []
    reverses: str | None = None
    corrects: str | None = None
    author: str | None = None
    reason: str | None = None
    had: int | None = None
    shall: int | None = None


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry on one of the account's cards that has had no effect so far; `name` is what a correction calls it."""

    name: str
    kind: str
    points: int
    terminal: str
    occurred_at: str
    state: str
    code: str
    why: str | None = None
    receipt: str | None = None


class Promise(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points held back for a till that may redeem them."""

    id: str
    terminal: str
    points: int
    state: str
    granted_at: str | None = None


class Explanation(msgspec.Struct, frozen=True):
    """`points` is the balance in the books; `by_entries` and `by_lots` are the same computed again.

    `usable` now, less any overdraft, `inactive` yet, `expired` and not written off; `reserved` of them for `promises`.
    """

    number: str
    status: str
    as_of: str
    points: int
    usable: int
    inactive: int
    expired: int
    reserved: int
    by_entries: int
    by_lots: int
    steps: list[Step]
    waiting: list[Waiting]
    promises: list[Promise]

    @property
    def adds_up(self) -> bool:
        return self.points == self.by_entries == self.by_lots
