"""The contract of the journal: what is durable, once, and in whose right."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.entry import Correction, Entry, Kind, Lane, State, decode
from offline_queue.journal import AllowanceState, Appended, KeyReused, NotRecorded, RightsRefused
from offline_queue.journal_reader import JournalReader
from offline_queue.store import Store
from tests.offline_queue.sales import DIGEST, open_store, put, redemption, reversal, right, sale


def test_an_entry_is_in_its_lane_with_the_next_number(store: Store, reader: JournalReader) -> None:
    """Earns and urgent entries grow two streams, each dense from its genesis record on."""
    earned, more = put(store, sale()), put(store, sale())
    urgent = put(store, sale(kind=Kind.RELEASE))
    assert (earned.seq, more.seq, urgent.seq) == (2, 3, 2)
    assert earned.stream == more.stream == store.stream(Lane.BULK)
    assert urgent.stream == store.stream(Lane.URGENT)
    assert [decode(record).kind for record in reader.records(urgent.stream, 1, 9, 9999)] == [Kind.GENESIS, Kind.RELEASE]


def test_a_repeated_request_gets_the_first_answer(store: Store, reader: JournalReader) -> None:
    """The same key with the same digest is the same sale, whatever else the repeat says."""
    entry = sale()
    first = put(store, entry, b"first")
    again = put(store, sale(key=entry.key, points=9), b"second")
    assert again == Appended(first.stream, first.seq, b"first", replayed=True)
    assert reader.totals().queued == 1


def test_a_key_of_another_request_is_refused(store: Store, reader: JournalReader) -> None:
    """The same key with another digest has no effect and names the first transaction."""
    entry = sale()
    put(store, entry)
    with pytest.raises(KeyReused) as caught:
        put(store, sale(key=entry.key), digest=b"another")
    assert caught.value.id == entry.id
    assert reader.totals().queued == 1


def test_keys_are_remembered_over_restarts_and_runs(path: Path) -> None:
    """A repeat a thousand sales and two restarts later still finds the first answer."""
    entries = [sale() for _ in range(1100)]
    with closing(open_store(path)) as store:
        futures = [store.submit(entry, b"%d" % n, DIGEST) for n, entry in enumerate(entries[:600])]
        assert all(not future.result().replayed for future in futures)
    with closing(open_store(path)) as store:
        for future in [store.submit(entry, b"%d" % n, DIGEST) for n, entry in enumerate(entries[600:], 600)]:
            assert not future.result().replayed
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        for n in (0, 511, 512, 599, 600, 1023, 1024, 1099):
            assert put(store, sale(key=entries[n].key)).reply == b"%d" % n
            found = reader.find_id(entries[n].id)
            assert found is not None
            assert found.entry == entries[n]


def test_an_unknown_key_or_id_is_not_found(store: Store, reader: JournalReader) -> None:
    """Neither a part of a key nor a text inside another field is the key."""
    put(store, sale(key="long-key", operator='"key":"trap"'))
    assert [reader.find_key(key) for key in ("long", "key", "trap", "", "x")] == [None] * 5
    assert reader.find_id("long-key") is None


def test_keys_of_any_text_are_found(store: Store, reader: JournalReader) -> None:
    """Quotes, backslashes and scripts of the world are keys like others."""
    for key in ('a"b', "a\\b", "ключ", "鍵", "\u2028", "a\nb", "é"):
        put(store, sale(key=key))
        found = reader.find_key(key)
        assert found is not None
        assert found.entry.key == key


@pytest.mark.parametrize("entry", [sale(kind=Kind.SEAL), sale(operator="x" * 9000)])
def test_what_no_entry_can_be_is_refused_at_once(store: Store, reader: JournalReader, entry: Entry) -> None:
    """The journal's own kinds, and more bytes than the ledger takes, never reach the writer."""
    with pytest.raises(ValueError, match=r"only the journal|at most"):
        put(store, entry)
    assert reader.totals().records == 2


