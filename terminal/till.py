"""The one place where events meet state: `handle(event)`, called by one thread, event after event.

It never waits for a network or a disk sync: what takes time is handed on, and its result comes back as an event.
Bad input becomes a Refusal to whoever asked; nothing raises here but a defect or a dead journal.
Each event goes to the desk that it is for; terminal/desks.py makes them.
"""

import dataclasses
from typing import Any

from offline_queue.entry import State
from offline_queue.sync_report import SyncReport
from terminal import desks
from terminal.desks import Readers, Surroundings
from terminal.inbox import (
    AccountHeard,
    AllowanceAnswered,
    Asked,
    CardEventAsked,
    CardFailed,
    CardPresented,
    ClaimAsked,
    Event,
    NoteTold,
    ReadAbandoned,
    ReadAsked,
    ReaderChanged,
    ReaderStatus,
    Recorded,
    ResolutionAsked,
    Settled,
    Stop,
    TransactionAsked,
    Welcomed,
)
from terminal.ledger_words import LedgerWords
from terminal.sales.replies import answer, refusing
from terminal.trial.talk import TrialAsked, TrialDue
from terminal.watchers import Watchers


class Till:
    """Owns the state of the till; used by one thread alone."""

    def __init__(self, around: Surroundings) -> None:
        self._journal, self._sync, self._publish = around.journal, around.sync, around.publish
        self._readers = Readers()
        self._records = desks.records(around)
        self._counter = desks.counter(around, self._records, self._readers)
        self._watchers = Watchers(around.publish, self._records.balances, self._records.issue)
        self._trials = desks.trials(around, self._counter, self._readers)
        self._questions = desks.questions(around, self._records, self._readers)
        self._card_questions = desks.card_questions(around, self._records, self._counter)
        self._ledger = LedgerWords(
            *(self._records, self._counter, self._card_questions, self._questions, self._watchers, around.publish)
        )
        self.stopping = False

    @property
    def idle(self) -> bool:
        """Nothing that was taken is still without its answer."""
        return self._records.recording.idle

    def start(self) -> None:
        """Takes up what an earlier start has left of rights; once, before the first event."""
        self._records.redemptions.resume(self._journal)
        self._counter.cards.resume()
        self._counter.notes.resume()

    def handle(self, event: Event) -> None:
        """Every kind of event; a question, a sale or a read is answered exactly once."""
        match event:
            case TransactionAsked() | CardEventAsked() | ClaimAsked() | ResolutionAsked():
                self._requested(event)
            case Recorded():
                self._recorded(event)
            case CardPresented() | CardFailed() | NoteTold() | ReaderChanged() | ReadAsked() | ReadAbandoned():
                self._at_a_reader(event)
            case Asked():
                self._asked(event)
            case TrialAsked() | TrialDue():
                self._trials.told(event)
            case AllowanceAnswered() | Welcomed() | AccountHeard() | Settled() | SyncReport():
                self._ledger.heard(event)
            case Stop():
                self._stop()

    def _requested(self, event: TransactionAsked | CardEventAsked | ClaimAsked | ResolutionAsked) -> None:
        """What is to be recorded."""
        match event:
            case TransactionAsked():
                self._counter.sales.asked(event)
            case CardEventAsked():
                self._counter.cards.asked(event)
            case ClaimAsked():
                self._counter.claims.asked(event)
            case ResolutionAsked():
                self._counter.resolutions.asked(event)

    def _recorded(self, event: Recorded) -> None:
        """What is durable now counts here, leaves for the ledger and is told."""
        self._records.recording.landed(event)
        self._records.redemptions.landed(event)
        if event.error is None and not event.replayed:
            self._counter.cards.recorded(event.entry)
            self._counter.notes.recorded(event.entry)
            self._sync.nudge()
            self._watchers.transaction(event.entry, State.QUEUED, event.promise)

    def _at_a_reader(
        self, event: CardPresented | CardFailed | NoteTold | ReaderChanged | ReadAsked | ReadAbandoned
    ) -> None:
        """What a reader tells, and a POS that waits for one."""
        match event:
            case CardPresented() | CardFailed():
                self._card(event)
            case NoteTold():
                self._counter.notes.told(event)
            case ReaderChanged(status):
                self._reader_changed(status)
            case ReadAsked():
                self._counter.presentations.wait(event)
            case ReadAbandoned():
                self._counter.presentations.abandon(event)

    def _card(self, event: CardPresented | CardFailed) -> None:
        """At a reader that is tested it is a technician's, and no customer's."""
        if self._trials.holds(event.reader):
            self._trials.tapped(event)
        elif isinstance(event, CardPresented):
            self._counter.presentations.presented(event.reader, event.read)
        else:
            self._counter.presentations.failed(event)

    def _reader_changed(self, status: ReaderStatus) -> None:
        """Its counters move with every card, which watchers hear of anyway."""
        before = self._readers.states.get(status.name)
        self._readers.states[status.name] = status
        self._trials.changed(status)
        if before is None or dataclasses.replace(before, counters=status.counters) != status:
            self._publish("reader_status", status)

    def _asked(self, event: Asked) -> None:
        """A question: of a card it is answered later, all others at once."""
        with refusing(event.reply):
            if event.what == "card":
                self._card_questions.asked(event)
            else:
                answer(event.reply, self._answer(event.what, event.argument))

    def _answer(self, what: str, argument: str) -> Any:
        match what:
            case "claim":
                return self._counter.claims.view(argument)
            case "conflicts":
                return self._counter.resolutions.page(argument)
            case "conflict":
                return self._counter.resolutions.one(argument)
            case "read":
                return self._counter.reading.card(argument)
        return self._questions.answer(what, argument)

    def _stop(self) -> None:
        """Whoever still waits hears so now; what is in flight is finished."""
        self.stopping = True
        self._records.redemptions.stop()
        self._counter.reading.abandon("aborted", None)
