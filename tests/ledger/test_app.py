"""The wire over real sockets: every call answers in its shape, and every attack is a problem document."""

import http.client
import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.http.gate import Enrolment
from ledger.port.book import Book
from offline_queue.entry import encode
from offline_queue.signing import authorization, signing_input
from offline_queue.wire import BATCH_TYPE, MAX_BATCH_BYTES, BatchAnswer, BatchHeader, Park, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest
from offline_queue.wire_feeds import Decisions
from tests.ledger.client import JSON, Client
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeStream, FakeTill, points_of

STREAM = "f" * 32
GARBAGE = (
    b"",
    b"<html><body>Welcome to the shop's Wi-Fi</body></html>",
    b"{}",
    b"[" * 5000,
    b"\xff\xfe\x00",
    b'{"request":"r","stream":"' + STREAM.encode() + b'","first":"1"}\nx',
)


@pytest.fixture
def url(book: Book, served: Callable[..., str]) -> str:
    return served(book, enrolment=Enrolment.OPEN)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """An enrolled terminal."""
    client = Client(url)
    assert client.hello().status == 200
    yield client
    client.close()


@pytest.fixture
def stream(book: Book, client: Client) -> FakeStream:
    """Two earns of the client's terminal, not yet delivered."""
    till = FakeTill(book, 1, client.key.public_key().public_bytes_raw())
    stream = FakeStream(STREAM)
    for points in (10, 20):
        stream.append(encode(till.earn(points)))
    return stream


class TestCalls:
    def test_a_batch_goes_its_whole_way(self, book: Book, client: Client, stream: FakeStream) -> None:
        """Hello, records, decisions, account: each answer repeats our request id and the books' generation."""
        reply = client.batch(*stream.batch(1, 2, book.generation))
        assert (reply.status, reply.type) == (200, JSON)
        assert msgspec.json.decode(reply.body, type=BatchAnswer).accepted == 2
        told = client.request("GET", "/v1/decisions?after=0&limit=10&request=r-7")
        page = msgspec.json.decode(told.body, type=Decisions)
        assert (page.request, page.generation, [v.last for v in page.verdicts]) == ("r-7", book.generation, [2])
        shown = client.request("GET", f"/v1/accounts/{CARD}?request=r-8")
        account = msgspec.json.decode(shown.body, type=Account)
        assert (account.request, account.balance.points, [lot.points for lot in account.lots]) == ("r-8", 30, [10, 20])

    def test_hello_enrols_where_enrolment_is_open(self, book: Book, client: Client) -> None:
        """The books hold the key from then on."""
        assert book.public_key(client.terminal) == client.key.public_key().public_bytes_raw()
        assert msgspec.json.decode(client.hello().body, type=Welcome).generation == book.generation

    def test_an_allowance_is_answered_again_and_never_widened(
        self, book: Book, client: Client, stream: FakeStream
    ) -> None:
        """The same request word for word gets its answer; the id with other content is refused."""
        client.batch(*stream.batch(1, 2, book.generation))
        asked = AllowanceRequest("r-1", "a1", CARD, 25, STREAM)
        for _ in range(2):
            answer = msgspec.json.decode(client.post("/v1/allowances", asked).body, type=AllowanceAnswer)
            assert (answer.granted, answer.request) == (True, "r-1")
        replayed = msgspec.structs.replace(asked, points=1_000)
        reply = client.post("/v1/allowances", replayed)
        assert (reply.status, reply.code, reply.json["request"]) == (409, "key_mismatch", "r-1")

    def test_a_record_that_no_batch_can_carry_is_parked(self, book: Book, client: Client) -> None:
        """Line feeds and all: opaque bytes in base64."""
        park = Park("r-1", STREAM, 1, b64encode(b"two\nlines").decode(), book.generation)
        assert msgspec.json.decode(client.post("/v1/park", park).body, type=BatchAnswer).accepted == 1

    def test_a_gap_names_what_is_expected(self, book: Book, client: Client, stream: FakeStream) -> None:
        """In the problem document, with our request id."""
        header, records = stream.batch(2, 1, book.generation)
        reply = client.batch(header, records)
        assert (reply.status, reply.code) == (409, "gap")
        assert (reply.json["expected"], reply.json["request"]) == (1, header.request)

    def test_an_unknown_card_has_no_account(self, client: Client) -> None:
        """404 with a code, so that no proxy's 404 is taken for it."""
        reply = client.request("GET", "/v1/accounts/nobody%2Fhere?request=r-1")
        assert (reply.status, reply.code, reply.json["request"]) == (404, "account_unknown", "r-1")

    def test_health_needs_no_signature(self, client: Client) -> None:
        """For whoever watches over the machine."""
        assert client.request("GET", "/healthz", Authorization=None).json["status"] == "ok"

    def test_books_that_cannot_be_used_ask_for_patience(self, book: Book, client: Client) -> None:
        """503 with Retry-After: the till keeps what it has."""
        book.close()
        reply = client.hello()
        assert (reply.status, reply.code) == (503, "unavailable")
        assert int(reply.headers["Retry-After"]) > 0


