"""A till on a real journal, with the ledger played by the test: events in, outcomes out."""

from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.base import CardRead, EntryMode, NoteWish, Technology
from offline_queue.journal import Allowance, Origin
from offline_queue.store import JournalReader, Store
from offline_queue.timepiece import rfc3339
from offline_queue.wire_accounts import AllowanceAnswer, Balance
from offline_queue.words import LANGUAGES, Language
from terminal.cards.directory import Directory
from terminal.cards.recognition import recognition_of
from terminal.config import Config, Terminal
from terminal.desks import Surroundings
from terminal.inbox import AllowanceAnswered, Answered, Asked, CardPresented, Event, Inbox, ReadAsked, TransactionAsked
from terminal.pos import CardNumber, Outcome, ReadAnswer, Refusal, TransactionAnswer, TransactionRequest
from terminal.readers.tally import Tally
from terminal.till import Till
from terminal.wording import plain, read
from tests.offline_queue.claimed import KEY

CARD = "2990000000017"
OTHER_CARD = "2990000000024"
PATIENCE_S = 60.0


class HandTimepiece:
    """Goes on only by hand; its randomness counts upwards."""

    boot_id = "b0071d00-0000-4000-8000-000000000000"

    def __init__(self) -> None:
        self.now_ms = 1_772_359_200_000
        self.drawn = 0

    def unix_ms(self) -> int:
        return self.now_ms

    def boottime_ms(self) -> int:
        return self.now_ms - 1_772_000_000_000

    def random(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")


class HandInquiries:
    """Notes what the ledger is asked; the test answers."""

    def __init__(self) -> None:
        self.allowances: SimpleQueue[Allowance] = SimpleQueue()
        self.accounts: list[str] = []

    def ask_allowance(self, allowance: Allowance) -> None:
        self.allowances.put(allowance)

    def ask_account(self, number: str) -> None:
        self.accounts.append(number)


class HandSync:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.nudges = self.passes = 0

    def nudge(self) -> None:
        self.nudges += 1

    def hasten(self) -> None:
        self.passes += 1


class TillRig:
    """One start of a till; `published` is what watchers were told, in English and in French."""

    def __init__(self, folder: Path, timepiece: HandTimepiece, config: Config, key: Ed25519PrivateKey = KEY) -> None:
        self.timepiece, self.inquiries, self.sync = timepiece, HandInquiries(), HandSync()
        self.published: dict[Language, list[tuple[str, Any]]] = {language: [] for language in LANGUAGES}
        self.tallies = {"counter": Tally(folder / "counter.json")}
        self.wishes: list[tuple[str, NoteWish]] = []
        self.inbox = Inbox()
        self.store = Store.open(
            folder / "journal.db",
            origin=Origin(config.terminal.id, "machine", "tilld/test"),
            timepiece=timepiece,
            synchronous="normal",
        )
        self.journal: JournalReader = self.store.reader()
        self.directory = Directory.open(folder / "directory.db", timepiece.random(4).hex())
        self.till = Till(
            Surroundings(
                config=config,
                version="0.0",
                store=self.store,
                journal=self.journal,
                directory=self.directory,
                timepiece=timepiece,
                recognition=recognition_of(config),
                inquiries=self.inquiries,
                sync=self.sync,
                report=self.inbox.report,
                publish=self._publish,
                key=key,
                write_note=lambda reader, wish: self.wishes.append((reader, wish)),
                tallies=self.tallies,
            )
        )
        self.till.start()

    def close(self) -> None:
        self.journal.close()
        self.directory.close()
        self.store.close()

    def send(self, event: Event) -> None:
        """One event, and whatever the journal has reported meanwhile."""
        self.till.handle(event)
        self.drain()

    def drain(self) -> None:
        while (event := self.inbox.take(0)) is not None:
            self.till.handle(event)

    def catch_up(self) -> None:
        """Everything that was handed to the journal is durable, reported and handled."""
        self.store.remember("test", "mark")
        self.drain()

    def settle(self) -> None:
        """Handles what the journal reports until nothing is in flight."""
        while not self.till.idle:
            event = self.inbox.take(PATIENCE_S)
            assert event is not None, "the journal has not reported"
            self.till.handle(event)

    def ask(self, key: str, kind: str, number: str | None = CARD, **fields: Any) -> "Future[Answered]":
        """A request of the POS, not yet waited for."""
        card = CardNumber(number) if number else None
        return self.sent(key, TransactionRequest(kind, card, **fields))  # type: ignore[arg-type]

    def sent(self, key: str, request: TransactionRequest) -> "Future[Answered]":
        """The same with a request as it is."""
        reply: Future[Answered] = Future()
        self.till.handle(TransactionAsked(request, key, reply))
        return reply

    def heard(self, reply: "Future[Any]") -> Any:
        """What the POS hears, an answer or a Refusal; the journal's reports are handled."""
        error = reply.exception(PATIENCE_S)
        self.drain()
        if error is None:
            return reply.result()
        assert isinstance(error, Refusal), error
        return error

    def sell(self, key: str, points: int = 10, number: str | None = CARD) -> TransactionAnswer:
        """A sale that is recorded."""
        return said(self.heard(self.ask(key, "earn", number, points=points)))

    def wish(self) -> Allowance:
        """The next right that the ledger is asked for."""
        return self.inquiries.allowances.get(timeout=PATIENCE_S)

    def grant(self, allowance: Allowance, *, granted: bool = True, code: str | None = None) -> None:
        """The ledger's word, durable before it is told, as Inquiries does it."""
        self.store.answer_allowance(allowance.id, granted)
        self.send(AllowanceAnswered(allowance.id, AllowanceAnswer("r", allowance.id, granted, code)))

    def redeem(self, key: str, points: int = 5) -> TransactionAnswer:
        """A redemption that is granted and recorded."""
        reply = self.ask(key, "redeem", points=points)
        self.grant(self.wish())
        return said(self.heard(reply))

    def question(self, what: str, argument: str = "") -> Any:
        reply: Future[Any] = Future()
        self.send(Asked(what, argument, reply))
        return self.heard(reply) if reply.done() else reply

    def outcome(self, entry_id: str) -> Outcome:
        found: Outcome = self.question("transaction", entry_id)
        return found

    def wait_for_card(self, *entry_modes: str) -> "Future[ReadAnswer]":
        reply: Future[ReadAnswer] = Future()
        self.send(ReadAsked(frozenset(entry_modes), reply))
        return reply

    def present(self, data: str | None = CARD, reader: str = "counter", **fields: Any) -> None:
        technology = fields.pop("technology", Technology.QR)
        self.send(CardPresented(reader, CardRead(technology, EntryMode.SCANNED, data, **fields)))

    def told(self, kind: str, language: Language = "en") -> list[Any]:
        """What watchers were told of a kind."""
        return [data for published, data in self.published[language] if published == kind]

    def _publish(self, kind: str, data: object) -> None:
        for language, published in self.published.items():
            published.append((kind, plain(data, language)))

    def balance(self, points: int, number: str = CARD) -> Balance:
        """The ledger's word on a card, as of now."""
        return Balance(number, points, 0, rfc3339(self.timepiece.now_ms))


def said(answered: Answered) -> TransactionAnswer:
    assert isinstance(answered, Answered), answered
    return read(answered.body, TransactionAnswer)


class Shop:
    """A state folder whose till can be started again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.timepiece = HandTimepiece()
        self.config = Config(terminal=Terminal(language="en"))
        self.key = KEY
        self.open: list[TillRig] = []

    def start(self) -> TillRig:
        rig = TillRig(self.folder, self.timepiece, self.config, self.key)
        self.open.append(rig)
        return rig

    def restart(self) -> TillRig:
        """The same folder, a new process."""
        self.close()
        return self.start()

    def close(self) -> None:
        while self.open:
            self.open.pop().close()
