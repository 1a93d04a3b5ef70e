"""What every implementation of the books promises: one suite, run on each."""

import base64

import msgspec
import pytest

from ledger.port.book import Book
from ledger.port.refusals import Refused
from offline_queue.entry import Entry, Kind, State, encode
from offline_queue.wire import Hello, Marks, Park
from offline_queue.wire_accounts import AllowanceRequest
from tests.ledger.conftest import PARKING, REGISTERING, Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of

UNKNOWN = "2990000000031"


def seen(till: FakeTill, entry: Entry | bytes) -> tuple[State, str, int | None]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code, verdict.points


class TestCustody:
    def test_a_batch_is_in_custody_and_decided_when_it_is_answered(self, book: Book, till: FakeTill) -> None:
        """The answer carries the mark; the plain records of the batch share one verdict."""
        answer = till.send(*(till.earn(10) for _ in range(5)))
        assert (answer.accepted, answer.stable, answer.generation) == (5, 0, book.generation)
        (verdict,) = till.feed()
        assert (verdict.first, verdict.last, verdict.state, verdict.code) == (1, 5, State.POSTED, "posted")
        assert points_of(book) == 50

    def test_the_same_batch_again_changes_nothing(self, book: Book, till: FakeTill) -> None:
        """A lost answer makes the till send again: the mark is answered, no verdict and no point are added."""
        till.send(till.earn(10), till.earn(20))
        assert till.deliver(till.stream, 1, 2).accepted == 2
        assert points_of(book) == 30
        assert len(till.feed()) == 1

    def test_a_batch_that_overlaps_adds_only_what_is_new(self, book: Book, till: FakeTill) -> None:
        """The till rewinds too far: what is held already stays as it is."""
        till.send(till.earn(10), till.earn(20))
        till.stream.append(encode(till.earn(40)))
        assert till.deliver(till.stream, 2, 2).accepted == 3
        assert points_of(book) == 70

    def test_a_gap_is_refused_with_what_is_expected(self, book: Book, till: FakeTill) -> None:
        """Nothing is taken beyond a hole; the till hears where to go on."""
        till.send(till.earn(10))
        for points in (20, 40):
            till.stream.append(encode(till.earn(points)))
        with pytest.raises(Refused) as refusal:
            till.deliver(till.stream, 3, 1)
        assert (refusal.value.problem.code, refusal.value.problem.expected) == ("gap", 2)
        assert points_of(book) == 10

    def test_a_stream_never_heard_of_starts_at_its_beginning(self, book: Book, till: FakeTill) -> None:
        """A restored ledger asks for everything again."""
        stream = till.new_stream()
        for _ in range(3):
            stream.append(encode(till.earn(1)))
        with pytest.raises(Refused) as refusal:
            till.deliver(stream, 3, 1)
        assert refusal.value.problem.expected == 1

    def test_records_that_do_not_lead_to_the_head_are_not_taken(self, book: Book, till: FakeTill) -> None:
        """A changed byte shows: nothing of the batch is believed."""
        till.stream.append(encode(till.earn(10)))
        header, records = till.stream.batch(1, 1, book.generation)
        with pytest.raises(Refused) as refusal:
            book.take(till.terminal, header, [records[0].replace(b"10", b"99")])
        assert refusal.value.problem.code == "malformed"
        assert book.verify().records == 0

    @pytest.mark.parametrize("change", [{"head": "no hash"}, {"head": "00"}, {"count": 2}, {"count": 0}, {"first": 0}])
    def test_a_header_that_makes_no_sense_is_refused(
        self, book: Book, till: FakeTill, change: dict[str, object]
    ) -> None:
        """Whatever a header claims, nothing is taken unless it fits."""
        till.stream.append(encode(till.earn(10)))
        header, records = till.stream.batch(1, 1, book.generation)
        with pytest.raises(Refused) as refusal:
            book.take(till.terminal, msgspec.structs.replace(header, **change), records)
        assert refusal.value.problem.code == "malformed"
        assert points_of(book) == 0

    def test_another_generation_has_to_say_hello(self, book: Book, till: FakeTill) -> None:
        """A till that knew other books does not go on as if nothing had happened."""
        till.stream.append(encode(till.earn(10)))
        header, records = till.stream.batch(1, 1, "another")
        with pytest.raises(Refused) as refusal:
            book.take(till.terminal, header, records)
        assert (refusal.value.problem.code, refusal.value.problem.generation) == ("generation", book.generation)

    def test_a_generation_that_the_books_never_had_makes_them_take_another(self, book: Book, till: FakeTill) -> None:
        """Another copy of these books went on and was named anew: whoever still has our name may know other decisions
        by their numbers, so every till asks again. Once: the till that stays with its tale changes nothing more."""
        before = book.generation
        till.known = "0" * 32
        after = till.hello().generation
        assert after not in (before, till.known)
        assert till.hello().generation == after
        till.known = before
        assert till.hello().generation == after

    def test_a_generation_is_no_news_while_the_books_recover(self, book: Book, till: FakeTill) -> None:
        """They ask every till already."""
        other = FakeTill(book, 2)
        till.known = "0" * 32
        recovering = till.hello()
        other.known = "1" * 32
        assert recovering.recovering
        assert other.hello().generation == recovering.generation

    def test_hello_tells_the_marks(self, book: Book, till: FakeTill) -> None:
        """The till learns how far each stream is held, and of streams never heard of that nothing is."""
        till.send(till.earn(10), till.earn(20))
        till.stream.append(encode(till.earn(40)))
        fresh = till.new_stream()
        welcome = till.hello(till.stream, fresh)
        assert welcome.streams == {till.stream.uid: Marks(2, 0), fresh.uid: Marks(0, 0)}
        assert (welcome.protocol, welcome.generation) == (1, book.generation)

    def test_no_common_protocol_is_said_so(self, book: Book, till: FakeTill) -> None:
        """A till of the far future is refused before anything is agreed."""
        with pytest.raises(Refused) as refusal:
            book.hello(Hello("r", till.terminal, "", 7, 9, "tilld 99", [], START))
        assert refusal.value.problem.status == 426

    def test_what_was_answered_survives_a_restart(self, shelf: Shelfful, book: Book, till: FakeTill) -> None:
        """The books keep their generation, marks, keys, points and feed."""
        entry = till.earn(10)
        till.send(entry)
        feed = till.feed()
        book.close()
        till.book = again = shelf.open()
        assert again.generation == book.generation
        assert till.feed() == feed
        till.send(entry)
        assert points_of(again) == 10
        assert again.verify().ok


