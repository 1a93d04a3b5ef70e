"""Many front ends on one PostgreSQL database: nothing is lost, doubled or left waiting, whoever comes when."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial

import pytest
import urllib3

from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.port.refusals import BooksUnusable, NotRecorded, Refused
from ledger.postgres.book import PostgresBook
from ledger.postgres.tables import PostgresTables
from ledger.rules.records import UNREAD
from offline_queue.entry import CardEvent, Entry, Happening, Kind, encode
from offline_queue.wire_accounts import AllowanceAnswer
from tests.ledger.client import Client
from tests.ledger.cluster import MISSING, PROGRAMS, Cluster, cluster
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece, points_of
from tests.ledger.test_commands import served

TERMINALS = 64
FRONT_ENDS = 3
ROUNDS = 40
UNKNOWN = "2990000000031"


@pytest.fixture
def fronts(postgres: Cluster) -> Iterator[list[Book]]:
    """The same books, opened as by three processes."""
    url = postgres.emptied()
    with ExitStack() as stack:
        books: list[Book] = [
            stack.enter_context(closing(PostgresBook(url, timepiece=FakeTimepiece()))) for _ in range(FRONT_ENDS)
        ]
        for card in (CARD, OTHER_CARD):
            books[0].register(card)
        yield books


def at_once(*calls: Callable[[], object]) -> None:
    """Starts them together and waits for all; what one raises is raised here."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        ready.wait(30)
        call()

    with ThreadPoolExecutor(len(calls)) as pool:
        for future in [pool.submit(run, call) for call in calls]:
            future.result(60)


def ask(till: FakeTill, name: str, answers: list[AllowanceAnswer]) -> None:
    answers.append(till.ask(name, 10))


def replaced(till: FakeTill, number: str, successor: str) -> Entry:
    return till.entry(Kind.CARD_EVENT, card=number, event=CardEvent(Happening.REPLACE, successor))


def merged(till: FakeTill, number: str, successor: str) -> Entry:
    return till.entry(Kind.CARD_EVENT, card=number, event=CardEvent(Happening.MERGE, successor))


def tills_on(fronts: Sequence[Book], count: int) -> list[FakeTill]:
    return [FakeTill(fronts[number % len(fronts)], number + 1) for number in range(count)]


