"""Values as TOML 1.0 writes them, whatever is in them. Pure.

What a terminal would obey instead of show stands as its escape, so that a config is what it looks like.
"""

import math
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)
_BMP: Final = 0xFFFF


def toml_value(value: Any) -> str:
    """One value in one line, tables as inline tables. Raises TypeError for what TOML cannot hold."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int():
            return str(value)
        case float():
            return _number(value)
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case Mapping():
            pairs = ", ".join(f"{toml_key(key)} = {toml_value(one)}" for key, one in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def toml_key(key: str) -> str:
    return key if _BARE.match(key) else _text(key)


def toml_table(name: str, values: Mapping[str, Any], *, one_of_many: bool = False) -> str:
    """A table with its heading, `[[name]]` where there may be several."""
    heading = f"[[{name}]]" if one_of_many else f"[{name}]"
    return "\n".join([heading, *(f"{toml_key(key)} = {toml_value(value)}" for key, value in values.items())])


def _text(text: str) -> str:
    """A basic string. Raises ValueError for a lone surrogate, which no UTF-8 file can hold."""
    text.encode()
    return f'"{"".join(map(_character, text))}"'


def _character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    if one.isprintable():
        return one
    return f"\\u{ord(one):04X}" if ord(one) <= _BMP else f"\\U{ord(one):08X}"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
