"""When a driver tries its device again."""

import time

from drivers.base import Condition, ReaderState
from drivers.retry import Retry


def test_a_device_that_has_come_is_tried_at_once() -> None:
    """However long the pause still is; after the next failure the pauses go on."""
    retry = Retry((3600.0,))
    assert retry.due_by(time.monotonic())
    retry.failed()
    assert not retry.due_by(time.monotonic())
    retry.at_once()
    assert retry.due_by(time.monotonic())
    retry.failed()
    assert not retry.due_by(time.monotonic())


def test_what_was_said_is_no_news() -> None:
    """A state is told when it changes, however often it is found."""
    retry = Retry((0.0,))
    absent, ready = Condition(ReaderState.ABSENT, "gone"), Condition(ReaderState.READY, "there")
    assert [retry.news(each) for each in (absent, absent, ready, absent)] == [absent, None, ready, absent]
