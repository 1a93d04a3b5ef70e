"""A till without journal, ledger and readers: it answers the inbox's events from a list in memory."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from drivers.base import ReaderState
from offline_queue.conflicts import sentence
from offline_queue.entry import CardEvent, Kind, Resolution, State, masked, uuid7
from offline_queue.journal import Totals
from offline_queue.timepiece import SystemTimepiece
from offline_queue.words import Words
from terminal.cards.forwarding import listed_after
from terminal.cards.identification import Identified
from terminal.disputes.shapes import Dispute, ResolutionAnswer
from terminal.inbox import (
    Answered,
    Asked,
    CardEventAsked,
    Event,
    Inbox,
    ReadAbandoned,
    ReadAsked,
    ReaderStatus,
    ResolutionAsked,
    Stop,
    TransactionAsked,
)
from terminal.notices import Notices
from terminal.pos import BalanceView, CardEventAnswer, CardView, Outcome, ReadAnswer, Refusal, TransactionAnswer
from terminal.sales.transaction import effect
from terminal.trial.desk import Shop, TrialDesk
from terminal.trial.talk import TrialAsked
from tests.offline_queue.claimed import KEY

NOW = "2026-03-01T10:00:00Z"
SYNC_WORD = {
    "reachable": True,
    "accepted": 0,
    "detail": "The ledger has heard everything.",
    "queue": {"queued": 0, "oldest_age_s": None, "conflicts": 0},
    "phase": "ended",
    "progress": None,
}
"""What a till says of a pass that is over."""


TOO_FEW = Words("There are 100 points.", "Il y a 100 points.")


class FakeTill:
    """Every card has 100 points; nothing is durable."""

    def __init__(self, capacity: int = 1000) -> None:
        self.inbox = Inbox(capacity)
        self.notices = Notices("f00d")
        self.outcomes: list[Outcome] = []
        self.first: dict[str, tuple[bytes, bytes]] = {}
        self.waiting: Future[ReadAnswer] | None = None
        self.reads_waiting = threading.Event()
        self.modes: frozenset[str] = frozenset()
        self.reachable = True
        self.detail = "The ledger has heard everything."
        self.disk_full = False
        self.pass_: dict[str, Any] = {"phase": "ended", "progress": None}
        self.sync_words: list[dict[str, Any]] = []
        self.readers = [ReaderStatus("counter", "simulated", ReaderState.READY, NOW, "waits for cards")]
        self.held: set[str] = set()
        self.trials = TrialDesk(
            Shop("S001-T01", "S001", "0.1.0", KEY),
            {reader.name: reader for reader in self.readers},
            self.held,
            lambda _, read: Identified(read.data or ""),
            self.notices.publish,
            SystemTimepiece(),
            lambda _: None,
        )
        self._thread = threading.Thread(target=self._run, name="fake till")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.inbox.post(Stop())
            self._thread.join(60)

    def present(self, number: str = "2990000000017") -> ReadAnswer:
        """A card comes: the waiting read gets it, and everybody is told."""
        answer = ReadAnswer("r-1", CardView(masked(number), number), "qr", "scanned", "counter", balance(100), [])
        if self.waiting is not None:
            self.waiting.set_result(answer)
            self.waiting = None
        self.notices.publish("card_read", answer)
        return answer

    def _run(self) -> None:
        while not isinstance(event := self.inbox.take(), Stop):
            if event is not None:
                self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case TransactionAsked(request, key, reply):
                settle(reply, lambda: self._transact(request, key))
            case ResolutionAsked(reply=reply):
                settle(reply, lambda: self._resolve(event))
            case CardEventAsked(number, happened, reply):
                settle(reply, lambda: self._happens(number, happened))
            case Asked(what, argument, reply):
                settle(reply, lambda: getattr(self, f"_{what}")(argument))
            case TrialAsked():
                self.trials.told(event)
            case ReadAsked(modes, reply):
                self._read(modes, reply)
            case ReadAbandoned(code, reply):
                if self.waiting is not None and reply in (None, self.waiting):
                    self.waiting.set_exception(Refusal(code, "Nobody waits any more."))
                    self.waiting = None

    def _read(self, modes: frozenset[str], reply: "Future[ReadAnswer]") -> None:
        if self.waiting is not None:
            reply.set_exception(Refusal("busy", "Another POS waits for a card."))
            return
        self.waiting, self.modes = reply, modes
        self.reads_waiting.set()

    def _transact(self, request: Any, key: str) -> Answered:
        digest = msgspec.json.encode(request)
        if key in self.first:
            if self.first[key][0] != digest:
                raise Refusal("idempotency_key_reused", "Use a fresh key for another sale.")
            return Answered(self.first[key][1], replayed=True)
        if self.disk_full:
            raise Refusal("not_recorded", "The disk is full; nothing was recorded.")
        if request.kind == "redeem" and (request.points or 0) > 100:
            raise Refusal("insufficient_points", TOO_FEW)
        number = request.card.number if request.card else None
        card = CardView(masked(number)) if number else None
        id_ = uuid7(len(self.outcomes) + 1, bytes(10))
        kind, points = Kind(request.kind), request.points or 0
        body = msgspec.json.encode(TransactionAnswer(id_, kind, State.QUEUED, points, card, balance(100 + points)))
        self.outcomes.append(Outcome(id_, kind, State.QUEUED, points, key, NOW, card, history=[State.QUEUED]))
        self.first[key] = (digest, body)
        told = {"id": id_, "kind": kind, "state": "queued", "points": points, "effect": effect(kind, points)}
        self.notices.publish("transaction", {**told, "card": card, "balance": balance(100)})
        return Answered(body, replayed=False)

    def _happens(self, number: str, happened: CardEvent) -> Answered:
        after = listed_after(happened)
        successor = CardView(masked(after.successor)) if after.successor else None
        card, kind = CardView(masked(number)), Kind.CARD_EVENT
        said = CardEventAnswer("event-1", kind, happened.happening, State.QUEUED, card, after.status, successor)
        return Answered(msgspec.json.encode(said), replayed=False)

    def totals(self) -> Totals:
        """What its journal would count."""
        queued = sum(outcome.state == State.QUEUED for outcome in self.outcomes)
        return Totals(queued, 0, 0, None, len(self.outcomes))

    def _status(self, _: str) -> Any:
        queued = sum(outcome.state == State.QUEUED for outcome in self.outcomes)
        conflicts = sum(outcome.state == State.CONFLICT for outcome in self.outcomes)
        return {
            "terminal": "S001-T01",
            "version": "0.1.0",
            "ledger": {"reachable": self.reachable, "last_success": NOW, "next_attempt": None, "detail": self.detail},
            "queue": {"queued": queued, "oldest_age_s": 12.0 if queued else None, "conflicts": conflicts},
            "readers": self.readers,
            "tested": sorted(self.held),
            "clock": {"wall": NOW},
            "sync": self.pass_,
        }

    def _transaction(self, id_: str) -> Outcome:
        return self._found(lambda outcome: outcome.id == id_)

    def _transaction_by_key(self, key: str) -> Outcome:
        return self._found(lambda outcome: outcome.idempotency_key == key)

    def _found(self, fits: Callable[[Outcome], bool]) -> Outcome:
        for outcome in self.outcomes:
            if fits(outcome):
                return outcome
        raise Refusal("not_found", "No such transaction was recorded here.")

    def _card(self, number: str) -> Any:
        told = {"card": {"masked": masked(number), "number": number}, "balance": balance(100), "known": True}
        return {**told, "status": "active", "successor": None, "reached": True}

    def _queue(self, argument: str) -> list[Outcome]:
        wanted = json.loads(argument)
        ids = [outcome.id for outcome in self.outcomes]
        start = ids.index(wanted["after"]) + 1 if wanted["after"] else 0
        chosen = [o for o in self.outcomes[start:] if wanted["state"] in (None, o.state)]
        return chosen[: wanted["limit"]]

    def _conflicts(self, argument: str) -> list[Dispute]:
        return [dispute(o) for o in self.outcomes if o.state == State.CONFLICT][: json.loads(argument)["limit"]]

    def _conflict(self, id_: str) -> Dispute:
        return dispute(self._transaction(id_))

    def _resolve(self, event: ResolutionAsked) -> Answered:
        outcome = self._transaction(event.conflict)
        if outcome.state != State.CONFLICT:
            raise Refusal("not_in_dispute", f"It is {outcome.state}.")
        key = event.key or f"resolution:{event.conflict}:{event.request.decision}"
        known = key in self.first
        said = ResolutionAnswer(outcome.id, outcome.id, event.request.decision, State.QUEUED, "It is on its way.")
        self.first.setdefault(key, (b"", msgspec.json.encode(said)))
        return Answered(self.first[key][1], replayed=known)

    def _sync(self, _: str) -> Any:
        for word in self.sync_words:
            self.notices.publish("sync", {**SYNC_WORD, **word})
        return {"due": len(self.outcomes)}

    def _health(self, _: str) -> bool:
        return True


def dispute(outcome: Outcome) -> Dispute:
    code = outcome.verdict or ""
    told = (outcome.id, outcome.kind, outcome.state, outcome.points, outcome.idempotency_key, outcome.occurred_at)
    return Dispute(*told, outcome.card, code, sentence(code), 12.0, [Resolution.HONOUR, Resolution.REFUSE])


def balance(points: int) -> BalanceView:
    return BalanceView(points, NOW, 0, estimate=False)


def settle(reply: "Future[Any]", act: Callable[[], Any]) -> None:
    try:
        reply.set_result(act())
    except Refusal as refusal:
        reply.set_exception(refusal)
