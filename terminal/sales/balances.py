"""What the till may say of a card's points: the last certain balance and what is recorded since, undecided.

The sums of undecided entries live in memory and are rebuilt from the journal at start; each entry is counted
from its commit until the ledger's first decision on it, and exactly once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offline_queue.conflicts import verdict_state
from offline_queue.entry import MAX_ENTRY_BYTES, Entry, Kind, State, decode
from offline_queue.store import JournalReader
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Verdict
from terminal.cards.directory import Directory
from terminal.pos import BalanceView
from terminal.sales.expiries import coming, gone, left
from terminal.sales.pending import Move, Pending, move_of, sum_of
from terminal.sales.spans import Span, Spans
from terminal.sales.stamps import Stamps
from terminal.sales.unsettled import Unsettled

UNFINISHED: Final = frozenset({State.PARKED, State.CONFLICT})
MOST_UNFINISHED: Final = 100_000
PAGE: Final = 500
"""Records decoded at a time: a few hundred kilobytes."""


@dataclass(frozen=True)
class Decided:
    """An entry and the ledger's word on it."""

    entry: Entry
    verdict: Verdict


class Balances:
    """Used by the till's thread alone."""

    def __init__(self, directory: Directory, journal: JournalReader, stamps: Stamps) -> None:
        self._directory = directory
        self._journal = journal
        self._stamps = stamps
        self._pending: dict[str, Pending] = {}
        self._moves: dict[str, Move] = {}
        """What undecided redemptions and reversals do, as it was counted: clocks are set, and originals given up."""
        self._undecided: dict[str, Spans] = {}
        self._unfinished: dict[str, Spans] = {}
        """Entries that the ledger has decided and not posted: another word on them is news, whatever else it covers."""
        self.unsettled = Unsettled()
        for found in journal.undecided():
            self.count(found.entry, found.stream, found.seq)
        for found in journal.list(None, MOST_UNFINISHED, UNFINISHED):
            self._unfinished.setdefault(found.stream, Spans()).add(found.seq)

    def count(self, entry: Entry, stream: str, seq: int) -> None:
        """An entry has become durable at `stream`, `seq`."""
        new = self._undecided.setdefault(stream, Spans()).add(seq)
        number = _account(entry)
        if new and number is not None:
            move = self._move(entry)
            if move.spending is not None or entry.reverses is not None:
                self._moves[entry.id] = move
            self._pending.setdefault(number, Pending()).add(move)
            self.unsettled.note(entry)

    def hear(self, balances: Sequence[Balance]) -> None:
        """Balances that came with decisions; older ones than known are passed over."""
        if balances:
            self._directory.hear(balances)

    def hear_beside(self, balance: Balance) -> None:
        """A balance that came with an answer, not with the decisions behind it.

        It may count entries already that are pending here, so while there are any the decisions' own is awaited:
        they are on their way when the ledger answers.
        """
        if balance.number not in self._pending:
            self._directory.hear([balance])
        else:
            self._directory.hear_status(balance)

    def decide(self, verdict: Verdict) -> Iterator[Decided]:
        """The entries of a verdict; those decided for the first time leave the pending sums."""
        taken = self._undecided.setdefault(verdict.stream, Spans()).take(verdict.first, verdict.last)
        again = self._unfinished.setdefault(verdict.stream, Spans()).take(verdict.first, verdict.last)
        if not taken and not again and verdict.first == verdict.last:
            again = [(verdict.first, verdict.last)]
        if verdict_state(verdict) in UNFINISHED:
            self._keep_open(verdict.stream, taken + again)
        for first, last in taken:
            for entry in self._entries(verdict.stream, first, last):
                self._discount(entry)
                yield Decided(entry, verdict)
        for first, last in again:
            for entry in self._entries(verdict.stream, first, last):
                yield Decided(entry, verdict)

    def _keep_open(self, stream: str, spans: list[Span]) -> None:
        unfinished = self._unfinished.setdefault(stream, Spans())
        for first, last in spans:
            for seq in range(first, last + 1):
                unfinished.add(seq)

    def view(self, number: str, also: Sequence[Entry] = ()) -> BalanceView | None:
        """None where nothing at all is known; `also` are entries of the card that are being recorded."""
        known, pending = self._directory.find(number), self._together(number, also)
        if known is None and not pending.entries:
            return None
        if known is None:
            return BalanceView(pending.points, None, pending.points, estimate=True)
        told, now = known.balance, self._stamps.ledger_ms()
        expiring = left(told.expiring, pending.spendings)
        ended = gone(expiring, now)
        return BalanceView(
            points=told.points - ended + pending.points,
            as_of=told.as_of,
            pending=pending.points,
            estimate=bool(ended) or not known.fresh or pending.entries > 0,
            inactive=told.inactive,
            expiring=coming(expiring, now),
        )

    def sure(self, number: str, also: Sequence[Entry]) -> int | None:
        """Points that the ledger has told of and that nothing here has used; None where it has told of none.

        What was earned here since is not among them: only the ledger knows from when on it may be used.
        """
        known, pending = self._directory.find(number), self._together(number, also)
        if known is None:
            return None
        expiring = left(known.balance.expiring, pending.spendings)
        return known.balance.points - gone(expiring, self._stamps.ledger_ms()) + pending.surely

    def effect(self, entry: Entry) -> int:
        """Signed points; a reversal is judged by its original."""
        return self._move(entry).points

    def _together(self, number: str, also: Sequence[Entry]) -> Pending:
        return sum_of(self._pending.get(number), [move for entry in also if (move := self._move(entry)).points])

    def _move(self, entry: Entry) -> Move:
        if entry.id in self._moves:
            return self._moves[entry.id]
        original = self._journal.find_id(entry.reverses) if entry.reverses is not None else None
        return move_of(entry, original.entry if original else None, self._stamps.when)

    def _discount(self, entry: Entry) -> None:
        number = _account(entry)
        if number is None:
            return
        pending = self._pending[number]
        pending.take(self._move(entry))
        self._moves.pop(entry.id, None)
        self.unsettled.strike(entry)
        if not pending.entries:
            del self._pending[number]

    def _entries(self, stream: str, first: int, last: int) -> Iterator[Entry]:
        for start in range(first, last + 1, PAGE):
            limit = min(PAGE, last + 1 - start)
            yield from map(decode, self._journal.records(stream, start, limit, limit * MAX_ENTRY_BYTES))


def _account(entry: Entry) -> str | None:
    """The card whose points an entry may move."""
    return entry.card.number if entry.card is not None and entry.kind is not Kind.CARD_EVENT else None