class TestForks:
    def test_a_second_future_of_a_stream_is_kept_and_counted_by_its_keys(self, book: Book, till: FakeTill) -> None:
        """A cloned disk goes on where the first did: both futures are held, shared sales count once, and it shows."""
        shared, first_only, second_only = till.earn(10), till.earn(100), till.earn(1000)
        till.send(shared)
        clone = till.stream.copy()
        till.send(first_only)
        assert till.send(second_only, stream=clone).accepted == 2
        assert points_of(book) == 1110
        assert [flag.code for flag in book.flagged()] == ["fork"]
        assert book.verify().ok

    def test_both_futures_go_on_and_repeat_themselves(self, book: Book, till: FakeTill) -> None:
        """The head tells the branches apart, also when a batch begins before they parted."""
        till.send(till.earn(1))
        clone = till.stream.copy()
        till.send(till.earn(10), till.earn(20))
        till.send(till.earn(100), stream=clone)
        till.send(till.earn(200), stream=clone)
        till.send(till.earn(40))
        assert till.deliver(clone, 1, 3).accepted == 3
        assert till.deliver(till.stream, 1, 4).accepted == 4
        assert points_of(book) == 371
        assert book.verify().ok

    def test_a_till_that_lost_its_end_is_rewound_until_both_agree(self, book: Book, till: FakeTill) -> None:
        """Records before the batch differ too: it is sent again from further back, and then taken."""
        till.send(till.earn(1))
        clone = till.stream.copy()
        till.send(till.earn(10), till.earn(20))
        for points in (100, 200, 400):
            clone.append(encode(till.earn(points)))
        with pytest.raises(Refused) as refusal:
            till.deliver(clone, 4, 1)
        assert (refusal.value.problem.code, refusal.value.problem.expected) == ("gap", 1)
        assert till.deliver(clone, 1, 4).accepted == 4
        assert points_of(book) == 731

    def test_hello_never_claims_records_of_the_other_future(self, book: Book, till: FakeTill) -> None:
        """A mark that counted the other's records would make this till skip its own."""
        till.send(till.earn(1))
        clone = till.stream.copy()
        till.send(till.earn(10), till.earn(20))
        clone.append(encode(till.earn(100)))
        assert till.hello(clone).streams[clone.uid].accepted == 0
        till.deliver(clone, 1, 2)
        assert till.hello(clone).streams[clone.uid].accepted == 2

    def test_a_forked_stream_is_promised_nothing(self, book: Book, till: FakeTill) -> None:
        """Two tills with one name could both hand out the same promise."""
        till.send(till.earn(1000))
        clone = till.stream.copy()
        till.send(till.earn(1))
        till.send(till.earn(2), stream=clone)
        answer = till.ask("a1", 10)
        assert (answer.granted, answer.code) == (False, "fork")


