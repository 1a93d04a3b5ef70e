"""Questions to the ledger that a customer waits for: may these points be redeemed, what is on this card.

    asked ──► answered                     durable in the journal, then told
      │ └──► customer's time is up         told "no answer"; an allowance is asked on, unchanged, until answered
      └───► failed twice ──► told "no answer" before the time is up

A grant that nobody waits for any more is told like any other: the till then gives it back.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import msgspec

from offline_queue.backoff import BUDGET, ceiling_ms
from offline_queue.journal import AHEAD, Allowance, AllowanceState, NotRecorded
from offline_queue.ledger_answers import LedgerError, LedgerProtocolError
from offline_queue.ledger_client import Ledger
from offline_queue.timepiece import Timepiece
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest

if TYPE_CHECKING:
    from offline_queue.store import Store

PATIENCE_MS: Final = 2_500
"""A customer at the counter waits this long before the till decides without the ledger."""
FAILURES_FOR_A_CUSTOMER: Final = 2
"""One lost packet is tried again; a line that is down is not waited for."""
QUICK_RETRY_MS: Final = 200
LEAST_AHEAD: Final = 1
"""A right that is asked for ahead of its use is welcome whatever its points."""
STOP_S: Final = 5.0
"""More than it ever needs, unless nobody takes its answers."""
AT_ONCE: Final = 2
"""Questions under way together: a ledger that hangs on one customer does not hold up the next."""

OnAllowance = Callable[[str, AllowanceAnswer | None], None]
OnAccount = Callable[[str, Account | None, bool], None]

_log = logging.getLogger(__name__)
_replace = msgspec.structs.replace


class Question(msgspec.Struct, frozen=True):
    """`about` an allowance or, as text, a card. `deadline_ms` is None once nobody waits; nothing is said before
    `due_ms`; `failures` in a row since somebody began to wait."""

    about: Allowance | str
    deadline_ms: int | None
    due_ms: int
    failures: int = 0
    under_way: bool = False

    @property
    def name(self) -> str:
        return self.about if isinstance(self.about, str) else self.about.id


def after_failure(question: Question, now_ms: int, chance: float) -> Question:
    """Quickly again while a customer waits, then with full jitter."""
    failures = question.failures + 1
    wait = QUICK_RETRY_MS if failures < FAILURES_FOR_A_CUSTOMER else int(chance * ceiling_ms(failures, BUDGET))
    return _replace(question, failures=failures, due_ms=now_ms + wait, under_way=False)


def overdue(question: Question, now_ms: int) -> bool:
    """Whoever waits must hear now that there is no answer."""
    return question.deadline_ms is not None and (
        now_ms >= question.deadline_ms or question.failures >= FAILURES_FOR_A_CUSTOMER
    )


def next_look_ms(questions: Iterable[Question]) -> int | None:
    """When something is due at the earliest; None when nothing is."""
    times = [q.due_ms for q in questions if not q.under_way]
    times += [q.deadline_ms for q in questions if q.deadline_ms is not None]
    return min(times, default=None)


class Inquiries:
    """Neither `ask_` blocks; the answers come in threads of this object. `on_heard` is called at every answer.

    An allowance must be durable in the journal as `asked`. Its answer is durable before it is told.
    """

    def __init__(
        self,
        store: "Store",
        ledger: Ledger,
        timepiece: Timepiece,
        on_allowance: OnAllowance,
        on_account: OnAccount,
        on_heard: Callable[[], None],
    ) -> None:
        self._store, self._ledger, self._timepiece = store, ledger, timepiece
        self._on_allowance, self._on_account, self._on_heard = on_allowance, on_account, on_heard
        self._questions: dict[str, Question] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._silence = ""
        self._askers = ThreadPoolExecutor(AT_ONCE, "inquiry")
        self._thread = threading.Thread(target=self._run, name="inquiries", daemon=True)

    def start(self) -> None:
        """Allowances that an earlier start has asked for in vain are asked again."""
        journal = self._store.reader()
        try:
            for allowance in journal.allowances(AllowanceState.ASKED):
                self._put(Question(allowance, None, self._timepiece.boottime_ms()))
        finally:
            journal.close()
        self._thread.start()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Nothing more is asked or told; questions under way end by themselves. Safe without `start`, and twice.

        Bounded: a till whose own thread has died takes no answers any more, and must end all the same.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._askers.shutdown(wait=False, cancel_futures=True)

    def ask_allowance(self, allowance: Allowance) -> None:
        """A repeat of a question that is already asked gives the customer fresh patience."""
        self._ask(allowance)

    def ask_account(self, number: str) -> None:
        self._ask(number)

    def ledger_reachable(self) -> None:
        """Sync has heard the ledger: open questions are asked at once."""
        with self._changed:
            now_ms = self._timepiece.boottime_ms()
            self._questions = {name: _replace(q, due_ms=now_ms) for name, q in self._questions.items()}
            self._changed.notify()

    def _ask(self, about: Allowance | str) -> None:
        now_ms = self._timepiece.boottime_ms()
        question = Question(about, now_ms + PATIENCE_MS, now_ms)
        with self._changed:
            known = self._questions.get(question.name)
            under_way = known is not None and known.under_way
            self._put(_replace(question, under_way=under_way))

    def _put(self, question: Question) -> None:
        with self._changed:
            self._questions[question.name] = question
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                now_ms = self._timepiece.boottime_ms()
                late = self._take_overdue(now_ms)
                due = self._take_due(now_ms)
                if not late and not due:
                    look_ms = next_look_ms(self._questions.values())
                    self._changed.wait(None if look_ms is None else max(0, look_ms - now_ms) / 1000)
            for question in due:
                self._askers.submit(self._put_to_ledger, question)
            for question in late:
                self._tell_silence(question)

    def _take_overdue(self, now_ms: int) -> list[Question]:
        late = [question for question in self._questions.values() if overdue(question, now_ms)]
        for question in late:
            if isinstance(question.about, str):
                del self._questions[question.name]
            else:
                self._questions[question.name] = _replace(question, deadline_ms=None)
        return late

    def _take_due(self, now_ms: int) -> list[Question]:
        due = [q for q in self._questions.values() if not q.under_way and q.due_ms <= now_ms]
        for question in due:
            self._questions[question.name] = _replace(question, under_way=True)
        return due

    def _put_to_ledger(self, question: Question) -> None:
        """In a thread of the pool."""
        request = self._timepiece.random(16).hex()
        try:
            if isinstance(question.about, str):
                self._hear_account(question.about, self._ledger.account(request, question.about))
            else:
                self._hear_allowance(question.about, request)
        except (LedgerError, NotRecorded) as error:
            self._note_silence(str(error))
            self._retry(question.name)
        except Exception:  # noqa: BLE001
            # The pool would swallow it, and the question would stay under way for ever.
            _log.exception("a question to the ledger failed in tilld itself")
            self._retry(question.name)

    def _note_silence(self, why: str) -> None:
        """Logged once for each reason: many questions are asked again and again while a line is down."""
        if why != self._silence:
            _log.info("a question to the ledger has no answer yet: %s", why)
        self._silence = why

    def _hear_account(self, number: str, account: Account | None) -> None:
        self._silence = ""
        self._on_heard()
        with self._changed:
            self._questions.pop(number, None)
            silent = self._stopping
        if not silent:
            self._on_account(number, account, account is not None)

    def _hear_allowance(self, allowance: Allowance, request: str) -> None:
        least = LEAST_AHEAD if allowance.key == AHEAD else None
        asked = AllowanceRequest(request, allowance.id, allowance.card, allowance.points, allowance.stream, least)
        answer = self._ledger.allowance(asked)
        if answer.id != allowance.id:
            raise LedgerProtocolError("the ledger answered about another allowance than ours")
        if answer.points is not None and not (least or allowance.points) <= answer.points <= allowance.points:
            raise LedgerProtocolError("the ledger granted other points than we asked for")
        self._silence = ""
        self._on_heard()
        self._store.answer_allowance(allowance.id, answer.granted, answer.points)
        with self._changed:
            self._questions.pop(allowance.id, None)
            silent = self._stopping
        if not silent:
            self._on_allowance(allowance.id, answer)

    def _retry(self, name: str) -> None:
        chance = int.from_bytes(self._timepiece.random(6), "big") / 2**48
        with self._changed:
            question = self._questions.get(name)
            if question is not None:
                self._questions[name] = after_failure(question, self._timepiece.boottime_ms(), chance)
                self._changed.notify()

    def _tell_silence(self, question: Question) -> None:
        if isinstance(question.about, str):
            self._on_account(question.about, None, True)
        else:
            self._on_allowance(question.about.id, None)