def test_a_future_is_resolved_when_the_entry_is_durable(store: Store, path: Path) -> None:
    """What `submit` promised can be read by somebody else at the moment the future is done."""
    seen: list[bool] = []
    entry, done = sale(), threading.Event()

    def look(_: "Future[Appended]") -> None:
        with closing(JournalReader.open(path)) as other:
            seen.append(other.find_key(entry.key) is not None)
        done.set()

    store.submit(entry, b"{}", DIGEST).add_done_callback(look)
    assert done.wait(60)
    assert seen == [True]


def test_a_refusal_comes_through_the_future(store: Store) -> None:
    """`submit` tells errors where `append` raises them."""
    entry = sale()
    put(store, entry)
    assert isinstance(store.submit(sale(key=entry.key), b"", b"other").exception(10), KeyReused)


class TestReversals:
    """I12: what is taken back never exceeds the original."""

    def test_in_parts_up_to_the_original(self, store: Store, reader: JournalReader) -> None:
        """Parts add up; the one that goes beyond is refused and changes nothing."""
        original = sale(points=30)
        put(store, original)
        put(store, reversal(original, 10))
        with pytest.raises(RightsRefused) as caught:
            put(store, reversal(original, 21))
        assert caught.value.code == "over_reversal"
        assert reader.reversed_points(original.id) == 10
        put(store, reversal(original, 20))
        with pytest.raises(RightsRefused) as caught:
            put(store, reversal(original, 1))
        assert caught.value.code == "reversed_twice"
        assert reader.reversed_points(original.id) == 30

    def test_a_refusal_says_how_much_is_left(self, store: Store) -> None:
        """The cashier can take back as much as that."""
        original = sale(points=24)
        put(store, original)
        put(store, reversal(original, 20))
        with pytest.raises(RightsRefused, match="has 4 points left to reverse, not 5"):
            put(store, reversal(original, 5))

    def test_a_repeated_reversal_counts_once(self, store: Store, reader: JournalReader) -> None:
        """The repeat is answered before its rights are looked at."""
        original = sale(points=30)
        put(store, original)
        first = reversal(original, 30)
        put(store, first)
        assert put(store, first).replayed
        assert reader.reversed_points(original.id) == 30

    def test_an_original_of_another_till_is_left_to_the_ledger(self, store: Store, reader: JournalReader) -> None:
        """This journal cannot know its points; it keeps the sum."""
        elsewhere = sale()
        put(store, reversal(elsewhere, 10))
        assert reader.reversed_points(elsewhere.id) == 10

    def test_two_at_once_do_not_exceed_together(self, store: Store, reader: JournalReader) -> None:
        """Of many reversals in flight only as many succeed as the original has points."""
        original = sale(points=30)
        put(store, original)
        futures = [store.submit(reversal(original, 10), b"", DIGEST) for _ in range(20)]
        assert sum(future.exception(10) is None for future in futures) == 3
        assert reader.reversed_points(original.id) == 30


