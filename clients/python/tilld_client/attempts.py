"""One request, attempted until it is answered: what to believe of an answer, and when to try again."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tilld_client.failures import Lost, Refused, TillFailure, Unanswered
from tilld_client.line import Line, Reply
from tilld_client.patience import AT_THE_DOOR, Patience, passes, retry_after_s


class Passing(TillFailure):
    """A refusal that may pass by itself; `told_s` is the till's Retry-After."""

    def __init__(self, refused: Refused, told_s: float | None) -> None:
        super().__init__(str(refused))
        self.refused, self.told_s = refused, told_s


@dataclass(frozen=True)
class Attempts:
    """`clock_s`, `sleep` and `chance` (0 to 1) are the outside world."""

    line: Line
    patience: Patience
    clock_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        shape: type | None = None,
    ) -> Any:
        """Safe for requests that carry a key or change nothing. Raises Refused, or Unanswered at the end."""
        until = self.clock_s() + self.patience.total_s
        attempt = 0
        while True:
            try:
                return self.once(method, target, body, headers or {}, self.patience.answer_s, shape)
            except (Lost, Passing) as failure:
                if not self.waited(attempt, failure, until):
                    raise Unanswered(f"{method} {target.partition('?')[0]}", cause(failure)) from failure
            except Refused as refused:
                if attempt and refused.status in AT_THE_DOOR:
                    raise Unanswered(f"{method} {target.partition('?')[0]}", refused) from refused
                raise
            attempt += 1

    def once(
        self, method: str, target: str, body: Any, headers: Mapping[str, str], time_s: float, shape: type | None
    ) -> Any:
        """Raises Lost, Passing or Refused."""
        return checked(self.line.ask(method, target, body, headers, time_s), shape)

    def waited(self, attempt: int, failure: TillFailure, until: float) -> bool:
        """Pauses before the next attempt; false when there would be no time left for it."""
        pause_s = self.pause_s(attempt, failure)
        if self.clock_s() + pause_s >= until:
            return False
        self.sleep(pause_s)
        return True

    def pause_s(self, attempt: int, failure: TillFailure | None) -> float:
        told_s = failure.told_s if isinstance(failure, Passing) else None
        return self.patience.pause_s(attempt, self.chance(), told_s)


def cause(failure: TillFailure) -> TillFailure:
    return failure.refused if isinstance(failure, Passing) else failure


def checked(reply: Reply, shape: type | None) -> Any:
    """The body of a yes. Raises Refused or Passing for a no, Lost for what no till says."""
    if 200 <= reply.status < 300:
        needed: frozenset[str] = getattr(shape, "__required_keys__", frozenset())
        if needed and not (isinstance(reply.body, dict) and needed <= reply.body.keys()):
            raise Lost("somebody else than the till has answered")
        return reply.body
    if not (isinstance(reply.body, dict) and isinstance(reply.body.get("code"), str)):
        raise Lost(f"somebody else than the till has answered with {reply.status}")
    refused = Refused(reply.status, reply.body)
    if passes(reply.status, refused.code):
        raise Passing(refused, retry_after_s(reply.headers.get("retry-after")))
    raise refused
