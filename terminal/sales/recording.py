"""Requests in flight and their way into the journal: answered once, and only after the commit.

A key in flight has one `Flight`; whoever asks with the same key and body hears what the first one hears.
"""

import hashlib
import logging
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from offline_queue.entry import Entry, State, masked
from offline_queue.journal import Appended, KeyReused, NotRecorded, RightsRefused
from offline_queue.store import JournalReader, Store
from offline_queue.words import Words, in_a_row, untranslated
from terminal.claims.issue import ClaimIssue
from terminal.inbox import Answered, Event, Recorded
from terminal.pos import CardView, Promise, Refusal, TransactionAnswer
from terminal.sales.balances import Balances
from terminal.sales.replies import answer, refuse
from terminal.sales.transaction import REVERSED_TWICE
from terminal.wording import kept

log = logging.getLogger("recording")

_NOT_RECORDED: Final = Words(
    en=(
        "The till could not write this to its disk ({why}). It is not recorded and no points moved."
        " Make room on the disk or mend it, then send it again with the same Idempotency-Key."
    ),
    fr=(
        "La caisse n'a pas pu écrire sur son disque ({why}). Rien n'est enregistré, aucun point n'a bougé."
        " Faites de la place ou réparez le disque, puis renvoyez avec la même Idempotency-Key."
    ),
)
_NOTHING: Final = Words("Nothing is recorded, no points moved.", "Rien n'est enregistré, aucun point n'a bougé.")
_RIGHTS: Final = {
    "reversed_twice": REVERSED_TWICE,
    "over_reversal": Words(
        "The original has fewer points left to reverse.",
        "L'opération d'origine a moins de points à annuler.",
    ),
}
"""Of what a cashier can bring about; the rest is between the till and its journal."""
KEY_REUSED: Final = (
    "This Idempotency-Key was used for another transaction, which stands. This one is not recorded and moved no"
    " points. Use a new key for each sale, and the same key only to repeat it."
)


AfterCopy = Callable[[str, int, Callable[[], None]], None]
"""Told of a record (stream, seq) and what to do once its second copy needs no more waiting for."""


@dataclass(eq=False)
class Flight:
    """A request between its arrival and its answer."""

    key: str
    digest: bytes
    done: "Future[Answered]" = field(default_factory=Future)


class Recording:
    """Used by the till's thread alone, but for `_committed`, which the journal's writer calls."""

    def __init__(
        self,
        store: Store,
        journal: JournalReader,
        balances: Balances,
        claims: ClaimIssue,
        report: Callable[[Event], None],
        after_copy: AfterCopy | None = None,
    ) -> None:
        self._after_copy = after_copy
        self._store = store
        self._journal = journal
        self._claims = claims
        self._balances = balances
        self._report = report
        self._flights: dict[str, Flight] = {}

    @property
    def idle(self) -> bool:
        return not self._flights

    @property
    def in_flight(self) -> Collection[str]:
        """The keys of requests that are being decided or written, as they are at any time."""
        return self._flights.keys()

    def join(self, key: str, digest: bytes, reply: "Future[Answered]") -> bool:
        """True when the key is in flight already: `reply` hears the same. Raises Refusal for another body."""
        flight = self._flights.get(key)
        if flight is None:
            return False
        if flight.digest != digest:
            raise Refusal("idempotency_key_reused", KEY_REUSED)
        flight.done.add_done_callback(partial(_pass_on, reply, replayed=True))
        return True

    def repeats(self, key: str, digest: bytes, reply: "Future[Answered]") -> bool:
        """The same where the key is in flight or recorded: `reply` hears the first answer."""
        if self.join(key, digest, reply):
            return True
        found = self._journal.find_key(key)
        if found is None:
            return False
        if found.digest != digest:
            raise Refusal("idempotency_key_reused", KEY_REUSED)
        answer(reply, Answered(found.reply, replayed=True))
        return True

    def take_off(self, key: str, digest: bytes, reply: "Future[Answered] | None" = None) -> Flight:
        flight = self._flights[key] = Flight(key, digest)
        if reply is not None:
            flight.done.add_done_callback(partial(_pass_on, reply, replayed=False))
        return flight

    def refuse(self, flight: Flight, refusal: Refusal) -> None:
        """Nothing was recorded; the key is free again."""
        del self._flights[flight.key]
        refuse(flight.done, refusal)

    def commit(
        self,
        flight: Flight,
        entry: Entry,
        promise: Promise | None = None,
        *,
        shaped: Callable[[TransactionAnswer], object] = lambda said: said,
    ) -> None:
        """Hands the entry to the journal with the answer, `shaped`; Recorded follows, whatever becomes of it."""
        number = entry.card.number if entry.card else None
        said = TransactionAnswer(
            id=entry.id,
            kind=entry.kind,
            state=State.QUEUED,
            points=entry.points,
            card=CardView(masked(number)) if number else None,
            balance=self._balances.view(number, [entry]) if number else None,
            claim=self._claims.code(entry),
            promise=promise,
        )
        future = self._store.submit(entry, kept(shaped(said)), flight.digest)
        future.add_done_callback(partial(self._committed, flight, entry, promise))

    def landed(self, event: Recorded) -> None:
        """The journal has answered: the key is free for repeats, which find it in the journal."""
        self._flights.pop(event.entry.key, None)
        if event.error is None and not event.replayed:
            self._balances.count(event.entry, event.stream, event.seq)

    def _committed(self, flight: Flight, entry: Entry, promise: Promise | None, future: "Future[Appended]") -> None:
        """Reports first, so that whoever hears the answer finds the till knowing of it."""
        error = future.exception()
        if error is not None:
            self.failed(flight, entry, error)
            return
        done = future.result()
        self._report(Recorded(entry, done.replayed, None, done.stream, done.seq, promise))
        said = partial(answer, flight.done, Answered(done.reply, done.replayed))
        if self._after_copy is None:
            said()
        else:
            self._after_copy(done.stream, done.seq, said)

    def failed(self, flight: Flight, entry: Entry, error: BaseException) -> None:
        """From any thread: the journal did not take what this entry needs."""
        self._report(Recorded(entry, replayed=False, error=error))
        refuse(flight.done, self._refusal(error))

    def _refusal(self, error: BaseException) -> Refusal:
        match error:
            case KeyReused():
                return Refusal("idempotency_key_reused", KEY_REUSED)
            case RightsRefused():
                code = "invalid" if error.code in {"over_reversal", "reversed_twice"} else "offline_limit"
                what = _RIGHTS.get(error.code) or untranslated(f"{error.detail}.")
                return Refusal(code, in_a_row((what, _NOTHING)), reason=error.code)
            case NotRecorded():
                log.error("not recorded: %s", error)
            case _:
                log.error("the journal failed", exc_info=error)
        why = error.why if isinstance(error, NotRecorded) else error
        return Refusal("not_recorded", _NOT_RECORDED.of(why=why))


def digest_of(request: object) -> bytes:
    """What tells a repeat from another request under the same key; it stands in the journal."""
    return hashlib.sha256(msgspec.json.encode(request)).digest()[:16]


def _pass_on(reply: "Future[Answered]", done: "Future[Answered]", *, replayed: bool) -> None:
    error = done.exception()
    if isinstance(error, Refusal):
        refuse(reply, error)
    else:
        heard = done.result()
        answer(reply, Answered(heard.body, replayed=replayed or heard.replayed))
