"""The whole API on one page: every route, who may take it, and all that it may answer."""

from typing import Any, Final

from offline_queue.entry import Happening, State
from terminal.api import pages, rest
from terminal.api.callers import Caller
from terminal.api.metrics import MEDIA_TYPE
from terminal.api.rest import KEY_LENGTH, MAX_PAGE_LENGTH, MOST_HOURS, NUMBER_LENGTH, PAGE_LENGTH, SVG
from terminal.api.routes import Answer, Parameter, Route
from terminal.api.shapes import (
    CardAnswer,
    CardEventRequest,
    Due,
    Health,
    Outcomes,
    ReadRequest,
    ReplacementRequest,
    Status,
)
from terminal.claim_shapes import ClaimAnswer, ClaimQuestion, ClaimRequest, ClaimView
from terminal.dispute_shapes import Dispute, Disputes, ResolutionAnswer, ResolutionRequest
from terminal.history.shapes import History
from terminal.pos import CardEventAnswer, Outcome, ReadAnswer, TransactionAnswer, TransactionRequest

_KEY: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH}
_AFTER: Final = Parameter("after", "query", "The `next` of the page before.", {"type": "string"})
_LIMIT: Final = Parameter(
    "limit",
    "query",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_LENGTH, "default": PAGE_LENGTH},
)
_LAST_ID: Final = Parameter("Last-Event-ID", "header", "The last id seen: goes on after it.", {"type": "string"})
_CONFLICT: Final = Parameter("id", "path", "The id of the transaction.", {"type": "string"}, required=True)
_ASKING: Final = ("unauthorized", "too_many_attempts", "unanswered")
_SENDING: Final = (*_ASKING, "malformed", "invalid", "too_large", "too_slow", "media_type")

_NUMBER: Final = Parameter(
    "number",
    "path",
    "The card's number.",
    {"type": "string", "minLength": 1, "maxLength": NUMBER_LENGTH},
    required=True,
)


