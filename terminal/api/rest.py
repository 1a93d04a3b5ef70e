"""What each route does: one event or one query, no rules. The table at the end is the whole API."""

import asyncio
import json
from concurrent.futures import Future
from typing import Final

import msgspec
from starlette.responses import Response

from offline_queue.entry import CardEvent, Happening, State
from offline_queue.words import LANGUAGES, Language
from terminal.api.desk import answer, settled
from terminal.api.events import EventStream
from terminal.api.metrics import MEDIA_TYPE, exposition
from terminal.api.no_answer import STUCK_READING, UNKNOWN, UNKNOWN_CARD_EVENT, UNKNOWN_SALE
from terminal.api.problems import Refused
from terminal.api.queries import number_from
from terminal.api.routes import Call, Handler
from terminal.api.shapes import CardEventRequest, Health, Outcomes
from terminal.attention import attention
from terminal.claims.picture import svg
from terminal.disputes.shapes import Disputes
from terminal.history.waiting import Latencies
from terminal.inbox import (
    Answered,
    CardEventAsked,
    ClaimAsked,
    ReadAbandoned,
    ReadAsked,
    ResolutionAsked,
    TransactionAsked,
)
from terminal.notices import without_numbers
from terminal.pos import ReadAnswer
from terminal.wording import plain, told

TRANSACTION_TIME_S: Final = 60.0
"""Longer than the till waits for the ledger and the disk together."""
READ_GRACE_S: Final = 10.0
KEY_LENGTH: Final = 64
NUMBER_LENGTH: Final = 64
PAGE_LENGTH: Final = 100
SVG: Final = "image/svg+xml"
MAX_PAGE_LENGTH: Final = 1000


async def status(call: Call) -> Response:
    now = msgspec.to_builtins(await call.desk.ask("status"))
    return call.answer({**now, "attention": attention(now)})


async def events(call: Call) -> Response:
    last_id = call.request.headers.get("last-event-id") or call.request.query_params.get("after")
    language = _asked_language(call.request.query_params.get("language")) or call.language
    return EventStream(call.desk.notices, last_id, call.streams, language, whole=call.caller.sees_numbers)


def _asked_language(text: str | None) -> Language | None:
    """Raises Refused for one that the till does not speak."""
    named = next((language for language in LANGUAGES if language == text), None)
    if text is not None and named is None:
        raise Refused("invalid", f"`language` is one of {', '.join(LANGUAGES)}.")
    return named


async def read(call: Call) -> Response:
    """The till decides between card, time and abort, so that a card that comes at the last moment is not lost."""
    reply: Future[ReadAnswer] = Future()
    call.desk.put(ReadAsked(frozenset(mode.value for mode in call.body.entry_modes), reply))
    heard, gone = asyncio.create_task(settled(reply)), asyncio.create_task(_client_gone(call))
    await asyncio.wait({heard, gone}, timeout=call.body.timeout_ms / 1000, return_when=asyncio.FIRST_COMPLETED)
    if not heard.done():
        call.desk.put(ReadAbandoned("aborted" if gone.done() else "no_card", reply))
    gone.cancel()
    heard.cancel()
    read = plain(await answer(reply, READ_GRACE_S, STUCK_READING), call.language)
    return call.answer(read if call.caller.sees_numbers else without_numbers(read))


async def _client_gone(call: Call) -> None:
    while (await call.request.receive())["type"] != "http.disconnect":
        pass


async def abort_read(call: Call) -> Response:
    call.desk.put(ReadAbandoned("aborted"))
    return Response(status_code=204)


async def transact(call: Call) -> Response:
    key = _idempotency_key(call.request.headers.get("idempotency-key"))
    reply: Future[Answered] = Future()
    call.desk.put(TransactionAsked(call.body, key, reply))
    return _durable(call, await answer(reply, TRANSACTION_TIME_S, UNKNOWN_SALE))


def _durable(call: Call, answered: Answered) -> Response:
    body = told(answered.body, call.language)
    if answered.replayed:
        return Response(body, 200, {"Idempotency-Replayed": "true"}, media_type="application/json")
    return Response(body, 201, media_type="application/json")


def _idempotency_key(key: str | None) -> str:
    if not key:
        raise Refused(
            "idempotency_key_missing",
            "Send a key of your own, so that a repeated sale counts once. Nothing was recorded.",
        )
    if len(key) > KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise Refused(
            "invalid", f"An Idempotency-Key has 1 to {KEY_LENGTH} printable ASCII characters. Nothing was recorded."
        )
    return key


async def transaction(call: Call) -> Response:
    return call.answer(await call.desk.ask("transaction", call.request.path_params["id"]))


