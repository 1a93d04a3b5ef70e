"""Trials of readers: each holds its reader for a while, judges what it reads, and never tells the POS of it.

A trial ends when its taps have come, when the technician says so, LEASE_MS after the technician has last looked, and
IDLE_MS after the last card. Used by the till's thread alone.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from drivers.base import CardRead, ReaderState
from offline_queue.timepiece import Timepiece, rfc3339
from terminal.identification import Verdict
from terminal.inbox import CardFailed, CardPresented, ReaderStatus
from terminal.pos import Refusal
from terminal.replies import answer, refuse
from terminal.trial.findings import Facts, judge
from terminal.trial.sheet import Sheet, SignedSheet, signed
from terminal.trial.talk import All, Begin, End, Look, TrialAsked, TrialRequest, Trials, TrialState, TrialView
from terminal.trial.taps import Moment, Tap, face_of, failed_tap, label_of, read_tap

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEASE_MS: Final = 30_000
"""Pages and commands ask again within 20 s; a closed laptop frees the reader soon after."""
IDLE_MS: Final = 180_000
"""A page left open does not keep a reader from the customers: time to fetch a card from the car."""
KEPT: Final = 20
"""Trials whose sheets can still be had; about 10 kB each."""


@dataclass(frozen=True)
class Shop:
    """What stands on every sheet."""

    terminal: str
    store: str
    version: str


@dataclass(frozen=True)
class _Held:
    """A running trial: the `faces` of its cards as salted hashes, and until when it may hold its reader."""

    trial: TrialView
    until_look_ms: int
    until_tap_ms: int
    faces: tuple[int, ...] = ()
    pid: int | None = None

    @property
    def until_ms(self) -> int:
        return min(self.until_look_ms, self.until_tap_ms)


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
        key: "Ed25519PrivateKey | None",
        alarm: Callable[[int], None],
    ) -> None:
        self._shop, self._states, self._held_names, self._judged = shop, states, held, judged
        self._publish, self._timepiece, self._key, self._alarm = publish, timepiece, key, alarm
        self._running: dict[str, _Held] = {}
        self._ended: OrderedDict[str, TrialView] = OrderedDict()

    def holds(self, reader: str) -> bool:
        """Whether what this reader reads is a technician's now."""
        if reader in self._running:
            self.expire()
        return reader in self._running

    def tapped(self, event: CardPresented | CardFailed) -> None:
        """A card at a reader that is held."""
        held = self._running[event.reader]
        now = self._timepiece.boottime_ms()
        till_ms = None if event.at_ms is None else max(0, now - event.at_ms)
        moment = Moment(len(held.trial.taps) + 1, self._now(), till_ms)
        if isinstance(event, CardFailed):
            self._take(held, failed_tap(moment, event.failure))
            return
        verdict = self._judged(event.reader, event.read)
        if verdict is None:
            self._show(held, repeats=held.trial.repeats + 1)
            return
        held, label = _labelled(held, face_of(event.read, verdict))
        self._take(held, read_tap(moment, event.read, verdict, label))

    def changed(self, status: ReaderStatus) -> None:
        """A reader's state has changed: a new process of a held reader is a breakdown of the old one."""
        held = self._running.get(status.name)
        if held is None or status.pid in {None, held.pid}:
            return
        broke_down = held.pid is not None
        held = replace(held, pid=status.pid)
        self._show(held, restarts=held.trial.restarts + broke_down)

    def expire(self) -> None:
        """Ends the trials whose technician has gone."""
        now = self._timepiece.boottime_ms()
        for held in [held for held in self._running.values() if now >= held.until_ms]:
            self._end(held, TrialState.ABANDONED)
        self._rearm()

    def asked(self, event: TrialAsked) -> None:
        """A technician's word; answered at once."""
        self.expire()
        try:
            answer(event.reply, self._answer(event.asked))
        except Refusal as refusal:
            refuse(event.reply, refusal)

    def _answer(self, asked: Any) -> TrialView | SignedSheet | Trials:
        match asked:
            case Begin(request):
                return self._begin(request)
            case All():
                held = [held.trial for held in self._running.values()]
                return Trials([*held, *reversed(self._ended.values())])
            case Look(id_, watching):
                return self._look(id_, watching=watching)
            case End(id_):
                held_now = self._held(id_)
                return self._end(held_now, TrialState.STOPPED) if held_now else self._known(id_)
            case _:
                return self._sheet(asked.id)

    def _begin(self, request: TrialRequest) -> TrialView:
        status = self._wanted(request.reader)
        if status.name in self._running:
            raise Refusal(
                "busy",
                f"Reader {status.name} is being tested already. Watch that test to its end, stop it, or wait: it ends"
                f" {LEASE_MS // 1000} s after its technician has gone.",
            )
        trial = TrialView(
            id=self._timepiece.random(8).hex(),
            revision=1,
            state=TrialState.RUNNING,
            reader=status.name,
            driver=status.driver,
            device=status.detail,
            wanted=request.taps,
            operator=request.operator or "",
            started_at=self._now(),
            ended_at="",
        )
        now = self._timepiece.boottime_ms()
        held = _Held(trial, now + LEASE_MS, now + IDLE_MS, pid=status.pid)
        self._held_names.add(status.name)
        self._keep(held)
        self._rearm()
        return trial

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
        held = self._held(id_)
        if held is not None and watching:
            until = self._timepiece.boottime_ms() + LEASE_MS
            self._running[held.trial.reader] = replace(held, until_look_ms=until)
            self._rearm()
        return held.trial if held is not None else self._known(id_)

    def _sheet(self, id_: str) -> SignedSheet:
        if self._held(id_) is not None:
            raise Refusal("busy", "The test is not over: its sheet can be had when the last card is read, or stop it.")
        if self._key is None:
            raise Refusal("not_found", "This till has no key to sign a sheet with.")
        shop = self._shop
        return signed(Sheet(shop.terminal, shop.store, shop.version, self._known(id_)), self._key)

    def _held(self, id_: str) -> _Held | None:
        return next((held for held in self._running.values() if held.trial.id == id_), None)

    def _known(self, id_: str) -> TrialView:
        if id_ not in self._ended:
            raise Refusal("not_found", f"This till remembers no such test; the last {KEPT} since its start are kept.")
        return self._ended[id_]

    def _take(self, held: _Held, tap: Tap) -> None:
        """One more tap; the last one that is wanted ends the trial."""
        held = replace(held, until_tap_ms=self._timepiece.boottime_ms() + IDLE_MS)
        taps = (*held.trial.taps, tap)
        if len(taps) >= held.trial.wanted:
            self._end(replace(held, trial=msgspec.structs.replace(held.trial, taps=taps)), TrialState.COMPLETE)
        else:
            self._show(held, taps=taps)

    def _end(self, held: _Held, state: TrialState) -> TrialView:
        trial, status = held.trial, self._states[held.trial.reader]
        ready = status.status is ReaderState.READY
        trouble = "" if ready else " ".join(filter(None, (f"{status.status}, {status.detail}.", status.remedy)))
        judgement = judge(Facts(trial.wanted, trial.taps, trial.restarts, trouble))
        told = {"state": state, "ended_at": self._now(), "judgement": judgement, "revision": trial.revision + 1}
        trial = msgspec.structs.replace(trial, **told)
        del self._running[trial.reader]
        self._held_names.discard(trial.reader)
        self._ended[trial.id] = trial
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)
        self._tell(trial)
        return trial

    def _show(self, held: _Held, **more: Any) -> None:
        trial = msgspec.structs.replace(held.trial, revision=held.trial.revision + 1, **more)
        self._keep(replace(held, trial=trial))

    def _keep(self, held: _Held) -> None:
        self._running[held.trial.reader] = held
        self._tell(held.trial)

    def _tell(self, trial: TrialView) -> None:
        """For everybody: that the reader serves no customer now. What was tapped is the technician's."""
        told = {"id": trial.id, "reader": trial.reader, "state": trial.state, "revision": trial.revision}
        self._publish("trial", {**told, "taps": len(trial.taps), "wanted": trial.wanted})

    def _rearm(self) -> None:
        if self._running:
            first = min(held.until_ms for held in self._running.values())
            self._alarm(max(0, first - self._timepiece.boottime_ms()))

    def _now(self) -> str:
        return rfc3339(self._timepiece.unix_ms())


def _labelled(held: _Held, face: str | None) -> tuple[_Held, str]:
    """The card's label in this trial, and the trial that knows it; a face is hashed with this process's salt."""
    if face is None:
        return held, ""
    known = hash(face)
    faces = held.faces if known in held.faces else (*held.faces, known)
    return replace(held, faces=faces), label_of(faces.index(known))
