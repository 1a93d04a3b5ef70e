"""What the ledger has said since it was last heard, brought to every desk that it concerns and to whoever watches."""

from typing import Final

from offline_queue.sync_report import SyncReport
from terminal.cards.questions import CardQuestions
from terminal.desks import Counter, Records
from terminal.inbox import AccountHeard, AllowanceAnswered, Settled, Welcomed
from terminal.questions import Questions
from terminal.watchers import Publish, Watchers

TOLD_ONE_BY_ONE: Final = 100
"""A page of decisions longer than this is a backlog: watchers get its sum (`sync`), not each of its records."""

Word = AllowanceAnswered | Welcomed | AccountHeard | Settled | SyncReport


class LedgerWords:
    """Used by the till's thread alone."""

    def __init__(
        self,
        records: Records,
        counter: Counter,
        card_questions: CardQuestions,
        questions: Questions,
        watchers: Watchers,
        publish: Publish,
    ) -> None:
        self._records, self._counter = records, counter
        self._card_questions, self._questions = card_questions, questions
        self._watchers, self._publish = watchers, publish

    def heard(self, word: Word) -> None:
        """An answer to a question, a welcome, a page of decisions, or that the ledger is there or gone."""
        match word:
            case AllowanceAnswered():
                self._allowance(word)
            case Welcomed():
                self._welcomed(word)
            case AccountHeard():
                self._account(word)
            case Settled():
                self._settled(word)
            case SyncReport():
                self._sync_changed(word)

    def _allowance(self, word: AllowanceAnswered) -> None:
        if word.answer is not None and word.answer.balance is not None:
            self._records.balances.hear_beside(word.answer.balance)
        self._records.redemptions.answered(word)

    def _welcomed(self, word: Welcomed) -> None:
        self._records.stamps.heard(word.time)
        self._records.risk.ledger_heard()
        self._records.redemptions.holdings.confirmed(word.rights)

    def _account(self, word: AccountHeard) -> None:
        if word.account is not None:
            self._records.balances.hear_beside(word.account.balance)
            self._records.redemptions.holdings.heard(word.account.balance)
        told = self._card_questions.heard(word)
        if word.account is not None:
            self._publish("balance", told)

    def _settled(self, word: Settled) -> None:
        records, counter = self._records, self._counter
        records.balances.hear(word.balances)
        for balance in word.balances:
            records.redemptions.holdings.heard(balance)
        decided = [decided for verdict in word.verdicts for decided in records.balances.decide(verdict)]
        one_by_one = len(decided) <= TOLD_ONE_BY_ONE
        for one in decided:
            counter.cards.decided(one.entry, one.verdict)
            counter.notes.decided(one.entry)
            if one_by_one:
                self._watchers.transaction(one.entry, one.verdict.state)
            self._watchers.conflict(one)

    def _sync_changed(self, word: SyncReport) -> None:
        stamps = self._records.stamps
        stamps.ledger_time = word.ledger_time or stamps.ledger_time
        self._records.redemptions.give_back()
        self._counter.notes.ledger(reachable=word.reachable)
        self._publish("sync", self._questions.ledger_changed(word))
