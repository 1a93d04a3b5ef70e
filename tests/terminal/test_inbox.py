"""The queue of events: bounded for the outside, never a trap for the till's own threads."""

import threading

import pytest

from terminal.inbox import Inbox, InboxFull, ReadAbandoned, Stop


def test_the_outside_is_turned_away_when_it_is_full() -> None:
    """At once, and let in again when there is room."""
    inbox = Inbox(capacity=1)
    inbox.offer(Stop())
    with pytest.raises(InboxFull):
        inbox.offer(Stop())
    assert inbox.take() == Stop()
    inbox.offer(Stop())


def test_a_consequence_is_reported_however_full_it_is() -> None:
    """In its order, and without taking the room of others."""
    inbox = Inbox(capacity=1)
    inbox.offer(Stop())
    for number in range(3):
        inbox.report(ReadAbandoned(str(number)))
    taken = [inbox.take() for _ in range(4)]
    assert taken == [Stop(), ReadAbandoned("0"), ReadAbandoned("1"), ReadAbandoned("2")]
    inbox.offer(Stop())
    with pytest.raises(InboxFull):
        inbox.offer(Stop())


def test_the_till_s_own_parts_wait_for_room() -> None:
    """Their events must not be lost."""
    inbox, posted = Inbox(capacity=1), threading.Event()
    inbox.post(ReadAbandoned("first"))

    def second() -> None:
        inbox.post(ReadAbandoned("second"))
        posted.set()

    poster = threading.Thread(target=second)
    poster.start()
    assert not posted.is_set()
    assert inbox.take() == ReadAbandoned("first")
    assert posted.wait(60)
    poster.join()
    assert inbox.take() == ReadAbandoned("second")


def test_an_empty_inbox_gives_nothing_after_its_time() -> None:
    """None, not an error."""
    assert Inbox().take(timeout_s=0) is None
