"""What a message meets on its way to an answer: the till, what the listener remembers, and the message itself."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from offline_queue.journal import Found
from offline_queue.words import Language, Words
from terminal.api.desk import Desk, answer
from terminal.api.nexo.answers import Body
from terminal.api.nexo.exchange import Exchange
from terminal.api.nexo.exchange_log import ExchangeLog
from terminal.api.nexo.messages import Header, Message
from terminal.api.nexo.operators import language_of
from terminal.api.problems import Refused
from terminal.inbox import Answered, CardEventAsked, ReadAsked, TransactionAsked
from terminal.sales.transaction import PointsRule

ACT_TIME_S: Final = 60.0
"""Longer than the till waits for the ledger and the disk together."""

_UNANSWERED: Final = Words(
    "It may be recorded or not. Ask TransactionStatus, or send it again as it was: it cannot count twice.",
    "C'est peut-être enregistré. Demandez TransactionStatus ou renvoyez tel quel : rien ne comptera deux fois.",
)

_UNSHOWN: Final = Words(
    "It is recorded, and could not be shown now. Ask TransactionStatus, or send it again as it was.",
    "C'est enregistré, mais impossible à montrer maintenant. Demandez TransactionStatus ou renvoyez tel quel.",
)


@dataclass(frozen=True)
class Shop:
    """What the till's config says that the protocol shows. `acquirer` is the ledger's host, `software` our version,
    `language` that of operators who name none."""

    poi_id: str
    terminal: str
    brand: str
    acquirer: str
    software: str
    rule: PointsRule
    display: bool = False
    language: Language = "en"


@dataclass(eq=False)
class Running:
    """An exchange that is not answered yet; `waiting` connections wait for it; `ended`: nobody wants it any more."""

    category: str
    digest: bytes
    ended: asyncio.Event
    task: "asyncio.Task[Body | None]"
    waiting: int = 0


@dataclass
class Memory:
    """What the listener keeps of its own, used by its loop alone.

    `turn` is taken by whoever asks the log or writes to it. `ahead`: reads that a sale system has asked for before its
    customer's turn. `logged`: the sale systems that have logged in, each with the language that it named.
    """

    log: ExchangeLog
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: dict[Exchange, Running] = field(default_factory=dict)
    ahead: "dict[str, ReadAsked]" = field(default_factory=dict)
    logged: dict[str, Language | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Talk:
    """One message. `ended` is set when its sender has gone or has aborted it."""

    message: Message
    desk: Desk
    shop: Shop
    memory: Memory
    ended: asyncio.Event

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def language(self) -> Language:
        """What the operator reads."""
        return language_of(self.message, self.memory.logged, self.shop.language)

    @property
    def exchange(self) -> Exchange:
        return Exchange.of(self.header)

    async def recorded(self, event_of: "Callable[[Future[Answered]], TransactionAsked | CardEventAsked]") -> Found:
        """Has something recorded, and gives it as it stands in the journal. Raises Refusal or Refused."""
        reply: Future[Answered] = Future()
        event = event_of(reply)
        self.desk.put(event)
        await answer(reply, ACT_TIME_S, _UNANSWERED)
        try:
            found: Found = await self.desk.ask("recorded", event.key or "")
        except Refused:
            # It stands, whatever keeps the till from showing it: a crowd, say.
            raise Refused("unanswered", _UNSHOWN) from None
        return found


Handler = Callable[[Talk], Awaitable[Body | None]]
"""Answers a message; None where the protocol has no answer. Raises Refusal, Refused or Unfit."""
