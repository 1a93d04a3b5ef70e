"""Questions that a customer waits for, against a real journal and a scripted ledger."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue import inquiries as inquiries_module
from offline_queue.backoff import CAP_MS
from offline_queue.entry import Lane
from offline_queue.inquiries import Inquiries, OnAllowance, Question, after_failure, next_look_ms, overdue
from offline_queue.journal import AHEAD, Allowance, AllowanceState
from offline_queue.ledger_answers import LedgerError, TransientLedgerError
from offline_queue.store import Store
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest, Balance
from tests.offline_queue.journals import CARD, TIMEPIECE, opened
from tests.offline_queue.waiting import Heard

DOWN = TransientLedgerError("no connection", reached=False)


class ScriptedLedger:
    """Answers with `grant` and `balance`, unless `trouble` is set; waits while a card is in `hanging`."""

    def __init__(self) -> None:
        self.grant = True
        self.points: int | None = None
        self.answers_about: str | None = None
        self.trouble: LedgerError | None = None
        self.known = True
        self.hanging: dict[str, threading.Event] = {}
        self.asked: list[AllowanceRequest] = []
        self.calls = Heard[str]()

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        self.asked.append(request)
        self._pass(request.card)
        return AllowanceAnswer(request.request, self.answers_about or request.id, self.grant, points=self.points)

    def account(self, request: str, number: str) -> Account | None:
        self._pass(number)
        balance = Balance(number, 100, 0, "2026-01-01T00:00:00.000Z")
        return Account(request, "g", balance, []) if self.known else None

    def _pass(self, card: str) -> None:
        self.calls(card)
        if card in self.hanging:
            assert self.hanging[card].wait(60)
        if self.trouble is not None:
            raise self.trouble


@dataclass
class Counter:
    """`allowances` and `accounts` as they were told."""

    store: Store
    ledger: ScriptedLedger = field(default_factory=ScriptedLedger)
    allowances: Heard[tuple[str, AllowanceAnswer | None]] = field(default_factory=Heard)
    accounts: Heard[tuple[str, Account | None, bool]] = field(default_factory=Heard)
    heard: list[None] = field(default_factory=list)
    made: list[Inquiries] = field(default_factory=list)

    def inquiries(self, told: OnAllowance | None = None) -> Inquiries:
        inquiries = Inquiries(
            self.store,
            self.ledger,  # type: ignore[arg-type]
            TIMEPIECE,
            told or (lambda name, answer: self.allowances((name, answer))),
            lambda number, account, known: self.accounts((number, account, known)),
            lambda: self.heard.append(None),
        )
        self.made.append(inquiries)
        return inquiries

    def right(self, name: str, card: str = CARD, key: str = "sale-1") -> Allowance:
        """A right that is asked for in the journal."""
        stream = self.store.stream(Lane.URGENT)
        right = Allowance(name, key, card, 50, stream, AllowanceState.ASKED, "2026-01-01T00:00:00.000Z")
        self.store.ask_allowance(right)
        return right

    def state_of(self, name: str) -> AllowanceState:
        journal = self.store.reader()
        (state,) = [right.state for right in journal.allowances() if right.id == name]
        journal.close()
        return state


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    store = opened(tmp_path)
    counter = Counter(store)
    yield counter
    for event in counter.ledger.hanging.values():
        event.set()
    for inquiries in counter.made:
        inquiries.stop()
        inquiries._askers.shutdown(wait=True)
    store.close()


def is_about(name: str) -> Callable[[tuple[str, AllowanceAnswer | None]], bool]:
    return lambda told: told[0] == name


@pytest.mark.parametrize(("granted", "state"), [(True, AllowanceState.GRANTED), (False, AllowanceState.REFUSED)])
def test_answer_is_durable_before_it_is_told(counter: Counter, granted: bool, state: AllowanceState) -> None:
    """When the till hears of a right, the journal knows it: a crash in between leaves it to be given back."""
    seen: list[AllowanceState] = []

    def told(name: str, answer: AllowanceAnswer | None) -> None:
        seen.append(counter.state_of(name))
        counter.allowances((name, answer))

    counter.ledger.grant = granted
    inquiries = counter.inquiries(told)
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1"))
    _, answer = counter.allowances.until(is_about("r1"))
    assert answer is not None
    assert answer.granted is granted
    assert seen == [state]
    assert counter.heard


def test_a_silence_is_logged_once(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    """Each question is asked again and again while the line is down: the log says so once, and anew after an answer."""
    caplog.set_level("INFO", "offline_queue.inquiries")
    inquiries = counter.inquiries()
    inquiries.start()
    for name in ("r1", "r2"):
        counter.ledger.trouble = DOWN
        inquiries.ask_allowance(counter.right(name))
        assert counter.allowances.until(is_about(name)) == (name, None)
        counter.ledger.trouble = None
        inquiries.ledger_reachable()
        counter.allowances.until(lambda told, name=name: told[0] == name and told[1] is not None)  # type: ignore[misc]
    assert len(counter.ledger.asked) >= 6
    said = "a question to the ledger has no answer yet: no connection"
    assert [record.message for record in caplog.records] == [said, said]


def test_line_that_is_down_is_not_waited_for(counter: Counter) -> None:
    """After a second failure the customer hears that there is no answer; the question itself goes on."""
    counter.ledger.trouble = DOWN
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1"))
    assert counter.allowances.until(is_about("r1")) == ("r1", None)
    assert counter.state_of("r1") is AllowanceState.ASKED
    counter.ledger.trouble = None
    inquiries.ledger_reachable()
    _, late = counter.allowances.until(lambda told: told[1] is not None)
    assert late is not None
    assert late.granted
    assert counter.state_of("r1") is AllowanceState.GRANTED
    assert len({(asked.id, asked.points, asked.card, asked.stream) for asked in counter.ledger.asked}) == 1


def test_customer_waits_no_longer_than_promised(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that hangs is no answer in time; its late grant is told too, so that it can be given back."""
    monkeypatch.setattr(inquiries_module, "PATIENCE_MS", 30)
    counter.ledger.hanging[CARD] = threading.Event()
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1"))
    inquiries.ask_account("2990000000024")
    assert counter.allowances.until(is_about("r1")) == ("r1", None)
    counter.ledger.hanging[CARD].set()
    _, late = counter.allowances.until(lambda told: told[1] is not None)
    assert late is not None
    assert late.granted