class TestAtOnce:
    def test_sixty_four_tills_share_a_hot_account(self, fronts: list[Book], postgres: Cluster) -> None:
        """Each earns, uses promises and reverses on one card and on its own: no deadlock, and every point is there."""
        tills = tills_on(fronts, TERMINALS)
        cards = [f"29910000{till.number:05d}" for till in tills]
        for card in cards:
            fronts[0].register(card)
        before = postgres.log().count("deadlock")

        def work(till: FakeTill, card: str) -> None:
            for turn in range(4):
                order = (CARD, card) if turn % 2 else (card, CARD)
                earned = [till.earn(10, number) for number in order * 3]
                till.send(*earned)
                name = f"{till.terminal}-{turn}"
                assert till.ask(name, 5).granted
                till.send(till.redeem(5, allowance=name), till.reverse(earned[0], 4))

        at_once(*(partial(work, till, card) for till, card in zip(tills, cards, strict=True)))
        assert postgres.log().count("deadlock") == before
        hot = TERMINALS * (4 * (30 - 5) - 2 * 4)
        assert points_of(fronts[0]) == hot
        verification = fronts[1].verify()
        assert verification.problems == []
        assert verification.liability == hot + TERMINALS * (4 * 30 - 2 * 4)

    def test_a_key_sent_by_two_tills_at_once_counts_once(self, fronts: list[Book]) -> None:
        """One of them is told that it is a duplicate, never both and never none."""
        tills = tills_on(fronts, 3)
        for turn in range(ROUNDS):
            entries = [till.earn(10, key=f"K{turn}") for till in tills]
            at_once(*(partial(till.send, entry) for till, entry in zip(tills, entries, strict=True)))
            codes = sorted(till.verdict(entry).code for till, entry in zip(tills, entries, strict=True))
            assert codes == ["duplicate", "duplicate", "posted"]
        assert points_of(fronts[0]) == 10 * ROUNDS

    def test_batches_with_the_same_keys_in_opposite_order_pass(self, fronts: list[Book], postgres: Cluster) -> None:
        """Keys, ids and accounts are taken in one order, whatever the order of the records."""
        first, second = tills_on(fronts, 2)
        before = postgres.log().count("deadlock")
        for turn in range(ROUNDS):
            numbers = range(20)
            there = [first.earn(1, (CARD, OTHER_CARD)[n % 2], key=f"{turn}-{n}") for n in numbers]
            back = [second.earn(1, (CARD, OTHER_CARD)[n % 2], key=f"{turn}-{n}") for n in reversed(numbers)]
            at_once(partial(first.send, *there), partial(second.send, *back))
        assert postgres.log().count("deadlock") == before
        assert points_of(fronts[0]) + points_of(fronts[0], OTHER_CARD) == 20 * ROUNDS

    def test_a_sale_is_never_reversed_by_more_than_it_was(self, fronts: list[Book]) -> None:
        """I12, with three tills that undo the same sale at the same moment."""
        tills = tills_on(fronts, 3)
        for _ in range(ROUNDS):
            sale = tills[0].earn(10)
            tills[0].send(sale)
            undone = [till.reverse(sale, 7) for till in tills]
            at_once(*(partial(till.send, entry) for till, entry in zip(tills, undone, strict=True)))
            assert points_of(fronts[0]) == 0
        assert fronts[0].verify().ok

    def test_no_promise_is_given_on_points_promised_to_another(self, fronts: list[Book]) -> None:
        """I4: the last ten points are promised once."""
        tills = tills_on(fronts, 3)
        for turn in range(ROUNDS):
            tills[0].send(tills[0].earn(10))
            answers: list[AllowanceAnswer] = []
            at_once(*(partial(ask, till, f"{till.number}-{turn}", answers) for till in tills))
            assert sorted(answer.granted for answer in answers) == [False, False, True]

    def test_a_request_and_the_release_that_overtakes_it_leave_nothing_reserved(self, fronts: list[Book]) -> None:
        """Whichever the ledger hears first, the promise is closed in the end."""
        (till,) = tills_on(fronts, 1)
        till.send(till.earn(100))
        for turn in range(ROUNDS):
            name = f"a{turn}"
            at_once(partial(till.ask, name, 10), partial(till.send, till.release(name)))
        account = fronts[0].account("r", CARD)
        assert account is not None
        assert account.balance.reserved == 0
        assert fronts[0].verify().ok