async def claim_picture(call: Call) -> Response:
    outcome = await call.desk.ask("transaction", call.request.path_params["id"])
    if outcome.claim is None:
        raise Refused("not_found", "This transaction has no claim code: only sales that earned points have one.")
    return Response(await asyncio.to_thread(svg, outcome.claim), media_type=SVG)


async def verify_claim(call: Call) -> Response:
    return call.answer(await call.desk.ask("claim", call.body.code))


async def redeem_claim(call: Call) -> Response:
    reply: Future[Answered] = Future()
    call.desk.put(ClaimAsked(call.body.code, call.body.card, reply))
    return _durable(call, await answer(reply, TRANSACTION_TIME_S, UNKNOWN))


async def transaction_by_key(call: Call) -> Response:
    asked = call.request.query_params.get("idempotency_key")
    if not asked:
        raise Refused("idempotency_key_missing", "Ask with ?idempotency_key= and the key that the sale was sent with.")
    key = _idempotency_key(asked)
    return call.answer(await call.desk.ask("transaction_by_key", key))


async def card(call: Call) -> Response:
    """Asks the ledger, and says so when that kept silent."""
    return call.answer(await call.desk.ask("card", _number(call)))


async def find_by_phone(call: Call) -> Response:
    find = call.desk.find_by_phone
    if find is None:
        raise Refused("not_found", "This shop finds no cards by phone number: [cards] phone_region is not set.")
    return call.answer(await asyncio.to_thread(find, call.body.phone))


async def resync_card(call: Call) -> Response:
    """The same: there is no truth at the till that the ledger's does not replace."""
    return await card(call)


def _number(call: Call) -> str:
    number: str = call.request.path_params["number"]
    if len(number) > NUMBER_LENGTH:
        raise Refused("invalid", f"A card number has at most {NUMBER_LENGTH} characters, this one {len(number)}.")
    return number


def happens(happening: Happening) -> Handler:
    """The handler by which a person says that this has happened to a card."""

    async def handle(call: Call) -> Response:
        said = call.body or CardEventRequest()
        happened = CardEvent(happening, getattr(said, "successor", None), said.reason)
        given = call.request.headers.get("idempotency-key")
        key = None if given is None else _idempotency_key(given)
        reply: Future[Answered] = Future()
        call.desk.put(CardEventAsked(_number(call), happened, reply, said.operator, key))
        return _durable(call, await answer(reply, TRANSACTION_TIME_S, UNKNOWN_CARD_EVENT))

    handle.__name__ = f"{happening}_card"
    return handle


async def queue(call: Call) -> Response:
    return await _outcomes(call, call.request.query_params.get("state"))


async def conflicts(call: Call) -> Response:
    limit = _limit(call.request.query_params.get("limit"))
    wanted = {"after": call.request.query_params.get("after"), "limit": limit}
    entries = await call.desk.ask("conflicts", json.dumps(wanted))
    return call.answer(Disputes(entries, entries[-1].id if len(entries) == limit else None))


async def conflict(call: Call) -> Response:
    return call.answer(await call.desk.ask("conflict", call.request.path_params["id"]))


async def resolve(call: Call) -> Response:
    """The key is the decision's own unless the caller gives one."""
    given = call.request.headers.get("idempotency-key")
    key = None if given is None else _idempotency_key(given)
    reply: Future[Answered] = Future()
    call.desk.put(ResolutionAsked(call.request.path_params["id"], call.body, key, reply))
    return _durable(call, await answer(reply, TRANSACTION_TIME_S, UNKNOWN))


async def _outcomes(call: Call, state: str | None) -> Response:
    limit = _limit(call.request.query_params.get("limit"))
    if state is not None and state not in set(State):
        raise Refused("invalid", f"`state` is one of {', '.join(State)}.")
    wanted = {"after": call.request.query_params.get("after"), "limit": limit, "state": state}
    entries = await call.desk.ask("queue", json.dumps(wanted))
    following = entries[-1].id if len(entries) == limit else None
    return call.answer(Outcomes(entries, following))


def _limit(text: str | None) -> int:
    return number_from(text, "limit", 1, MAX_PAGE_LENGTH, PAGE_LENGTH)


async def sync(call: Call) -> Response:
    return call.answer(await call.desk.ask("sync"), 202)


async def health(call: Call) -> Response:
    await call.desk.ask("health")
    return call.answer(Health("ok"))


async def metrics(call: Call) -> Response:
    past = call.desk.history
    exposed = exposition(await call.desk.ask("status"), past.latencies if past else Latencies())
    return Response(exposed, media_type=MEDIA_TYPE)
