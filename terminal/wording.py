"""Answers and events into JSON in the language of whoever reads them: the edge at which Words become a text.

The till itself knows no language. An answer that the journal keeps is kept in all of them, because its key may be sent
again by a POS whose cashier reads another one.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from offline_queue.words import LANGUAGES, Language, Words, untranslated

T = TypeVar("T")


def plain(value: object, language: Language) -> Any:
    """The same in JSON's own kinds, with every text in this language."""
    return msgspec.to_builtins(value, enc_hook=_SPEAKING[language])


def in_json(value: object, language: Language) -> bytes:
    return msgspec.json.encode(value, enc_hook=_SPEAKING[language])


def kept(value: object) -> bytes:
    """JSON in which each of the Words is an object of its texts by language."""
    return msgspec.json.encode(value, enc_hook=_all_of)


def told(answer: bytes, language: Language) -> bytes:
    """What `kept` has made, in one language. What an earlier version has kept has one text and stays as it is."""
    return msgspec.json.encode(_told(msgspec.json.decode(answer), language))


def read(answer: bytes, shape: type[T]) -> T:
    """What `kept` has made of a value of this shape. Raises msgspec.ValidationError."""
    return msgspec.json.decode(answer, type=shape, dec_hook=_recalled)


def schema_hook(kind: type) -> dict[str, Any]:
    """The JSON schema of Words: whoever reads them meets a text."""
    if kind is Words:
        return {"type": "string"}
    raise NotImplementedError(kind)


def _told(value: Any, language: Language) -> Any:
    if isinstance(value, dict):
        if value.keys() == set(LANGUAGES):
            return value[language]
        return {key: _told(each, language) for key, each in value.items()}
    return [_told(each, language) for each in value] if isinstance(value, list) else value


def _recalled(kind: type, value: Any) -> Any:
    if kind is Words:
        return untranslated(value) if isinstance(value, str) else Words(**value)
    raise NotImplementedError(kind)


def _all_of(value: Any) -> dict[str, str]:
    if isinstance(value, Words):
        return {language: value.said(language) for language in LANGUAGES}
    raise NotImplementedError(type(value))


def _speaking(language: Language) -> Callable[[Any], str]:
    def said(value: Any) -> str:
        if isinstance(value, Words):
            return value.said(language)
        raise NotImplementedError(type(value))

    return said


_SPEAKING: Final = {language: _speaking(language) for language in LANGUAGES}
