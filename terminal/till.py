"""The one place where events meet state: `handle(event)`, called by one thread, event after event.

It never waits for a network or a disk sync: what takes time is handed on, and its result comes back as an event.
Bad input becomes a Refusal to whoever asked; nothing raises here but a defect or a dead journal.
"""

import dataclasses
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Protocol

from drivers.base import Technology
from offline_queue.conflicts import RESOLVED, needs_people, sentence
from offline_queue.entry import Entry, Kind, State, masked
from offline_queue.mirror import MirrorReport
from offline_queue.store import JournalReader, Store
from offline_queue.timepiece import Timepiece
from terminal.cards.desk import CardDesk
from terminal.cards.directory import Directory
from terminal.cards.identification import Recognition, identify_number
from terminal.cards.notes import CardNotes, WriteNote
from terminal.claims.desk import Claims
from terminal.claims.issue import ClaimIssue
from terminal.config import Config
from terminal.config_offline import Offline
from terminal.counter.ladder_desk import LadderDesk
from terminal.counter.presentations import Presentations
from terminal.counter.reading import Reading
from terminal.counter.refusals import Refused
from terminal.disk import Disk
from terminal.disputes.resolutions import Resolutions
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
    SyncChanged,
    TransactionAsked,
    Welcomed,
)
from terminal.pos import CardView, Promise, Refusal
from terminal.promises.redemptions import Inquiries, Redemptions
from terminal.promises.risk import Risk
from terminal.questions import Questions
from terminal.readers.tally import Tally
from terminal.sales.balances import Balances, Decided
from terminal.sales.recording import AfterCopy, Recording
from terminal.sales.replies import answer, refuse
from terminal.sales.sales import Policy, Sales
from terminal.sales.stamps import Stamps
from terminal.trial.desk import Shop, TrialDesk
from terminal.trial.talk import TrialAsked, TrialDue

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOLD_ONE_BY_ONE: Final = 100
"""A page of decisions longer than this is a backlog: watchers get its sum (`sync`), not each of its records."""

NO_TALLIES: Final[Mapping[str, Tally]] = {}


class Sync(Protocol):
    """What carries records to the ledger. Neither call blocks."""

    def nudge(self) -> None:
        """There are new records."""

    def hasten(self) -> None:
        """A person asks for a pass now."""


