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


@given(started=times, later=st.integers(0, 10**7), refused=st.booleans(), chance=chances)
def test_an_outage_begins_with_its_first_failure(started: int, later: int, refused: bool, chance: float) -> None:
    """However often it fails after that, silently or refused, and whatever it waits: the length is told from there."""
    first = after_refusal(Backoff(), started, chance) if refused else after_failure(Backoff(), started, chance)
    assert first.outage_since_ms == started
    for second in (after_failure(first, started + later, chance), after_refusal(first, started + later, chance)):
        assert second.outage_since_ms == started
        assert second.failures == 2
        assert after_success(second).outage_since_ms is None


@given(now=times, chance=chances, elsewhere=chances)
def test_a_refusal_is_an_order(now: int, chance: float, elsewhere: float) -> None:
    """A customer's question that is answered does not make a till that is not enrolled ask more often."""
    refused = after_refusal(Backoff(), now, chance)
    assert reachable_again(refused, now + 1000, elsewhere) == refused


@given(chance=chances)
def test_where_nothing_failed_nothing_is_planned_anew(chance: float) -> None:
    """The ledger was heard elsewhere, and no outage is known of here."""
    resting = Backoff(next_attempt_ms=5000)
    assert reachable_again(resting, 1000, chance) == resting


@given(began=times, length=st.integers(1, 10**7))
def test_the_spread_is_the_length_of_the_outage_whenever_it_began(began: int, length: int) -> None:
    """A machine that runs for months measures it like one that has just started."""
    backoff = Backoff(failures=9, next_attempt_ms=began + length + 2 * CAP_MS, outage_since_ms=began)
    assert reachable_again(backoff, began + length, 0.5).next_attempt_ms == began + length + min(CAP_MS, length) // 2


def test_the_ceiling_rises_when_less_than_one_retry_is_left() -> None:
    """One that is left is quick."""
    assert [ceiling_ms(1, budget) for budget in (0, 0.5, 1, BUDGET)] == [SPENT_MS, SPENT_MS, BASE_MS, BASE_MS]
    assert ceiling_ms(10**6, 0) == ceiling_ms(10**6, BUDGET) == CAP_MS


def test_no_plan_of_the_same_boot_is_longer_than_the_longest_order() -> None:
    """A journal with a nonsense time in it does not keep a till silent for ever."""
    kept = Kept("boot", Backoff(failures=3, next_attempt_ms=10**15, outage_since_ms=5), 10)
    after = resumed(kept, "boot", 1000, 0.5)
    assert after == Backoff(failures=3, next_attempt_ms=1000 + LONGEST_ORDER_MS, outage_since_ms=5)


def test_after_a_reboot_the_outage_is_as_long_as_it_was() -> None:
    """Told by the new clock; the order named by the old one's is over, and the budget is as spent as before."""
    old = Backoff(failures=5, next_attempt_ms=900_000, outage_since_ms=400_000, ordered=True, budget=3.0)
    after = resumed(Kept("old", old, 500_000), "new", 2_000, 0.5)
    assert after == Backoff(failures=5, next_attempt_ms=52_000, outage_since_ms=-98_000, ordered=False, budget=3.0)
    assert resumed(Kept("old", Backoff(budget=3.0), 500_000), "new", 2_000, 0.5) == Backoff(budget=3.0)
    backwards = Kept("old", Backoff(failures=1, next_attempt_ms=9, outage_since_ms=600_000), 500_000)
    assert resumed(backwards, "new", 2_000, 0.9).next_attempt_ms == 2_000


def test_first_start_waits_for_nothing() -> None:
    """A new till, and one whose ledger was fine, speaks at once."""
    assert resumed(None, "boot", 5, 0.9) == Backoff()
    assert resumed(Kept("old", Backoff(), 10**9), "new", 5, 0.9).next_attempt_ms == 0
