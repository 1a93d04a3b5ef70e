"""Tills as the office knows them, and the rights that they hold."""

import msgspec


class Terminal(msgspec.Struct, frozen=True):
    """An enrolled till: `public_key` in base64, times RFC 3339, `records` in custody over its `streams`.

    `findings`: what was found against it and nobody has acknowledged yet (codes of wire.OrderCode). `revoked`: why its
    key counts no more.
    """

    name: str
    public_key: str
    enrolled_at: str
    seen_at: str | None
    software: str | None
    streams: int
    forks: int
    records: int
    findings: list[str] = []
    revoked: str | None = None


class Held(msgspec.Struct, frozen=True):
    """A right that holds points back, bound to a stream of its terminal. `card` is masked, `granted_at` RFC 3339.

    `locked`: its holder has given it up, but a copy of that till might still use it.
    """

    id: str
    terminal: str
    stream: str
    card: str
    points: int
    state: str
    granted_at: str | None


class Recovery(msgspec.Struct, frozen=True):
    """Whether the books went back in time and promise nothing yet, and whom they wait for."""

    on: bool
    waiting: list[str]
    reported: list[str]
