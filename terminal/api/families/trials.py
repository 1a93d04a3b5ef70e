"""Routes by which a technician tests a reader."""

from typing import Any, Final

from terminal.api import trials
from terminal.api.callers import Caller
from terminal.api.families.recurring import ASKING, SENDING
from terminal.api.routes import Answer, Parameter, Route
from terminal.api.trials import LONGEST_WAIT_MS
from terminal.trial.forms import Form
from terminal.trial.sheet import SignedSheet
from terminal.trial.talk import TrialRequest, Trials, TrialView

_ID: Final = Parameter("id", "path", "The test's id.", {"type": "string"}, required=True)
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}


def _sheet(form: Form, answer: Answer) -> Route:
    path = f"/v1/trials/{{id}}/sheet.{form}"
    summary = f"The signed sheet of a test that has ended, as {form}"
    refusals = (*ASKING, "not_found", "busy")
    return Route("GET", path, trials.sheet_as(form), summary, Caller.TECHNICIAN, {200: answer}, refusals, (_ID,))


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        "/v1/trials",
        trials.begin_trial,
        "Test a reader: what it reads until the end is no customer's",
        Caller.TECHNICIAN,
        {201: Answer("The reader is held; look again within 30 s, and again, or it is let go.", TrialView)},
        (*SENDING, "not_found", "busy"),
        body=TrialRequest,
        body_required=False,
    ),
    Route(
        "GET",
        "/v1/trials",
        trials.trials,
        "The tests of readers since the till's start",
        Caller.TECHNICIAN,
        {200: Answer("The running ones, then the newest of those that ended.", Trials)},
        ASKING,
    ),
    Route(
        "GET",
        "/v1/trials/{id}",
        trials.trial,
        "How a test stands; asking keeps it alive",
        Caller.TECHNICIAN,
        {200: Answer("As it stands now.", TrialView)},
        (*ASKING, "not_found", "invalid"),
        (
            _ID,
            Parameter("seen", "query", "The revision that you know: the answer waits for another one.", _COUNT),
            Parameter("wait_ms", "query", "How long it waits.", {**_COUNT, "maximum": LONGEST_WAIT_MS, "default": 0}),
        ),
    ),
    Route(
        "POST",
        "/v1/trials/{id}/end",
        trials.end_trial,
        "End a test now; the reader serves customers again",
        Caller.TECHNICIAN,
        {200: Answer("As it has ended, now or before.", TrialView)},
        (*ASKING, "not_found"),
        (_ID,),
    ),
    Route(
        "GET",
        "/technician/test-card",
        trials.card_test_page,
        "The page on which a technician tests a reader",
        Caller.ANYONE,
        {200: Answer("The page; it leads to the login where there is none.", media_type="text/html")},
    ),
    _sheet(Form.JSON, Answer("What was signed, the key and the signature.", SignedSheet)),
    _sheet(Form.TEXT, Answer("Text, with the signed sheet at its end.", media_type="text/plain")),
    _sheet(Form.HTML, Answer("A page to print, with the signed sheet at its end.", media_type="text/html")),
)