class TestUnreadable:
    def test_a_poison_record_is_taken_and_blocks_nobody(self, book: Book, till: FakeTill) -> None:
        """It is stored, chained, parked and acknowledged; those around it are posted."""
        poison = b"\x00 not json \xff"
        assert till.send(till.earn(10), poison, till.earn(20)).accepted == 3
        assert [(v.first, v.last, v.code) for v in till.feed()] == [
            (1, 1, "posted"),
            (2, 2, "undecodable"),
            (3, 3, "posted"),
        ]
        assert points_of(book) == 30
        assert book.verify().ok

    def test_an_entry_of_a_later_version_waits_for_the_update(self, book: Book, till: FakeTill) -> None:
        """It is told apart from garbage: an update of the ledger will read it."""
        later = encode(till.earn(10)).replace(b'"id"', b'"v":2,"id"', 1)
        till.send(later)
        assert seen(till, later)[:2] == (State.PARKED, "version_unknown")

    def test_a_parked_record_is_decided_apart(self, book: Book, till: FakeTill) -> None:
        """What can be read after all is posted at once; what cannot stays in custody."""
        entry, poison = till.earn(10), b"line one\nline two"
        for seq, raw in enumerate((encode(entry), poison), 1):
            till.stream.append(raw)
            park = Park("r", till.stream.uid, seq, base64.b64encode(raw).decode(), book.generation)
            assert book.park(till.terminal, park).accepted == seq
        assert seen(till, entry)[:2] == (State.POSTED, "posted")
        assert seen(till, poison)[:2] == (State.PARKED, "undecodable")
        till.send(till.earn(20))
        assert points_of(book) == 30

    @pytest.mark.parametrize(("record", "seq"), [("***", 1), ("", 1), ("YQ==", 0)])
    def test_a_park_that_makes_no_sense_is_refused(self, book: Book, till: FakeTill, record: str, seq: int) -> None:
        """Opaque bytes need a place and at least one byte."""
        with pytest.raises(Refused) as refusal:
            book.park(till.terminal, Park("r", till.stream.uid, seq, record, book.generation))
        assert refusal.value.problem.code == "malformed"

    def test_a_record_of_another_terminal_has_no_effect(self, book: Book, till: FakeTill) -> None:
        """Custody yes, effect no; and the key it names stays free for its owner."""
        owner = FakeTill(book, 2)
        stolen = owner.earn(10)
        stranger = till.earn(10, terminal="S999-T99")
        till.send(stolen, stranger)
        assert seen(till, stolen) == (State.CONFLICT, "signature_bad", 0)
        assert seen(till, stranger) == (State.CONFLICT, "terminal_unknown", 0)
        owner.send(stolen)
        assert points_of(book) == 10

    def test_a_novel_in_a_key_does_not_fill_the_feed(self, book: Book, till: FakeTill) -> None:
        """What people are told stays short, however long the texts in a record are."""
        entries = [till.earn(points, key="K" * 5000) for points in (1, 2)]
        till.send(*entries)
        assert len(till.verdict(entries[1]).detail or "") <= 300

    def test_a_streams_name_is_short(self, book: Book, till: FakeTill) -> None:
        """It is repeated in every verdict."""
        till.stream.uid = "s" * 65
        with pytest.raises(Refused) as refusal:
            till.send(till.earn(1))
        assert refusal.value.problem.code == "malformed"


