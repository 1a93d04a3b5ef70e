"""The till examined by itself, for `tilld doctor` and the technician's page."""

import asyncio

from starlette.responses import Response

from terminal.api.callers import Caller
from terminal.api.problems import Refused
from terminal.api.routes import Call
from terminal.doctor.findings import Level
from terminal.doctor.resident import LEVELS
from terminal.doctor.sections import NAMES


async def diagnostics(call: Call) -> Response:
    """In a thread of its own: a section may take its time, and sales do not wait for it."""
    asked = call.request.query_params
    level, section = _level(asked.get("level", Level.INTERNAL)), asked.get("section")
    if section is not None and section not in NAMES:
        raise Refused("invalid", f"`section` is one of {', '.join(NAMES)}.")
    if level is not Level.INTERNAL and call.caller < Caller.TECHNICIAN:
        raise Refused("unauthorized", "Readers, disk and network are tried with the token from technician.token alone.")
    if call.desk.doctor is None:
        raise Refused("unanswered", "This till has nobody to examine it.")
    status = await call.desk.ask("status")
    return call.answer(await asyncio.to_thread(call.desk.doctor.examine, level, section, status))


def _level(word: str) -> Level:
    if word not in LEVELS:
        raise Refused("invalid", f"`level` is one of {', '.join(LEVELS)}; `tilld doctor` does the interactive one.")
    return Level(word)
