"""How many requests are worked on at once, whose turn is next, and when those turned away may come again.

Pure: clock (seconds) and chance (in [0, 1)) are arguments. The storm simulation (bench/storm.py) drives this
very code; ledger/http/entrance.py puts it before the ledger's door. docs/decisions/0019-admission.md tells why it is
so.
"""

from collections import deque
from enum import IntEnum
from typing import Annotated, Final

import msgspec

PATIENCE_S: Final = 8.0
"""A till waits ten seconds for an answer; work on what nobody listens for any more would only keep others waiting."""
LONGEST_S: Final = 300.0
"""Nobody is sent away for longer, whatever the backlog."""
JITTER: Final = 0.2
PROMISED: Final = 0.5
"""Of the capacity, what is given away by appointment; the rest is for those who come by themselves, and for what a till
says after its first word."""
FAIR_TURN: Final = 4
"""Every so many turns go to whoever has waited longest, so that nothing starves."""
FIRST_TOOK_S: Final = 0.05
"""What a request is taken to cost before one was measured."""
SMOOTHING: Final = 0.05


class Rank(IntEnum):
    """Who goes first."""

    CUSTOMER = 0  # somebody stands at the counter: allowances, accounts
    HELLO = 1
    BULK = 2


ROOM_FOR: Final = {Rank.CUSTOMER: 1.0, Rank.HELLO: 0.75, Rank.BULK: 0.5}
"""Of the places to wait in, what those of a rank and below may fill."""


class Room(msgspec.Struct, frozen=True):
    """Requests `at_once` at work, so many more `waiting`, and of either at most a `share` by one terminal."""

    at_once: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 16
    waiting: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 64
    share: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 4


class Ticket(msgspec.Struct, eq=False):
    """A request that was let in; it may work once it is `at_work`, since `since_s`."""

    terminal: str
    rank: Rank
    since_s: float
    at_work: bool = False


class TurnedAway(msgspec.Struct, frozen=True):
    """Not now. `retry_after_s` is a whole number of seconds, as HTTP has it."""

    retry_after_s: int


def promised(until_s: float, now_s: float, rate: float) -> float:
    """Until when the time is given away, once one more is told to come again; `rate` requests are served a second."""
    return min(max(until_s, now_s) + 1 / (rate * PROMISED), now_s + LONGEST_S)


def retry_after_s(until_s: float, now_s: float, chance: float) -> int:
    """Those turned away come one after the other, so that they meet an idle ledger and not each other."""
    spread = until_s - now_s
    jitter = 0.5 if spread >= LONGEST_S else JITTER
    return max(1, round(spread * (1 - jitter * chance)))


class Admission:
    """The requests that one process works on or keeps waiting. `arrive`, and `leave` with every ticket it gave."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.at_work = 0
        self.turned_away = 0
        self._lines: dict[Rank, deque[Ticket]] = {rank: deque() for rank in Rank}
        self._here: dict[str, int] = {}
        self._took_s, self._turns, self._promised_until_s = FIRST_TOOK_S, 0, 0.0

    @property
    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    @property
    def rate(self) -> float:
        """Requests a second that can be served, as measured; also while few come."""
        return self.room.at_once / self._took_s

    def arrive(self, terminal: str, rank: Rank, now_s: float, chance: float) -> Ticket | TurnedAway:
        """`terminal` is who the request says it is from: nothing was looked into yet."""
        if self._here.get(terminal, 0) >= self.room.share:
            return TurnedAway(1)
        ticket = Ticket(terminal, rank, now_s)
        if self.at_work < self.room.at_once:
            self._begin(ticket, now_s)
        elif self.waiting < self._places(rank):
            self._lines[rank].append(ticket)
        else:
            self.turned_away += 1
            self._promised_until_s = promised(self._promised_until_s, now_s, self.rate)
            return TurnedAway(retry_after_s(self._promised_until_s, now_s, chance))
        self._here[terminal] = self._here.get(terminal, 0) + 1
        return ticket

    def leave(self, ticket: Ticket, now_s: float) -> Ticket | None:
        """The request is answered, or given up while it waited. Returns whose turn it is now."""
        if self._here[ticket.terminal] == 1:
            del self._here[ticket.terminal]
        else:
            self._here[ticket.terminal] -= 1
        if not ticket.at_work:
            self._lines[ticket.rank].remove(ticket)
            return None
        self.at_work -= 1
        self._took_s += SMOOTHING * (max(now_s - ticket.since_s, 1e-4) - self._took_s)
        following = self._next()
        if following is not None:
            self._begin(following, now_s)
        return following

    def _places(self, rank: Rank) -> float:
        in_time = self.rate * max(0.0, PATIENCE_S - self._took_s)
        return min(self.room.waiting, in_time) * ROOM_FOR[rank]

    def _begin(self, ticket: Ticket, now_s: float) -> None:
        self.at_work += 1
        ticket.at_work, ticket.since_s = True, now_s

    def _next(self) -> Ticket | None:
        lines = [line for line in self._lines.values() if line]
        if not lines:
            return None
        self._turns += 1
        if self._turns % FAIR_TURN == 0:
            return min(lines, key=lambda line: line[0].since_s).popleft()
        return lines[0].popleft()
