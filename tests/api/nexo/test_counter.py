"""Each exchange runs once, whoever repeats it and at whatever moment."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from terminal.api.desk import Desk
from terminal.api.nexo import counter
from terminal.api.nexo.answers import SUCCESS, Body
from terminal.api.nexo.exchange_log import FILE, ExchangeLog
from terminal.api.nexo.messages import Message, message_of, parts
from terminal.api.nexo.talk import Memory, Shop, Talk
from terminal.notices import Notices
from terminal.sales.transaction import PointsRule
from tests.acceptance.nexo_rig import POI, message
from tests.api.conftest import TOKENS

SHOP = Shop(POI, POI, "", "ledger", "0.1.0", PointsRule())
TURNS = 50
"""Of the loop: more than anything here needs that waits for nobody."""


def acquisition() -> Message:
    return message_of(parts(json.dumps(message("CardAcquisition", {}, "1")).encode()))


async def everything_else() -> None:
    """Lets all others go on until they wait for something."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Hall:
    """A counter where cards come at once; whoever asks the log as the second hears its word when the test says so."""

    def __init__(self, log: ExchangeLog, monkeypatch: pytest.MonkeyPatch) -> None:
        desk = Desk(lambda _: None, Notices("f00d"), TOKENS, "127.0.0.1:0", POI, "0.1.0")
        self.counter, self._log = counter.Counter(desk, SHOP, Memory(log)), log
        self.cards, self.looks, self.second_look = 0, 0, asyncio.Event()
        monkeypatch.setitem(counter.ONCE, "CardAcquisition", self._card)  # type: ignore[arg-type]
        monkeypatch.setattr(asyncio, "to_thread", self._to_thread)

    async def asks(self) -> Body | None:
        stays = asyncio.create_task(asyncio.Event().wait())
        try:
            return await self.counter.answer(acquisition(), stays, is_encrypted=False)  # type: ignore[arg-type]
        finally:
            stays.cancel()

    async def _card(self, _: Talk) -> Body:
        self.cards += 1
        return {"Response": dict(SUCCESS), "Card": self.cards}

    async def _to_thread(self, work: Callable[..., Any], *told: Any) -> Any:
        await asyncio.sleep(0)
        done = work(*told)
        if work == self._log.begin:
            self.looks += 1
            if self.looks == 2:
                await self.second_look.wait()
        return done


def test_a_repeat_in_the_moment_of_the_answer_hears_that_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has seen in the log that there is none yet, and by the time it hears that, the first one is over: no second
    card is waited for."""

    async def meet() -> list[Body | None]:
        hall = Hall(log, monkeypatch)
        both = [asyncio.create_task(hall.asks()) for _ in range(2)]
        await everything_else()
        hall.second_look.set()
        return await asyncio.gather(*both)

    with closing(ExchangeLog.open(tmp_path / FILE)) as log:
        assert asyncio.run(meet()) == [{"Response": SUCCESS, "Card": 1}] * 2
