"""How a pass goes, in words: from any samples, and from those of a long pass."""

from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.sync_progress import WINDOW, Pass, Phase, Sample, advanced, progress

NUMBERS = st.integers(0, 10**6)
SAMPLES = st.builds(Sample, NUMBERS, NUMBERS, NUMBERS)


def after(*samples: Sample) -> Pass:
    now = Pass()
    for sample in samples:
        now = advanced(now, sample, reachable=True, resting=False)
    return now


def test_a_long_pass_from_its_start_to_its_end() -> None:
    """The first word starts it, each further one tells the rate and what is left, the rest ends it."""
    first, second = Sample(0, 0, 1000), Sample(2000, 400, 600)
    assert after(first).phase is Phase.STARTED
    assert after(first).progress == progress((first,))
    now = after(first, second)
    assert now.phase is Phase.RUNNING
    told = now.progress
    assert told is not None
    assert (told.sent, told.left, told.per_s, told.remaining_s) == (400, 600, 200.0, 3.0)
    assert advanced(now, Sample(3000, 1000, 0), reachable=True, resting=True) == Pass(Phase.ENDED)
    assert advanced(now, Sample(3000, 500, 500), reachable=False, resting=True) == Pass(Phase.FAILED)


def test_sales_meanwhile_make_it_longer() -> None:
    """What is left shrinks slower than what is sent; where it does not shrink, no end is promised."""
    told = progress((Sample(0, 0, 1000), Sample(10_000, 500, 600)))
    assert (told.per_s, told.remaining_s) == (50.0, 15.0)
    assert progress((Sample(0, 0, 1000), Sample(10_000, 500, 1100))).remaining_s is None


def test_nothing_is_said_from_too_little() -> None:
    """No rate from one look, from an instant, or from no progress."""
    for second in (Sample(100, 50, 50), Sample(5000, 0, 100), Sample(0, 0, 100)):
        assert progress((Sample(0, 0, 100), second)).per_s is None


def test_a_small_sync_is_only_its_end() -> None:
    """Nothing was on its way: a single sale is not announced as a journey."""
    assert after(Sample(0, 0, 0)).phase is Phase.ENDED


def test_another_pass_begins_anew() -> None:
    """Its count starts from nothing, so the rate of the one before says nothing."""
    now = after(Sample(0, 500, 10), Sample(1000, 20, 400))
    assert (now.phase, len(now.samples)) == (Phase.STARTED, 1)


@given(st.lists(st.tuples(SAMPLES, st.booleans(), st.booleans()), max_size=60))
@settings(max_examples=80)
def test_any_words_make_sense(words: list[tuple[Sample, bool, bool]]) -> None:
    """Bounded, never negative, and progress exactly while entries are on their way."""
    now = Pass()
    for sample, reachable, resting in words:
        now = advanced(now, sample, reachable=reachable, resting=resting)
        assert len(now.samples) <= WINDOW
        told = now.progress
        assert (told is not None) == (now.phase in {Phase.STARTED, Phase.RUNNING})
        if told is not None:
            assert (told.sent, told.left) == (sample.sent, sample.left)
            assert told.per_s is None or told.per_s > 0
            assert told.remaining_s is None or told.remaining_s >= 0