class TestNobodyWaitsForEver:
    """Something is parked in the very moment in which what it waits for arrives through another front end."""

    def test_a_reversal_beside_its_sale(self, fronts: list[Book]) -> None:
        """They cross: both are posted, whoever commits last."""
        first, second = tills_on(fronts, 2)
        for _ in range(ROUNDS):
            sale = first.earn(10)
            undone = second.reverse(sale)
            at_once(partial(first.send, sale), partial(second.send, undone))
        assert fronts[0].flagged() == []
        assert points_of(fronts[0]) == 0

    def test_a_reversal_beside_the_registration_that_credits_its_sale(self, fronts: list[Book]) -> None:
        """The sale has waited for its card; its reversal comes in the moment in which it is credited."""
        first, second = tills_on(fronts, 2)
        for turn in range(ROUNDS):
            card = f"29950000{turn:05d}"
            sale = first.earn(10, card)
            first.send(sale)
            undone = second.reverse(sale)
            at_once(partial(second.send, undone), partial(fronts[2].register, card))
            assert points_of(fronts[0], card) == 0
        assert fronts[0].flagged() == []

    def test_points_on_a_card_that_is_being_registered(self, fronts: list[Book]) -> None:
        """They are credited by the registration or at once."""
        (till,) = tills_on(fronts, 1)
        for turn in range(ROUNDS):
            card = f"29920000{turn:05d}"
            entry = till.earn(10, card)
            at_once(partial(till.send, entry), *(partial(front.register, card) for front in fronts[1:]))
            assert points_of(fronts[0], card) == 10
        assert fronts[0].flagged() == []

    def test_a_duplicate_of_a_sale_that_is_being_credited(self, fronts: list[Book]) -> None:
        """It waits with the first, and is told with it."""
        first, second = tills_on(fronts, 2)
        for turn in range(ROUNDS):
            card, key = f"29930000{turn:05d}", f"K{turn}"
            first.send(first.earn(10, card, key=key))
            again = second.earn(10, card, key=key)
            at_once(partial(second.send, again), partial(fronts[2].register, card))
            assert points_of(fronts[0], card) == 10
        assert fronts[0].flagged() == []

    def test_a_repeated_reversal_beside_the_sale_that_both_wait_for(self, fronts: list[Book]) -> None:
        """The first is posted with the sale, the second is told so, now or then."""
        tills = tills_on(fronts, 3)
        for turn in range(ROUNDS):
            sale = tills[0].earn(10)
            first, again = (till.reverse(sale, key=f"U{turn}") for till in tills[1:])
            tills[1].send(first)
            at_once(partial(tills[0].send, sale), partial(tills[2].send, again))
            assert points_of(fronts[0]) == 0
            assert tills[2].verdict(again).state == "posted"
        assert fronts[0].flagged() == []

    def test_what_an_update_can_read_is_decided_once(self, postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        """Three front ends come back with the new version at the same time."""
        url = postgres.emptied()
        with closing(PostgresBook(url)) as book, monkeypatch.context() as older:
            book.register(CARD)
            older.setattr("ledger.sheet.claim_desk.read", lambda _: UNREAD)
            till = FakeTill(book)
            till.send(*(till.earn(10) for _ in range(20)))
            assert points_of(book) == 0
        opened: list[Book] = []
        at_once(*[lambda: opened.append(PostgresBook(url))] * FRONT_ENDS)
        assert points_of(opened[0]) == 200
        assert opened[0].verify().problems == []
        for book in opened:
            book.close()

    def test_unknown_cards_of_an_open_programme_get_one_account(self, postgres: Cluster) -> None:
        """Three tills are the first to see the same cards."""
        policy, url = Policy(UnknownCards.REGISTER), postgres.emptied()
        with ExitStack() as stack:
            books = [stack.enter_context(closing(PostgresBook(url, policy=policy))) for _ in range(FRONT_ENDS)]
            tills = tills_on(books, 3)
            cards = [f"29940000{number:05d}" for number in range(ROUNDS)]
            batches = [
                [till.earn(1, card) for card in order]
                for till, order in zip(tills, (cards, cards[::-1], cards), strict=True)
            ]
            at_once(*(partial(till.send, *batch) for till, batch in zip(tills, batches, strict=True)))
            assert [points_of(books[0], card) for card in cards] == [3] * ROUNDS
            assert books[0].verify().accounts == ROUNDS


class TestServer:
    def test_front_ends_that_start_together_agree_on_the_books(self, postgres: Cluster) -> None:
        """One makes them; all have the same generation."""
        url = postgres.emptied()
        opened: list[Book] = []
        at_once(*[lambda: opened.append(PostgresBook(url))] * 8)
        assert len({book.generation for book in opened}) == 1
        for book in opened:
            book.close()

    def test_a_restart_of_the_server_is_survived(self, fronts: list[Book], postgres: Cluster) -> None:
        """Connections from before are replaced; what was answered is there."""
        (till,) = tills_on(fronts, 1)
        till.send(till.earn(10))
        postgres.restart()
        till.send(till.earn(10))
        assert points_of(fronts[0]) == 20

    def test_a_connection_that_is_stuck_is_let_go(self, fronts: list[Book]) -> None:
        """Something went wrong while another error ended its pipeline: the next calls have another connection."""

        def stick(tables: PostgresTables) -> None:
            tables._connection.pgconn.send_query_params(b"SELECT 1", None)  # and nobody collects what it says
            raise InterruptedError

        with pytest.raises(InterruptedError):
            fronts[0]._engine.write(stick)  # type: ignore[attr-defined]
        (till,) = tills_on(fronts, 1)
        till.send(till.earn(10))
        assert points_of(fronts[0]) == 10

    def test_a_server_that_is_away_is_said_so(self, postgres: Cluster) -> None:
        """At the start with what to do; the password in the URL is not repeated."""
        with pytest.raises(BooksUnusable) as refusal:
            PostgresBook("postgresql://till:secret@127.0.0.1:1/books")
        assert "See that the server runs" in str(refusal.value)
        assert "secret" not in str(refusal.value)

    def test_an_address_that_makes_no_sense_is_said_so(self) -> None:
        """With one that does."""
        with pytest.raises(BooksUnusable, match="postgresql://user@host/database"):
            PostgresBook("postgresql://till@[/books")

    def test_books_of_a_later_version_are_left_alone(self, fronts: list[Book], postgres: Cluster) -> None:
        """An older tilld does not guess at what it does not know."""
        postgres.run("UPDATE tilld.fact SET value = '99' WHERE name = 'schema'")
        with pytest.raises(BooksUnusable, match="Update tilld"):
            PostgresBook(postgres.url)

    def test_looking_makes_no_books(self, postgres: Cluster) -> None:
        """A typing error in the database's name leaves nothing behind."""
        url = postgres.emptied()
        with pytest.raises(BooksUnusable, match="no books"):
            PostgresBook(url, make=False)

    def test_closed_books_say_so(self, fronts: list[Book]) -> None:
        """Closing twice is harmless; asking afterwards is an answer, not a crash."""
        fronts[0].close()
        fronts[0].close()
        with pytest.raises(NotRecorded):
            fronts[0].terminals()

    def test_a_name_that_no_text_column_holds_is_refused(self, fronts: list[Book]) -> None:
        """PostgreSQL has no NUL in texts; the request is at fault, and the books go on."""
        (till,) = tills_on(fronts, 1)
        till.stream.uid = "a\x00b"
        with pytest.raises(Refused) as refusal:
            till.send(till.earn(1))
        assert refusal.value.problem.code == "malformed"
        assert fronts[0].terminals()

    def test_a_server_that_does_not_sync_is_refused(self) -> None:
        """What it acknowledges would not survive a power cut."""
        if PROGRAMS is None:
            pytest.skip(MISSING)
        with cluster("fsync=off") as careless, pytest.raises(BooksUnusable, match="fsync off"):
            PostgresBook(careless.url)

    def test_a_user_who_turned_waiting_for_the_disk_off_waits(self, fronts: list[Book], postgres: Cluster) -> None:
        """`synchronous_commit = off` as a default of the database is not taken over."""
        postgres.run("ALTER DATABASE postgres SET synchronous_commit = off")
        try:
            with closing(PostgresBook(postgres.url)) as book:
                shown = book._engine.read(lambda tables: tables.rows("SHOW synchronous_commit"))
            assert shown == [("on",)]
        finally:
            postgres.run("ALTER DATABASE postgres RESET synchronous_commit")


class TestTakenForNew:
    """A batch of which a few keys are not known is taken to be new; where it is not, it is done again with care."""

    def test_one_known_key_amid_new_ones(self, fronts: list[Book], caplog: pytest.LogCaptureFixture) -> None:
        """Wherever its hash falls, that one is a duplicate and all others count."""
        till, again = tills_on(fronts, 2)
        known = till.earn(1)
        till.send(known)
        with caplog.at_level(logging.INFO, "tilld.ledger"):
            for _ in range(ROUNDS):
                repeated = again.earn(1, key=known.key)
                again.send(*(again.earn(1) for _ in range(20)), repeated, *(again.earn(1) for _ in range(20)))
                assert again.verdict(repeated).code == "duplicate"
        assert points_of(fronts[0]) == 1 + 40 * ROUNDS
        assert 0 < caplog.text.count("attempt 1 was in vain") < ROUNDS
        assert "attempt 2" not in caplog.text
        assert fronts[0].verify().problems == []

    def test_a_known_id_under_a_new_key(self, fronts: list[Book]) -> None:
        """Both count, for the key tells what is the same; a reversal takes back the first."""
        till = FakeTill(fronts[0])
        first = till.earn(10)
        second = till.earn(4, id=first.id)
        till.send(first)
        till.send(*(till.earn(1) for _ in range(20)), second)
        till.send(till.reverse(first, 10))
        assert points_of(fronts[0]) == 24
        assert fronts[0].verify().problems == []

    def test_a_sale_undone_in_its_own_batch(self, fronts: list[Book], caplog: pytest.LogCaptureFixture) -> None:
        """The place that its reversal made for it is expected: nothing is done twice for that."""
        till = FakeTill(fronts[0])
        sales = [till.earn(10) for _ in range(20)]
        with caplog.at_level(logging.INFO, "tilld.ledger"):
            till.send(*sales, till.reverse(sales[3], 4), till.reverse(sales[7], 10))
        assert points_of(fronts[0]) == 200 - 14
        assert "in vain" not in caplog.text

    def test_a_reversal_came_before_its_sale(self, fronts: list[Book]) -> None:
        """Among new sales of a later batch the sale finds the place that was made for it, and who waits for it."""
        till, other = tills_on(fronts, 2)
        sale = till.earn(10)
        other.send(other.reverse(sale, 4))
        till.send(*(till.earn(1) for _ in range(20)), sale, *(till.earn(1) for _ in range(20)))
        assert points_of(fronts[0]) == 46
        assert fronts[0].verify().problems == []


def test_a_front_end_killed_amid_a_batch_leaves_nothing_of_it(fronts: list[Book], postgres: Cluster) -> None:
    """SIGKILL while it holds the stream and waits for an account: another one takes the same batch, whole and once."""
    till = FakeTill(fronts[0])
    for points in (10, 20):
        till.stream.append(encode(till.earn(points)))
    with postgres.connected() as other, served(postgres.url, "--enrolment", "open") as (process, url):
        client = Client(url, till.terminal)
        assert fronts[0].enrol(till.terminal, client.key.public_key().public_bytes_raw(), replace=True)
        other.execute("BEGIN")
        other.execute("SELECT * FROM account FOR UPDATE")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.batch, *till.stream.batch(1, 2, fronts[0].generation))
            stuck = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'postgres'"
            deadline = time.monotonic() + 20
            while postgres.told(stuck) != 1:
                assert time.monotonic() < deadline, "the batch never came to wait for the account"
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            assert isinstance(answer.exception(20), urllib3.exceptions.HTTPError)
        client.close()
        other.execute("ROLLBACK")
    assert till.deliver(till.stream, 1, 2).accepted == 2
    assert points_of(fronts[0]) == 30
    assert [(v.first, v.last) for v in till.feed()] == [(1, 2)]
    assert fronts[1].verify().problems == []