class TestKeys:
    def test_a_sale_that_comes_twice_counts_once(self, book: Book, till: FakeTill) -> None:
        """Another till, another record, the same key and sale: the first decision again."""
        other = FakeTill(book, 2)
        till.send(till.earn(10, key="K"))
        again = other.earn(10, key="K")
        other.send(again)
        assert seen(other, again) == (State.POSTED, "duplicate", 0)
        assert points_of(book) == 10

    def test_a_key_used_for_another_sale_is_parked(self, book: Book, till: FakeTill) -> None:
        """The first stands; the second is kept for a person to look at."""
        first, second = till.earn(10, key="K"), till.earn(11, key="K")
        till.send(first, second)
        assert seen(till, second) == (State.PARKED, "key_mismatch", 0)
        assert points_of(book) == 10

    def test_a_key_is_remembered_on_any_later_day(self, book: Book, till: FakeTill) -> None:
        """A till restored from an old backup sends old sales under a new day."""
        till.send(till.earn(10, key="K", business_day="2024-01-01"))
        till.send(till.earn(10, key="K", business_day="2025-06-15"))
        assert points_of(book) == 10

    def test_a_duplicate_waits_with_its_first(self, book: Book, till: FakeTill) -> None:
        """While the first is parked the second is too; when it is posted both are told."""
        first, second = till.earn(10, UNKNOWN, key="K"), till.earn(10, UNKNOWN, key="K")
        till.send(first, second)
        assert seen(till, second) == (State.PARKED, "duplicate", 0)
        book.register(UNKNOWN)
        assert seen(till, first) == (State.POSTED, "posted", None)
        assert seen(till, second) == (State.POSTED, "duplicate", 0)
        assert points_of(book, UNKNOWN) == 10


class TestUnknownCards:
    def test_points_earned_on_an_unknown_card_wait_for_it(self, book: Book, till: FakeTill) -> None:
        """They are credited when the card is registered, and the till is told so."""
        entry = till.earn(10, UNKNOWN)
        till.send(entry)
        assert seen(till, entry) == (State.PARKED, "card_unknown", 0)
        assert book.account("r", UNKNOWN) is None
        done = book.register(UNKNOWN, 5)
        assert (done.opened, done.points, done.code) == (True, 5, "posted")
        assert seen(till, entry) == (State.POSTED, "posted", None)
        assert points_of(book, UNKNOWN) == 15

    def test_a_redemption_on_an_unknown_card_stays_parked(self, book: Book, till: FakeTill) -> None:
        """There was nothing it could have used: a person decides, not the registration."""
        entry = till.redeem(10, UNKNOWN)
        till.send(entry)
        book.register(UNKNOWN)
        assert seen(till, entry) == (State.PARKED, "card_unknown", 0)
        assert points_of(book, UNKNOWN) == 0

    def test_an_open_programme_opens_the_account_at_once(self, shelf: Shelfful) -> None:
        """With `register`, the first earn on a card is its registration, what waited included."""
        parking = shelf.open(PARKING)
        till = FakeTill(parking)
        earlier, later = till.earn(10, UNKNOWN), till.earn(20, UNKNOWN)
        till.send(earlier)
        parking.close()
        till.book = book = shelf.open(REGISTERING)
        till.send(later)
        assert seen(till, earlier)[0] is State.POSTED
        assert points_of(book, UNKNOWN) == 30

    @pytest.mark.parametrize("number", ["", "9" * 65, "1\n2"])
    def test_garbage_never_opens_an_account(self, shelf: Shelfful, number: str) -> None:
        """A scanned novel is no card number, in an open programme too."""
        book = shelf.open(REGISTERING)
        till = FakeTill(book)
        entry = till.earn(10, number)
        till.send(entry)
        assert seen(till, entry) == (State.PARKED, "card_unknown", 0)
        with pytest.raises(Refused):
            book.register(number)

    def test_a_sale_without_a_card_is_kept(self, book: Book, till: FakeTill) -> None:
        """Its points wait for whoever claims them."""
        entry = till.earn(10, None)
        till.send(entry)
        assert seen(till, entry) == (State.PARKED, "card_unknown", 0)

    def test_opening_points_are_given_once(self, book: Book) -> None:
        """Registering again is harmless; with other points it is refused as another gift under the same key."""
        assert book.register(UNKNOWN, 100).code == "posted"
        assert book.register(UNKNOWN, 100).code == "duplicate"
        assert book.register(UNKNOWN, 200).code == "key_mismatch"
        assert points_of(book, UNKNOWN) == 100


