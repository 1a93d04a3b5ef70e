"""Rights over restarts, copies and restores: nothing is promised twice, and nothing is freed that may still be used."""

import pytest

from ledger.facts.policy import Policy
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.port.terminals import Recovery
from offline_queue.entry import MAX_POINTS
from offline_queue.wire_accounts import AllowanceRequest
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of
from tests.ledger.holder import Holder, go_back


@pytest.fixture
def holder(book: Book, till: FakeTill) -> Holder:
    """A till whose customer has 100 points."""
    till.send(till.earn(100), stream=till.new_stream())
    holder = Holder(book, till)
    holder.sync()
    return holder


def reserved(book: Book, card: str = CARD) -> int:
    statement = book.statement(card)
    assert statement is not None
    return statement.reserved


def sound(book: Book) -> bool:
    """The sums agree, and no promise is uncovered (I3, I4)."""
    verified = book.verify()
    assert verified.problems == []
    return verified.ok


class TestGrants:
    @pytest.mark.parametrize(
        ("name", "points", "code"),
        [
            ("", 10, "malformed"),
            ("n" * 65, 10, "malformed"),
            ("a1", 0, "malformed"),
            ("a1", -10, "malformed"),
            ("a1", MAX_POINTS + 1, "malformed"),
        ],
    )
    def test_what_no_till_asks_for_is_refused(
        self, book: Book, holder: Holder, name: str, points: int, code: str
    ) -> None:
        """A promise of less than nothing would let others have more than there is."""
        with pytest.raises(Refused) as refusal:
            holder.request(name, points)
        assert (refusal.value.problem.code, refusal.value.problem.request) == (code, f"r-{name}")
        assert reserved(book) == 0
        assert holder.request("n" * 64, MAX_POINTS).code == "insufficient_points"

    def test_fewer_points_are_welcome_ahead_of_need(self, holder: Holder) -> None:
        """Down to `least`, and the answer tells how many."""
        assert holder.ask("a1", 30).points is None
        answer = holder.ask("a2", 500, least=20)
        assert (answer.granted, answer.points) == (True, 70)
        assert holder.ask("a3", 500, least=1).code == "insufficient_points"
        assert sound(holder.book)

    def test_a_repeat_gets_the_same_points(self, holder: Holder) -> None:
        """Although there are more by now; and asking for other points is another wish."""
        holder.ask("a1", 500, least=1)
        holder.till.send(holder.till.earn(50), stream=holder.till.new_stream())
        assert holder.request("a1", 500, least=1).points == 100
        with pytest.raises(Refused, match="used before"):
            holder.request("a1", 100)

    def test_what_a_redemption_leaves_of_its_right_is_free(self, book: Book, holder: Holder) -> None:
        """By the same record."""
        holder.ask("a1", 80)
        holder.redeem("a1", 30)
        holder.deliver()
        assert (points_of(book), reserved(book)) == (70, 0)

    def test_a_key_used_for_another_sale_frees_the_right(self, book: Book, holder: Holder) -> None:
        """The redemption has no effect, and its right was used up at the till."""
        holder.till.send(holder.till.earn(1, OTHER_CARD, key="K"), stream=holder.till.new_stream())
        holder.ask("a1", 80)
        holder.write(holder.till.redeem(30, allowance="a1", key="K"))
        holder.deliver()
        assert (points_of(book), reserved(book)) == (100, 0)


class TestRestarts:
    def test_after_a_clean_stop_a_right_is_taken_along(self, book: Book, holder: Holder) -> None:
        """As soon as the seal is here; over several starts in a row too; and it can be used."""
        holder.ask("a1", 80)
        holder.restart()
        assert holder.hello().rights == {}
        assert holder.valid == set()
        holder.restart()
        holder.sync()
        assert holder.valid == {"a1"}
        holder.redeem("a1", 80)
        holder.deliver()
        assert (points_of(book), reserved(book)) == (20, 0)
        assert sound(book)

    def test_its_request_still_gets_the_first_answer(self, holder: Holder) -> None:
        """The answer was lost, the till restarted and asks on in the name of its earlier start."""
        holder.ask("a1", 80)
        earlier = holder.now.uid
        holder.restart()
        holder.sync()
        request = AllowanceRequest("r", "a1", CARD, 80, earlier)
        assert holder.book.allowance(holder.till.terminal, request).granted

    def test_after_a_crash_it_is_given_up_and_stays_held_back(self, book: Book, holder: Holder) -> None:
        """A copied disk looks just the same. The office returns it when it knows better."""
        holder.ask("a1", 80)
        holder.restart(sealed=False)
        assert holder.sync() == {"a1": False}
        assert reserved(book) == 80
        (held,) = book.allowances()
        assert (held.id, held.terminal, held.points, held.state) == ("a1", holder.till.terminal, 80, "locked")
        assert CARD not in held.card
        book.return_allowances(["a1"], "M. Martin", "one till, one disk")
        assert (reserved(book), book.allowances()) == (0, [])
        assert sound(book)

    def test_within_the_cap_a_crash_is_believed(self, shelf: Shelfful, holder: Holder) -> None:
        """So many points for each crash, whether they are taken along or given back."""
        holder.book = holder.till.book = shelf.open(Policy(unsealed_cap=50))
        for name, points in (("a1", 30), ("a2", 30), ("a3", 20)):
            holder.ask(name, points)
        holder.restart(sealed=False)
        words = holder.sync()
        assert words == {"a1": True, "a2": False, "a3": True}
        assert [(held.id, held.state) for held in holder.book.allowances()] == [
            ("a1", "open"),
            ("a2", "locked"),
            ("a3", "open"),
        ]

    def test_a_crash_on_another_machine_is_not_believed(self, shelf: Shelfful, holder: Holder) -> None:
        """The cap is for the till that comes back, not for its disk."""
        holder.book = holder.till.book = shelf.open(Policy(unsealed_cap=50))
        holder.ask("a1", 30)
        holder.machine = "machine-2"
        holder.restart(sealed=False)
        assert holder.sync() == {"a1": False}
        assert reserved(holder.book) == 30

    def test_what_was_used_before_the_crash_arrives_and_counts(self, book: Book, holder: Holder) -> None:
        """The right was locked by then: its points were still there for it."""
        holder.ask("a1", 80)
        twin = holder.copy()
        twin.sync()
        assert reserved(book) == 80
        used = holder.redeem("a1", 80)
        holder.deliver()
        assert (points_of(book), reserved(book)) == (20, 0)
        assert used.id in {line.id for line in book.statement(CARD).entries}  # type: ignore[union-attr]
        assert sound(book)


