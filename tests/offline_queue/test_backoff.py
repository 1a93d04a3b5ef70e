"""When the till tries again."""

from hypothesis import given
from hypothesis import strategies as st

from offline_queue.backoff import (
    BASE_MS,
    BUDGET,
    CAP_MS,
    HALT_MS,
    LONGEST_ORDER_MS,
    SPENT_MS,
    Backoff,
    Kept,
    after_failure,
    after_refusal,
    after_success,
    ceiling_ms,
    reachable_again,
    resumed,
)

chances = st.floats(0, 1, exclude_max=True)
times = st.integers(0, 10**12)


def failing(count: int, now_ms: int = 0, chance: float = 0.5) -> Backoff:
    backoff = Backoff()
    for _ in range(count):
        backoff = after_failure(backoff, now_ms, chance)
    return backoff


def test_ceiling_doubles_from_one_second_to_five_minutes() -> None:
    """The longest wait doubles with every failure and stops growing at five minutes."""
    assert [ceiling_ms(n, BUDGET) for n in range(1, 12)] == [
        1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000,
    ]  # fmt: skip


@given(failures=st.integers(0, 10**6), budget=st.floats(0, BUDGET), now=times, chance=chances)
def test_wait_is_anywhere_below_the_ceiling(failures: int, budget: float, now: int, chance: float) -> None:
    """Full jitter: the wait is a uniform share of the ceiling, so tills do not come back in step."""
    after = after_failure(Backoff(failures=failures, budget=budget), now, chance)
    wait = after.next_attempt_ms - now
    assert wait == int(chance * ceiling_ms(after.failures, after.budget))
    assert 0 <= wait < CAP_MS


@given(seconds=st.floats(-10, 10**9), now=times, chance=chances)
def test_retry_after_wins(seconds: float, now: int, chance: float) -> None:
    """The ledger's own order is obeyed up to an hour, with a second of jitter on top."""
    after = after_failure(Backoff(), now, chance, seconds)
    ordered = min(max(seconds, 0) * 1000, LONGEST_ORDER_MS)
    assert after.ordered
    assert now + int(ordered) <= after.next_attempt_ms <= now + int(ordered) + BASE_MS


@given(now=times, chance=chances)
def test_refusal_waits_minutes(now: int, chance: float) -> None:
    """A till that is not enrolled asks every few minutes, not every second."""
    wait = after_refusal(Backoff(), now, chance).next_attempt_ms - now
    assert HALT_MS // 2 <= wait <= HALT_MS


def test_success_forgets_failures_but_not_the_budget() -> None:
    """A ledger that fails every second request is asked with long waits once the budget is spent."""
    backoff = Backoff()
    for _ in range(60):
        backoff = after_success(after_failure(backoff, 0, 0.5))
    spent = after_failure(backoff, 0, 0.999)
    assert backoff.failures == 0
    assert spent.next_attempt_ms > SPENT_MS * 0.99


def test_reliable_ledger_refills_the_budget() -> None:
    """After enough good answers the first failure is tried again within a second."""
    backoff = failing(60)
    for _ in range(int(BUDGET) * 2):
        backoff = after_success(backoff)
    assert backoff == Backoff()


@given(length=st.integers(0, 10**7), chance=chances)
def test_first_attempt_after_an_outage_is_spread_over_its_length(length: int, chance: float) -> None:
    """When the line is back, tills come within the outage's length or five minutes, and never later than planned."""
    backoff = Backoff(failures=9, next_attempt_ms=length + CAP_MS * 2, outage_since_ms=0)
    after = reachable_again(backoff, length, chance)
    assert length <= after.next_attempt_ms <= length + min(CAP_MS, length)
    planned = Backoff(failures=9, next_attempt_ms=length, outage_since_ms=0)
    assert reachable_again(planned, length, chance) == planned


def test_nobody_overrules_the_ledgers_order() -> None:
    """Another part of the till hearing the ledger does not shorten a Retry-After."""
    ordered = after_failure(Backoff(), 0, 0.0, retry_after_s=600)
    assert reachable_again(ordered, 1000, 0.0) == ordered


@given(chance=chances, now=times)
def test_waits_survive_a_restart(chance: float, now: int) -> None:
    """A daemon that restarts in a loop does not become a storm: its wait is kept."""
    backoff = failing(6, now, 0.9)
    assert resumed(Kept("boot", backoff, now), "boot", now + 5, chance) == backoff


@given(chance=chances, uptime=st.integers(0, 10**6))
def test_waits_survive_a_reboot_as_durations(chance: float, uptime: int) -> None:
    """After a power cut the old clock means nothing; the outage's length still spreads the first attempts."""
    backoff = Backoff(failures=5, next_attempt_ms=10**9, outage_since_ms=10**9 - 60_000)
    after = resumed(Kept("old", backoff, 10**9), "new", uptime, chance)
    assert after.failures == 5
    assert uptime <= after.next_attempt_ms < uptime + 60_000


def test_first_start_waits_for_nothing() -> None:
    """A new till, and one whose ledger was fine, speaks at once."""
    assert resumed(None, "boot", 5, 0.9) == Backoff()
    assert resumed(Kept("old", Backoff(), 10**9), "new", 5, 0.9).next_attempt_ms == 0
