"""What the routes of reader tests do: a technician's word to the till's thread, and the wait for news of it."""

import asyncio
from concurrent.futures import Future
from typing import Any, Final

from starlette.responses import Response

from terminal.api.desk import QUESTION_TIME_S, answer, waker
from terminal.api.no_answer import STUCK
from terminal.api.pages import part
from terminal.api.problems import Refused
from terminal.api.routes import Call, Handler
from terminal.trial.forms import MEDIA_TYPES, Form, rendered
from terminal.trial.talk import All, Begin, End, Look, SheetOf, TrialAsked, TrialView

LONGEST_WAIT_MS: Final = 20_000
"""Shorter than a trial's lease, so that whoever waits keeps it."""


async def begin_trial(call: Call) -> Response:
    view = await _said(call, Begin(call.body))
    return call.answer(view, 201)


async def card_test_page(_: Call) -> Response:
    """For anybody: it shows nothing without a technician's session."""
    return Response(part("test-card.html"), media_type="text/html; charset=utf-8")


async def trials(call: Call) -> Response:
    return call.answer(await _said(call, All()))


async def trial(call: Call) -> Response:
    """At once, or when its revision is no more the one that was seen."""
    seen, wait_ms = _number(call, "seen", 10**9), _number(call, "wait_ms", LONGEST_WAIT_MS) or 0
    id_ = call.request.path_params["id"]
    news = asyncio.Event()
    with call.desk.notices.watched(waker(news)):
        position, _ = call.desk.notices.position(None)
        view: TrialView = await _said(call, Look(id_))
        if view.revision == seen and await _changed(call, news, position, wait_ms):
            view = await _said(call, Look(id_, watching=False))
    return call.answer(view)


async def end_trial(call: Call) -> Response:
    return call.answer(await _said(call, End(call.request.path_params["id"])))


def sheet_as(form: Form) -> Handler:
    """The handler that gives a sheet as a file to keep: a page of the till's own origin it never is."""

    async def handle(call: Call) -> Response:
        signed = await _said(call, SheetOf(call.request.path_params["id"]))
        name = f'attachment; filename="tilld-test-card-{signed.sheet.trial.id}.{form}"'
        return Response(rendered(signed, form), 200, {"Content-Disposition": name}, MEDIA_TYPES[form])

    handle.__name__ = f"trial_sheet_{form}"
    return handle


async def _changed(call: Call, news: asyncio.Event, position: int, wait_ms: int) -> bool:
    """Waits for a word on trials; whether one came in time."""
    notices = call.desk.notices
    try:
        async with asyncio.timeout(wait_ms / 1000):
            while not notices.closed:
                await news.wait()
                news.clear()
                catch = notices.after(position)
                position = catch.position
                if catch.missed or any(notice.kind == "trial" for notice in catch.notices):
                    return True
    except TimeoutError:
        pass
    return False


async def _said(call: Call, asked: Begin | Look | End | SheetOf | All) -> Any:
    """The till's word. Raises Refusal or Refused."""
    reply: Future[Any] = Future()
    call.desk.put(TrialAsked(asked, reply))
    return await answer(reply, QUESTION_TIME_S, STUCK)


def _number(call: Call, name: str, most: int) -> int | None:
    text = call.request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= most):
        raise Refused("invalid", f"`{name}` is a number from 0 to {most}.")
    return int(text)
