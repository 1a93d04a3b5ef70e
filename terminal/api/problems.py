"""How the API says no: problem documents (RFC 9457) with a stable `code`."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from offline_queue.words import Language, Words, untranslated
from terminal.counter.ladder import Step
from terminal.pos import Refusal
from terminal.wording import in_json

TYPE: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """An error. Programs go by `code`, people by `detail`: what happened, what it means, what to do next.

    `reason` is a second stable word where one code has several causes (`card_refused`: `payment_card`, ...).
    Where a card was not read, `next` says what the cashier does now and `step` names that rung of the reading ladder.
    """

    title: str
    status: int
    code: str
    detail: Words
    type: str = "about:blank"
    reason: str | msgspec.UnsetType = msgspec.UNSET
    next: tuple[Words, ...] | msgspec.UnsetType = msgspec.UNSET
    step: Step | msgspec.UnsetType = msgspec.UNSET


class Refused(Exception):
    """The request is turned down before the till decides.

    `code` is one of PROBLEMS, `status` its own unless given.
    """

    def __init__(
        self, code: str, detail: str | Words, headers: dict[str, str] | None = None, status: int | None = None
    ) -> None:
        self.detail = untranslated(detail) if isinstance(detail, str) else detail
        super().__init__(self.detail.en)
        self.code = code
        self.headers = headers or {}
        self.status = status or PROBLEMS[code][0]


PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "malformed": (400, "The request is not well-formed"),
    "idempotency_key_missing": (400, "The Idempotency-Key is missing"),
    "unauthorized": (401, "A token is needed"),
    "host_refused": (403, "This Host is not ours"),
    "cross_site": (403, "Web pages of others may not ask"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "This address does not do that"),
    "no_card": (408, "No card was presented in time"),
    "insufficient_points": (409, "There are not enough points"),
    "too_slow": (408, "The request came too slowly"),
    "offline_limit": (409, "The ledger has not promised these points, and this till may not on its own"),
    "claimed": (409, "The points of this code are credited already"),
    "claim_unproven": (409, "The claim code proves nothing here"),
    "not_in_dispute": (409, "There is nothing to decide"),
    "not_here": (409, "This till cannot decide it"),
    "busy": (409, "The till is busy"),
    "aborted": (409, "The read was ended"),
    "too_large": (413, "The request is too large"),
    "media_type": (415, "Only JSON is taken"),
    "card_refused": (422, "The card is refused"),
    "claim_unreadable": (422, "This is no claim code"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another request"),
    "invalid": (422, "The request does not fit"),
    "too_many_attempts": (429, "Too many wrong tokens"),
    "internal": (500, "The till failed"),
    "not_recorded": (503, "The sale could not be written down"),
    "ledger_unreachable": (503, "The ledger has not answered"),
    "unanswered": (503, "The till has not answered in time"),
}
"""Every code, its HTTP status (RFC 9110 section 15) and title."""

RETRY_AFTER_S: Final = 1


def overloaded(detail: str | Words) -> Refused:
    """The till cannot take more now: 503 `busy`, unlike the 409 `busy` of a second reader in the queue."""
    return Refused("busy", detail, status=503)


def problem_response(refused: Refused | Refusal, language: Language = "en") -> Response:
    """What the API refuses itself and what the till refuses, in one form."""
    status, title = PROBLEMS.get(refused.code, (409, refused.code.replace("_", " ")))
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(refused, Refused):
        status, headers = refused.status, refused.headers
    else:
        told = {"reason": refused.reason, "next": refused.steps, "step": refused.step}
        more = {name: value for name, value in told.items() if value}
    if status == 503:
        headers = {"retry-after": str(RETRY_AFTER_S), **headers}
    body = in_json(Problem(title, status, refused.code, refused.detail, **more), language)
    return Response(body, status, headers, media_type=TYPE)