def _happens(happening: Happening, summary: str, caller: Caller = Caller.POS) -> Route:
    """A route by which a person says what has happened to a card."""
    replaced = happening is Happening.REPLACE
    return Route(
        "POST",
        f"/v1/cards/{{number}}/{happening}",
        rest.happens(happening),
        summary,
        caller,
        {
            200: Answer(
                "The same request came before: its first answer again.",
                CardEventAnswer,
                headers={"Idempotency-Replayed": "Always `true`."},
            ),
            201: Answer("Durable, and so at this till from now on.", CardEventAnswer),
        },
        (*_SENDING, "not_found", "card_refused", "idempotency_key_reused", "not_recorded"),
        (_NUMBER, Parameter("Idempotency-Key", "header", "Your own name for this event, if you have one.", _KEY)),
        body=ReplacementRequest if replaced else CardEventRequest,
        body_required=replaced,
    )


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/status",
        rest.status,
        "The till at a glance",
        Caller.PAGE,
        {200: Answer("Ledger, queue, readers and clock.", Status)},
        _ASKING,
    ),
    Route(
        "GET",
        "/v1/events",
        rest.events,
        "What happens, as it happens (server-sent events)",
        Caller.PAGE,
        {
            200: Answer(
                "Events card_read, card_unreadable, card_note, reader_status, transaction, balance, sync, conflict,"
                " each with an id; `reset` when events are missing: ask for the status again.",
                media_type="text/event-stream",
            )
        },
        ("unauthorized", "too_many_attempts"),
        (
            _LAST_ID,
            Parameter(
                "after",
                "query",
                "The same, for clients that set no headers; `first` brings all that is kept.",
                {"type": "string"},
            ),
        ),
    ),
    Route(
        "POST",
        "/v1/reads",
        rest.read,
        "Wait for the next card",
        Caller.POS,
        {200: Answer("A card was presented.", ReadAnswer)},
        (*_SENDING, "no_card", "busy", "aborted", "card_refused"),
        body=ReadRequest,
        body_required=False,
    ),
    Route(
        "DELETE",
        "/v1/reads/current",
        rest.abort_read,
        "End the waiting read; its caller hears `aborted`",
        Caller.POS,
        {204: Answer("Nobody waits any more.")},
        ("unauthorized", "too_many_attempts"),
    ),
    Route(
        "POST",
        "/v1/transactions",
        rest.transact,
        "Earn, redeem or reverse points",
        Caller.POS,
        {
            200: Answer(
                "The same request came before: its first answer again.",
                TransactionAnswer,
                headers={"Idempotency-Replayed": "Always `true`."},
            ),
            201: Answer("Durable: the entry is on the disk.", TransactionAnswer),
        },
        (
            *_SENDING,
            "idempotency_key_missing",
            "not_found",
            "insufficient_points",
            "offline_limit",
            "card_refused",
            "idempotency_key_reused",
            "not_recorded",
        ),
        (
            Parameter(
                "Idempotency-Key",
                "header",
                "Your own name for this transaction; however often it is sent, it counts once.",
                _KEY,
                required=True,
            ),
        ),
        body=TransactionRequest,
    ),
    Route(
        "GET",
        "/v1/transactions/{id}",
        rest.transaction,
        "What became of a transaction",
        Caller.POS,
        {200: Answer("As it stands now.", Outcome)},
        (*_ASKING, "not_found"),
        (Parameter("id", "path", "The id of the transaction's answer.", {"type": "string"}, required=True),),
    ),
    Route(
        "GET",
        "/v1/transactions/{id}/claim.svg",
        rest.claim_picture,
        "The claim code of a sale, as a QR code for its receipt",
        Caller.PAGE,
        {200: Answer("A picture that grows with its place.", media_type=SVG)},
        (*_ASKING, "not_found"),
        (Parameter("id", "path", "The id of the transaction's answer.", {"type": "string"}, required=True),),
    ),
    Route(
        "POST",
        "/v1/claims/verify",
        rest.verify_claim,
        "What a claim code says, and whether this till can prove it",
        Caller.POS,
        {200: Answer("What it says of its sale.", ClaimView)},
        (*_SENDING, "claim_unreadable"),
        body=ClaimQuestion,
    ),
    Route(
        "POST",
        "/v1/claims",
        rest.redeem_claim,
        "Credit a sale by its claim code",
        Caller.POS,
        {
            200: Answer(
                "The same code came before for the same card: its first answer again.",
                ClaimAnswer,
                headers={"Idempotency-Replayed": "Always `true`."},
            ),
            201: Answer("Durable: the claim is on the disk.", ClaimAnswer),
        },
        (
            *_SENDING,
            "claim_unreadable",
            "claim_unproven",
            "claimed",
            "not_found",
            "card_refused",
            "idempotency_key_reused",
            "not_recorded",
        ),
        body=ClaimRequest,
    ),
    Route(
        "GET",
        "/v1/transactions",
        rest.transaction_by_key,
        "What became of a transaction whose answer was lost",
        Caller.POS,
        {200: Answer("As it stands now.", Outcome)},
        (*_ASKING, "not_found", "idempotency_key_missing", "invalid"),
        (Parameter("idempotency_key", "query", "The key that it was sent with.", _KEY, required=True),),
    ),
    Route(
        "GET",
        "/v1/cards/{number}",
        rest.card,
        "Card and account as the till knows them",
        Caller.POS,
        {200: Answer("With the time of the last certain balance.", CardAnswer)},
        (*_ASKING, "not_found", "invalid", "card_refused"),
        (_NUMBER,),
    ),
    _happens(Happening.ACTIVATE, "The card is a customer's from now on"),
    _happens(Happening.BLOCK, "The card may not be used"),
    _happens(Happening.UNBLOCK, "The card may be used again", Caller.TECHNICIAN),
    _happens(Happening.REPLACE, "Another card takes its place; balance and history stay"),
    Route(
        "POST",
        "/v1/cards/{number}/resync",
        rest.resync_card,
        "Fetch from the ledger what the card is now",
        Caller.POS,
        {200: Answer("As the ledger says; as last known where `reached` is false.", CardAnswer)},
        (*_ASKING, "not_found", "invalid", "card_refused"),
        (_NUMBER,),
    ),
    Route(
        "GET",
        "/v1/conflicts",
        rest.conflicts,
        "Transactions that wait for a person's decision",
        Caller.PAGE,
        {200: Answer("A page of them, oldest first.", Disputes)},
        (*_ASKING, "invalid"),
        (_AFTER, _LIMIT),
    ),
    Route(
        "GET",
        "/v1/conflicts/{id}",
        rest.conflict,
        "One of them, or one that was settled",
        Caller.POS,
        {200: Answer("As it stands now.", Dispute)},
        (*_ASKING, "not_found", "not_in_dispute"),
        (_CONFLICT,),
    ),
    Route(
        "POST",
        "/v1/conflicts/{id}/resolution",
        rest.resolve,
        "Decide on one: it counts, or it does not",
        Caller.POS,
        {
            200: Answer(
                "The same decision came before: its first answer again.",
                ResolutionAnswer,
                headers={"Idempotency-Replayed": "Always `true`."},
            ),
            201: Answer("Durable: the decision is on the disk.", ResolutionAnswer),
        },
        (
            *_SENDING,
            "not_found",
            "not_in_dispute",
            "not_here",
            "idempotency_key_missing",
            "idempotency_key_reused",
            "not_recorded",
        ),
        (
            _CONFLICT,
            Parameter("Idempotency-Key", "header", "Your own name for this decision; it has one without.", _KEY),
        ),
        body=ResolutionRequest,
    ),
    Route(
        "GET",
        "/v1/queue",
        rest.queue,
        "The journal's transactions, stream by stream, the oldest first",
        Caller.PAGE,
        {200: Answer("A page of them.", Outcomes)},
        (*_ASKING, "invalid"),
        (_AFTER, _LIMIT, Parameter("state", "query", "Only these.", {"type": "string", "enum": list(State)})),
    ),
    Route(
        "GET",
        "/v1/history",
        rest.history,
        "The last days: reads at each reader, the queue, and how long the ledger took",
        Caller.PAGE,
        {200: Answer("Stretches of time, the oldest first.", History)},
        (*_ASKING, "invalid"),
        (
            Parameter(
                "hours",
                "query",
                "How far back.",
                {"type": "integer", "minimum": 1, "maximum": MOST_HOURS, "default": MOST_HOURS},
            ),
            Parameter(
                "step",
                "query",
                "Minutes in a stretch, a multiple of 5.",
                {"type": "integer", "minimum": 5, "maximum": 1440, "multipleOf": 5, "default": 5},
            ),
        ),
    ),
    Route(
        "POST",
        "/v1/sync",
        rest.sync,
        "Start a pass to the ledger now",
        Caller.POS,
        {202: Answer("Started; watch the events for its end.", Due)},
        _ASKING,
    ),
    Route(
        "GET",
        "/metrics",
        rest.metrics,
        "Counts for Prometheus",
        Caller.ANYONE,
        {200: Answer("Text exposition format 0.0.4.", media_type=MEDIA_TYPE)},
        ("unanswered",),
    ),
    Route(
        "GET",
        "/healthz",
        rest.health,
        "Whether the till's own thread answers",
        Caller.ANYONE,
        {200: Answer("It does.", Health)},
        ("unanswered",),
    ),
    Route(
        "GET",
        "/",
        pages.cashier,
        "The page at the counter",
        Caller.ANYONE,
        {200: Answer("The page, with its read-only session cookie.", media_type="text/html")},
    ),
    Route(
        "GET",
        "/web/{file}",
        pages.asset,
        "What the page is made of",
        Caller.ANYONE,
        {200: Answer("Script, style or picture.", media_type="*/*")},
        ("not_found",),
        (Parameter("file", "path", "Its name.", {"type": "string"}, required=True),),
    ),
)
