"""Two ways to hear of cards: wait for the next one, or follow everything that happens."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, cast

from tilld_client.attempts import Attempts, Passing, cause, checked
from tilld_client.events import RESET, events
from tilld_client.failures import Lost, Refused, TillFailure, Unanswered
from tilld_client.shapes import Event, Read

READ_GRACE_S: Final = 15.0
"""The till says a little after the time is up that no card came."""


def next_card(attempts: Attempts, timeout_s: float, entry_modes: Sequence[str]) -> Read:
    """Raises Refused, or Unanswered when the till could not be reached in all that time."""
    until = attempts.clock_s() + timeout_s
    attempt = 0
    while True:
        left_s = max(0.001, until - attempts.clock_s())
        body = {"timeout_ms": max(1, int(left_s * 1000)), "entry_modes": list(entry_modes)}
        try:
            return cast("Read", attempts.once("POST", "/v1/reads", body, {}, left_s + READ_GRACE_S, Read))
        except (Lost, Passing, Refused) as failure:
            if isinstance(failure, Refused) and failure.code != "busy":
                raise
            if not attempts.waited(attempt, failure, until):
                raise _given_up(failure) from failure
        attempt += 1


def _given_up(failure: TillFailure) -> TillFailure:
    """Another POS that waits all the time is an answer; a till that is not there is none."""
    return failure if isinstance(failure, Refused) else Unanswered("The read", cause(failure))


def everything(attempts: Attempts, after: str | None) -> Iterator[Event]:
    """Without end: after a break it goes on behind the last event. Raises Refused (a wrong token)."""
    last, attempt, broken = after, 0, False
    while True:
        failure: TillFailure | None = None
        try:
            with attempts.line.stream("/v1/events", _after(last)) as (head, lines):
                checked(head, None)
                # With its first line, not with its head, the stream has a place from which nothing is missed.
                begun = [next(lines, b"")]
                if broken and last is None:
                    yield RESET
                for event in events(chain(begun, lines)):
                    last, attempt = event["id"] or last, 0
                    yield event
        except (Lost, Passing) as lost:
            failure = lost
        broken = True
        attempts.sleep(attempts.pause_s(attempt, failure))
        attempt += 1


def _after(last: str | None) -> dict[str, Any]:
    return {} if last is None else {"Last-Event-ID": last}
