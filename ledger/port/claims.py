"""What became of a claim code at the office."""

import msgspec

from offline_queue.entry import State


class Redeemed(msgspec.Struct, frozen=True):
    """The office's own `entry` for it and the decision on that; `points` are credited by it, 0 where others were."""

    entry: str
    state: State
    code: str
    points: int
    detail: str | None = None
