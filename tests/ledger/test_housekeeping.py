"""Once a day the server writes off what expired long ago; whatever goes wrong with that, it goes on serving."""

import asyncio
import logging

import pytest

from ledger.http.housekeeping import write_off_daily
from ledger.port.refusals import NotRecorded
from ledger.port.upkeep import Cleared


class FakeBook:
    """Has expired points on three accounts, cleared one at a time; fails on its second day."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.days = 0
        self.third_day = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def expire(self, after: tuple[int, int] = (0, 0)) -> Cleared:
        self.asked.append(after)
        if after == (0, 0):
            self.days += 1
        if self.days == 2:
            raise NotRecorded("the disk is full")
        if self.days == 3:
            self._loop.call_soon_threadsafe(self.third_day.set)
            return Cleared(0, 0, 0)
        return Cleared(1, 2, 10, None if after == (5, 2) else (5, after[1] + 1))


def test_each_day_the_whole_books_are_gone_through(caplog: pytest.LogCaptureFixture) -> None:
    """A few accounts a transaction, to the end; a day that fails is told, and the next one is tried."""
    caplog.set_level(logging.INFO)
    asked = asyncio.run(three_days())
    assert asked[:5] == [(0, 0), (5, 1), (5, 2), (0, 0), (0, 0)]
    assert "30 points of 6 awards" in caplog.text
    assert "the disk is full" in caplog.text


async def three_days() -> list[tuple[int, int]]:
    book = FakeBook()
    daily = asyncio.create_task(write_off_daily(book, pause_s=0))  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(book.third_day.wait(), 10)
    finally:
        daily.cancel()
    return book.asked