class Till:
    """`report` posts an event without waiting; `publish` tells watchers. `key` signs claim codes, if there is one."""

    def __init__(
        self,
        config: Config,
        store: Store,
        journal: JournalReader,
        directory: Directory,
        inquiries: Inquiries,
        publish: Callable[[str, object], None],
        timepiece: Timepiece,
        *,
        report: Callable[[Event], None],
        sync: Sync,
        recognition: Recognition,
        version: str,
        key: "Ed25519PrivateKey | None" = None,
        after_copy: AfterCopy | None = None,
        write_note: WriteNote | None = None,
        mirror: Callable[[], MirrorReport | None] = lambda: None,
        tallies: Mapping[str, Tally] = NO_TALLIES,
        alarm: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._config, self._store, self._journal, self._directory = config, store, journal, directory
        self._inquiries, self._publish, self._timepiece, self._sync = inquiries, publish, timepiece, sync
        self._recognition = recognition
        self._terminal = config.terminal.id
        self._stamps = Stamps(self._terminal, timepiece, hotlist=lambda: directory.hotlist.cursor)
        self._readers: dict[str, ReaderStatus] = {}
        self._held: set[str] = set()
        self._card_questions: dict[str, list[Future[Any]]] = {}
        self.stopping = False
        self._set_up_journal(report, key, after_copy)
        self._set_up_counter()
        self._set_up_desks(write_note, tallies)
        self._trials = TrialDesk(
            Shop(self._terminal, config.terminal.store, version, key),
            *(self._readers, self._held, self._presentations.judged, publish, timepiece, alarm),
        )
        self._questions = Questions(
            *(self._terminal, version, journal, timepiece, sync.hasten, self._disk.view),
            *(mirror, tallies, self._readers, self._held, self._recording.in_flight),
        )

    def _set_up_journal(
        self, report: Callable[[Event], None], key: "Ed25519PrivateKey | None", after_copy: AfterCopy | None
    ) -> None:
        """What stands between a request and its record: balances, claim codes, rights and room."""
        config = self._config
        self._balances = Balances(self._directory, self._journal, self._timepiece)
        self._issue = ClaimIssue(config.claims, key)
        self._recording = Recording(self._store, self._balances, self._issue, report, after_copy)
        self._risk = _risk(config.offline, self._balances, self._timepiece, self._stamps)
        self._redemptions = Redemptions(
            self._recording,
            self._store,
            self._inquiries,
            self._stamps,
            self._timepiece.boottime_ms,
            budget=config.offline.budget(),
            risk=self._risk,
            report=report,
        )
        self._disk = Disk(self._store.space)

    def _set_up_counter(self) -> None:
        """What the cashier and the POS ask for."""
        config, journal, stamps = self._config, self._journal, self._stamps
        card_format = self._recognition.card_format
        policy = Policy(config.programme.points_rule(), card_format, config.terminal.store)
        self._reading = Reading(self._timepiece, config.cards.debounce_ms)
        self._cards = CardDesk(self._directory.hotlist, journal, self._recording, stamps, card_format)
        self._ladder = LadderDesk(
            *(config.cards.ladder, config.readers, self._readers, self._timepiece),
            claims=config.claims.enabled,
            held=self._held,
        )
        self._sales = Sales(
            policy,
            journal,
            self._recording,
            self._redemptions,
            self._reading,
            stamps,
            self._disk,
            self._cards,
            self._ladder,
        )
        self._claims = Claims(self._keys, self._sales.claimant, self._cards.kin, journal, self._recording, stamps)
        self._resolutions = Resolutions(journal, self._recording, stamps, self._timepiece)

    def _set_up_desks(self, write_note: WriteNote | None, tallies: Mapping[str, Tally]) -> None:
        """What becomes of a card that is presented."""
        wanted = write_note if self._config.cards.notes else None
        self._notes = CardNotes(self._issue, self._claims, self._journal, self._publish, wanted)
        self._presentations = Presentations(
            self._recognition,
            self._directory,
            self._reading,
            self._cards,
            self._ladder,
            self._balances,
            self._redemptions.holdings,
            self._inquiries,
            self._publish,
            self._timepiece,
            tallies,
            self._notes,
        )

    @property
    def idle(self) -> bool:
        """Nothing that was taken is still without its answer."""
        return self._recording.idle

    def start(self) -> None:
        """Takes up what an earlier start has left of rights; once, before the first event."""
        self._redemptions.resume(self._journal)
        self._cards.resume()
        self._notes.resume()

    def handle(self, event: Event) -> None:
        """Every kind of event; a question, a sale or a read is answered exactly once."""
        match event:
            case TransactionAsked() | CardEventAsked() | ClaimAsked() | ResolutionAsked():
                self._requested(event)
            case Recorded():
                self._recorded(event)
            case CardPresented() | CardFailed():
                self._card(event)
            case NoteTold():
                self._notes.told(event)
            case ReaderChanged(status):
                self._reader_changed(status)
            case ReadAsked():
                self._presentations.wait(event)
            case ReadAbandoned():
                self._presentations.abandon(event)
            case Asked():
                self._asked(event)
            case TrialAsked() | TrialDue():
                self._trials.told(event)
            case _:
                self._heard(event)

    def _card(self, event: CardPresented | CardFailed) -> None:
        """At a reader that is tested it is a technician's, and no customer's."""
        if self._trials.holds(event.reader):
            self._trials.tapped(event)
        elif isinstance(event, CardPresented):
            self._presentations.presented(event.reader, event.read)
        else:
            self._presentations.failed(event)

    def _requested(self, event: TransactionAsked | CardEventAsked | ClaimAsked | ResolutionAsked) -> None:
        """What is to be recorded."""
        match event:
            case TransactionAsked():
                self._sales.asked(event)
            case CardEventAsked():
                self._cards.asked(event)
            case ClaimAsked():
                self._claims.asked(event)
            case ResolutionAsked():
                self._resolutions.asked(event)

    def _heard(self, event: AllowanceAnswered | Welcomed | AccountHeard | Settled | SyncChanged | Stop) -> None:
        """Words of the ledger, and the last word."""
        match event:
            case AllowanceAnswered(_, word):
                if word is not None and word.balance is not None:
                    self._balances.hear_beside(word.balance)
                self._redemptions.answered(event)
            case Welcomed(time, words):
                self._stamps.heard(time)
                self._risk.ledger_heard()
                self._redemptions.holdings.confirmed(words)
            case AccountHeard():
                self._account(event)
            case Settled():
                self._settled(event)
            case SyncChanged():
                self._sync_changed(event)
            case Stop():
                self.stopping = True
                self._redemptions.stop()
                self._reading.abandon("aborted", None)

    def _recorded(self, event: Recorded) -> None:
        self._recording.landed(event)
        self._redemptions.landed(event)
        if event.error is None and not event.replayed:
            self._cards.recorded(event.entry)
            self._notes.recorded(event.entry)
            self._sync.nudge()
            self._tell(event.entry, State.QUEUED, event.promise)

    def _keys(self, terminal: str) -> list[bytes]:
        """The public keys of a terminal that this till holds: its own, and those that the ledger told of."""
        told = self._directory.hotlist.keys(terminal)
        own = self._issue.public_key if terminal == self._terminal else None
        keys = [key for key, revoked in told if key and not revoked]
        gone = {key for key, revoked in told if revoked}
        return keys if own is None or own in gone else list(dict.fromkeys([own, *keys]))

    def _reader_changed(self, status: ReaderStatus) -> None:
        """Its counters move with every card, which watchers hear of anyway."""
        before = self._questions.readers.get(status.name)
        self._questions.readers[status.name] = status
        self._trials.changed(status)
        if before is None or dataclasses.replace(before, counters=status.counters) != status:
            self._publish("reader_status", status)

    def _asked(self, event: Asked) -> None:
        try:
            if event.what == "card":
                self._card_asked(event)
            elif event.what == "claim":
                answer(event.reply, self._claims.view(event.argument))
            elif event.what == "conflicts":
                answer(event.reply, self._resolutions.page(event.argument))
            elif event.what == "conflict":
                answer(event.reply, self._resolutions.one(event.argument))
            elif event.what == "read":
                answer(event.reply, self._reading.card(event.argument))
            else:
                answer(event.reply, self._questions.answer(event.what, event.argument))
        except Refusal as refusal:
            refuse(event.reply, refusal)

    def _card_asked(self, event: Asked) -> None:
        """Answered when the ledger has been heard or has kept silent."""
        verdict = identify_number(event.argument, self._recognition.card_format)
        if isinstance(verdict, Refused):
            raise self._ladder.refusal(verdict, Technology.KEYED)
        self._card_questions.setdefault(verdict.number, []).append(event.reply)
        self._inquiries.ask_account(verdict.number)

    def _account(self, event: AccountHeard) -> None:
        if event.account is not None:
            self._balances.hear_beside(event.account.balance)
            self._redemptions.holdings.heard(event.account.balance)
        card = CardView(masked(event.number), event.number)
        balance = self._balances.view(event.number)
        heard = event.account is not None or (balance is not None and balance.as_of is not None)
        status, successor = self._cards.view(event.number, heard=heard and event.known)
        told = {
            "card": card,
            "balance": balance,
            "known": heard and event.known,
            "status": status,
            "successor": successor,
            "reached": event.account is not None or not event.known,
        }
        for reply in self._card_questions.pop(event.number, []):
            answer(reply, told)
        if event.account is not None:
            self._publish("balance", told)

    def _settled(self, event: Settled) -> None:
        self._balances.hear(event.balances)
        for balance in event.balances:
            self._redemptions.holdings.heard(balance)
        decided = [decided for verdict in event.verdicts for decided in self._balances.decide(verdict)]
        one_by_one = len(decided) <= TOLD_ONE_BY_ONE
        for one in decided:
            self._cards.decided(one.entry, one.verdict)
            self._notes.decided(one.entry)
            if one_by_one:
                self._tell(one.entry, one.verdict.state)
            if needs_people(one.verdict) or one.verdict.state is State.RESOLVED:
                self._publish("conflict", _conflict(one))

    def _sync_changed(self, event: SyncChanged) -> None:
        self._stamps.ledger_time = event.ledger_time or self._stamps.ledger_time
        self._redemptions.give_back()
        self._notes.ledger(reachable=event.reachable)
        self._publish("sync", self._questions.ledger_changed(event))

    def _tell(self, entry: Entry, state: State, promise: Promise | None = None) -> None:
        """Watchers hear of a transaction's new state; what opens and closes a stream is none."""
        if entry.kind in {Kind.GENESIS, Kind.SEAL}:
            return
        number = entry.card.number if entry.card else None
        told = {"id": entry.id, "kind": entry.kind, "state": state, "points": entry.points}
        if promise is not None:
            told["promise"] = promise
        card = CardView(masked(number), number) if number else None
        balance = self._balances.view(number) if number else None
        claimable = card is None and self._issue.has_code(entry)
        self._publish("transaction", {**told, "card": card, "balance": balance, "claimable": claimable})


def _risk(offline: Offline, balances: Balances, timepiece: Timepiece, stamps: Stamps) -> Risk:
    """Chance comes from the timepiece, the age of balances from the ledger's clock."""
    return Risk(
        offline.limits(),
        offline.floor_online_check,
        balances,
        chance=lambda: int.from_bytes(timepiece.random(6), "big") / 2**48,
        ledger_ms=stamps.ledger_ms,
    )


def _conflict(decided: Decided) -> dict[str, object]:
    """One that has appeared, or that is resolved now."""
    verdict = decided.verdict
    words = RESOLVED if verdict.state is State.RESOLVED else sentence(verdict.code)
    said = {"state": verdict.state, "sentence": words}
    return {"id": decided.entry.id, "code": verdict.code, "detail": verdict.detail, **said}
