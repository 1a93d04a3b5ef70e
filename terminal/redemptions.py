"""From a drafted redemption to the right it needs, and from there to the journal or to a refusal.

    sought ──► granted ──► recorded          the entry consumes the right in its own commit
       │          └──► nobody waits ──► released
       └──► refused, or no answer: the POS is told; the right is asked on and given back when it comes

A right is durable before it is asked for, so a crash between grant and use leaves it known and it is released.
"""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from offline_queue.entry import Card, Entry, Lane
from offline_queue.journal import Allowance, AllowanceState
from offline_queue.store import JournalReader, Store
from terminal.inbox import AllowanceAnswered, Recorded
from terminal.offline_limits import refusal
from terminal.pos import Refusal
from terminal.recording import Flight, Recording
from terminal.refusals import Language
from terminal.rights import Right, Rights
from terminal.stamps import Stamps
from terminal.transaction import draft_release


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
        language: Language,
        now_ms: Callable[[], int],
    ) -> None:
        self._recording = recording
        self._inquiries = inquiries
        self._stamps = stamps
        self._store = store
        self._stream = store.stream(Lane.URGENT)
        self._language: Language = language
        self._now_ms = now_ms
        self._rights = Rights()
        self._drafts: dict[str, tuple[Flight, Entry]] = {}

    def resume(self, journal: JournalReader) -> None:
        """What an earlier start has left: granted rights go back; asked ones go back once granted."""
        for allowance in journal.allowances(AllowanceState.GRANTED):
            self._release(self._rights.add(allowance, granted=True))
        for allowance in journal.allowances(AllowanceState.ASKED):
            self._rights.add(allowance)

    def seek(self, flight: Flight, draft: Entry, card: Card) -> None:
        """Goes on when the ledger has answered, at once where an earlier attempt already has the right."""
        right = self._rights.reusable(flight.key, card.number, draft.points)
        if right is None:
            right = self._new_right(flight, draft, card)
            future = self._store.submit_allowance(right.allowance)
            future.add_done_callback(partial(self._kept, flight, replace(draft, allowance=right.allowance.id), right))
        elif not right.granted:
            self._inquiries.ask_allowance(right.allowance)
        right.wanted_by = flight.key
        if right.granted:
            self._recording.commit(flight, replace(draft, allowance=right.allowance.id))
        else:
            self._drafts[right.allowance.id] = flight, draft

    def answered(self, event: AllowanceAnswered) -> None:
        """The ledger's word, or its silence."""
        right = self._rights.by_id.get(event.allowance)
        if right is None or right.granted:
            return
        waiting = self._drafts.pop(event.allowance, None)
        why = refusal(right.allowance.card, right.allowance.points, event.answer, self._language)
        if why is None:
            right.granted = True
        elif event.answer is not None:
            del self._rights.by_id[event.allowance]
        if waiting is None and why is None:
            self._release(right)
        elif waiting is not None:
            self._go_on(right, *waiting, why)

    def landed(self, event: Recorded) -> None:
        """A recorded redemption or release has used its right up; one that failed leaves it for a repeat."""
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
        for right_id in list(self._drafts):
            self.answered(AllowanceAnswered(right_id, None))

    def _new_right(self, flight: Flight, draft: Entry, card: Card) -> Right:
        return self._rights.add(
            Allowance(
                id=self._stamps.id(),
                key=flight.key,
                card=card.number,
                points=draft.points,
                stream=self._stream,
                state=AllowanceState.ASKED,
                asked_at=self._stamps.now(),
            )
        )

    def _kept(self, flight: Flight, draft: Entry, right: Right, future: "Future[None]") -> None:
        """The wish is durable, so it may be uttered; a wish that is not is not."""
        error = future.exception()
        if error is None:
            self._inquiries.ask_allowance(right.allowance)
        else:
            self._recording.failed(flight, draft, error)

    def _go_on(self, right: Right, flight: Flight, draft: Entry, why: Refusal | None) -> None:
        if why is None:
            self._recording.commit(flight, replace(draft, allowance=right.allowance.id))
        else:
            right.wanted_by = None
            self._recording.refuse(flight, why)

    def _release(self, right: Right) -> None:
        wanted = right.allowance
        entry = draft_release(wanted.id, wanted.card, wanted.points, self._stamps.stamp())
        right.wanted_by = entry.key
        self._recording.commit(self._recording.take_off(entry.key, b""), entry)