def test_hanging_question_does_not_hold_up_the_next(counter: Counter) -> None:
    """While one customer's answer is late, the next one is served."""
    counter.ledger.hanging["2990000000031"] = threading.Event()
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_account("2990000000031")
    inquiries.ask_account(CARD)
    _, account, known = counter.accounts.until(lambda told: told[0] == CARD)
    assert account is not None
    assert (account.balance.points, known) == (100, True)


def test_unknown_card_is_told_apart_from_silence(counter: Counter) -> None:
    """The ledger's "no such card" is an answer; no answer leaves the card's standing open."""
    counter.ledger.known = False
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_account(CARD)
    assert counter.accounts.until(lambda told: told[0] == CARD) == (CARD, None, False)
    counter.ledger.trouble = DOWN
    inquiries.ask_account("2990000000024")
    assert counter.accounts.until(lambda told: told[0] == "2990000000024") == ("2990000000024", None, True)


def test_restart_asks_on(counter: Counter) -> None:
    """A right that was asked for before a crash is asked for again under the same id."""
    counter.right("r1")
    counter.inquiries().start()
    _, answer = counter.allowances.until(is_about("r1"))
    assert answer is not None
    assert counter.ledger.asked[0].id == "r1"


def test_ahead_of_need_fewer_points_will_do(counter: Counter) -> None:
    """And the journal knows how many there are; a customer's right is for all of them or none."""
    counter.ledger.points = 30
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1", key=AHEAD))
    counter.allowances.until(is_about("r1"))
    assert counter.ledger.asked[0].least == 1
    journal = counter.store.reader()
    assert [(right.points, right.state) for right in journal.allowances()] == [(30, AllowanceState.GRANTED)]
    journal.close()


