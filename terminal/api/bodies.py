"""JSON bodies into values: strict, and telling a broken document from one that does not fit."""

import json
from typing import Any

import msgspec

from terminal.api.problems import Refused


def decode(body: bytes, shape: Any) -> Any:
    """Raises Refused: `malformed` for what is no JSON or names a key twice, `invalid` for what does not fit `shape`.

    RFC 8259 section 4 leaves a doubled key to chance; here nothing about points is left to chance.
    """
    try:
        json.loads(body, object_pairs_hook=_unique)
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"{error}. Nothing was recorded.") from None
    except RecursionError:
        raise Refused("malformed", "The JSON is nested too deeply. Nothing was recorded.") from None
    except ValueError as error:
        what = f"is no JSON: {error}" if body.strip() else "is empty; send one JSON object"
        raise Refused("malformed", f"The body {what}. Nothing was recorded.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return found
