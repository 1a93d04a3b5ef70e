"""From a drafted redemption to the right it needs, and from there to the journal or to a refusal.

    held ahead of need ──► recorded
    sought ──► granted ──► recorded          the entry consumes the right in its own commit
       │          └──► nobody waits ──► released
       ├──► granted, and what floor limits have allowed needs the points ──► refused and released
       ├──► no answer, and floor limits allow it ──► recorded without a right
       └──► refused, or no answer: the POS is told; the right is asked on and given back when it comes

A right is durable before it is asked for, so a crash between grant and use leaves it known and it is released.
"""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from offline_queue.entry import Card, Entry, Lane
from offline_queue.journal import AHEAD, Allowance, AllowanceState
from offline_queue.store import JournalReader, Store
from offline_queue.wire_accounts import AllowanceAnswer
from terminal.inbox import AllowanceAnswered, Event, Recorded
from terminal.pos import Promise, Refusal
from terminal.promises.allotments import Budget
from terminal.promises.holdings import Holdings
from terminal.promises.offline_limits import refusal
from terminal.promises.rights import Right, Rights
from terminal.promises.risk import Risk
from terminal.sales.recording import Flight, Recording
from terminal.sales.stamps import Stamps
from terminal.sales.transaction import draft_release


class Inquiries(Protocol):
    """Questions to the ledger for which a customer waits. Neither call blocks; the answers come as events."""

    def ask_allowance(self, allowance: Allowance) -> None:
        """Answered by AllowanceAnswered, with no answer in it when the ledger is not heard in time."""

    def ask_account(self, number: str) -> None:
        """Answered by AccountHeard."""


