"""Texts of records on a person's terminal: what it would obey instead of show is written as its escape. Pure.

Names, reasons and receipts come from elsewhere and may hold ESC, line feeds, or characters that turn the writing round.
"""

import json


def legible(text: str) -> str:
    """One line, every character of it visible."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def legible_json(document: str) -> str:
    """The same JSON document in one line: what is not visible stands as its escape (RFC 8259 section 7)."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in document)
