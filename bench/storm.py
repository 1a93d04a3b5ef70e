"""A storm: all tills lose the ledger for ten minutes and come back, to one that serves so many requests a second.

A simulation by events, in simulated time. Tills are the real protocol core (in offline_queue: next_step.py, hearing.py,
failing.py and backoff.py), the door is the real admission (ledger/http/admission.py). Network and books are a model:
each request costs the same, and what a till no longer waits for is worked on all the same. `python -m bench.storm`
draws docs/storm.svg too.
"""

import argparse
import heapq
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from bench.figures import percentile
from bench.storm_plot import Panel, drawn
from ledger.http.admission import Admission, Rank, Room, Ticket, TurnedAway
from ledger.http.attendance import next_sync_after_s
from offline_queue.entry import Lane
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.next_step import begin, next_step
from offline_queue.steps import Answer, FetchDecisions, Moment, Request, Rest, SayHello, SendRecords, Silence, SyncState
from offline_queue.wire import BatchAnswer, Marks, StreamHead, Welcome
from offline_queue.wire_feeds import Decisions

OUTAGE_MS: Final = 600_000
LATEST_MS: Final = 4 * 3_600_000
ANSWER_MS: Final = 10_000
"""What a till waits for an answer (offline_queue/ledger_client.py)."""
ROUND_TRIP_MS: Final = 40
WORK_MS: Final = 80
"""On each request, with as many others beside it as are worked on at once."""
SALES: Final = 14
"""A thousand a day over twelve hours, for ten minutes."""
IDLE_MS: Final = 30_000
RANKS: Final = {SayHello: Rank.HELLO}
DRAWN_S: Final = 3000.0
SVG: Final = Path(__file__).parents[1] / "docs" / "storm.svg"


class Way(msgspec.Struct, frozen=True):
    """How tills wait, and whether the ledger has a door."""

    name: str
    jitter: bool
    admission: bool


WAYS: Final = (
    Way("aligned exponential waits", jitter=False, admission=False),
    Way("full jitter", jitter=True, admission=False),
    Way("full jitter and admission", jitter=True, admission=True),
)


class Outcome(msgspec.Struct):
    """`drained` in ms after the ledger came back, one for each till; `arrivals` in each second after that."""

    way: Way
    drained: list[int]
    arrivals: list[int]
    turned_away: int = 0
    timed_out: int = 0
    in_vain: int = 0
    served: int = 0


class Till:
    """One till's side of the wire. `held` is what the ledger has of its stream, whether it was told so or not."""

    __slots__ = ("accepted", "cursor", "drained_ms", "flight", "held", "state")

    def __init__(self, first_ms: int) -> None:
        self.state = SyncState(generation="g", greeted=True, hello_due_ms=first_ms)
        self.accepted = self.cursor = self.held = self.flight = 0
        self.drained_ms: int | None = None

    def heads(self) -> list[StreamHead]:
        return [StreamHead("s", Lane.BULK, SALES, "", self.accepted)] if self.accepted < SALES else []

    def answer(self, step: Request, request: str, rest_s: float) -> Answer:
        """What the ledger says to that; it has custody from here on, even if nobody hears it."""
        match step:
            case SendRecords(first=first, limit=limit):
                self.held = max(self.held, first + limit - 1)
                return BatchAnswer(request, "s", "g", self.held, self.held)
            case FetchDecisions(after=after):
                return Decisions(request, "g", [], [], after + 1, more=False)
        return Welcome(request, 1, "g", {"s": Marks(self.held, self.held)}, "", rest_s)


class Job:
    """A request on its way: by whom, since when, and whether the till has heard of it in time."""

    __slots__ = ("answered", "flight", "sent_ms", "step", "till")

    def __init__(self, till: Till, flight: int, step: Request, sent_ms: int) -> None:
        self.till, self.flight, self.step, self.sent_ms, self.answered = till, flight, step, sent_ms, False


