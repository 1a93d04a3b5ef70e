"""Trials of readers: each holds its reader for a while, and what that reader reads is never told to the POS.

Used by the till's thread alone.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.base import CardRead
from offline_queue.timepiece import Timepiece, rfc3339
from terminal.cards.identification import Verdict
from terminal.inbox import CardFailed, CardPresented, ReaderStatus
from terminal.pos import Refusal
from terminal.sales.replies import answer, refusing
from terminal.trial.holding import (
    LEASE_MS,
    Holding,
    begun,
    ended,
    labelled,
    looked,
    with_process,
    with_repeat,
    with_tap,
)
from terminal.trial.sheet import Sheet, SignedSheet, signed
from terminal.trial.talk import (
    All,
    Begin,
    End,
    Look,
    SheetOf,
    TrialAsked,
    TrialDue,
    TrialRequest,
    Trials,
    TrialState,
    TrialView,
)
from terminal.trial.taps import Moment, face_of, failed_tap, read_tap

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEPT: Final = 20
"""Trials whose sheets can still be had; about 10 kB each."""


@dataclass(frozen=True)
class Shop:
    """What stands on every sheet, and what signs it."""

    terminal: str
    store: str
    version: str
    key: "Ed25519PrivateKey | None"


class TrialDesk:
    """`judged` is what the till makes of a read, None for the same presentation again. `held` is kept up to date here:
    the names of readers that no customer can use now. `alarm` is asked to post TrialDue in so many milliseconds.
    """

    def __init__(
        self,
        shop: Shop,
        states: Mapping[str, ReaderStatus],
        held: set[str],
        judged: Callable[[str, CardRead], Verdict | None],
        publish: Callable[[str, object], None],
        timepiece: Timepiece,
        alarm: Callable[[int], None],
    ) -> None:
        self._shop, self._states, self._held, self._judged = shop, states, held, judged
        self._publish, self._timepiece, self._alarm = publish, timepiece, alarm
        self._running: dict[str, Holding] = {}
        self._ended: OrderedDict[str, TrialView] = OrderedDict()

    def holds(self, reader: str) -> bool:
        """Whether what this reader reads is a technician's now."""
        if reader in self._running:
            self.expire()
        return reader in self._running

    def tapped(self, event: CardPresented | CardFailed) -> None:
        """A card at a reader that is held."""
        holding, now_ms = self._running[event.reader], self._timepiece.boottime_ms()
        till_ms = None if event.at_ms is None else max(0, now_ms - event.at_ms)
        moment = Moment(len(holding.trial.taps) + 1, self._now(), till_ms)
        if isinstance(event, CardFailed):
            self._keep(with_tap(holding, failed_tap(moment, event.failure), now_ms))
            return
        verdict = self._judged(event.reader, event.read)
        if verdict is None:
            self._repeated(holding)
            return
        holding, label = labelled(holding, face_of(event.read, verdict))
        self._keep(with_tap(holding, read_tap(moment, event.read, verdict, label), now_ms))

    def _repeated(self, holding: Holding) -> None:
        """Told once: a camera sees the same card thirty times a second."""
        if holding.lies:
            self._running[holding.trial.reader] = with_repeat(holding)
        else:
            self._keep(with_repeat(holding))

    def changed(self, status: ReaderStatus) -> None:
        """A reader's state has changed."""
        holding = self._running.get(status.name)
        if holding is not None and (after := with_process(holding, status.pid)) is not holding:
            self._keep(after)

    def expire(self) -> None:
        """Ends the trials whose technician has gone."""
        now_ms = self._timepiece.boottime_ms()
        for holding in [one for one in self._running.values() if now_ms >= one.until_ms]:
            self._end(holding, TrialState.ABANDONED)
        self._rearm()

    def told(self, event: TrialAsked | TrialDue) -> None:
        """A technician's word, answered at once; or that time goes by."""
        self.expire()
        if isinstance(event, TrialDue):
            return
        with refusing(event.reply):
            answer(event.reply, self._answer(event.asked))

    def _answer(self, asked: Begin | Look | End | SheetOf | All) -> TrialView | SignedSheet | Trials:
        match asked:
            case Begin(request):
                return self._begin(request)
            case Look(id_, watching):
                return self._look(id_, watching=watching)
            case End(id_):
                return self._end_now(id_)
            case SheetOf(id_):
                return self._sheet(id_)
            case All():
                running = [holding.trial for holding in self._running.values()]
                return Trials([*running, *reversed(self._ended.values())])

    def _begin(self, request: TrialRequest) -> TrialView:
        status = self._wanted(request.reader)
        if status.name in self._running:
            raise Refusal(
                "busy",
                f"Reader {status.name} is being tested already. Watch that test to its end, stop it, or wait: it ends"
                f" {LEASE_MS // 1000} s after its technician has gone.",
            )
        id_ = self._timepiece.random(8).hex()
        holding = begun(id_, request, status, self._now(), self._timepiece.boottime_ms())
        self._held.add(status.name)
        self._keep(holding)
        self._rearm()
        return holding.trial

    def _wanted(self, reader: str | None) -> ReaderStatus:
        if reader is None and len(self._states) == 1:
            return next(iter(self._states.values()))
        names = ", ".join(self._states) or "none"
        if reader is None:
            raise Refusal("invalid", f"Name the reader to test: {names}.")
        if reader not in self._states:
            raise Refusal("not_found", f"There is no such reader. There are: {names}.")
        return self._states[reader]

    def _look(self, id_: str, *, watching: bool) -> TrialView:
        holding = self._holding(id_)
        if holding is None:
            return self._known(id_)
        if watching:
            self._running[holding.trial.reader] = looked(holding, self._timepiece.boottime_ms())
            self._rearm()
        return holding.trial

    def _end_now(self, id_: str) -> TrialView:
        holding = self._holding(id_)
        return self._known(id_) if holding is None else self._end(holding, TrialState.STOPPED)

    def _sheet(self, id_: str) -> SignedSheet:
        if self._holding(id_) is not None:
            raise Refusal("busy", "The test is not over: its sheet can be had when the last card is read, or stop it.")
        shop = self._shop
        if shop.key is None:
            raise Refusal("not_found", "This till has no key to sign a sheet with.")
        return signed(Sheet(shop.terminal, shop.store, shop.version, self._known(id_)), shop.key)

    def _holding(self, id_: str) -> Holding | None:
        return next((holding for holding in self._running.values() if holding.trial.id == id_), None)

    def _known(self, id_: str) -> TrialView:
        if id_ not in self._ended:
            raise Refusal("not_found", f"This till remembers no such test; the last {KEPT} since its start are kept.")
        return self._ended[id_]

    def _keep(self, holding: Holding) -> None:
        """As it stands now; the last tap that is wanted ends it."""
        self._running[holding.trial.reader] = holding
        if holding.complete:
            self._end(holding, TrialState.COMPLETE)
        else:
            self._tell(holding.trial)

    def _end(self, holding: Holding, state: TrialState) -> TrialView:
        trial = ended(holding, state, self._states[holding.trial.reader], self._now())
        del self._running[trial.reader]
        self._held.discard(trial.reader)
        self._ended[trial.id] = trial
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)
        self._tell(trial)
        return trial

    def _tell(self, trial: TrialView) -> None:
        """Everybody hears that the reader serves no customer now; what was tapped is the technician's alone."""
        told = {"id": trial.id, "reader": trial.reader, "state": trial.state, "revision": trial.revision}
        self._publish("trial", {**told, "taps": len(trial.taps), "wanted": trial.wanted})

    def _rearm(self) -> None:
        if self._running:
            first_ms = min(holding.until_ms for holding in self._running.values())
            self._alarm(max(0, first_ms - self._timepiece.boottime_ms()))

    def _now(self) -> str:
        return rfc3339(self._timepiece.unix_ms())