class TestSignatures:
    def test_a_closed_ledger_knows_only_enrolled_terminals(self, book: Book, served: Callable[..., str]) -> None:
        """The refusal carries the command that lets the till in."""
        client = Client(served(book))
        reply = client.hello()
        assert (reply.status, reply.code) == (401, "terminal_unknown")
        assert f"tilld ledger enroll {client.terminal} {client.public_key}" in reply.json["detail"]
        assert book.enrol(client.terminal, client.key.public_key().public_bytes_raw())
        assert client.hello().status == 200
        client.close()

    def test_a_known_terminal_never_changes_its_key_by_itself(self, book: Book, client: Client) -> None:
        """Whoever comes under its name with another key changes nothing."""
        thief = Client(client.url, client.terminal)
        reply = thief.hello()
        assert (reply.status, reply.code) == (401, "signature_bad")
        assert book.public_key(client.terminal) == client.key.public_key().public_bytes_raw()
        thief.close()

    def test_a_hello_with_the_victims_key_needs_the_victims_signature(self, client: Client) -> None:
        """Public keys are public: showing one proves nothing."""
        thief = Client(client.url, client.terminal)
        assert thief.hello(public_key=client.public_key).code == "signature_bad"
        thief.close()

    def test_a_foreign_signature_changes_nothing(self, book: Book, client: Client, stream: FakeStream) -> None:
        """A batch signed by another key is not looked into."""
        thief = Client(client.url, client.terminal, Ed25519PrivateKey.generate())
        assert thief.batch(*stream.batch(1, 2, book.generation)).code == "signature_bad"
        assert points_of(book) == 0
        thief.close()

    def test_no_signature_no_answer(self, client: Client) -> None:
        """Balances are for enrolled tills."""
        for header in (None, "", "Bearer secret", "Tilld terminal=S001-T01", "Tilld terminal=S001-T01, signature=abc"):
            assert client.request("GET", f"/v1/accounts/{CARD}", Authorization=header).code == "signature_bad"

    def test_a_signature_covers_path_and_query(self, client: Client) -> None:
        """A signed question cannot be turned into another one on the way."""
        signature = b64encode(client.key.sign(signing_input("GET", f"/v1/accounts/{CARD}", b""))).decode()
        signed = {"Authorization": authorization(client.terminal, signature)}
        assert client.request("GET", f"/v1/accounts/{CARD}", **signed).status == 200
        assert client.request("GET", f"/v1/accounts/{OTHER_CARD}", **signed).code == "signature_bad"
        assert client.request("GET", f"/v1/accounts/{CARD}?request=x", **signed).code == "signature_bad"

    def test_nobody_speaks_for_the_office(self, client: Client) -> None:
        """Its terminal has no key, so no signature fits and no hello enrols it."""
        thief = Client(client.url, "ledger")
        assert thief.hello().code == "signature_bad"
        assert thief.request("GET", "/v1/decisions").code == "signature_bad"
        thief.close()


