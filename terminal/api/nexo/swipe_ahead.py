"""EnableService: the customer may present the card before the cashier asks for it."""

import asyncio
import contextlib
from typing import Final, Literal

from terminal.api.nexo.acquisition import begin, refuse_without_reader
from terminal.api.nexo.answers import Body, Unfit, success
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import many, shape_of
from terminal.api.nexo.talk import Talk
from terminal.api.problems import Refused
from terminal.inbox import ReadAbandoned, ReadAsked

AHEAD_S: Final = 300.0
"""From the first article to the last; a card that came ahead is worth nothing after it."""
SERVICES: Final = frozenset({"CardAcquisition", "Loyalty"})


class Request(Shape, frozen=True):
    """`EnableServiceRequest`."""

    transaction_action: Literal["StartTransaction", "AbortTransaction"]
    services_enabled: tuple[str, ...] | str = ()


async def enable(talk: Talk) -> Body:
    """Waits for a card from now on; the next CardAcquisition of this sale system gets it."""
    asked = shape_of(talk.message.body, Request)
    earlier = talk.memory.ahead.pop(talk.header.sale_id, None)
    if earlier is not None:
        talk.desk.put(ReadAbandoned("aborted", earlier.reply))
    if asked.transaction_action == "AbortTransaction":
        return {"Response": success()}
    services = many(asked.services_enabled)
    if services and not SERVICES.intersection(services):
        raise Unfit("UnavailableService", f"This till reads cards ahead for {' and '.join(sorted(SERVICES))} alone.")
    await refuse_without_reader(talk)
    # Known from its begin on: one that nobody knows would keep every other read out, for good.
    wait = talk.memory.ahead[talk.header.sale_id] = begin(talk, frozenset())
    asyncio.get_running_loop().call_later(AHEAD_S, forget, talk, wait)
    # The till takes one event after the other: once this question is answered, a wait that it refuses is refused.
    await talk.desk.ask("health")
    if wait.reply.done() and (why := wait.reply.exception()) is not None:
        forget(talk, wait)
        raise why
    return {"Response": success()}


def forget(talk: Talk, wait: ReadAsked) -> None:
    """A card that nobody has asked for is not the next customer's."""
    if talk.memory.ahead.get(talk.header.sale_id) is not wait:
        return
    del talk.memory.ahead[talk.header.sale_id]
    # With a full inbox the wait stays, and the next one that begins is told `busy`.
    with contextlib.suppress(Refused):
        talk.desk.put(ReadAbandoned("no_card", wait.reply))