class Storm:
    """All tills and the ledger, from the moment at which it falls silent."""

    def __init__(self, way: Way, tills: int, capacity: int, seed: int = 1) -> None:
        self._way, self._chance = way, random.Random(seed)
        at_once = max(1, capacity * WORK_MS // 1000)
        self._room = Room(at_once=at_once, waiting=4 * at_once)
        self._took_ms = self._room.at_once * 1000 // capacity
        self._rest_s = next_sync_after_s(tills)
        self._admission, self._line, self._free = Admission(self._room), deque[Job](), self._room.at_once
        self._jobs: dict[Ticket, Job] = {}
        self.tills = [Till(self._chance.randrange(IDLE_MS)) for _ in range(tills)]
        self._left, self._count = tills, 0
        self._events: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self.outcome = Outcome(way, [], [])

    def run(self) -> Outcome:
        for till in self.tills:
            self._at(till.state.hello_due_ms, self._wake, till)
        now_ms = 0
        while self._left and now_ms < LATEST_MS:
            now_ms, _, act, arguments = heapq.heappop(self._events)
            act(now_ms, *arguments)
        self.outcome.drained = [
            (LATEST_MS if till.drained_ms is None else till.drained_ms) - OUTAGE_MS for till in self.tills
        ]
        return self.outcome

    def _at(self, when_ms: int, act: Callable[..., None], *arguments: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (when_ms, self._count, act, arguments))

    def _wake(self, now_ms: int, till: Till) -> None:
        """Says what is due; a till with nothing left to deliver is out of the picture."""
        heads = till.heads()
        step = next_step(till.state, heads, till.cursor, now_ms)
        if isinstance(step, Rest):
            if not heads and till.state.greeted and till.cursor:
                till.drained_ms = now_ms
                self._left -= 1
            else:
                self._at(step.until_ms, self._wake, till)
            return
        till.flight += 1
        till.state = begin(till.state, step, str(till.flight), heads)
        if now_ms < OUTAGE_MS:
            self._silent(now_ms, till, till.flight, Silence(reached=False))
        else:
            self._arrive(now_ms, Job(till, till.flight, step, now_ms))

    def _arrive(self, now_ms: int, job: Job) -> None:
        second = (now_ms - OUTAGE_MS) // 1000
        self.outcome.arrivals += [0] * (second + 1 - len(self.outcome.arrivals))
        self.outcome.arrivals[second] += 1
        if self._way.admission:
            rank = RANKS.get(type(job.step), Rank.BULK)
            found = self._admission.arrive(str(id(job.till)), rank, now_ms / 1000, self._chance.random())
            if isinstance(found, TurnedAway):
                self.outcome.turned_away += 1
                silence = Silence(reached=False, retry_after_s=found.retry_after_s)
                self._at(now_ms + ROUND_TRIP_MS, self._silent, job.till, job.flight, silence)
                return
            self._jobs[found] = job
            if found.at_work:
                self._at(now_ms + self._took_ms, self._left_door, found)
        elif self._free:
            self._free -= 1
            self._at(now_ms + self._took_ms, self._done, job)
        else:
            self._line.append(job)
        self._at(now_ms + ANSWER_MS, self._late, job)

    def _left_door(self, now_ms: int, ticket: Ticket) -> None:
        following = self._admission.leave(ticket, now_ms / 1000)
        self._answered(now_ms, self._jobs.pop(ticket))
        if following is not None:
            self._at(now_ms + self._took_ms, self._left_door, following)

    def _done(self, now_ms: int, job: Job) -> None:
        self._answered(now_ms, job)
        if self._line:
            self._at(now_ms + self._took_ms, self._done, self._line.popleft())
        else:
            self._free += 1

    def _answered(self, now_ms: int, job: Job) -> None:
        self.outcome.served += 1
        answer = job.till.answer(job.step, str(job.flight), self._rest_s)
        if now_ms - job.sent_ms >= ANSWER_MS:
            self.outcome.in_vain += 1
        else:
            job.answered = True
            self._at(now_ms + ROUND_TRIP_MS, self._hear, job, answer)

    def _hear(self, now_ms: int, job: Job, answer: Answer) -> None:
        till = job.till
        outcome = heard(till.state, answer, Moment(now_ms, self._drawn(), now_ms - job.sent_ms))
        till.state = outcome.state
        match answer:
            case BatchAnswer(accepted=accepted):
                till.accepted = accepted
            case Welcome(streams=streams):
                till.accepted = max(till.accepted, streams["s"].accepted)
            case Decisions(next=following):
                till.cursor = following
        self._wake(now_ms, till)

    def _late(self, now_ms: int, job: Job) -> None:
        if not job.answered:
            self.outcome.timed_out += 1
            self._silent(now_ms, job.till, job.flight, Silence(reached=True))

    def _silent(self, now_ms: int, till: Till, flight: int, silence: Silence) -> None:
        if flight == till.flight:
            till.state = failed(till.state, silence, Moment(now_ms, self._drawn())).state
            self._at(max(now_ms + 1, till.state.backoff.next_attempt_ms), self._wake, till)

    def _drawn(self) -> float:
        """Without jitter every till waits as long as it may."""
        return self._chance.random() if self._way.jitter else 0.999999


def storms(tills: int, capacity: int) -> list[Outcome]:
    return [Storm(way, tills, capacity).run() for way in WAYS]


def capacities(tills: int) -> tuple[int, int]:
    """Requests a second of a ledger that is large enough for its tills, and of one that is not just then."""
    return max(2, tills // 50), max(1, tills // 100)


def run(*, quick: bool) -> Table:
    """A row for each way to wait at each of two ledgers."""
    tills = 1000 if quick else 10_000
    return table({capacity: storms(tills, capacity) for capacity in capacities(tills)}, tills)


def table(told: dict[int, list[Outcome]], tills: int) -> Table:
    shown = Table(title=f"{tills:,} tills come back to the ledger after 10 minutes; the work is three requests a till")
    for heading in ("", "drained s", "p50 s", "p99 s", "peak /s", "served", "in vain", "timed out", "turned away"):
        shown.add_column(heading, justify="right" if heading else "left")
    for capacity, outcomes in told.items():
        shown.add_section()
        shown.add_row(f"{capacity:,} requests/s, the work alone", f"{ideal_s(tills, capacity):,.0f}", style="dim")
        for outcome in outcomes:
            waits = [milliseconds / 1000 for milliseconds in outcome.drained]
            times = (f"{wait:,.0f}" for wait in (max(waits), percentile(waits, 50), percentile(waits, 99)))
            counts = (max(outcome.arrivals), outcome.served, outcome.in_vain, outcome.timed_out, outcome.turned_away)
            shown.add_row(f"  {outcome.way.name}", *times, *(f"{count:,}" for count in counts))
    shown.caption = f"In vain: answered when the till had given up. {LATEST_MS // 3_600_000} h: not drained by then."
    return shown


def ideal_s(tills: int, capacity: int) -> float:
    return 3 * tills / capacity


def picture(told: dict[int, list[Outcome]], tills: int) -> str:
    panels = [
        Panel(
            f"{tills:,} tills, a ledger of {capacity:,} requests a second: share that has delivered everything",
            ideal_s(tills, capacity),
            {outcome.way.name: [ms / 1000 for ms in outcome.drained] for outcome in outcomes},
        )
        for capacity, outcomes in told.items()
    ]
    return drawn(panels, DRAWN_S)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tills", type=int, default=10_000, metavar="N")
    parser.add_argument("--svg", type=Path, metavar="FILE", help=f"draw there [with 10,000 tills: docs/{SVG.name}]")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    told = {capacity: storms(chosen.tills, capacity) for capacity in capacities(chosen.tills)}
    Console(width=None if sys.stdout.isatty() else 120).print(table(told, chosen.tills))
    print(f"simulated in {time.monotonic() - started:.0f} s")
    if file := chosen.svg or (SVG if chosen.tills == 10_000 else None):
        file.write_text(picture(told, chosen.tills), encoding="utf-8")
        print(f"drawn to {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