class TestReversals:
    def test_a_reversed_earn_is_gone(self, book: Book, till: FakeTill) -> None:
        """The award's own lot is taken first, so other awards keep their age."""
        old, new = till.earn(10, occurred_at="2024-01-01T00:00:00Z"), till.earn(20)
        till.send(old, new, till.reverse(new))
        statement = book.statement(CARD)
        assert statement is not None
        assert [(lot.entry, lot.remaining) for lot in statement.lots] == [(old.id, 10)]

    def test_a_reversed_redemption_restores_the_lots_it_used(self, book: Book, till: FakeTill) -> None:
        """Points come back with the age they had."""
        old, new = till.earn(10, occurred_at="2024-01-01T00:00:00Z"), till.earn(20)
        spent = till.redeem(15)
        till.send(old, new, spent)
        till.send(till.reverse(spent, 4))
        till.send(till.reverse(spent, 11))
        statement = book.statement(CARD)
        assert statement is not None
        assert [(lot.entry, lot.remaining) for lot in statement.lots] == [(old.id, 10), (new.id, 20)]
        assert book.verify().ok

    def test_a_reversal_before_its_original_waits_for_it(self, book: Book, till: FakeTill) -> None:
        """Lanes and tills overtake each other: it is driven again when the original arrives."""
        other = FakeTill(book, 2)
        original = other.earn(10)
        reversal = till.reverse(original, 10)
        till.send(reversal)
        assert seen(till, reversal) == (State.PARKED, "original_unknown", None)
        other.send(original)
        assert seen(till, reversal) == (State.POSTED, "posted", None)
        assert points_of(book) == 0

    def test_a_chain_of_waiting_records_falls_into_place(self, book: Book, till: FakeTill) -> None:
        """The card is registered, so its earn is posted, so its reversal is too."""
        earned = till.earn(10, UNKNOWN)
        reversal = till.reverse(earned, 4)
        till.send(reversal, earned)
        book.register(UNKNOWN)
        assert seen(till, reversal) == (State.POSTED, "posted", None)
        assert points_of(book, UNKNOWN) == 6

    def test_a_second_reversal_has_no_effect(self, book: Book, till: FakeTill) -> None:
        """Two tills reversed the same sale."""
        earned = till.earn(10)
        second = till.reverse(earned, 10)
        till.send(earned, till.reverse(earned, 10), second)
        assert seen(till, second) == (State.CONFLICT, "reversed_twice", 0)
        assert points_of(book) == 0

    def test_a_reversal_takes_no_more_than_the_original_gave(self, book: Book, till: FakeTill) -> None:
        """Up to the original is done, the rest is noted."""
        earned = till.earn(10)
        second = till.reverse(earned, 8)
        till.send(earned, till.reverse(earned, 7), second)
        assert seen(till, second) == (State.CONFLICT, "over_reversal", -3)
        assert points_of(book) == 0

    def test_a_sale_of_two_tills_is_reversed_by_either_id(self, book: Book, till: FakeTill) -> None:
        """The POS sent it through two tills: each knows it by its own id, and it is undone once."""
        other = FakeTill(book, 2)
        first, second = till.earn(10, key="K"), other.earn(10, key="K")
        till.send(first)
        other.send(second)
        undone = other.reverse(second, 4)
        other.send(undone)
        assert seen(other, undone) == (State.POSTED, "posted", None)
        assert points_of(book) == 6
        rest = till.reverse(first, 10)
        till.send(rest)
        assert seen(till, rest) == (State.CONFLICT, "over_reversal", -6)
        again = other.reverse(second, 10)
        other.send(again)
        assert seen(other, again) == (State.CONFLICT, "reversed_twice", 0)
        assert points_of(book) == 0

    def test_the_reversal_of_a_repeated_sale_may_come_first(self, book: Book, till: FakeTill) -> None:
        """The urgent lane overtakes the sale; both wait until the card is registered, and all of it in one batch."""
        other = FakeTill(book, 2)
        sale, again = till.earn(10, UNKNOWN, key="K"), other.earn(10, UNKNOWN, key="K")
        undone = other.reverse(again)
        other.send(undone)
        till.send(sale)
        other.send(again)
        assert seen(other, undone) == (State.PARKED, "original_unknown", None)
        book.register(UNKNOWN, 100)
        assert seen(other, undone) == (State.POSTED, "posted", None)
        assert points_of(book, UNKNOWN) == 100
        third = FakeTill(book, 3)
        within = third.earn(10, UNKNOWN, key="K")
        twice = third.reverse(within)
        third.send(twice, within)
        assert seen(third, twice) == (State.CONFLICT, "reversed_twice", None)
        assert points_of(book, UNKNOWN) == 100

    def test_an_id_that_is_in_the_books_is_its_own(self, book: Book, till: FakeTill) -> None:
        """A till that gives a repeated sale the id of somebody's sale does not turn reversals upon another one."""
        victim, other = till.earn(5), till.earn(10, key="K")
        till.send(victim, other, till.earn(10, key="K", id=victim.id))
        till.send(till.reverse(victim))
        assert points_of(book) == 10
        undone = till.reverse(victim)
        till.send(undone)
        assert seen(till, undone) == (State.CONFLICT, "reversed_twice", None)

    def test_a_reversal_is_not_reversed(self, book: Book, till: FakeTill) -> None:
        """Undoing an undo would let one sale count for ever."""
        earned = till.earn(10)
        reversal = till.reverse(earned, 10)
        undo = till.reverse(reversal, 10)
        till.send(earned, reversal, undo)
        assert seen(till, undo) == (State.CONFLICT, "over_reversal", 0)
        assert points_of(book) == 0


