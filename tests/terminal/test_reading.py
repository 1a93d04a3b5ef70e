"""One presentation is one, a name for it is good for a while, and one POS waits at a time."""

from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import CardRead, EntryMode, Technology
from offline_queue.entry import Card
from terminal.counter.reading import KEPT_MS, KEPT_READS, Reading
from terminal.inbox import ReadAsked
from terminal.pos import CardView, ReadAnswer, Refusal
from tests.ledger.fake_till import FakeTimepiece

DEBOUNCE_MS = 100
CARDS = st.sampled_from("ABC")
SIGHTS = st.lists(st.tuples(st.sampled_from(["left", "right"]), CARDS, st.integers(0, 2 * DEBOUNCE_MS)), max_size=30)
Reply = Future[ReadAnswer]


@pytest.fixture
def timepiece() -> FakeTimepiece:
    return FakeTimepiece()


@pytest.fixture
def reading(timepiece: FakeTimepiece) -> Reading:
    return Reading(timepiece, DEBOUNCE_MS)


def read(data: str) -> CardRead:
    return CardRead(Technology.QR, EntryMode.SCANNED, data)


def presented(mode: str = "contactless") -> ReadAnswer:
    return ReadAnswer("read-1", CardView("•••• 0017"), "ntag", mode, "counter", None, [])


@given(SIGHTS)
@settings(max_examples=80)
def test_a_card_that_lies_there_is_presented_once(sights: list[tuple[str, str, int]]) -> None:
    """Each sight of it renews the time; another card, another reader or a pause makes it a new one."""
    timepiece = FakeTimepiece()
    reading, last = Reading(timepiece, DEBOUNCE_MS), dict[str, tuple[str, int]]()
    for reader, card, pause in sights:
        timepiece.now += pause
        seen, at = last.get(reader, ("", 0))
        assert reading.is_new(reader, read(card)) == (seen != card or timepiece.now - at >= DEBOUNCE_MS)
        last[reader] = card, timepiece.now


@given(SIGHTS)
@settings(max_examples=80)
def test_a_number_that_is_seen_again_is_one_presentation(sights: list[tuple[str, str, int]]) -> None:
    """Although the chip shows something else at each tap."""
    timepiece = FakeTimepiece()
    reading, last = Reading(timepiece, DEBOUNCE_MS), dict[str, tuple[str, int]]()
    for reader, number, pause in sights:
        timepiece.now += pause
        seen, at = last.get(reader, ("", 0))
        assert reading.repeats(reader, number) == (seen == number and timepiece.now - at < DEBOUNCE_MS)
        last[reader] = number, timepiece.now


def test_a_card_that_lies_there_keeps_its_number_seen(reading: Reading, timepiece: FakeTimepiece) -> None:
    """It shows the same for a while and then counts on: that is still the same presentation."""
    assert (reading.is_new("left", read("tap 1")), reading.repeats("left", "17")) == (True, False)
    for _ in range(3):
        timepiece.now += DEBOUNCE_MS - 1
        assert not reading.is_new("left", read("tap 1"))
    timepiece.now += DEBOUNCE_MS - 1
    assert (reading.is_new("left", read("tap 2")), reading.repeats("left", "17")) == (True, True)
    assert not reading.repeats("right", "17")


def test_a_read_is_good_for_as_long_as_a_basket_takes(reading: Reading, timepiece: FakeTimepiece) -> None:
    """And no longer: the customer has gone."""
    name = reading.keep(Card("17"))
    timepiece.now += KEPT_MS - 1
    assert reading.card(name) == Card("17")
    timepiece.now += 1
    for unknown in (name, "read-nobody"):
        with pytest.raises(Refusal, match="unknown or too old") as refusal:
            reading.card(unknown)
        assert (refusal.value.code, refusal.value.reason) == ("invalid", "read_unknown")


def test_only_the_newest_reads_are_kept(reading: Reading) -> None:
    """Memory is bounded, whatever lies on a reader all night."""
    names = [reading.keep(Card(str(number))) for number in range(KEPT_READS + 1)]
    assert [reading.card(name).number for name in (names[1], names[-1])] == ["1", str(KEPT_READS)]
    with pytest.raises(Refusal):
        reading.card(names[0])


class TestWaiting:
    def asked(self, reading: Reading, *modes: str) -> Reply:
        reply = Reply()
        reading.wait(ReadAsked(frozenset(modes), reply))
        return reply

    def code(self, reply: Reply) -> str:
        refusal = reply.exception(timeout=0)
        assert isinstance(refusal, Refusal)
        return refusal.code

    def test_whoever_comes_second_is_told_so(self, reading: Reading) -> None:
        """The first goes on waiting and has the card."""
        first, second = self.asked(reading), self.asked(reading)
        assert (self.code(second), first.done()) == ("busy", False)
        reading.identified(presented())
        assert first.result(timeout=0) == presented()

    def test_whoever_has_gone_is_in_nobodys_way(self, reading: Reading) -> None:
        """Its answer came from elsewhere."""
        gone = self.asked(reading)
        gone.cancel()
        next_one = self.asked(reading)
        assert not next_one.done()
        reading.identified(presented())
        assert next_one.done()

    def test_a_card_is_given_once(self, reading: Reading) -> None:
        """Nobody waits any more, and the next may ask."""
        self.asked(reading)
        assert reading.waits(None)
        reading.identified(presented())
        assert not reading.waits(None)
        assert not self.asked(reading).done()

    def test_only_the_wanted_way_of_presenting_counts(self, reading: Reading) -> None:
        """A code that somebody scans is no tap; without a wish any will do."""
        tap = self.asked(reading, "contactless", "inserted")
        reading.identified(presented("scanned"))
        assert not tap.done()
        reading.identified(presented("contactless"))
        assert tap.done()

    def test_a_card_that_will_not_do_ends_the_wait(self, reading: Reading) -> None:
        """However it was presented; the next request is another one."""
        reply = self.asked(reading, "contactless")
        reading.refused(Refusal("card_refused", "a payment card"))
        assert self.code(reply) == "card_refused"
        assert not reading.waits(None)

    @pytest.mark.parametrize("by_name", [True, False])
    def test_a_wait_ends_by_name_or_without(self, reading: Reading, by_name: bool) -> None:
        """Whoever knows the request names it; a technician's abort means whoever waits."""
        reply = self.asked(reading)
        assert (reading.waits(reply), reading.waits(None)) == (True, True)
        reading.abandon("aborted", reply if by_name else None)
        assert self.code(reply) == "aborted"
        assert (reading.waits(reply), reading.waits(None)) == (False, False)

    def test_the_end_of_one_wait_is_not_that_of_another(self, reading: Reading) -> None:
        """A request that was turned away ends late."""
        reply, other = self.asked(reading), Reply()
        reading.abandon("no_card", other)
        assert self.code(other) == "no_card"
        assert (reply.done(), reading.waits(reply)) == (False, True)
        reading.abandon("no_card", None)
        reading.abandon("no_card", None)
        assert self.code(reply) == "no_card"
