"""What a till's technician is told, and until when."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.codes import Code
from ledger.port.book import Book
from ledger.rules.orders import CLOCK_OFF_MS, Findings, Suspect, orders
from offline_queue.timepiece import rfc3339
from offline_queue.wire import Hello, OrderCode, Welcome
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import START, START_MS, FakeTill
from tests.ledger.test_lineage import Line, flag

DAY_MS = 86_400_000


def codes(book: Book, till: FakeTill, time: str = START) -> list[str]:
    return [order.code for order in greeted(book, till, time).orders]


def greeted(book: Book, till: FakeTill, time: str = START) -> Welcome:
    return book.hello(Hello("r", till.terminal, "", 1, 2, "fake", [], time))


class TestWords:
    @pytest.mark.parametrize(
        ("findings", "code"),
        [
            (Findings("T", [Suspect("s" * 32, Code.RESTORED, "p" * 32, 7, START_MS)]), OrderCode.RESTORED),
            (Findings("T", [Suspect("s" * 32, Code.FORK, None, None, None)]), OrderCode.FORK),
            (Findings("T", lost_at=START_MS, records=42), OrderCode.JOURNAL_LOST),
            (Findings("T", revoked=True), OrderCode.KEY_REVOKED),
        ],
    )
    def test_each_finding_says_what_it_means_and_what_to_do(self, findings: Findings, code: str) -> None:
        """Points first, then a command or a person to turn to."""
        (order,) = orders(findings, START, START_MS)
        assert order.code == code
        assert any(word in order.detail for word in ("counts once", "nothing of it counts"))
        assert "tilld ledger" in order.detail

    def test_a_till_in_order_is_told_nothing(self) -> None:
        """No finding, no words."""
        assert orders(Findings("T"), START, START_MS) == []

    @pytest.mark.parametrize(
        ("off", "said"), [(10 * DAY_MS, "10 days fast"), (-7_200_000, "2 hours slow"), (400_000, "7 minutes fast")]
    )
    def test_a_wrong_clock_is_told_by_how_much(self, off: int, said: str) -> None:
        """In a unit that people use."""
        (order,) = orders(Findings("T"), rfc3339(START_MS + off), START_MS)
        assert (order.code, said in order.detail) == (OrderCode.CLOCK_OFF, True), order.detail

    @settings(max_examples=60)
    @given(told=st.one_of(st.text(max_size=40), st.datetimes().map(str)))
    def test_whatever_a_till_calls_the_time_is_answered(self, told: str) -> None:
        """Garbage is a wrong clock, and never an error."""
        assert [order.code for order in orders(Findings("T"), told, START_MS)] in ([], [OrderCode.CLOCK_OFF])

    @pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
    def test_a_time_without_a_zone_means_the_same_wherever_the_ledger_runs(
        self, zone: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """UTC, as where sales are dated; not the zone of the ledger's machine."""
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            assert orders(Findings("T"), START.removesuffix("Z"), START_MS) == []
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_what_is_no_time_is_told_legibly(self) -> None:
        """The text comes from a till and is read on a terminal: no control character of it gets there."""
        (order,) = orders(Findings("T"), "\x1b[2Jnoon\n", START_MS)
        assert order.detail.isprintable()
        assert "noon" in order.detail

    def test_small_differences_are_no_finding(self) -> None:
        """A request on its way, and a clock that drifts."""
        for off in (-CLOCK_OFF_MS, 0, CLOCK_OFF_MS):
            assert orders(Findings("T"), rfc3339(START_MS + off), START_MS) == []


class TestTelling:
    def test_findings_are_told_at_every_hello_until_somebody_has_looked(
        self, shelf: Shelfful, book: Book, till: FakeTill
    ) -> None:
        """Over restarts of the ledger too; acknowledged they are gone, and the stream may redeem again."""
        line = Line(book, till)
        backup = line.copy()
        line.sell()
        line.deliver()
        backup.open()
        backup.hello()
        assert codes(book, till) == codes(book, till) == [OrderCode.RESTORED]
        book.close()
        backup.book = again = shelf.open()
        assert codes(again, till) == [OrderCode.RESTORED]
        assert again.acknowledge(till.terminal) == 1
        assert (codes(again, till), flag(again, backup.now), backup.ask("a1")) == ([], None, None)

    def test_a_journal_begun_anew_is_told_with_what_is_held(self, book: Book, till: FakeTill) -> None:
        """Nobody can know what it had not sent, but what it had is named."""
        line = Line(book, till)
        line.sell()
        line.deliver()
        Line(book, till).hello()
        (order,) = greeted(book, till).orders
        assert (order.code, "2 records" in order.detail) == (OrderCode.JOURNAL_LOST, True), order.detail
        assert book.acknowledge(till.terminal) == 1
        assert codes(book, till) == []

    def test_nobody_is_told_of_another_till(self, book: Book, till: FakeTill) -> None:
        """Findings are a terminal's own."""
        line = Line(book, till)
        line.sell()
        line.deliver()
        Line(book, till).hello()
        assert codes(book, FakeTill(book, 2)) == []
        assert book.acknowledge("S009-T99") is None

    def test_a_revoked_key_is_told(self, book: Book, till: FakeTill) -> None:
        """A technician at the till learns why nothing counts; acknowledging does not give the key back."""
        assert book.revoke(till.terminal, "stolen")
        assert codes(book, till) == [OrderCode.KEY_REVOKED]
        book.acknowledge(till.terminal)
        assert codes(book, till) == [OrderCode.KEY_REVOKED]

    def test_a_wrong_clock_is_told_while_it_is_wrong(self, book: Book, till: FakeTill) -> None:
        """It needs nobody's word at the ledger."""
        assert codes(book, till, "2025-06-25T15:06:40.000Z") == [OrderCode.CLOCK_OFF]
        assert codes(book, till) == []