class TestGarbage:
    @pytest.mark.parametrize("path", ["/v1/hello", "/v1/park", "/v1/allowances", f"/v1/streams/{STREAM}/records"])
    def test_bodies_that_are_none_of_ours_are_malformed(self, client: Client, path: str) -> None:
        """400 and a sentence; the server goes on."""
        kind = BATCH_TYPE if path.endswith("records") else JSON
        for body in GARBAGE:
            assert client.request("POST", path, body, kind).code == "malformed"
        assert client.request("GET", "/healthz").status == 200

    def test_a_name_with_a_nul_character_is_malformed(self, client: Client) -> None:
        """No engine can look such a text up again: a right under that name could not be asked for a second time."""
        wish = {"request": "r", "id": "\0", "card": CARD, "points": 1, "stream": "s"}
        for _ in range(2):
            reply = client.request("POST", "/v1/allowances", json.dumps(wish).encode())
            assert (reply.status, reply.code) == (400, "malformed")

    def test_a_wrong_count_takes_nothing(self, book: Book, client: Client, stream: FakeStream) -> None:
        """A cut body must not look like a smaller batch."""
        header, records = stream.batch(1, 2, book.generation)
        for count in (0, 1, 3, -1):
            assert client.batch(msgspec.structs.replace(header, count=count), records).code == "malformed"
        assert points_of(book) == 0

    def test_a_wrong_head_takes_nothing(self, book: Book, client: Client, stream: FakeStream) -> None:
        """The records are not those that the till has chained."""
        header, records = stream.batch(1, 2, book.generation)
        assert client.batch(msgspec.structs.replace(header, head="ab" * 32), records).code == "malformed"
        assert points_of(book) == 0

    def test_garbage_lines_are_records_like_others(self, book: Book, client: Client) -> None:
        """A poison record in a well-formed batch is taken into custody, not refused."""
        stream = FakeStream(STREAM)
        for raw in (b"<html>", b"\xff\xff", b"{", b" "):
            stream.append(raw)
        assert client.batch(*stream.batch(1, 4, book.generation)).json["accepted"] == 4
        assert {flag.code for flag in book.flagged()} == {"undecodable"}

    def test_a_batch_belongs_to_the_stream_of_its_address(self, book: Book, client: Client, stream: FakeStream) -> None:
        """Header and address say the same or nothing is taken."""
        header, records = stream.batch(1, 2, book.generation)
        body = b"\n".join((msgspec.json.encode(header), *records))
        assert client.request("POST", "/v1/streams/other/records", body, BATCH_TYPE).code == "malformed"

    def test_too_many_records_are_too_large(self, book: Book, client: Client) -> None:
        """A thousand at once, so that a transaction stays short."""
        header = BatchHeader("r-1", STREAM, 1, 1001, "ab" * 32, book.generation)
        reply = client.batch(header, [b"x"] * 1001)
        assert (reply.status, reply.code) == (413, "too_large")

    @pytest.mark.parametrize("path", ["/v1/hello", f"/v1/streams/{STREAM}/records"])
    def test_a_huge_body_is_refused_by_its_length_alone(self, client: Client, path: str) -> None:
        """Nothing of it is read into memory."""
        kind = BATCH_TYPE if path.endswith("records") else JSON
        parts = urlsplit(client.url)
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        connection.putrequest("POST", path)
        for name, value in (("Content-Type", kind), ("Content-Length", str(10**12))):
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()

    def test_a_body_without_end_is_cut_off(self, client: Client) -> None:
        """Chunks that never end are counted as they come."""
        parts = urlsplit(client.url)
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as line:
            head = f"POST /v1/hello HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
            line.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
            line.sendall(piece * (MAX_BATCH_BYTES // 65536 + 1))
            assert b" 413 " in line.makefile("rb").readline()

    def test_forms_of_foreign_pages_are_not_taken(self, client: Client) -> None:
        """A browser sends these to anybody; it cannot send our types without asking."""
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            assert client.request("POST", "/v1/hello", b"{}", kind).code == "media_type"

    def test_compressed_bodies_are_not_taken(self, client: Client) -> None:
        """A few bytes could unfold into gigabytes."""
        assert client.request("POST", "/v1/hello", b"{}", Content_Encoding="gzip").code == "media_type"

    def test_a_cursor_is_a_number(self, client: Client) -> None:
        """Anything else is malformed."""
        for query in ("after=x", "after=-1", "limit=1e9", "after=" + "9" * 40):
            assert client.request("GET", f"/v1/decisions?{query}").code == "malformed"

    def test_what_is_not_there_is_a_problem_too(self, client: Client) -> None:
        """Even a wrong address answers in our form."""
        assert client.request("GET", "/").code == "not_found"
        assert client.request("PUT", "/x").code == "not_found"
        assert client.request("GET", "/v1/hello").code == "method"

    def test_a_rebound_name_is_refused_on_loopback(self, client: Client) -> None:
        """A web page whose name suddenly points here gets nothing."""
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""):
            assert client.request("GET", "/healthz", Host=host).code == "host"
        for host in ("localhost:1234", "127.0.0.1", "[::1]:80"):
            assert client.request("GET", "/healthz", Host=host).status == 200

    def test_a_web_page_is_refused_wherever_the_ledger_listens(
        self, book: Book, served: Callable[..., str], client: Client
    ) -> None:
        """No page has business with the books, whatever it could sign; nothing may be framed or guessed at."""
        beyond = Client(served(book, loopback=False))
        for asked in (client, beyond):
            for name, value in {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}.items():
                refused = asked.request("GET", "/healthz", **{name.replace("-", "_"): value})
                assert (refused.status, refused.code) == (403, "cross_site")
            assert asked.request("GET", "/healthz").headers["x-content-type-options"] == "nosniff"
        beyond.close()

    def test_beyond_loopback_any_name_may_be_ours(self, book: Book, served: Callable[..., str]) -> None:
        """Head office gives the ledger a name; signatures guard it."""
        client = Client(served(book, loopback=False))
        assert client.request("GET", "/healthz", Host="ledger.example.com").status == 200
        client.close()
