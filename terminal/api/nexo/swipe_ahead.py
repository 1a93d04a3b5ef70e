"""EnableService: the customer may present the card before the cashier asks for it."""

from typing import Literal

from terminal.api.nexo.acquisition import begin, refuse_without_reader
from terminal.api.nexo.answers import Body, Unfit, success
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import many, shape_of
from terminal.api.nexo.talk import Talk
from terminal.inbox import ReadAbandoned

SERVICES = frozenset({"CardAcquisition", "Loyalty"})


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
    wait = begin(talk, frozenset())
    # The till takes one event after the other: once this question is answered, a wait that it refuses is refused.
    await talk.desk.ask("health")
    if wait.reply.done():
        wait.reply.result()
    talk.memory.ahead[talk.header.sale_id] = wait
    return {"Response": success()}