class TestAllowances:
    """A right to redeem is granted once, used once, in the commit of the redemption."""

    def state(self, reader: JournalReader) -> AllowanceState:
        (allowance,) = reader.allowances()
        return allowance.state

    def test_from_asking_to_using(self, store: Store, reader: JournalReader) -> None:
        """Asked, granted, consumed; and a second redemption with it is refused."""
        store.ask_allowance(right())
        store.ask_allowance(right())
        assert reader.allowances(AllowanceState.ASKED) == [right()]
        store.answer_allowance("right-1", granted=True)
        assert self.state(reader) == "granted"
        assert reader.allowances(AllowanceState.ASKED, AllowanceState.REFUSED) == []
        put(store, redemption("right-1"))
        assert self.state(reader) == "consumed"
        with pytest.raises(RightsRefused) as caught:
            put(store, redemption("right-1"))
        assert caught.value.code == "allowance_used"

    @pytest.mark.parametrize(
        ("prepare", "points", "code"),
        [
            (lambda _: None, 10, "allowance_not_granted"),
            (lambda store: store.ask_allowance(right()), 10, "allowance_not_granted"),
            (
                lambda store: (store.ask_allowance(right()), store.answer_allowance("right-1", False)),
                10,
                "allowance_not_granted",
            ),
            (
                lambda store: (store.ask_allowance(right()), store.answer_allowance("right-1", True)),
                11,
                "allowance_exceeded",
            ),
        ],
        ids=["never asked", "not answered", "refused", "too many points"],
    )
    def test_without_a_right_nothing_is_redeemed(
        self, store: Store, reader: JournalReader, prepare: Callable[[Store], object], points: int, code: str
    ) -> None:
        """The refusal has a code, and no record is written."""
        prepare(store)
        with pytest.raises(RightsRefused) as caught:
            put(store, redemption("right-1", points))
        assert caught.value.code == code
        assert reader.totals().queued == 0

    @pytest.mark.parametrize("answered", [True, False])
    def test_a_right_is_given_back_by_a_release(self, store: Store, reader: JournalReader, answered: bool) -> None:
        """Also one whose answer never came; a late answer does not bring it back."""
        store.ask_allowance(right())
        if answered:
            store.answer_allowance("right-1", granted=True)
        put(store, sale(kind=Kind.RELEASE, allowance="right-1", points=0))
        store.answer_allowance("right-1", granted=True)
        assert self.state(reader) == "released"
        with pytest.raises(RightsRefused, match="released"):
            put(store, redemption("right-1"))

    def test_a_right_that_was_given_back_is_used_up(self, store: Store) -> None:
        """Its code is that of a used one: the till asks for another, and does not wait for an answer."""
        store.ask_allowance(right())
        put(store, sale(kind=Kind.RELEASE, allowance="right-1", points=0))
        for over in (redemption("right-1"), sale(kind=Kind.RELEASE, allowance="right-1", points=0)):
            with pytest.raises(RightsRefused) as caught:
                put(store, over)
            assert caught.value.code == "allowance_used"

    def test_a_redemption_without_a_right_touches_none(self, store: Store, reader: JournalReader) -> None:
        """One within the till's own limits, while a right waits: that stays for the sale that it was asked for."""
        store.ask_allowance(right())
        store.answer_allowance("right-1", granted=True)
        put(store, sale(kind=Kind.REDEEM, points=3))
        assert self.state(reader) == "granted"

    def test_fewer_points_than_asked_for_are_all_that_may_be_used(self, store: Store, reader: JournalReader) -> None:
        """The grant says how many; an answer that names none leaves what was asked."""
        store.ask_allowance(right(points=10))
        store.answer_allowance("right-1", granted=True, points=6)
        with pytest.raises(RightsRefused) as caught:
            put(store, redemption("right-1", 7))
        assert caught.value.code == "allowance_exceeded"
        put(store, redemption("right-1", 6))
        assert self.state(reader) == "consumed"


class TestCorrections:
    """A correction is kept by the name of what it corrects, in the commit that writes it."""

    def correct(self, of: str | None) -> Entry:
        return sale(kind=Kind.CORRECTION, card=None, points=0, correction=Correction("Anne", "saw the receipt", of))

    def test_the_last_word_on_an_entry_is_the_one_that_is_told(self, store: Store, reader: JournalReader) -> None:
        """Of each entry by itself; of what nobody corrected there is none."""
        first, second, other = self.correct("e1"), self.correct("e1"), self.correct("e2")
        for entry in (first, other, second):
            put(store, entry)
        told = [reader.resolution_of(name) for name in ("e1", "e2", "e3")]
        assert [found.entry if found else None for found in told] == [second, other, None]

    def test_points_given_without_an_entry_settle_none(self, store: Store, reader: JournalReader) -> None:
        """A correction that names nothing is one all the same."""
        put(store, self.correct(None))
        assert reader.totals().queued == 1


def test_only_a_redemption_or_a_release_moves_a_right(store: Store, reader: JournalReader) -> None:
    """An earn that names an allowance leaves it as it is."""
    store.ask_allowance(right())
    put(store, sale(allowance="right-1"))
    assert reader.allowances()[0].state is AllowanceState.ASKED


class Misfit(bytes):
    """Becomes a text on its way into its row."""

    def __add__(self, guard: bytes, /) -> str:  # type: ignore[override]
        return "text"