class TestAllowances:
    @pytest.fixture(autouse=True)
    def _hundred_points(self, till: FakeTill) -> None:
        till.send(till.earn(100))

    def test_a_promise_is_held_back_at_once(self, book: Book, till: FakeTill) -> None:
        """What one till was promised no other till is."""
        other = FakeTill(book, 2)
        granted, refused = till.ask("a1", 80), other.ask("a2", 30)
        assert granted.granted
        assert granted.balance is not None
        assert (granted.balance.points, granted.balance.reserved) == (100, 80)
        assert (refused.granted, refused.code) == (False, "insufficient_points")

    def test_the_same_request_gets_the_same_answer(self, book: Book, till: FakeTill) -> None:
        """Sent again until answered, also after its refusal could have become a yes."""
        assert till.ask("yes", 80).granted
        assert till.ask("yes", 80).granted
        assert not till.ask("no", 80).granted
        till.send(till.earn(1000))
        assert not till.ask("no", 80).granted
        account = book.account("r", CARD)
        assert account is not None
        assert account.balance.reserved == 80

    @pytest.mark.parametrize("change", [{"points": 81}, {"card": OTHER_CARD}, {"stream": "0" * 32}])
    def test_an_id_with_other_content_is_refused(self, book: Book, till: FakeTill, change: dict[str, object]) -> None:
        """Nobody widens a promise by asking again."""
        till.ask("a1", 80)
        request = AllowanceRequest("r", "a1", CARD, 80, till.stream.uid)
        with pytest.raises(Refused) as refusal:
            book.allowance(till.terminal, msgspec.structs.replace(request, **change))
        assert refusal.value.problem.code == "key_mismatch"

    def test_another_tills_promise_cannot_be_asked_for(self, book: Book, till: FakeTill) -> None:
        """An id belongs to the till that made it."""
        till.ask("a1", 80)
        with pytest.raises(Refused):
            FakeTill(book, 2).ask("a1", 80)

    def test_a_redemption_uses_up_its_promise(self, book: Book, till: FakeTill) -> None:
        """What it did not need is free again."""
        till.ask("a1", 80)
        spent = till.redeem(50, allowance="a1")
        till.send(spent)
        assert seen(till, spent) == (State.POSTED, "posted", None)
        assert till.ask("a2", 50).granted
        assert points_of(book) == 50

    def test_only_the_holder_gives_a_promise_back(self, book: Book, till: FakeTill) -> None:
        """Another till's release changes nothing; the holder's frees the points; a second one is harmless."""
        other = FakeTill(book, 2)
        till.ask("a1", 100)
        foreign, own, again = other.release("a1"), till.release("a1"), till.release("a1")
        other.send(foreign)
        assert seen(other, foreign)[:2] == (State.CONFLICT, "allowance_void")
        assert not other.ask("a2", 1).granted
        till.send(own, again)
        assert seen(till, again)[:2] == (State.POSTED, "posted")
        assert other.ask("a3", 100).granted

    def test_a_promise_given_back_before_it_was_heard_of_is_never_made(self, book: Book, till: FakeTill) -> None:
        """The late request of a till that has given up reserves nothing."""
        till.send(till.release("late"))
        answer = till.ask("late", 80)
        assert (answer.granted, answer.code) == (False, "allowance_void")
        assert till.ask("a2", 100).granted

    def test_more_than_was_promised_is_applied_and_flagged(self, book: Book, till: FakeTill) -> None:
        """The goods have left the shop: the points follow, and it shows."""
        till.ask("a1", 10)
        spent = till.redeem(30, allowance="a1")
        till.send(spent)
        assert seen(till, spent) == (State.CONFLICT, "allowance_exceeded", None)
        assert points_of(book) == 70

    @pytest.mark.parametrize("case", ["unknown", "used", "released", "foreign", "other card"])
    def test_a_redemption_without_a_valid_promise_is_applied_and_flagged(
        self, book: Book, till: FakeTill, case: str
    ) -> None:
        """A promise counts once, for its till and its card."""
        other, allowance = FakeTill(book, 2), "a1"
        if case != "unknown":
            till.ask(allowance, 10)
        if case == "used":
            till.send(till.redeem(10, allowance=allowance))
        if case == "released":
            till.send(till.release(allowance))
        user = other if case == "foreign" else till
        card = OTHER_CARD if case == "other card" else CARD
        spent = user.redeem(10, card, allowance=allowance)
        user.send(spent)
        assert seen(user, spent) == (State.CONFLICT, "allowance_void", None)
        assert book.verify().ok

    def test_a_duplicate_redemption_frees_the_promise_it_used(self, book: Book, till: FakeTill) -> None:
        """The POS repeated a sale at another till, which had asked for a promise of its own."""
        other = FakeTill(book, 2)
        till.ask("a1", 40)
        other.ask("a2", 40)
        till.send(till.redeem(40, key="K", allowance="a1"))
        other.send(other.redeem(40, key="K", allowance="a2"))
        account = book.account("r", CARD)
        assert account is not None
        assert (account.balance.points, account.balance.reserved) == (60, 0)

    def test_an_unknown_card_is_promised_nothing(self, book: Book, till: FakeTill) -> None:
        """The refusal says why."""
        answer = till.ask("a1", 1, UNKNOWN)
        assert (answer.granted, answer.code, answer.balance) == (False, "card_unknown", None)

    @pytest.mark.parametrize("points", [0, -5, 10**12])
    def test_a_promise_of_nothing_or_of_everything_is_refused(self, book: Book, till: FakeTill, points: int) -> None:
        """Points are counted from 1 to a billion."""
        with pytest.raises(Refused):
            till.ask("a1", points)


