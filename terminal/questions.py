"""Questions about the till as it stands, answered with plain values that any dialect can show."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec

from offline_queue.entry import State, masked
from offline_queue.journal import Found
from offline_queue.mirror import MirrorReport
from offline_queue.store import JournalReader
from offline_queue.sync_report import NOT_YET, SyncReport
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.words import Words
from terminal.disk import DiskView
from terminal.inbox import ReaderStatus
from terminal.pos import CardView, Outcome, Refusal, invalid
from terminal.readers.tally import Tally
from terminal.sync_progress import Pass, Sample, advanced

MAX_PAGE: Final = 1000
UNDECIDED: Final = Words(
    "The till is still at it: whether this is recorded is not decided yet. Ask again in a second, or send it again with"
    " the same key: it cannot count twice.",
    "La caisse y travaille encore : rien n'est décidé. Redemandez dans une seconde, ou renvoyez avec la même clé : rien"
    " ne comptera deux fois.",
)

HISTORY: Final = {
    State.QUEUED: [State.QUEUED],
    State.ACCEPTED: [State.QUEUED, State.ACCEPTED],
    State.POSTED: [State.QUEUED, State.ACCEPTED, State.POSTED],
    State.PARKED: [State.QUEUED, State.ACCEPTED, State.PARKED],
    State.CONFLICT: [State.QUEUED, State.ACCEPTED, State.CONFLICT],
    State.RESOLVED: [State.QUEUED, State.ACCEPTED, State.RESOLVED],
}
"""How an entry got to where it stands; the ledger's last word alone is kept."""


class Page(msgspec.Struct, frozen=True):
    """Which entries of the queue are wanted: those after the id `after`, in `state` if one is given."""

    after: str | None = None
    limit: int = 100
    state: State | None = None


class _Said(msgspec.Struct):
    claim: str | None = None


_said: Final = msgspec.json.Decoder(_Said)


def outcome(found: Found) -> Outcome:
    """What became of a transaction."""
    entry, verdict = found.entry, found.verdict
    return Outcome(
        id=entry.id,
        kind=entry.kind,
        state=found.state,
        points=entry.points,
        idempotency_key=entry.key,
        occurred_at=entry.occurred_at,
        card=CardView(masked(entry.card.number)) if entry.card else None,
        verdict=verdict.code if verdict else None,
        detail=verdict.detail if verdict else None,
        reverses=entry.reverses,
        history=HISTORY[found.state],
    )


class Questions:
    """Used by the till's thread alone. `sync_now` asks the ledger's side for a pass at once."""

    def __init__(
        self,
        terminal: str,
        version: str,
        journal: JournalReader,
        timepiece: Timepiece,
        sync_now: Callable[[], None],
        disk: Callable[[], DiskView | None],
        mirror: Callable[[], MirrorReport | None],
        tallies: Mapping[str, Tally],
        readers: Mapping[str, ReaderStatus],
        held: Collection[str],
        in_flight: Collection[str],
    ) -> None:
        self._terminal = terminal
        self._version = version
        self._journal = journal
        self._timepiece = timepiece
        self._sync_now = sync_now
        self._disk, self._mirror, self._tallies = disk, mirror, tallies
        self._readers, self._held, self._in_flight = readers, held, in_flight
        self._ledger = NOT_YET
        self._pass = Pass()

    def answer(self, what: str, argument: str) -> Any:
        """Raises Refusal for what does not exist and for what nobody can answer."""
        known: dict[str, Callable[[str], Any]] = {
            "status": self._status,
            "transaction": self._transaction,
            "transaction_by_key": self._transaction_by_key,
            "recorded": self._recorded,
            "queue": self._queue,
            "sync": self._sync,
            "health": lambda _: True,
        }
        if what not in known:
            raise Refusal("invalid", f"The till knows no question {what!r}.")
        return known[what](argument)

    def ledger_changed(self, word: SyncReport) -> dict[str, Any]:
        """Takes it up; what watchers are told of it."""
        self._ledger, queue = word, self.queue_now()
        sample = Sample(self._timepiece.boottime_ms(), word.accepted, queue["queued"])
        resting = word.next_attempt is not None
        self._pass = advanced(self._pass, sample, reachable=word.reachable, resting=resting)
        return {**msgspec.structs.asdict(word), "queue": queue, **self._sync_view()}

    def _sync_view(self) -> dict[str, Any]:
        return {"phase": self._pass.phase, "progress": self._pass.progress}

    def queue_now(self) -> dict[str, Any]:
        """`oldest_age_s` is by the wall clock, which may be wrong; it decides nothing."""
        totals = self._journal.totals()
        oldest = totals.oldest_unaccepted_at
        age = None
        if oldest is not None:
            age = max(0.0, self._timepiece.unix_ms() / 1000 - datetime.fromisoformat(oldest).timestamp())
        return {"queued": totals.queued, "oldest_age_s": age, "conflicts": totals.conflicts}

    def _status(self, _: str) -> dict[str, Any]:
        ledger = self._ledger
        return {
            "terminal": self._terminal,
            "version": self._version,
            "ledger": {
                "reachable": ledger.reachable,
                "last_success": ledger.last_success,
                "next_attempt": ledger.next_attempt,
                "detail": ledger.detail,
                "orders": ledger.orders,
            },
            "queue": self.queue_now(),
            "disk": self._disk(),
            "mirror": self._mirror(),
            "sync": self._sync_view(),
            "readers": [self._counted(reader) for reader in self._readers.values()],
            "tested": sorted(self._held),
            "clock": {
                "wall": rfc3339(self._timepiece.unix_ms()),
                "boot_id": self._timepiece.boot_id,
                "boottime_ms": self._timepiece.boottime_ms(),
                "ledger_time": ledger.ledger_time,
            },
        }

    def _counted(self, reader: ReaderStatus) -> ReaderStatus:
        """With its counters of now: no event tells that time goes by, or of a card that was there already."""
        tally = self._tallies.get(reader.name)
        return reader if tally is None else replace(reader, counters=tally.counters)

    def _transaction(self, entry_id: str) -> Outcome:
        return _told(_here(self._journal.find_id(entry_id), "id"))

    def _transaction_by_key(self, key: str) -> Outcome:
        return _told(self._recorded(key))

    def _recorded(self, key: str) -> Found:
        """Entry and first answer as they are in the journal, for dialects that make their own answer of them."""
        found = self._journal.find_key(key)
        if found is None and key in self._in_flight:
            raise Refusal("unanswered", UNDECIDED)
        return _here(found, "Idempotency-Key")

    def _queue(self, argument: str) -> list[Outcome]:
        try:
            page = msgspec.json.decode(argument or "{}", type=Page)
        except msgspec.DecodeError as error:
            raise Refusal("invalid", f"The page asked for makes no sense: {error}") from None
        if page.after is not None and self._journal.find_id(page.after) is None:
            raise invalid("`after` names no transaction of this till; use the `next` of the page before.")
        states = None if page.state is None else [page.state]
        return [outcome(found) for found in self._journal.list(page.after, min(page.limit, MAX_PAGE), states)]

    def _sync(self, _: str) -> dict[str, int]:
        self._sync_now()
        return {"due": self._journal.totals().queued}


def _told(found: Found) -> Outcome:
    return msgspec.structs.replace(outcome(found), claim=_said.decode(found.reply or b"{}").claim)


def _here(found: Found | None, by: str) -> Found:
    if found is None:
        raise Refusal("not_found", f"This till has recorded no transaction with this {by}.")
    return found
