"""What recurs in many routes: parameters, refusals, and the mark of an answer that was given before."""

from typing import Any, Final

from terminal.api.rest import KEY_LENGTH, MAX_PAGE_LENGTH, NUMBER_LENGTH, PAGE_LENGTH
from terminal.api.routes import Parameter

KEY: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "pattern": "^[ -~]+$"}
AFTER: Final = Parameter("after", "query", "The `next` of the page before.", {"type": "string"})
LIMIT: Final = Parameter(
    "limit",
    "query",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_LENGTH, "default": PAGE_LENGTH},
)
NUMBER: Final = Parameter(
    "number",
    "path",
    "The card's number.",
    {"type": "string", "minLength": 1, "maxLength": NUMBER_LENGTH},
    required=True,
)
GUARDED: Final = ("unauthorized", "too_many_attempts")
ASKING: Final = (*GUARDED, "unanswered")
SENDING: Final = (*ASKING, "malformed", "invalid", "too_large", "too_slow", "media_type")
REPLAYED: Final = {"Idempotency-Replayed": "Always `true`."}
