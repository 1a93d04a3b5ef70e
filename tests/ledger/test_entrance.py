"""The ledger's door, over real sockets: a book that is held by the sleeve, and more tills than there is room for."""

import http.client
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest

from ledger.http import bodies
from ledger.http.admission import Room
from ledger.http.gate import Enrolment
from ledger.port.book import Book
from offline_queue.signing import authorization
from offline_queue.wire import BATCH_TYPE, MAX_BATCH_BYTES, BatchAnswer, BatchHeader
from offline_queue.wire_accounts import AllowanceAnswer, AllowanceRequest
from tests.ledger.client import JSON, Client, Reply
from tests.ledger.fake_till import CARD

ROOM = Room(at_once=1, waiting=4, share=2)
BULK_PLACES = 2
CUSTOMER_PLACES = ROOM.waiting - BULK_PLACES
DEADLINE_S = 30.0


class HeldBook:
    """Books whose batches take as long as the test wants; `order` is what was worked on."""

    clerks = 2

    def __init__(self, book: Book) -> None:
        self._book = book
        self.at_work, self.released = Event(), Event()
        self.order: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    def take(self, terminal: str, header: BatchHeader, records: list[bytes]) -> BatchAnswer:
        self.order.append(terminal)
        self.at_work.set()
        assert self.released.wait(DEADLINE_S)
        return BatchAnswer(header.request, header.stream, header.generation, 1, 0)

    def allowance(self, terminal: str, request: AllowanceRequest) -> AllowanceAnswer:
        self.order.append(terminal)
        return AllowanceAnswer(request.request, request.id, granted=False, code="insufficient_points")


@pytest.fixture
def database(tmp_path: Any) -> str:
    """The door is the same whatever engine is behind it."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def book(book: Book) -> HeldBook:
    return HeldBook(book)


@pytest.fixture
def url(book: Book, served: Callable[..., str]) -> str:
    return served(book, enrolment=Enrolment.OPEN, room=ROOM)


@pytest.fixture
def tills(url: str) -> Iterator[Callable[[str], Client]]:
    """Enrolled tills by name."""
    with ExitStack() as stack:

        def till(name: str) -> Client:
            client = stack.enter_context(closing(Client(url, name)))
            assert client.hello().status == 200
            return client

        yield till


@pytest.fixture
def at_once() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def send(client: Client) -> Reply:
    return client.batch(BatchHeader("r", "f" * 32, 1, 1, "ab" * 32, "g"), [b"x"])


def ask(client: Client) -> Reply:
    return client.post("/v1/allowances", AllowanceRequest("r", "a1", CARD, 5, "f" * 32))


def refused(sent: Sequence[Future[Reply]], count: int) -> list[Future[Reply]]:
    """Waits until so many are turned away, and sees that they are told when to come again; returns the others."""
    for done in itertools.islice(as_completed(sent, DEADLINE_S), count):
        reply = done.result()
        assert (reply.status, reply.code) == (503, "busy")
        assert 1 <= int(reply.headers["Retry-After"]) <= 300
    return [reply for reply in sent if not reply.done()]


def fill(tills: Callable[[str], Client], at_once: ThreadPoolExecutor) -> list[Future[Reply]]:
    """One batch at work and as many waiting as may: those beyond are turned away while the book is held."""
    clients = [tills(f"bulk-{number}") for number in range(1 + BULK_PLACES + 2)]
    return refused([at_once.submit(send, client) for client in clients], 2)


def test_one_too_many_is_told_at_once_when_to_come_again(
    book: HeldBook, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """The refusals are there while the book is still held; those let in are all served in the end."""
    waiting = fill(tills, at_once)
    assert book.at_work.wait(DEADLINE_S)
    assert len(book.order) == 1
    book.released.set()
    assert [reply.result(DEADLINE_S).status for reply in waiting] == [200] * 3
    assert len(book.order) == 3


def test_customers_pass_the_batches_that_wait(
    book: HeldBook, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """Somebody stands at the counter: let in where batches are not any more, and served before those that wait."""
    customers = [tills(f"customer-{number}") for number in range(CUSTOMER_PLACES + 1)]
    batches = fill(tills, at_once)
    asked = refused([at_once.submit(ask, customer) for customer in customers], 1)
    book.released.set()
    assert [reply.result(DEADLINE_S).status for reply in (*asked, *batches)] == [200] * 5
    assert [name.partition("-")[0] for name in book.order] == ["bulk", "customer", "customer", "bulk", "bulk"]


def test_health_is_told_however_busy(
    book: HeldBook, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """Or the load balancer would take a busy front end for a dead one."""
    watcher = tills("watcher")
    fill(tills, at_once)
    assert watcher.request("GET", "/healthz", Authorization=None).status == 200
    book.released.set()


def test_one_terminal_does_not_fill_the_room(
    book: HeldBook, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """Beyond its share it is turned away while others still get in."""
    wild, tame = tills("wild"), tills("tame")
    inside = refused([at_once.submit(send, wild) for _ in range(ROOM.share + 3)], 3)
    other = at_once.submit(ask, tame)
    book.released.set()
    assert [reply.result(DEADLINE_S).status for reply in (other, *inside)] == [200] * 3


def test_the_body_of_who_is_turned_away_is_not_waited_for(
    book: HeldBook, url: str, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """The refusal is there after the head of the request, whatever would follow."""
    fill(tills, at_once)
    with begun(url, f"/v1/streams/{'f' * 32}/records", BATCH_TYPE) as line:
        assert line.getresponse().status == 503
    book.released.set()


def test_a_till_that_hangs_up_leaves_its_place(
    book: HeldBook, url: str, tills: Callable[[str], Client], at_once: ThreadPoolExecutor
) -> None:
    """Whoever comes after it is served: a request that nobody sends to its end is given up."""
    later = tills("later")
    for _ in range(ROOM.at_once + ROOM.waiting):
        with begun(url, "/v1/allowances", JSON):
            pass
    book.released.set()
    assert ask(later).status == 200


def test_a_body_that_drips_is_not_waited_for(
    url: str, tills: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold a place that others need; the till hears that it was too slow, and keeps what it has."""
    later = tills("later")
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    with begun(url, "/v1/allowances", JSON) as line:
        assert line.getresponse().status == 408
    assert ask(later).status == 200


@contextmanager
def begun(url: str, path: str, content_type: str) -> Iterator[http.client.HTTPConnection]:
    """A request whose head is sent and whose body never comes."""
    parts = urlsplit(url)
    assert parts.hostname
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE_S)) as line:
        line.putrequest("POST", path)
        told = {"Authorization": authorization("late", "A" * 86 + "=="), "Content-Type": content_type}
        for name, value in {**told, "Content-Length": str(MAX_BATCH_BYTES)}.items():
            line.putheader(name, value)
        line.endheaders()
        yield line