@pytest.mark.parametrize(("points", "key"), [(30, "sale-1"), (51, AHEAD), (0, AHEAD)])
def test_points_that_were_not_asked_for_are_silence(counter: Counter, points: int, key: str) -> None:
    """More than asked for, or fewer than will do."""
    counter.ledger.points = points
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1", key=key))
    assert counter.allowances.until(is_about("r1")) == ("r1", None)
    assert counter.state_of("r1") is AllowanceState.ASKED


def test_answer_about_another_right_is_silence(counter: Counter) -> None:
    """A mixed-up grant is nobody's right."""
    counter.ledger.answers_about = "another"
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1"))
    assert counter.allowances.until(is_about("r1")) == ("r1", None)
    assert counter.state_of("r1") is AllowanceState.ASKED


def test_repeat_while_under_way_is_one_question(counter: Counter) -> None:
    """The POS asks again while the ledger thinks: nothing is asked twice at a time, and the answer is told once."""
    counter.ledger.hanging[CARD] = threading.Event()
    inquiries = counter.inquiries()
    inquiries.start()
    right = counter.right("r1")
    inquiries.ask_allowance(right)
    counter.ledger.calls.until(lambda card: card == CARD)
    inquiries.ask_allowance(right)
    counter.ledger.hanging[CARD].set()
    counter.allowances.until(is_about("r1"))
    assert len(counter.ledger.asked) == 1


def test_fault_of_our_own_leaves_the_question_open(counter: Counter) -> None:
    """A bug in tilld is no answer either: the customer hears so, and it is asked again."""
    counter.ledger.trouble = ZeroDivisionError("a bug")  # type: ignore[assignment]
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_allowance(counter.right("r1"))
    assert counter.allowances.until(is_about("r1")) == ("r1", None)
    counter.ledger.trouble = None
    inquiries.ledger_reachable()
    counter.allowances.until(lambda told: told[1] is not None)


def test_stop_is_quick_and_final(counter: Counter) -> None:
    """Stopping does not wait for a ledger that hangs, and nothing is told afterwards."""
    counter.ledger.hanging[CARD] = threading.Event()
    inquiries = counter.inquiries()
    inquiries.start()
    inquiries.ask_account(CARD)
    counter.ledger.calls.until(lambda card: card == CARD)
    inquiries.stop()
    counter.ledger.hanging[CARD].set()
    inquiries._askers.shutdown(wait=True)
    assert counter.accounts.all == []
    counter.inquiries().stop()


def test_stop_is_bounded_where_nobody_takes_an_answer(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A till whose own thread has died, with a full inbox: its end does not wait for that."""
    monkeypatch.setattr(inquiries_module, "PATIENCE_MS", 0)
    full, told = threading.Event(), threading.Event()

    def waits_for_room(_: str, __: AllowanceAnswer | None) -> None:
        told.set()
        assert full.wait(60)

    counter.ledger.hanging[CARD] = threading.Event()
    inquiries = counter.inquiries(waits_for_room)
    inquiries.start()
    inquiries.ask_allowance(counter.right("right-1"))
    assert told.wait(60)
    inquiries.stop(0.0)
    full.set()


@given(failures=st.integers(0, 40), now=st.integers(0, 10**9), chance=st.floats(0, 1, exclude_max=True))
def test_question_is_repeated_quickly_once_and_then_with_growing_waits(failures: int, now: int, chance: float) -> None:
    """One lost packet costs the customer a moment; a dead line is not hammered."""
    question = after_failure(Question("c", None, 0, failures), now, chance)
    assert question.failures == failures + 1
    assert now <= question.due_ms <= now + CAP_MS
    assert failures > 0 or question.due_ms == now + 200


def test_when_to_look_again() -> None:
    """The earliest of what is due and whose patience ends; a question under way is due only for its customer."""
    assert next_look_ms([]) is None
    assert next_look_ms([Question("a", None, 70), Question("b", 50, 90)]) == 50
    assert next_look_ms([Question("a", None, 70, under_way=True)]) is None
    assert overdue(Question("a", 50, 0), 50)
    assert overdue(Question("a", 50, 0, failures=2), 0)
    assert not overdue(Question("a", None, 0, failures=9), 10**9)
