"""SIGKILL of a real ledger under load: what it has acknowledged is there when it comes back, once."""

import random
import signal
import threading
from base64 import b64encode

import msgspec
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.entry import Card, Clock, Entry, Kind, encode, uuid7
from offline_queue.wire import Hello, Lane, StreamHead, Welcome
from tests.ledger.client import Client
from tests.ledger.fake_till import START, START_MS, FakeStream
from tests.ledger.test_commands import opened, served

TILLS = 3
DEATHS = 5
EARNED = 3
CARD = "2990000000017"


def test_what_was_acknowledged_survives_sigkill(database: str) -> None:
    """Five deaths at random moments, three tills in flight: no acknowledged record is lost, none counts twice."""
    chance = random.Random(7)
    tills = [Till(number) for number in range(1, TILLS + 1)]
    for _ in range(DEATHS):
        with served(database, "--enrolment", "open", "--unknown-cards", "register") as (process, url):
            enough = threading.Event()
            threads = [threading.Thread(target=till.work, args=(url, enough)) for till in tills]
            for till in tills:
                till.goal = till.accepted + chance.randrange(1, 60)
            for thread in threads:
                thread.start()
            assert enough.wait(30)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            for thread in threads:
                thread.join(30)
        assert_nothing_acknowledged_is_lost(database, tills)


class Till:
    """Journals small batches and sends them as long as there is a ledger; remembers what was acknowledged."""

    def __init__(self, number: int) -> None:
        self.terminal, self.key, self.number = f"S001-T{number:02d}", Ed25519PrivateKey.generate(), number
        self.stream = FakeStream(f"{number:032x}")
        self.accepted = 0
        self.goal = 0

    def work(self, url: str, enough: threading.Event) -> None:
        """Sets `enough` when it has reached its goal, and goes on until the ledger is gone."""
        client = Client(url, self.terminal, self.key)
        try:
            generation = self._greet(client)
            while True:
                for _ in range(1 + len(self.stream.records) % 7):
                    self.stream.append(self._earn())
                count = len(self.stream.records) - self.accepted
                reply = client.batch(*self.stream.batch(self.accepted + 1, count, generation))
                assert reply.status == 200, reply.body
                self.accepted = reply.json["accepted"]
                if self.accepted >= self.goal:
                    enough.set()
        except urllib3.exceptions.HTTPError:
            pass  # the ledger is dead, as it was meant to be
        finally:
            client.close()

    def _greet(self, client: Client) -> str:
        """The ledger may hold more than it could still acknowledge, never less."""
        head = StreamHead(
            self.stream.uid, Lane.BULK, len(self.stream.records), self.stream.hashes[-1].hex(), self.accepted
        )
        public = b64encode(self.key.public_key().public_bytes_raw()).decode()
        hello = Hello("r", self.terminal, public, 1, 1, "test", [head] if self.stream.records else [], START)
        reply = client.post("/v1/hello", hello)
        assert reply.status == 200, reply.body
        welcome = msgspec.json.decode(reply.body, type=Welcome)
        for marks in welcome.streams.values():
            assert marks.accepted >= self.accepted
            self.accepted = marks.accepted
        return welcome.generation

    def _earn(self) -> bytes:
        count = len(self.stream.records) + 1
        return encode(
            Entry(
                id=uuid7(START_MS + count, bytes([self.number]) * 10),
                key=f"{self.number}-{count}",
                kind=Kind.EARN,
                terminal=self.terminal,
                business_day="2025-06-15",
                occurred_at=START,
                clock=Clock("boot", count, START),
                points=EARNED,
                card=Card(CARD),
            )
        )


def assert_nothing_acknowledged_is_lost(database: str, tills: list[Till]) -> None:
    """The books hold at least what was acknowledged, exactly as sent, and their points are those records'."""
    book = opened(database)
    try:
        verification = book.verify()
        assert verification.problems == []
        held = {terminal.name: terminal.records for terminal in book.terminals()}
        for till in tills:
            assert till.accepted <= held.get(till.terminal, 0) <= len(till.stream.records)
        assert verification.liability == EARNED * sum(held.values())
    finally:
        book.close()
