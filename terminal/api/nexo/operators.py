"""In which language the words of an answer are: the operator's, as the message or their login says it. Pure."""

from collections.abc import Mapping

import msgspec

from offline_queue.words import LANGUAGES, Language
from terminal.api.nexo.messages import Message
from terminal.api.nexo.names import Shape


class _Operator(Shape, frozen=True):
    operator_language: str | None = None


class _Spoken(_Operator, frozen=True):
    """A login has it on top, everything else with its sale."""

    sale_data: _Operator = _Operator()


def spoken(message: Message) -> Language | None:
    """`OperatorLanguage` (ISO 639-1) of a message; None where it names none of ours."""
    try:
        said = msgspec.json.decode(message.body, type=_Spoken)
    except msgspec.DecodeError:
        return None
    named = (said.sale_data.operator_language or said.operator_language or "").lower()
    return next((language for language in LANGUAGES if language == named), None)


def language_of(message: Message, logged: Mapping[str, Language | None], own: Language) -> Language:
    """The message's, else that of the login of its SaleID, else the till's own."""
    return spoken(message) or logged.get(message.header.sale_id) or own