class TestCopies:
    def test_a_copy_of_a_till_at_rest(self, book: Book, holder: Holder) -> None:
        """Who comes first takes the right along; the other one cannot, and cannot free it either."""
        holder.ask("a1", 80)
        holder.restart()
        image = holder.copy("machine-2", at_rest=True)
        holder.sync()
        assert holder.valid == {"a1"}
        assert image.sync() == {"a1": False}
        assert image.request("b1", 5).code == "fork"
        assert reserved(book) == 80
        holder.redeem("a1", 80)
        holder.deliver()
        assert points_of(book) == 20
        assert sound(book)

    def test_a_disk_that_was_put_back_gets_nothing(self, book: Book, holder: Holder) -> None:
        """It is flagged before it is promised anything, and frees nothing."""
        holder.ask("a1", 80)
        backup = holder.copy()
        holder.redeem("a1", 80)
        holder.restart()
        holder.sync()
        backup.sync()
        assert backup.valid == set()
        assert backup.request("b1", 5).code in ("fork", "restored")
        assert points_of(book) == 20
        assert sound(book)


class TestOffice:
    def test_rights_of_a_till_that_burnt_are_returned(self, book: Book, holder: Holder) -> None:
        """They are listed by terminal; what is not there is refused, and then nothing is returned."""
        holder.ask("a1", 30)
        holder.ask("a2", 40)
        assert [held.id for held in book.allowances(holder.till.terminal)] == ["a1", "a2"]
        assert book.allowances("S001-T99") == []
        with pytest.raises(Refused, match="zz"):
            book.return_allowances(["a1", "zz"], "M. Martin", "burnt")
        book.return_allowances(["a1", "a2"], "M. Martin", "burnt")
        assert (reserved(book), book.allowances()) == (0, [])
        assert sound(book)

    def test_what_is_returned_already_is_refused(self, book: Book, holder: Holder) -> None:
        """With all that was named beside it: the office sees that it looked at an old list."""
        holder.ask("a1", 30)
        holder.ask("a2", 40)
        book.return_allowances(["a1"], "M. Martin", "burnt")
        with pytest.raises(Refused, match="a1"):
            book.return_allowances(["a1", "a2"], "M. Martin", "burnt")
        assert [(held.id, held.granted_at) for held in book.allowances()] == [("a2", START)]

    def test_a_right_that_was_returned_and_used_all_the_same(self, book: Book, holder: Holder) -> None:
        """The loss that the office took upon itself: applied and flagged."""
        holder.ask("a1", 80)
        book.return_allowances(["a1"], "M. Martin", "burnt")
        holder.ask("a2", 100)
        holder.redeem("a1", 80)
        holder.deliver()
        assert [flagged.code for flagged in book.flagged()] == ["allowance_void"]
        assert points_of(book) == 20

    def test_a_returned_right_is_void_for_its_till(self, book: Book, holder: Holder) -> None:
        """It hears so at its next hello, and giving it back changes nothing."""
        holder.ask("a1", 80)
        book.return_allowances(["a1"], "M. Martin", "burnt")
        assert holder.sync() == {"a1": False}
        assert reserved(book) == 0
        assert sound(book)