class TestOverdrafts:
    def test_an_offline_redemption_beyond_the_balance_is_applied_and_repaid(self, book: Book, till: FakeTill) -> None:
        """Negative is a state: it is flagged, and the next awards make up for it."""
        spent = till.redeem(30)
        till.send(till.earn(10), spent)
        assert seen(till, spent) == (State.CONFLICT, "overdrawn", None)
        assert points_of(book) == -20
        till.send(till.earn(15), till.earn(15))
        statement = book.statement(CARD)
        assert statement is not None
        assert [lot.remaining for lot in statement.lots] == [10]
        assert book.verify().ok

    def test_points_promised_to_another_till_are_not_free(self, book: Book, till: FakeTill) -> None:
        """The flag falls on the one without a promise, and the promise is kept."""
        other = FakeTill(book, 2)
        till.send(till.earn(100))
        other.ask("a1", 100)
        grabbed, kept = till.redeem(50), other.redeem(100, allowance="a1")
        till.send(grabbed)
        other.send(kept)
        assert seen(till, grabbed)[1] == "overdrawn"
        assert seen(other, kept) == (State.POSTED, "posted", None)
        assert points_of(book) == -50
        assert book.verify().ok

    def test_a_reversed_overdraft_is_whole_again(self, book: Book, till: FakeTill) -> None:
        """Also when part of it was repaid in between."""
        spent = till.redeem(30)
        till.send(till.earn(10), spent, till.earn(5))
        till.send(till.reverse(spent, 30))
        assert points_of(book) == 15
        assert book.verify().ok


