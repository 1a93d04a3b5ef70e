"""Admin: what the protocol has no message for, named in ServiceIdentification."""

from typing import Final
from urllib.parse import parse_qs, urlsplit

from offline_queue.entry import CardEvent, Happening
from terminal.api.nexo.answers import Body, Unfit, success
from terminal.api.nexo.exchange import ADMIN
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import shape_of
from terminal.api.nexo.talk import Talk
from terminal.inbox import CardEventAsked

_SERVICES: Final = "tilld:sync, or tilld:replace-card?card=NUMBER&successor=NUMBER"


class Request(Shape, frozen=True):
    """`AdminRequest`."""

    service_identification: str | None = None


async def serve(talk: Talk) -> Body:
    """`tilld:sync` starts a pass to the ledger; `tilld:replace-card` lets one card take the place of another."""
    asked = urlsplit(shape_of(talk.message.body, Request).service_identification or "")
    if (asked.scheme, asked.path) == ("tilld", "sync"):
        due = (await talk.desk.ask("sync"))["due"]
        return {"Response": success(due=due)}
    if (asked.scheme, asked.path) == ("tilld", "replace-card"):
        return await _replace(talk, parse_qs(asked.query))
    raise Unfit("UnavailableService", f"ServiceIdentification is {_SERVICES}.")


async def _replace(talk: Talk, named: dict[str, list[str]]) -> Body:
    if sorted(named) != ["card", "successor"] or any(len(each) != 1 for each in named.values()):
        raise Unfit("MessageFormat", f"ServiceIdentification is {_SERVICES}. Nothing was recorded.")
    [number], [successor] = named["card"], named["successor"]
    event, key = CardEvent(Happening.REPLACE, successor), talk.exchange.key(ADMIN)
    found = await talk.recorded(lambda reply: CardEventAsked(number, event, reply, None, key))
    return {"Response": success(id=found.entry.id, syncState=found.state)}
