"""The till's memory of events, and the watchers that read from it."""

import threading

from hypothesis import example, given
from hypothesis import strategies as st

from terminal.notices import FIRST, Notices, without_numbers
from terminal.pos import CardView


def test_events_are_numbered_from_one_within_a_start() -> None:
    """An id names the start of the daemon and the event's place in it."""
    notices = Notices("b007")
    notices.publish("sync", {"reachable": True})
    caught = notices.after(0)
    assert [(n.id, n.kind, n.told["en"].whole) for n in caught.notices] == [("b007-1", "sync", b'{"reachable":true}')]


@given(st.integers(1, 20), st.lists(st.integers(0, 7), max_size=12))
def test_a_watcher_sees_everything_or_hears_that_it_missed_something(capacity: int, bursts: list[int]) -> None:
    """However slowly it reads: no gap that it is not told of, nothing twice, order kept."""
    notices = Notices("s", capacity)
    position, published = 0, 0
    for burst in bursts:
        for _ in range(burst):
            published += 1
            notices.publish("x", published)
        caught = notices.after(position)
        seen = [int(n.told["en"].whole) for n in caught.notices]
        assert caught.missed == (published - position > capacity)
        assert seen == list(range(max(position, published - capacity) + 1, published + 1))
        position = caught.position
    assert position == published


@example(FIRST)
@example("s-0")
@example("s-01")
@given(st.text(max_size=12))
def test_only_an_id_that_was_given_can_be_resumed(last_id: str) -> None:
    """Whatever a client sends as its last id: it resumes there, starts anew, or is told that it missed something."""
    notices = Notices("s")
    notices.publish("x", 1)
    position, missed = notices.position(last_id)
    given = {"": 1, "s-1": 1, "s-0": 0, FIRST: 0}
    assert (position, missed) == ((given[last_id], False) if last_id in given else (1, True))


def test_many_publishers_lose_nothing() -> None:
    """Threads publish at once; every event has its own id."""
    notices = Notices("s", 1000)
    threads = [threading.Thread(target=lambda: [notices.publish("x", n) for n in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [n.id for n in notices.after(0).notices] == [f"s-{n}" for n in range(1, 801)]


def test_a_watcher_is_woken_by_news_and_by_the_end() -> None:
    """And not any more once it has gone."""
    notices, woken = Notices("s"), []
    with notices.watched(lambda: woken.append("woken")):
        notices.publish("x", 1)
        notices.close()
    notices.publish("x", 2)
    assert woken == ["woken", "woken"]
    assert notices.closed


def test_the_public_form_has_no_card_numbers() -> None:
    """Masked where a page may look, at any depth; other numbers stay."""
    notices = Notices("s")
    notices.publish("x", {"card": CardView("•••• 0017", "2990000000017"), "receipt": {"number": "4711"}})
    [notice] = notices.after(0).notices
    assert b"2990000000017" in notice.told["fr"].whole
    assert b"2990000000017" not in notice.told["fr"].public
    assert b"4711" in notice.told["fr"].public
    assert without_numbers([{"masked": "a", "number": "b"}]) == [{"masked": "a"}]
