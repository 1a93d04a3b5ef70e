"""From the commit to the answer: who hears what, when, and what is counted."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from offline_queue.entry import Entry
from offline_queue.journal import KeyReused, NotRecorded, RightsRefused
from terminal.claims.issue import ClaimIssue
from terminal.config_claims import Claims
from terminal.inbox import Answered, Event, Recorded
from terminal.pos import Refusal
from terminal.sales.balances import Balances
from terminal.sales.recording import Recording
from terminal.sales.stamps import Stamps
from tests.terminal.rig import CARD, TillRig

DIGEST = b"digest of a body"


class Counter:
    """A Recording on a till's journal; `reports` are what the till hears of it, `copies` what waits for its copy."""

    def __init__(self, till: TillRig, *, copied: bool = False) -> None:
        self.till = till
        self.reports: list[Event] = []
        self.copies: list[tuple[str, int, Callable[[], None]]] = []
        self.balances = Balances(till.directory, till.journal, Stamps("S001-T01", till.timepiece))
        after_copy = (lambda *told: self.copies.append(told)) if copied else None
        issue = ClaimIssue(Claims(), None)
        self.recording = Recording(till.store, till.journal, self.balances, issue, self.reports.append, after_copy)

    def commit(self, entry: Entry) -> "Future[Answered]":
        """Handed to the journal; the journal has done its part."""
        reply: Future[Answered] = Future()
        self.recording.commit(self.recording.take_off(entry.key, DIGEST, reply), entry)
        self.till.store.remember("test", "mark")
        return reply

    def land(self) -> None:
        while self.reports:
            told = self.reports.pop(0)
            assert isinstance(told, Recorded)
            self.recording.landed(told)

    def pending(self) -> int | None:
        view = self.balances.view(CARD)
        return view.pending if view else None


@pytest.fixture
def entry(till: TillRig) -> Entry:
    """Of a sale of 10 points that is recorded and pending."""
    found = till.journal.find_id(till.sell("sale-1").id)
    assert found is not None
    return found.entry


def another(entry: Entry) -> Entry:
    """The next sale, of 10 points too."""
    return msgspec.structs.replace(entry, id=entry.id[:-1] + "f", key="sale-2")


def test_the_answer_waits_for_the_copy_and_the_till_does_not(till: TillRig, entry: Entry) -> None:
    """The record stands: the till counts it at once; who asked hears of it when its second copy needs no more time."""
    counter = Counter(till, copied=True)
    reply = counter.commit(another(entry))
    counter.land()
    assert counter.pending() == 20
    assert not reply.done()
    ((stream, seq, said),) = counter.copies
    found = till.journal.find_key("sale-2")
    assert found is not None
    assert (stream, seq) == (found.stream, found.seq)
    said()
    assert reply.result().body == found.reply


def test_a_key_is_in_flight_from_its_arrival_to_its_landing(till: TillRig, entry: Entry) -> None:
    """Whoever asks again meanwhile hears the same answer, as a repetition; another body is refused."""
    counter, sale = Counter(till), another(entry)
    first, second = Future[Answered](), Future[Answered]()
    assert not counter.recording.join(sale.key, DIGEST, first)
    flight = counter.recording.take_off(sale.key, DIGEST, first)
    assert counter.recording.join(sale.key, DIGEST, second)
    with pytest.raises(Refusal) as refused:
        counter.recording.join(sale.key, b"another body", Future())
    assert refused.value.code == "idempotency_key_reused"
    counter.recording.commit(flight, sale)
    till.store.remember("test", "mark")
    assert (first.result().replayed, second.result().replayed) == (False, True)
    assert not counter.recording.idle
    counter.land()
    assert counter.recording.idle


def test_what_the_journal_has_already_is_a_repetition_and_moves_nothing(till: TillRig, entry: Entry) -> None:
    """Its first answer is given again, and no point is counted twice."""
    counter, sale = Counter(till), another(entry)
    first = counter.commit(sale)
    counter.land()
    again = counter.commit(sale)
    (told,) = counter.reports
    assert isinstance(told, Recorded)
    assert told.replayed
    assert (again.result().replayed, again.result().body) == (True, first.result().body)
    counter.recording.landed(replace(told, seq=told.seq + 1))
    assert counter.pending() == 20


class Failing:
    """A journal that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def submit(self, *_: object) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    ("error", "code", "reason", "log"),
    [
        (KeyReused("other"), "idempotency_key_reused", None, None),
        (RightsRefused("over_reversal", "Too much."), "invalid", "over_reversal", None),
        (RightsRefused("reversed_twice", "Again."), "invalid", "reversed_twice", None),
        (RightsRefused("allowance_used", "Spent."), "offline_limit", "allowance_used", None),
        (NotRecorded("no space left on device"), "not_recorded", None, "not recorded: no space left on device"),
        (OSError("the disk is gone"), "not_recorded", None, "the journal failed"),
    ],
)
def test_what_the_journal_does_not_take_is_refused_and_not_counted(
    till: TillRig,
    entry: Entry,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    code: str,
    reason: str | None,
    log: str | None,
) -> None:
    """With the reason; a technician finds in the log what is the machine's fault and nothing else."""
    counter = Counter(till)
    counter.recording._store = Failing(error)  # type: ignore[assignment]
    with caplog.at_level(logging.INFO):
        reply = counter.commit(another(entry))
    refusal = reply.exception()
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == (code, reason)
    counter.land()
    assert counter.pending() == 10
    assert counter.recording.idle
    assert [record.getMessage().partition(". ")[0] for record in caplog.records] == ([log] if log else [])
