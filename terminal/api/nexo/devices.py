"""Display and Input: what the POS wants shown goes to the cashier's page; there is nothing to answer it with."""

import time
from typing import Annotated, Any, Final

import msgspec

from offline_queue.timepiece import rfc3339
from terminal.api.nexo.answers import Body, failure, success
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import many, shape_of
from terminal.api.nexo.talk import Talk

MOST: Final = 500
"""Characters of a text; a page is read at a glance."""

Word = Annotated[str, msgspec.Meta(max_length=32)]


class Text(Shape, frozen=True):
    text: str = ""


class Content(Shape, frozen=True):
    """`OutputContent`, of which a page can show texts."""

    output_format: Word = "Text"
    output_text: tuple[Text, ...] | Text = ()


class Output(Shape, frozen=True):
    """`DisplayOutput`."""

    device: Word
    info_qualify: Word
    output_content: Content = Content()


class DisplayRequest(Shape, frozen=True):
    """`DisplayRequest`."""

    display_output: tuple[Output, ...] | Output


class InputData(Shape, frozen=True):
    """`InputData`, as far as the answer repeats it."""

    device: Word
    info_qualify: Word


class InputRequest(Shape, frozen=True):
    """`InputRequest`."""

    input_data: InputData


class Shown(msgspec.Struct, frozen=True):
    """What watchers of the till are told as `display`: whose words, of what kind (the protocol's InfoQualify), when."""

    sale: str
    kind: str
    text: str
    at: str


async def show(talk: Talk) -> Body:
    """Each output is answered for itself."""
    outputs = many(shape_of(talk.message.body, DisplayRequest).display_output)
    return {"OutputResult": [_result(output, _shown(talk, output)) for output in outputs]}


async def ask(talk: Talk) -> Body:
    """No device of the till takes what a person types: the POS has its own keys."""
    asked = shape_of(talk.message.body, InputRequest).input_data
    no = failure("UnavailableDevice", f"Nobody can answer at {asked.device} of this till; ask on the POS's own screen.")
    return {"InputResult": _result(asked, no)}


def _shown(talk: Talk, output: Output) -> Body:
    if output.device != "CashierDisplay" or not talk.shop.display:
        return failure("UnavailableDevice", f"This till shows nothing on {output.device}; see [nexo] display.")
    text = " ".join(one.text for one in many(output.output_content.output_text)).strip()
    if output.output_content.output_format != "Text" or not text:
        return failure("UnavailableService", "The cashier's page shows OutputText of OutputFormat Text alone.")
    now = rfc3339(time.time_ns() // 1_000_000)
    talk.desk.notices.publish("display", Shown(talk.header.sale_id, output.info_qualify, text[:MOST], now))
    return success()


def _result(asked: Output | InputData, response: Body) -> dict[str, Any]:
    return {"Device": asked.device, "InfoQualify": asked.info_qualify, "Response": response}
