"""A claim code as a picture: QR at error level M, as a receipt needs it after a day in a pocket."""

import io
from typing import Any, Final

LEVEL: Final = "m"
QUIET: Final = 4
"""Modules of white around it (ISO/IEC 18004, section 9.1)."""


def svg(text: str) -> bytes:
    """An SVG document that needs nothing from outside; it grows with its place."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", border=QUIET, xmldecl=False, omitsize=True, light="#fff")
    return out.getvalue()


def for_terminal(text: str) -> str:
    """Blocks for a terminal's window."""
    out = io.StringIO()
    _code(text).terminal(out, border=QUIET, compact=True)
    return out.getvalue()


def _code(text: str) -> Any:
    import segno

    return segno.make(text, error=LEVEL, mode="alphanumeric", micro=False, boost_error=False)