class Redemptions:
    """Used by the till's thread alone, but for `_kept`, which the journal's writer calls.

    New rights are bound to the urgent stream of this start.
    """

    def __init__(
        self,
        recording: Recording,
        store: Store,
        inquiries: Inquiries,
        stamps: Stamps,
        now_ms: Callable[[], int],
        *,
        budget: Budget | None,
        risk: Risk,
        report: Callable[[Event], None],
    ) -> None:
        self._recording = recording
        self._inquiries = inquiries
        self._stamps = stamps
        self._store = store
        self._stream = store.stream(Lane.URGENT)
        self._now_ms = now_ms
        self._risk = risk
        self._report = report
        self._rights = Rights()
        self._drafts: dict[str, tuple[Flight, Entry]] = {}
        self.holdings = Holdings(self._rights, budget, self._ask_ahead, self._release, now_ms)

    def resume(self, journal: JournalReader) -> None:
        """What an earlier start has left is void until the ledger confirms it; where nothing is held ahead of need, it
        goes back at once, and what is still asked for goes back once granted."""
        keeps = self.holdings.wanted
        for allowance in journal.allowances(AllowanceState.GRANTED):
            right = self._rights.add(allowance, granted=True, ahead=keeps, valid=False)
            if not keeps:
                self._release(right)
        for allowance in journal.allowances(AllowanceState.ASKED):
            self._rights.add(allowance, ahead=keeps, valid=False)

    def seek(self, flight: Flight, draft: Entry, card: Card) -> None:
        """Goes on when the ledger has answered, at once where the till already has a right that will do."""
        right = self._rights.reusable(flight.key, card.number, draft.points)
        held = self._rights.fitting(card.number, draft.points)
        if held is not None and (right is None or not right.granted):
            self._use(held, flight, draft, Promise.HELD)
            return
        if right is None:
            right = self._new_right(flight.key, card.number, draft.points)
            future = self._store.submit_allowance(right.allowance)
            future.add_done_callback(partial(self._kept, flight, replace(draft, allowance=right.allowance.id), right))
        elif not right.granted:
            self._inquiries.ask_allowance(right.allowance)
        if right.granted:
            self._use(right, flight, draft, Promise.ONLINE)
        else:
            self._drafts[right.allowance.id] = flight, draft

    def answered(self, event: AllowanceAnswered) -> None:
        """The ledger's word, or its silence."""
        right = self._rights.by_id.get(event.allowance)
        if right is None or right.granted:
            return
        waiting = self._drafts.pop(event.allowance, None)
        granted = event.answer is not None and self._take(right, event.answer)
        if waiting is not None:
            self._go_on(right, *waiting, event.answer)
        elif granted and not right.ahead:
            self._release(right)

    def landed(self, event: Recorded) -> None:
        """A recorded redemption or release has used its right up; one that failed leaves it for a repeat."""
        self._risk.landed(event.entry.key)
        right = self._rights.by_id.get(event.entry.allowance or "")
        if right is None:
            return
        right.wanted_by = None
        self._drafts.pop(right.allowance.id, None)
        is_used = event.error is None and not event.replayed
        if is_used or not right.granted:
            del self._rights.by_id[right.allowance.id]
        else:
            right.idle_since_ms = self._now_ms()

    def give_back(self) -> None:
        """Releases granted rights that nobody has come back for."""
        for right in self._rights.left_idle(self._now_ms()):
            self._release(right)

    def stop(self) -> None:
        """Whoever still waits for the ledger hears that it did not answer."""
        for name, (flight, draft) in list(self._drafts.items()):
            del self._drafts[name]
            self._recording.refuse(flight, self._silence(draft))

    def _new_right(self, key: str, card: str, points: int) -> Right:
        allowance = Allowance(
            id=self._stamps.id(),
            key=key,
            card=card,
            points=points,
            stream=self._stream,
            state=AllowanceState.ASKED,
            asked_at=self._stamps.now(),
        )
        return self._rights.add(allowance, ahead=key == AHEAD)

    def _ask_ahead(self, card: str, points: int) -> None:
        right = self._new_right(AHEAD, card, points)
        right.seen_ms = self._now_ms()
        future = self._store.submit_allowance(right.allowance)
        future.add_done_callback(partial(self._kept_ahead, right))

    def _kept(self, flight: Flight, draft: Entry, right: Right, future: "Future[None]") -> None:
        """The wish is durable, so it may be uttered; a wish that is not is not."""
        error = future.exception()
        if error is None:
            self._inquiries.ask_allowance(right.allowance)
        else:
            self._recording.failed(flight, draft, error)

    def _kept_ahead(self, right: Right, future: "Future[None]") -> None:
        """The same where nobody waits: a wish that is not durable is forgotten."""
        if future.exception() is None:
            self._inquiries.ask_allowance(right.allowance)
        else:
            name = right.allowance.id
            self._report(AllowanceAnswered(name, AllowanceAnswer("", name, granted=False, code="not_recorded")))

    def _take(self, right: Right, answer: AllowanceAnswer) -> bool:
        """Whether it is granted; one that is not is forgotten."""
        if not answer.granted:
            del self._rights.by_id[right.allowance.id]
        elif answer.points is not None:
            right.allowance = replace(right.allowance, points=answer.points)
        right.granted = answer.granted
        return answer.granted

    def _go_on(self, right: Right, flight: Flight, draft: Entry, answer: AllowanceAnswer | None) -> None:
        if right.granted:
            self._use_if_covered(right, flight, draft, answer)
            return
        limits = self._risk.limits if answer is None else None
        in_hand = self._rights.in_hand(right.allowance.card)
        why = self._risk.refusal(draft, limits, in_hand) if limits is not None else self._silence(draft, answer)
        if why is None:
            self._risk.take_off(draft)
            self._recording.commit(flight, draft, Promise.FLOOR)
        else:
            self._recording.refuse(flight, why)

    def _use_if_covered(self, right: Right, flight: Flight, draft: Entry, answer: AllowanceAnswer | None) -> None:
        """The ledger does not know yet what this till has promised without it: the right must leave room for that."""
        why = self._risk.uncovered(draft, answer.balance if answer else None)
        if why is None:
            self._use(right, flight, draft, Promise.ONLINE)
        else:
            self._recording.refuse(flight, why)
            self._release(right)

    def _silence(self, draft: Entry, answer: AllowanceAnswer | None = None) -> Refusal:
        """The ledger's no, or its silence, in words."""
        number = draft.card.number if draft.card else ""
        return refusal(number, draft.points, answer, self._rights.most(number))

    def _use(self, right: Right, flight: Flight, draft: Entry, promise: Promise) -> None:
        right.wanted_by = flight.key
        self._recording.commit(flight, replace(draft, allowance=right.allowance.id), promise)

    def _release(self, right: Right) -> None:
        wanted = right.allowance
        entry = draft_release(wanted.id, wanted.card, wanted.points, self._stamps.stamp())
        right.wanted_by = entry.key
        self._recording.commit(self._recording.take_off(entry.key, b""), entry)
