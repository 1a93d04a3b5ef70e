"""What the protocol brings about, made durable: marks and receipts, decisions, changes, and what a restart recalls."""

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from offline_queue.backoff import Backoff, Kept, resumed
from offline_queue.journal_marks import LEDGER_KEY
from offline_queue.receipts import Receipt
from offline_queue.requests import Identity
from offline_queue.steps import Effect, MarkStreams, Moment, PinLedgerKey, SyncState, TakeChanges, TakeDecisions
from offline_queue.timepiece import Timepiece

if TYPE_CHECKING:
    from offline_queue.store import JournalReader, Store

BACKOFF_FACT: Final = "sync.backoff"
GENERATION_FACT: Final = "sync.generation"


class Hotlist(Protocol):
    """Where the till keeps what the ledger tells of cards and keys. Called by the courier's thread alone."""

    def taken(self, generation: str | None) -> int:
        """The cursor of the feed of changes under this generation; 0 where nothing of it was taken over yet."""

    def take(self, page: TakeChanges) -> None:
        """The page and its cursor, both or neither; a page that does not follow the cursor changes nothing."""


class SyncMemory:
    """Used by the courier's thread alone; `journal` is that thread's own reader."""

    def __init__(
        self,
        store: "Store",
        journal: "JournalReader",
        timepiece: Timepiece,
        identity: Identity,
        hotlist: Hotlist | None,
    ) -> None:
        self._store, self._journal, self._timepiece = store, journal, timepiece
        self._identity, self._hotlist = identity, hotlist

    def recalled(self, moment: Moment) -> SyncState:
        """Where an earlier start has left off."""
        return SyncState(
            generation=self._journal.recall(GENERATION_FACT),
            backoff=self._waits(moment),
            protocols=self._identity.protocols,
            ledger_key=self._identity.ledger_key or self._journal.recall(LEDGER_KEY),
        )

    def changes_taken(self, state: SyncState) -> int:
        """The cursor of the feed of changes; its end where nobody keeps them."""
        return state.changes_end if self._hotlist is None else self._hotlist.taken(state.generation)

    def keep(self, effect: Effect, ledger_key: str | None) -> None:
        """`ledger_key` is the one by which receipts were checked. Raises NotRecorded."""
        match effect:
            case TakeDecisions():
                self._store.settle(effect.verdicts, effect.cursor, effect.generation)
            case TakeChanges():
                if self._hotlist is not None:
                    self._hotlist.take(effect)
            case PinLedgerKey(key):
                if self._journal.recall(LEDGER_KEY) != key:
                    self._store.remember(LEDGER_KEY, key)
            case MarkStreams():
                self._mark(effect, ledger_key)

    def keep_waits(self, backoff: Backoff) -> None:
        """So that a daemon that is started again and again does not storm a ledger in trouble. Raises NotRecorded."""
        kept = Kept(self._timepiece.boot_id, backoff, self._timepiece.boottime_ms())
        self._store.remember(BACKOFF_FACT, msgspec.json.encode(kept).decode())

    def _mark(self, effect: MarkStreams, ledger_key: str | None) -> None:
        self._store.mark(effect.marks, effect.generation, self._receipts(effect, ledger_key))
        if effect.renewed:
            # Remembered last: after a crash in between, everything is declared and marked once more.
            self._store.remember(GENERATION_FACT, effect.generation)

    def _receipts(self, effect: MarkStreams, ledger_key: str | None) -> dict[str, Receipt]:
        """Those that were checked: without a known key nothing was."""
        if ledger_key is None:
            return {}
        name, generation = self._identity.terminal, effect.generation
        return {uid: Receipt(custody, name, ledger_key, generation) for uid, custody in effect.receipts.items()}

    def _waits(self, moment: Moment) -> Backoff:
        fact = self._journal.recall(BACKOFF_FACT)
        try:
            kept = msgspec.json.decode(fact, type=Kept) if fact else None
        except msgspec.DecodeError:
            kept = None  # Written by another version: its waits are not worth more than a fresh start.
        return resumed(kept, self._timepiece.boot_id, moment.now_ms, moment.chance)
