"""Where messages are taken: each exchange runs once, whoever repeats it hears the same, and its number is its own."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from offline_queue.words import Words
from terminal.api.desk import Desk
from terminal.api.nexo import acquisition, admin, balance, devices, diagnosis, loyalty, reversal, status, stored_value
from terminal.api.nexo import swipe_ahead as ahead
from terminal.api.nexo.answers import Body, Unfit, refused, succeeded
from terminal.api.nexo.exchange import Exchange
from terminal.api.nexo.guarding import refuse_foreign, refuse_out_of_time, refuse_reused, sale_of
from terminal.api.nexo.messages import EVENTS, Message
from terminal.api.nexo.operators import language_of
from terminal.api.nexo.talk import Handler, Memory, Running, Shop, Talk
from terminal.api.problems import Refused
from terminal.pos import Refusal

ANSWER_S: Final = 28.0
"""The clients hang up after 30 s; what takes longer goes on, and TransactionStatus tells its end."""
_AT_IT: Final = Words(
    "The till is still at it: ask TransactionStatus.", "La caisse y travaille encore : demandez TransactionStatus."
)
ONCE: Final[Mapping[str, Handler]] = {
    "CardAcquisition": acquisition.acquire,
    "Loyalty": loyalty.move_points,
    "Reversal": reversal.reverse,
    "StoredValue": stored_value.act,
    "EnableService": ahead.enable,
    "Admin": admin.serve,
}
"""What these have done is not done again for the same message."""
ANEW: Final[Mapping[str, Handler]] = {
    "BalanceInquiry": balance.inquire,
    "TransactionStatus": status.tell,
    "Abort": status.abort,
    "Diagnosis": diagnosis.diagnose,
    "Login": diagnosis.log_in,
    "Logout": diagnosis.log_out,
    "Display": devices.show,
    "Input": devices.ask,
}
"""These change nothing that counts, and are answered as things stand."""


class Counter:
    """Used by the listener's loop alone. `clock_s` is the wall clock, seconds since 1970."""

    def __init__(self, desk: Desk, shop: Shop, memory: Memory, clock_s: Callable[[], float] = time.time) -> None:
        self._desk, self._shop, self.memory, self._clock_s = desk, shop, memory, clock_s

    async def answer(self, message: Message, gone: "asyncio.Task[None]", *, is_encrypted: bool) -> Body | None:
        """The body of the answer, None where the protocol has none. `gone` ends with the sender's connection."""
        if message.header.message_category in EVENTS:
            return None
        try:
            self._examine(message, is_encrypted=is_encrypted)
            return await self._exchange(message, gone)
        except (Refusal, Refused, Unfit) as why:
            return self._refused(message, why)

    def _examine(self, message: Message, *, is_encrypted: bool) -> None:
        """Raises Unfit."""
        refuse_foreign(message, self._shop.poi_id)
        if is_encrypted:
            refuse_out_of_time(message, self._clock_s())
        category = message.header.message_category
        if category not in ONCE and category not in ANEW:
            raise Unfit("UnavailableService", f"This till does no {category}. Nothing was recorded.")

    async def _exchange(self, message: Message, gone: "asyncio.Task[None]") -> Body | None:
        header = message.header
        category, exchange = header.message_category, Exchange.of(header)
        running = self.memory.running.get(exchange)
        digest = message.digest
        if running is None:
            async with self.memory.turn:
                known = await asyncio.to_thread(self.memory.log.begin, exchange, category, digest, self._now_ms())
            refuse_reused(known.digest if known else digest, digest)
            if known is not None and category in ONCE and (first := succeeded(known.answer)) is not None:
                # What was refused is tried again: the line may be back, the card found.
                return first
            # Another connection may have begun the same while the log was asked.
            running = self.memory.running.get(exchange)
        if running is not None:
            refuse_reused(running.digest, digest)
        else:
            running = self._begin(message, exchange, digest)
        return await self._heard(running, gone)

    def _begin(self, message: Message, exchange: Exchange, digest: bytes) -> Running:
        ended = asyncio.Event()
        talk = Talk(message, self._desk, self._shop, self.memory, ended)
        task = asyncio.create_task(self._run(talk, exchange))
        running = self.memory.running[exchange] = Running(message.header.message_category, digest, ended, task)
        return running

    async def _run(self, talk: Talk, exchange: Exchange) -> Body | None:
        category = talk.header.message_category
        try:
            try:
                body = await (ONCE.get(category) or ANEW[category])(talk)
            except (Refusal, Unfit) as why:
                body = self._refused(talk.message, why)
            except Refused as why:
                # The till has not said its word: this is no answer to be told again.
                return self._refused(talk.message, why)
            if category in ONCE and body is not None:
                async with self.memory.turn:
                    await asyncio.to_thread(self.memory.log.end, exchange, msgspec.json.encode(body))
            return body
        finally:
            # Not before the answer is kept, and before anybody else has a turn: who looks into the log and then here
            # must find the one or the other.
            self.memory.running.pop(exchange, None)

    async def _heard(self, running: Running, gone: "asyncio.Task[None]") -> Body | None:
        """The answer when it is there. When the last who waits has gone, a wait for a card has no purpose any more."""
        running.waiting += 1
        try:
            await asyncio.wait({running.task, gone}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            running.waiting -= 1
            if not running.waiting and not running.task.done() and gone.done():
                running.ended.set()
        if not running.task.done():
            raise Unfit("InProgress", _AT_IT)
        return running.task.result()

    def _refused(self, message: Message, why: Refusal | Refused | Unfit) -> Body:
        return refusal_body(message, refused(why, language_of(message, self.memory.logged, self._shop.language)))

    def _now_ms(self) -> int:
        return int(self._clock_s() * 1000)


def refusal_body(message: Message, said: Body) -> Body:
    """The till's no in the place where the message's answer has it; the sale's own data go back with it. Pure."""
    category = message.header.message_category
    if category == "Input":
        return {"InputResult": {"Device": "CashierInput", "InfoQualify": "Input", "Response": said}}
    if category == "Display":
        return {"OutputResult": [{"Device": "CashierDisplay", "InfoQualify": "Status", "Response": said}]}
    sale = sale_of(message)
    return {"Response": said, **({"SaleData": sale} if sale else {})}