class TestFeed:
    def test_a_page_brings_the_balances_it_touches(self, book: Book, till: FakeTill) -> None:
        """They are those of now; beyond the cursor there is nothing."""
        till.send(till.earn(10), till.earn(20, OTHER_CARD))
        page = book.decisions(till.terminal, "r1", 0, 100)
        assert (page.request, page.next, page.more) == ("r1", 1, False)
        assert [(b.number, b.points, b.as_of) for b in page.balances] == [(CARD, 10, START), (OTHER_CARD, 20, START)]
        assert book.decisions(till.terminal, "r2", page.next, 100).verdicts == []

    def test_a_till_hears_of_its_own_records_alone(self, book: Book, till: FakeTill) -> None:
        """Numbers count on without a hole for each terminal."""
        other = FakeTill(book, 2)
        for _ in range(3):
            till.send(till.earn(1))
            other.send(other.earn(1))
        assert [v.n for v in till.feed()] == [1, 2, 3]
        assert {v.stream for v in till.feed()} == {till.stream.uid}

    def test_genesis_and_seal_are_records_like_others(self, book: Book, till: FakeTill) -> None:
        """They open and close a stream and move nothing, even with one key for all of them."""
        till.send(till.entry(Kind.GENESIS, card=None, key="x"), till.earn(5), till.entry(Kind.SEAL, card=None, key="x"))
        (verdict,) = till.feed()
        assert (verdict.first, verdict.last, verdict.code) == (1, 3, "posted")
        assert points_of(book) == 5


class TestOffice:
    def test_a_key_is_never_silently_replaced(self, book: Book, till: FakeTill) -> None:
        """Only an operator's word changes the key of a known terminal, and nobody's that of the office."""
        assert not book.enrol(till.terminal, b"x" * 32)
        assert book.public_key(till.terminal) == till.key
        assert book.enrol(till.terminal, b"x" * 32, replace=True)
        assert book.public_key(till.terminal) == b"x" * 32
        assert not book.enrol("ledger", b"x" * 32, replace=True)

    def test_a_till_is_told_of_the_next_lots_only(self, book: Book, till: FakeTill) -> None:
        """The balance counts them all; the answer stays small for a card with thousands of awards."""
        till.send(*(till.earn(1) for _ in range(150)))
        account = book.account("r", CARD)
        assert account is not None
        assert (account.balance.points, len(account.lots)) == (150, 100)

    def test_a_statement_names_every_entry(self, book: Book, till: FakeTill) -> None:
        """What was earned, used and reversed, with the decision on each."""
        earned, spent = till.earn(10), till.redeem(4)
        undone = till.reverse(spent, 1)
        till.send(earned, spent, undone)
        statement = book.statement(CARD)
        assert statement is not None
        assert [(line.id, line.points) for line in statement.entries] == [
            (earned.id, 10),
            (spent.id, -4),
            (undone.id, 1),
        ]
        assert book.statement(UNKNOWN) is None

    def test_terminals_show_what_they_have_delivered(self, book: Book, till: FakeTill) -> None:
        """With the time and software of their last hello; the office itself is none."""
        till.send(till.earn(1), till.earn(2))
        till.hello()
        (shown,) = book.terminals()
        assert (shown.name, shown.records, shown.streams, shown.seen_at, shown.software) == (
            till.terminal,
            2,
            1,
            START,
            "fake 1",
        )

    def test_what_needs_a_look_is_listed_until_it_does_not(self, book: Book, till: FakeTill) -> None:
        """Cards are masked; a record that was parked and then posted is gone from the list."""
        till.send(till.earn(10, UNKNOWN), b"garbage", till.redeem(5))
        flags = book.flagged()
        assert [flag.code for flag in flags] == ["card_unknown", "undecodable", "overdrawn"]
        assert UNKNOWN not in str(flags)
        book.register(UNKNOWN)
        assert [flag.code for flag in book.flagged()] == ["undecodable", "overdrawn"]
