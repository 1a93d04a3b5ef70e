"""What a route is: one table from which both the web application and its OpenAPI document are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from offline_queue.words import Language
from terminal.api.callers import Caller, Doorkeeper
from terminal.api.desk import Desk
from terminal.api.rooms import Room
from terminal.api.tongues import accepted
from terminal.pos import Refusal
from terminal.wording import in_json

JSON = "application/json"


@dataclass(frozen=True)
class Call:
    """One request on its way through a handler.

    `door` knows sessions, `streams` is the room in which an event stream sits.
    """

    desk: Desk
    request: Request
    caller: Caller
    door: Doorkeeper
    streams: Room
    body: Any = None

    @property
    def language(self) -> Language:
        """What the caller reads."""
        return language_of(self.request, self.desk.language)

    def answer(self, value: object, status: int = 200) -> Response:
        """`value` as JSON, in the caller's language."""
        return json_response(value, status, self.language)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Parameter:
    """`place` is `path`, `query` or `header`; `schema` a JSON schema."""

    name: str
    place: str
    detail: str
    schema: dict[str, Any]
    required: bool = False


@dataclass(frozen=True)
class Answer:
    """`shape` is the msgspec type of a JSON answer; other media types are text."""

    detail: str
    shape: Any = None
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """`path` in the form of OpenAPI, `body` the msgspec type of a JSON body, `refusals` codes of PROBLEMS."""

    method: str
    path: str
    handler: Handler
    summary: str
    caller: Caller
    answers: dict[int, Answer]
    refusals: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_required: bool = True


def language_of(request: Request, own: Language) -> Language:
    """What `request` accepts, `own` where it says nothing of ours."""
    return accepted(",".join(request.headers.getlist("accept-language")), own)


def json_response(value: object, status: int = 200, language: Language = "en") -> Response:
    return Response(in_json(value, language), status, media_type=JSON)


NOT_FOUND = Refusal("not_found", "The till knows nothing at this address; /openapi.json lists what it does.")