class TestPartitions:
    def test_every_table_can_be_spread_by_its_column(self, postgres: Cluster) -> None:
        """The engine itself checks that each unique key holds the column; the books add up as in one piece."""
        with closing(PostgresBook(postgres.emptied(), partitions=4)) as book:
            for card in (CARD, OTHER_CARD):
                book.register(card, 100)
            till = FakeTill(book)
            earned, parked = till.earn(10), till.earn(7, UNKNOWN)
            assert till.ask("a1", 5).granted
            till.send(
                earned, till.redeem(5, allowance="a1"), till.reverse(earned), parked, b"garbage", till.redeem(500)
            )
            clone = till.stream.copy()
            till.send(till.earn(1))
            till.send(till.earn(2, OTHER_CARD), stream=clone)
            book.register(UNKNOWN)
            assert (points_of(book, UNKNOWN), points_of(book, OTHER_CARD)) == (7, 102)
            assert {flag.code for flag in book.flagged()} == {"fork", "undecodable", "overdrawn"}
            assert book.verify().problems == []
        with postgres.connected() as connection:
            spread = connection.execute(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'posting'::regclass"
            ).fetchone()
            whole = connection.execute(
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname = 'tilld' AND relkind = 'r' AND NOT relispartition"
            ).fetchall()
        assert (spread, whole) == ((4,), [])


