"""The desks of the till, each made once: who decides what about a request, a card or the ledger's word.

terminal/till.py brings them their events. Every desk is used by the till's thread alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from offline_queue.mirror import MirrorReport
from offline_queue.store import JournalReader, Store
from offline_queue.timepiece import Timepiece
from terminal.cards.desk import CardDesk
from terminal.cards.directory import Directory
from terminal.cards.identification import Recognition
from terminal.cards.notes import CardNotes, WriteNote
from terminal.cards.questions import CardQuestions
from terminal.claims.desk import Claims
from terminal.claims.issue import ClaimIssue
from terminal.claims.keys import KnownKeys
from terminal.config import Config
from terminal.counter.ladder_desk import LadderDesk
from terminal.counter.presentations import Presentations
from terminal.counter.reading import Reading
from terminal.disk import Disk
from terminal.disputes.resolutions import Resolutions
from terminal.inbox import Event, ReaderStatus
from terminal.promises.redemptions import Inquiries, Redemptions
from terminal.promises.risk import Risk
from terminal.questions import Questions
from terminal.readers.tally import Tally
from terminal.sales.balances import Balances
from terminal.sales.recording import AfterCopy, Recording
from terminal.sales.sales import Policy, Sales
from terminal.sales.stamps import Stamps
from terminal.trial.desk import Shop, TrialDesk
from terminal.watchers import Publish

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Sync(Protocol):
    """What carries records to the ledger. Neither call blocks."""

    def nudge(self) -> None:
        """There are new records."""

    def hasten(self) -> None:
        """A person asks for a pass now."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """All that a till is put into; nothing of it blocks.

    `report` posts an event, `publish` tells watchers, `alarm` posts TrialDue in so many milliseconds. `key` signs claim
    codes, `after_copy` waits for second copies and `write_note` writes on cards, where there is such a thing.
    """

    config: Config
    version: str
    store: Store
    journal: JournalReader
    directory: Directory
    timepiece: Timepiece
    recognition: Recognition
    inquiries: Inquiries
    sync: Sync
    report: Callable[[Event], None]
    publish: Publish
    key: "Ed25519PrivateKey | None" = None
    after_copy: AfterCopy | None = None
    write_note: WriteNote | None = None
    mirror: Callable[[], MirrorReport | None] = lambda: None
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    alarm: Callable[[int], None] = lambda _: None

    @property
    def terminal(self) -> str:
        return self.config.terminal.id


@dataclass(frozen=True)
class Readers:
    """The readers as the till knows them: the last state of each, and the names of those that are tested now."""

    states: dict[str, ReaderStatus] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Records:
    """What stands between a request and its record: balances, claim codes, rights, time and room."""

    balances: Balances
    issue: ClaimIssue
    recording: Recording
    stamps: Stamps
    risk: Risk
    redemptions: Redemptions
    disk: Disk


@dataclass(frozen=True)
class Counter:
    """What the cashier and the POS ask for, and what becomes of a card that is presented."""

    reading: Reading
    cards: CardDesk
    ladder: LadderDesk
    sales: Sales
    claims: Claims
    resolutions: Resolutions
    notes: CardNotes
    presentations: Presentations


def records(around: Surroundings) -> Records:
    timepiece, directory = around.timepiece, around.directory
    stamps = Stamps(around.terminal, timepiece, hotlist=lambda: directory.hotlist.cursor)
    balances = Balances(directory, around.journal, stamps)
    issue = ClaimIssue(around.config.claims, around.key)
    recording = Recording(around.store, around.journal, balances, issue, around.report, around.after_copy)
    risk = _risk(around, balances, stamps)
    redemptions = Redemptions(
        *(recording, around.store, around.inquiries, stamps, timepiece.boottime_ms),
        budget=around.config.offline.budget(),
        risk=risk,
        report=around.report,
    )
    return Records(balances, issue, recording, stamps, risk, redemptions, Disk(around.store.space))


def _risk(around: Surroundings, balances: Balances, stamps: Stamps) -> Risk:
    """Chance comes from the timepiece, the age of balances from the ledger's clock."""
    offline, timepiece = around.config.offline, around.timepiece
    return Risk(
        *(offline.limits(), offline.floor_online_check, balances),
        chance=lambda: int.from_bytes(timepiece.random(6), "big") / 2**48,
        ledger_ms=stamps.ledger_ms,
    )


def counter(around: Surroundings, records: Records, readers: Readers) -> Counter:
    config, journal = around.config, around.journal
    recording, stamps, card_format = records.recording, records.stamps, around.recognition.card_format
    reading = Reading(around.timepiece, config.cards.debounce_ms)
    cards = CardDesk(around.directory.hotlist, journal, recording, stamps, card_format)
    ladder = _ladder(around, readers)
    sales = Sales(
        Policy(config.programme.points_rule(), card_format, config.terminal.store),
        *(journal, recording, records.redemptions, reading, stamps, records.disk, cards, ladder),
    )
    keys = KnownKeys(around.terminal, records.issue, around.directory.hotlist)
    claims = Claims(keys.of, sales.claimant, cards.kin, journal, recording, stamps)
    resolutions = Resolutions(journal, recording, stamps, around.timepiece)
    write_note = around.write_note if config.cards.notes else None
    notes = CardNotes(records.issue, claims, journal, around.publish, write_note)
    presentations = Presentations(
        *(around.recognition, around.directory, reading, cards, ladder, records.balances),
        *(records.redemptions.holdings, around.inquiries, around.publish, around.timepiece),
        *(around.tallies, notes),
    )
    return Counter(reading, cards, ladder, sales, claims, resolutions, notes, presentations)


def _ladder(around: Surroundings, readers: Readers) -> LadderDesk:
    config = around.config
    return LadderDesk(
        *(config.cards.ladder, config.readers, readers.states, around.timepiece),
        claims=config.claims.enabled,
        held=readers.held,
    )


def trials(around: Surroundings, counter: Counter, readers: Readers) -> TrialDesk:
    return TrialDesk(
        Shop(around.terminal, around.config.terminal.store, around.version, around.key),
        *(readers.states, readers.held, counter.presentations.judged),
        *(around.publish, around.timepiece, around.alarm),
    )


def questions(around: Surroundings, records: Records, readers: Readers) -> Questions:
    return Questions(
        *(around.terminal, around.version, around.journal, around.timepiece, around.sync.hasten),
        *(records.disk.view, around.mirror, around.tallies),
        *(readers.states, readers.held, records.recording.in_flight),
    )


def card_questions(around: Surroundings, records: Records, counter: Counter) -> CardQuestions:
    return CardQuestions(
        *(around.inquiries, records.balances, counter.cards, counter.ladder),
        around.recognition.card_format,
    )
