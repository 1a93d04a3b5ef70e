"""What the API tells of the last days: from memory, so that neither the till's thread nor a file is asked."""

import asyncio
from typing import Final

from starlette.responses import Response

from terminal.api.problems import Refused
from terminal.api.queries import number_from
from terminal.api.routes import NOT_FOUND, Call
from terminal.history.buckets import DAYS, STEP_S

MOST_HOURS: Final = DAYS * 24
MOST_STEP_MIN: Final = 24 * 60


async def history(call: Call) -> Response:
    asked = call.request.query_params
    hours = number_from(asked.get("hours"), "hours", 1, MOST_HOURS, MOST_HOURS)
    step_s = 60 * number_from(asked.get("step"), "step", STEP_S // 60, MOST_STEP_MIN, STEP_S // 60)
    if step_s % STEP_S:
        raise Refused("invalid", "`step` is a multiple of 5 minutes.")
    if call.desk.history is None:
        raise NOT_FOUND
    return call.answer(await asyncio.to_thread(call.desk.history.view, hours, step_s))
