"""A sheet on paper, on a screen and in a file: text, JSON and HTML, each with the whole signed sheet in it.

Text and HTML end with the signed sheet as a block of base64. Whoever checks one makes the page anew from the block and
compares, so that the words above it cannot be changed either.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap
from typing import Final

import msgspec

from terminal.trial.sheet import NoSheet, SignedSheet, genuine, read
from terminal.trial.sheet_page import page
from terminal.trial.sheet_text import text

WIDTH: Final = 76
BEGIN: Final = "-----BEGIN TILLD TEST CARD-----"
END: Final = "-----END TILLD TEST CARD-----"
_BLOCK: Final = re.compile(re.escape(BEGIN) + r"([A-Za-z0-9+/=\s]+)" + re.escape(END))


class Form(StrEnum):
    """By the suffix of a file."""

    JSON = "json"
    TEXT = "txt"
    HTML = "html"


MEDIA_TYPES: Final = {
    Form.JSON: "application/json",
    Form.TEXT: "text/plain; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
}
_PAGES: Final[dict[Form, Callable[[SignedSheet, str], str]]] = {Form.TEXT: text, Form.HTML: page}


@dataclass(frozen=True)
class Checked:
    """`genuine`: the sheet is as its key has signed it. `shown`: the page around it says what the sheet says."""

    sheet: SignedSheet
    genuine: bool
    shown: bool


def rendered(signed: SignedSheet, form: Form) -> bytes:
    if form is Form.JSON:
        return msgspec.json.format(msgspec.json.encode(signed), indent=1) + b"\n"
    return _PAGES[form](signed, _block(signed)).encode()


def check(document: bytes) -> Checked:
    """Of a sheet in any form. Raises NoSheet."""
    form = form_of(document)
    if form is Form.JSON:
        signed = read(document)
        return Checked(signed, genuine(signed), shown=True)
    blocks = _BLOCK.findall(document.decode(errors="replace"))
    if len(blocks) != 1:
        raise NoSheet(f"it holds {len(blocks)} blocks {BEGIN}")
    try:
        signed = read(b64decode("".join(blocks[0].split()), validate=True))
    except ValueError as error:
        raise NoSheet(str(error)) from None
    return Checked(signed, genuine(signed), shown=rendered(signed, form) == document)


def form_of(document: bytes) -> Form:
    start = document.lstrip()[:1]
    return Form.JSON if start == b"{" else Form.HTML if start == b"<" else Form.TEXT


def _block(signed: SignedSheet) -> str:
    return "\n".join([BEGIN, *wrap(b64encode(msgspec.json.encode(signed)).decode(), WIDTH), END])