def test_one_refused_member_never_fails_its_group(store: Store, reader: JournalReader) -> None:
    """Good and bad entries in flight together: each hears its own fate, and the good ones are all there."""
    known, original = sale(), sale(points=5)
    put(store, known)
    put(store, original)
    jobs: list[tuple[Entry, bytes, type[Exception] | None]] = []
    for _ in range(50):
        jobs += [
            (sale(), b"d", None),
            (sale(key=known.key), b"other", KeyReused),
            (reversal(original, 6), b"d", RightsRefused),
            (redemption("no right"), b"d", RightsRefused),
        ]
    # No row can hold a text where bytes belong: the database itself refuses this member.
    jobs.append((sale(), Misfit(b"d"), NotRecorded))
    futures = [(store.submit(entry, b"{}", digest), wrong) for entry, digest, wrong in jobs]
    for future, wrong in futures:
        error = future.exception(10)
        assert error is None if wrong is None else type(error) is wrong
    assert reader.totals().queued == 52
    assert reader.verify().ok


def test_64_threads_append_and_every_one_is_there_once(store: Store, reader: JournalReader) -> None:
    """Concurrent callers share commits; numbers stay dense and each caller gets its own."""
    entries = [[sale() for _ in range(20)] for _ in range(64)]
    got: list[Appended] = []

    def caller(mine: list[Entry]) -> None:
        got.extend([put(store, entry, entry.key.encode()) for entry in mine])

    threads = [threading.Thread(target=caller, args=(mine,)) for mine in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(appended.seq for appended in got) == [*range(2, 1282)]
    assert {appended.reply.decode() for appended in got} == {entry.key for mine in entries for entry in mine}
    assert reader.verify().ok


def test_the_same_key_from_many_threads_is_one_entry(store: Store, reader: JournalReader) -> None:
    """A POS that fires its retries at once gets one entry and the same answer for all of them."""
    futures = [store.submit(sale(key="once"), b"%d" % n, DIGEST) for n in range(50)]
    results = [future.result(60) for future in futures]
    assert len({(result.seq, result.reply) for result in results}) == 1
    assert sum(not result.replayed for result in results) == 1
    assert reader.totals().queued == 1


def test_after_the_seal_nothing_is_appended(store: Store, reader: JournalReader) -> None:
    """A sealed stream ends with its seal; repeats are still answered."""
    entry = sale()
    put(store, entry)
    store.seal()
    store.seal()
    with pytest.raises(NotRecorded, match="shutting down"):
        put(store, sale())
    assert put(store, entry).replayed
    for head in reader.streams():
        assert head.sealed
        assert decode(reader.records(head.stream, head.seq, 9, 9999)[-1]).kind is Kind.SEAL


def test_a_closed_store_says_so(path: Path) -> None:
    """No caller waits for a writer that is gone."""
    store = open_store(path)
    store.close()
    with pytest.raises(NotRecorded, match="closed"):
        put(store, sale())
    store.close()


def test_a_clean_close_leaves_one_file(path: Path) -> None:
    """No log to replay and nothing to check at the next start."""
    with closing(open_store(path)) as store:
        put(store, sale())
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_mistake_in_the_writer_stops_it_and_leaves_nobody_waiting(store: Store) -> None:
    """The caller hears NotRecorded, `failure` tells the daemon to stop, later callers are refused."""
    with pytest.raises(NotRecorded):
        store.remember("name", object())  # type: ignore[arg-type]
    assert store.failure is None
    with pytest.raises(NotRecorded, match="division"):
        store._act(lambda _: 1 // 0)  # type: ignore[arg-type,return-value]
    assert isinstance(store.failure, ZeroDivisionError)
    with pytest.raises(NotRecorded, match="closed"):
        put(store, sale())


def test_states_come_from_marks(store: Store, reader: JournalReader) -> None:
    """An entry just appended is queued."""
    entry = sale()
    put(store, entry)
    found = reader.find_id(entry.id)
    assert found is not None
    assert (found.state, found.verdict, found.reply) == (State.QUEUED, None, b"{}")