class TestRecovery:
    @pytest.fixture
    def other(self, holder: Holder) -> Holder:
        """A second till."""
        other = Holder(holder.book, FakeTill(holder.book, 2))
        other.sync()
        return other

    def test_new_books_promise_at_once(self, holder: Holder) -> None:
        """There is nothing to wait for."""
        assert not holder.book.recovery().on
        assert not holder.hello().recovering

    def test_nothing_is_promised_until_every_till_has_reported(self, book: Book, holder: Holder, other: Holder) -> None:
        """And has delivered all that it declared, under the new generation."""
        go_back(book)
        names = [holder.till.terminal, other.till.terminal]
        assert book.recovery().waiting == names
        assert holder.request("a1", 5).code == "recovering"
        holder.write(holder.till.redeem(1))
        assert holder.hello().recovering
        assert book.recovery().waiting == names
        assert holder.hello().recovering
        assert book.recovery().waiting == names, "a record of it is still missing"
        holder.deliver()
        holder.hello()
        assert book.recovery().waiting == names[1:]
        assert holder.request("a2", 5).code == "recovering"
        other.sync()
        assert not book.recovery().on
        assert holder.request("a3", 5).granted
        assert not holder.hello().recovering

    def test_a_till_that_is_gone_is_waived(self, book: Book, holder: Holder, other: Holder) -> None:
        """One by one, or all; whoever is not waited for is refused."""
        go_back(book)
        with pytest.raises(Refused, match="S001-T99"):
            book.waive_recovery(["S001-T99"])
        assert book.waive_recovery([other.till.terminal]).waiting == [holder.till.terminal]
        assert not book.waive_recovery([]).on
        assert holder.request("a1", 5).granted

    def test_a_right_that_the_books_forgot_is_void(self, book: Book, holder: Holder, other: Holder) -> None:
        """It was granted after the backup; its till gives it up and nothing is overdrawn."""
        holder.rights["forgotten"] = 80
        holder.valid.add("forgotten")
        go_back(book)
        assert holder.hello().rights == {"forgotten": False}
        assert holder.rights == {}
        other.sync()
        holder.sync()
        assert sound(book)

    def test_a_second_restore_waits_anew(self, book: Book, holder: Holder, other: Holder) -> None:
        """What was reported to an earlier generation is not worth anything now."""
        go_back(book)
        book.waive_recovery([])
        go_back(book, "g-3")
        assert len(book.recovery().waiting) == 2
        assert other.request("a1", 5).code == "recovering"

    def test_it_is_told_who_has_reported(self, book: Book, holder: Holder, other: Holder) -> None:
        """As long as anybody is waited for; before and after there is nothing to tell."""
        nothing = Recovery(on=False, waiting=[], reported=[])
        assert book.recovery() == nothing
        go_back(book)
        names = [holder.till.terminal, other.till.terminal]
        assert book.recovery() == Recovery(on=True, waiting=names, reported=[])
        assert book.waive_recovery(names[:1]) == Recovery(on=True, waiting=names[1:], reported=names[:1])
        other.sync()
        assert book.recovery() == nothing

    @pytest.mark.parametrize("waived", [True, False])
    def test_a_till_that_comes_later_is_not_waited_for(
        self, book: Book, holder: Holder, other: Holder, waived: bool
    ) -> None:
        """A recovery that is over stays over, however it ended: the new one cannot hold what these books forgot."""
        go_back(book)
        holder.sync()
        if waived:
            book.waive_recovery([])
        else:
            other.sync()
        FakeTill(book, 3)
        assert not book.recovery().on
        assert holder.request("a1", 5).granted

    def test_a_till_whose_key_was_revoked_is_not_waited_for(self, book: Book, holder: Holder, other: Holder) -> None:
        """It was stolen, say; under a new key it is a till like any other again."""
        book.revoke(other.till.terminal, "stolen")
        go_back(book)
        assert book.recovery().waiting == [holder.till.terminal]
        assert book.enrol(other.till.terminal, b"n" * 32, replace=True)
        assert book.recovery().waiting == [holder.till.terminal, other.till.terminal]

    def test_a_till_that_still_has_an_older_name_of_the_books_changes_nothing(
        self, book: Book, holder: Holder, other: Holder
    ) -> None:
        """It was off while they were named anew and the others reported: that name of theirs is no news."""
        other.till.known = before = book.generation
        holder.till.known = "0" * 32
        after = holder.till.hello().generation
        assert after != before
        book.waive_recovery([])
        assert other.till.hello().generation == after
        assert holder.till.hello().generation == after, "nor is the name that made them take this one"
        assert not book.recovery().on

    def test_a_right_that_the_books_still_know_outlives_the_recovery(
        self, book: Book, holder: Holder, other: Holder
    ) -> None:
        """It was granted before the backup: only what the books have forgotten is void."""
        holder.ask("a1", 30)
        holder.rights["forgotten"] = 5
        go_back(book)
        assert holder.hello().rights == {"a1": True, "forgotten": False}
        other.sync()
        assert "a1" in holder.rights
        assert sound(book)

    def test_a_right_of_which_nothing_was_heard_yet_is_not_void(self, book: Book, holder: Holder) -> None:
        """Its request may still be under way; only books that went back can have forgotten one."""
        holder.rights["coming"] = 5
        assert holder.hello().rights == {}
        assert book.verify().ok
