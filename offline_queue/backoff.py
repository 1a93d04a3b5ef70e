"""When to try again: full jitter within a growing ceiling, a retry budget, and what survives a restart.

Pure. Times are milliseconds of the clock since boot; `chance` is a number in [0, 1). Full jitter, because
10,000 tills that come back together are served 19 times sooner than with aligned waits (docs/decisions/0004-wire.md).
"""

from typing import Final

import msgspec

BASE_MS: Final = 1_000
CAP_MS: Final = 300_000
LONGEST_ORDER_MS: Final = 3_600_000
"""A Retry-After is obeyed up to an hour; beyond that it is a mistake of the other side."""
HALT_MS: Final = 300_000
"""Refused for what we are (401, 426): only people can mend that, so ask rarely and keep queueing."""
BUDGET: Final = 20.0
BUDGET_BACK: Final = 0.5
SPENT_MS: Final = 30_000
"""With the budget used up (more than one request in three fails) even a first failure waits within this."""


class Backoff(msgspec.Struct, frozen=True):
    """`failures` in a row, since `outage_since_ms`; nothing is tried before `next_attempt_ms`.

    `ordered` when the ledger itself named the wait. `budget` is what is left of the retries that may be quick.
    """

    failures: int = 0
    next_attempt_ms: int = 0
    outage_since_ms: int | None = None
    ordered: bool = False
    budget: float = BUDGET


class Kept(msgspec.Struct, frozen=True):
    """What the journal remembers of the backoff; its times mean something only within the same boot."""

    boot_id: str
    backoff: Backoff
    at_ms: int


def ceiling_ms(failures: int, budget: float) -> int:
    """The longest wait after so many failures in a row."""
    grown = min(CAP_MS, BASE_MS << min(max(failures, 1) - 1, 10))
    return max(grown, SPENT_MS) if budget < 1 else grown


def after_failure(backoff: Backoff, now_ms: int, chance: float, retry_after_s: float | None = None) -> Backoff:
    """`retry_after_s` is the ledger's order, which wins; a second of jitter keeps the obedient apart."""
    failures = backoff.failures + 1
    budget = max(0.0, backoff.budget - 1)
    if retry_after_s is None:
        wait = int(chance * ceiling_ms(failures, budget))
    else:
        wait = int(min(max(retry_after_s, 0.0) * 1000, LONGEST_ORDER_MS) + chance * BASE_MS)
    since = now_ms if backoff.outage_since_ms is None else backoff.outage_since_ms
    return Backoff(failures, now_ms + wait, since, retry_after_s is not None, budget)


def after_refusal(backoff: Backoff, now_ms: int, chance: float) -> Backoff:
    """Somewhere in the second half of HALT_MS, whatever came before."""
    since = now_ms if backoff.outage_since_ms is None else backoff.outage_since_ms
    wait = int(HALT_MS * (1 + chance) / 2)
    return msgspec.structs.replace(
        backoff, failures=backoff.failures + 1, next_attempt_ms=now_ms + wait, outage_since_ms=since, ordered=True
    )


def after_success(backoff: Backoff) -> Backoff:
    """Failures are forgotten; the budget comes back slowly, so that a flapping ledger is not hammered."""
    return Backoff(budget=min(BUDGET, backoff.budget + BUDGET_BACK))


def reachable_again(backoff: Backoff, now_ms: int, chance: float) -> Backoff:
    """Someone else heard the ledger: try within the length of the outage at most, never later than planned."""
    if backoff.outage_since_ms is None or backoff.ordered:
        return backoff
    spread = min(CAP_MS, now_ms - backoff.outage_since_ms)
    attempt = min(backoff.next_attempt_ms, now_ms + int(chance * spread))
    return msgspec.structs.replace(backoff, next_attempt_ms=attempt)


def resumed(kept: Kept | None, boot_id: str, now_ms: int, chance: float) -> Backoff:
    """The backoff at a daemon's start. After a reboot the old clock means nothing: its durations are kept."""
    if kept is None:
        return Backoff()
    old = kept.backoff
    if kept.boot_id == boot_id:
        return msgspec.structs.replace(old, next_attempt_ms=min(old.next_attempt_ms, now_ms + LONGEST_ORDER_MS))
    if old.outage_since_ms is None:
        return Backoff(budget=old.budget)
    length = max(0, kept.at_ms - old.outage_since_ms)
    attempt = now_ms + int(chance * min(CAP_MS, length))
    return msgspec.structs.replace(old, outage_since_ms=now_ms - length, next_attempt_ms=attempt, ordered=False)
