"""Cards that come before they are asked for: whose they are, and for how long."""

import asyncio
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.base import ReaderState
from terminal.api.desk import Desk
from terminal.api.nexo.acquisition import swipe_ahead
from terminal.api.nexo.exchange_log import FILE, ExchangeLog
from terminal.api.nexo.messages import Header, Message
from terminal.api.nexo.swipe_ahead import enable, forget
from terminal.api.nexo.talk import Memory, Shop, Talk
from terminal.api.problems import Refused
from terminal.inbox import Asked, Event, InboxFull, ReadAbandoned, ReadAsked, ReaderStatus
from terminal.notices import Notices
from terminal.pos import CardView, ReadAnswer
from terminal.sales.transaction import PointsRule
from tests.api.conftest import TOKENS

SHOP = Shop("S001-T01", "S001-T01", "", "ledger", "0.1.0", PointsRule())
READ = ReadAnswer("read-1", CardView("•••• 0017", "2990000000017"), "qr", "scanned", "counter", None, [])


READER = ReaderStatus("counter", "simulated", ReaderState.READY, "2026-03-01T10:00:00Z", "waits for cards")


class Posted(list[Event]):
    """What the till was told."""


def talk_of(memory: Memory, posted: Posted, sale: str = "TILL-04") -> Talk:
    header = Header("Service", "CardAcquisition", "Request", sale, "S001-T01", "1")
    desk = Desk(posted.append, Notices("f00d"), TOKENS, "127.0.0.1:0", "S001-T01", "0.1.0")
    no_loop: Any = None
    return Talk(Message(header, b"{}", b""), desk, SHOP, memory, no_loop)


def waiting(memory: Memory, read: ReadAnswer | None = None) -> ReadAsked:
    wait = memory.ahead["TILL-04"] = ReadAsked(frozenset(), Future())
    if read is not None:
        wait.reply.set_result(read)
    return wait


def test_it_is_for_the_sale_system_that_began_it(tmp_path: Path) -> None:
    """And for one acquisition alone."""
    with closing(ExchangeLog.open(tmp_path / FILE)) as log:
        memory, posted = Memory(log), Posted()
        wait = waiting(memory, READ)
        assert swipe_ahead(talk_of(memory, posted, "TILL-05"), frozenset()) is None
        assert swipe_ahead(talk_of(memory, posted), frozenset({"scanned"})) is wait
        assert swipe_ahead(talk_of(memory, posted), frozenset()) is None
        assert posted == []


def test_a_card_of_another_kind_is_not_taken(tmp_path: Path) -> None:
    """The wait is over then, so that the one that is wanted can begin."""
    with closing(ExchangeLog.open(tmp_path / FILE)) as log:
        memory, posted = Memory(log), Posted()
        for read in (READ, None):
            wait = waiting(memory, read)
            assert swipe_ahead(talk_of(memory, posted), frozenset({"contactless"})) is None
            assert posted.pop() == ReadAbandoned("aborted", wait.reply)


def test_what_nobody_asks_for_is_not_the_next_customers(tmp_path: Path) -> None:
    """Forgotten after its time; a newer wait of the same till is left alone."""
    with closing(ExchangeLog.open(tmp_path / FILE)) as log:
        memory, posted = Memory(log), Posted()
        talk = talk_of(memory, posted)
        old = waiting(memory, READ)
        new = waiting(memory)
        forget(talk, old)
        assert (memory.ahead, posted) == ({"TILL-04": new}, [])
        forget(talk, new)
        assert (memory.ahead, posted) == ({}, [ReadAbandoned("no_card", new.reply)])


def test_a_wait_that_began_is_known_whatever_comes_after(tmp_path: Path) -> None:
    """The till is not keeping up just then: the POS hears so, and the wait ends with its time or the next begin."""
    posted = Posted()

    def post(event: Event) -> None:
        if isinstance(event, Asked) and event.what == "health":
            raise InboxFull
        posted.append(event)
        if isinstance(event, Asked):
            event.reply.set_result({"readers": [READER]})

    body = b'{"TransactionAction": "StartTransaction"}'
    with closing(ExchangeLog.open(tmp_path / FILE)) as log:
        memory = Memory(log)
        talk = talk_of(memory, posted)
        talk = replace(talk, message=replace(talk.message, body=body), desk=replace(talk.desk, post=post))
        with pytest.raises(Refused):
            asyncio.run(enable(talk))
        [wait] = [event for event in posted if isinstance(event, ReadAsked)]
        assert memory.ahead == {"TILL-04": wait}