class TestChanges:
    def test_the_feed_has_no_hole_and_comes_in_the_order_of_the_commits(self, fronts: list[Book]) -> None:
        """Front ends block and unblock at once; whoever reads up to a number has missed nothing before it."""
        one, other = tills_on(fronts, 2)
        reader, done, seen = fronts[2], threading.Event(), [0]

        def act(till: FakeTill, card: str) -> None:
            for number in range(ROUNDS):
                happening = Happening.UNBLOCK if number % 2 else Happening.BLOCK
                till.send(till.entry(Kind.CARD_EVENT, 0, card, event=CardEvent(happening)))

        def read() -> None:
            more = True
            while more or not done.is_set():
                page = reader.changes("r", seen[-1], 3)
                seen.extend(change.n for change in page.changes)
                more = page.more

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read)
            try:
                at_once(partial(act, one, CARD), partial(act, other, OTHER_CARD))
            finally:
                done.set()
            reading.result(60)
        seen.extend(change.n for change in reader.changes("r", seen[-1], 1000).changes)
        assert seen == list(range(2 * ROUNDS + 2 + 1))
        assert reader.verify().problems == []

    def test_earns_beside_a_merger_lose_nothing(self, fronts: list[Book]) -> None:
        """They go to whichever account is the card's when it is their turn."""
        tills = tills_on(fronts, 2)
        batches = [
            [tills[0].earn(1, CARD) for _ in range(ROUNDS)],
            [tills[1].earn(1, OTHER_CARD) for _ in range(ROUNDS)],
        ]

        def sell(till: FakeTill, entries: Sequence[Entry]) -> None:
            for entry in entries:
                till.send(entry)

        merge = partial(fronts[2].happen, CARD, Happening.MERGE, "anna", "one customer", OTHER_CARD)
        at_once(partial(sell, tills[0], batches[0]), partial(sell, tills[1], batches[1]), merge)
        assert points_of(fronts[0], CARD) == points_of(fronts[1], OTHER_CARD) == 2 * ROUNDS
        assert fronts[0].verify().problems == []

    def test_two_mergers_of_the_same_accounts_under_other_numbers(self, postgres: Cluster) -> None:
        """One names the cards, the other those that they stand for, behind sales on them: the points join once."""
        url, policy = postgres.emptied(), Policy(events_from_tills=frozenset(Happening))
        with ExitStack() as stack:
            opened = (PostgresBook(url, policy=policy, timepiece=FakeTimepiece()) for _ in range(2))
            fronts: list[Book] = [stack.enter_context(closing(book)) for book in opened]
            till, rival = tills_on(fronts, 2)
            for turn in range(ROUNDS):
                old, card, other_old, other = (f"29920000{turn:04d}{number}" for number in range(4))
                for number in (card, other):
                    fronts[0].register(number, 5)
                till.send(replaced(till, old, card), replaced(till, other_old, other))
                at_once(
                    partial(rival.send, merged(rival, card, other)),
                    partial(till.send, till.earn(1, card), till.earn(1, other), merged(till, old, other_old)),
                )
                assert points_of(fronts[0], other) == 12
            assert fronts[0].verify().problems == []

    def test_an_earn_beside_the_unblocking_is_never_left_held(self, fronts: list[Book]) -> None:
        """Held and then released, or never held."""
        (till,) = tills_on(fronts, 1)
        for _ in range(10):
            fronts[1].happen(CARD, Happening.BLOCK, "anna", "")
            at_once(partial(till.send, till.earn(1)), partial(fronts[1].happen, CARD, Happening.UNBLOCK, "anna", ""))
        assert points_of(fronts[0]) == 10
