"""Customers at a till that dies under them: each remembers what the till said, and nothing else is believed.

A sale whose connection broke has no answer, so the POS asks again with the same key until it has one: that is
what an idempotency key is for. A sale that was answered with an error may be given up.
"""

import http.client
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.acceptance.rig import Pos

CARDS = tuple(f"299000000{n:04d}" for n in range(101, 109))
ANSWER_DEADLINE_S = 180.0


@dataclass
class Log:
    """What the customers know: `yes` holds the id of each sale that got a 201, `no` the keys given up."""

    yes: dict[str, str] = field(default_factory=dict)
    effects: dict[str, tuple[str, int]] = field(default_factory=dict)
    no: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def sending(self) -> None:
        with self._moved:
            self.sent += 1
            self._moved.notify_all()

    def wait_for_sent(self, count: int) -> None:
        """Raises AssertionError when the customers have stopped asking."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.sent >= count, ANSWER_DEADLINE_S), f"stuck at {self.sent} requests"


class Shopper(threading.Thread):
    """Buys, redeems, takes back and repeats itself until `closing` is set; then it finishes what it has begun."""

    def __init__(
        self, name: str, seed: int, log: Log, up: threading.Event, closing: threading.Event, pos: Callable[[], Pos]
    ):
        super().__init__(name=name, daemon=True)
        self.log, self.up, self.closing = log, up, closing
        self.random = random.Random(seed)
        self.connect = pos
        self.pos: Pos | None = None
        self.failure: BaseException | None = None
        self._earned: list[tuple[str, str, int]] = []

    def run(self) -> None:
        try:
            number = 0
            while not self.closing.is_set():
                number += 1
                self._one(f"{self.name}-{number}")
        except BaseException as failure:  # noqa: BLE001 - the test shows it, in another thread
            self.failure = failure
        finally:
            if self.pos is not None:
                self.pos.close()

    def _one(self, key: str) -> None:
        card, points = self.random.choice(CARDS), self.random.randint(1, 50)
        match self.random.choices(("earn", "redeem", "reverse"), (8, 2, 1))[0]:
            case "reverse" if self._earned:
                original, card, points = self._earned.pop()
                self._until_answered(key, card, -points, kind="reverse", reverses=original)
            case "redeem":
                self._until_answered(key, card, -points, kind="redeem", card={"number": card}, points=points)
            case _:
                entry = self._until_answered(key, card, points, kind="earn", card={"number": card}, points=points)
                if entry is not None:
                    self._earned.append((entry, card, points))

    def _until_answered(self, key: str, number: str, effect: int, **request: object) -> str | None:
        """The entry's id, or None when the till said no and the customer left."""
        while True:
            self.log.sending()
            try:
                status, answer = self._pos().transaction(key, **request)  # type: ignore[arg-type]
            except (OSError, http.client.HTTPException):
                assert self.up.wait(ANSWER_DEADLINE_S), "the till did not come back"
                continue
            if status in (200, 201):
                return self._said_yes(key, number, effect, answer["id"])
            if status == 503 and self.random.random() < 0.5:
                continue
            self.log.no[key] = f"{status} {answer['code']}"
            return None

    def _said_yes(self, key: str, number: str, effect: int, entry: str) -> str:
        if self.log.yes.setdefault(key, entry) != entry:
            self.log.wrong.append(f"{key} was answered with two ids")
        self.log.effects[entry] = number, effect
        return entry

    def _pos(self) -> Pos:
        if self.pos is None:
            self.pos = self.connect()
        return self.pos
