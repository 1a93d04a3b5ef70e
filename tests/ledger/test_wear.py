"""What tills have found of a card's wear, as the office reads it."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.wear import lately
from offline_queue.entry import Card, Clock, Entry, Kind

TOLD = st.builds(
    Card,
    st.sampled_from(["2990000000017", "2990000000024"]),
    st.sampled_from(["qr", "ntag", None]),
    st.none(),
    st.one_of(st.none(), st.integers(0, 100)),
)


def entry(at: int, card: Card | None) -> Entry:
    moment = f"2026-03-01T10:{at // 60:02}:{at % 60:02}Z"
    return Entry(f"id-{at}", f"k-{at}", Kind.EARN, "S001-T01", "2026-03-01", moment, Clock("b", at, moment), card=card)


@given(st.lists(st.one_of(st.none(), TOLD), max_size=30))
def test_the_last_word_counts(cards: list[Card | None]) -> None:
    """By card and technology; entries that say nothing change nothing, and the most worn comes first."""
    entries = [entry(at, card) for at, card in enumerate(cards)]
    found = lately(entries)
    expected = {
        (card.number, card.technology or "unknown"): card.wear for card in cards if card and card.wear is not None
    }
    assert {(one.number, one.technology): one.wear for one in found} == expected
    assert [one.wear for one in found] == sorted((one.wear for one in found), reverse=True)
    times = {one.occurred_at for one in found}
    assert times <= {one.occurred_at for one in entries if one.card and one.card.wear is not None}
