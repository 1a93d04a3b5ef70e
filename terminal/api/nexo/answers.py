"""How a message is answered: results, error conditions, and what the protocol has no field for. Pure."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from offline_queue.words import Language, Words, untranslated
from terminal.api.problems import Refused
from terminal.pos import BalanceView, Refusal

Body = dict[str, Any]
"""The body of an answer, by the protocol's own names."""

SUCCESS: Final[Body] = {"Result": "Success"}


class Unfit(Exception):
    """The message is not answered as it is: an ErrorCondition of the protocol, and words; a text is for programmers."""

    def __init__(self, condition: str, words: str | Words) -> None:
        self.words = untranslated(words) if isinstance(words, str) else words
        super().__init__(self.words.en)
        self.condition = condition


CONDITIONS: Final = {
    "no_card": "Cancel",
    "aborted": "Aborted",
    "busy": "Busy",
    "card_refused": "InvalidCard",
    "insufficient_points": "Refusal",
    "offline_limit": "UnreachableHost",
    "not_found": "NotFound",
    "invalid": "MessageFormat",
    "idempotency_key_reused": "NotAllowed",
    "not_recorded": "DeviceOut",
    "unanswered": "InProgress",
}
"""What each code of the till is called here. Every other one is a `Refusal`."""
_REASONS: Final = {
    **dict.fromkeys(("card_blocked", "card_blocked_known"), "NotAllowed"),
    **dict.fromkeys(("not_reversible", "nothing_to_reverse", "reversed_twice", "over_reversal"), "NotAllowed"),
    "read_unknown": "NotFound",
}
"""Causes that the protocol has another word for than for the rest of their code."""


def succeeded(answer: bytes | None) -> Body | None:
    """The body of an answer that was kept, where it was a success: what it says has happened stands."""
    body: Body = {} if answer is None else msgspec.json.decode(answer)
    return body if body.get("Response", {}).get("Result") == "Success" else None


def success(**told: object) -> Body:
    """What is told goes into AdditionalResponse, the one field in which the protocol lets us speak freely."""
    more = additional(told)
    return {**SUCCESS, "AdditionalResponse": more} if more else dict(SUCCESS)


def failure(condition: str, message: str, **told: object) -> Body:
    more = additional({"message": message, **told})
    return {"Result": "Failure", "ErrorCondition": condition, "AdditionalResponse": more}


def refused(why: Refusal | Refused | Unfit, language: Language) -> Body:
    """The till's no, in the operator's language.

    `message` is `Timeout` where nobody came, as terminals say it; `detail` has the words then.
    """
    if isinstance(why, Unfit):
        return failure(why.condition, why.words.said(language))
    reason = why.reason if isinstance(why, Refusal) else None
    condition = _REASONS.get(reason or "") or CONDITIONS.get(why.code, "Refusal")
    if why.code == "no_card":
        return failure(condition, "Timeout", code=why.code, detail=why.detail.said(language))
    return failure(condition, why.detail.said(language), code=why.code, reason=reason)


def additional(told: Mapping[str, object]) -> str:
    """`key=value&...`, percent-encoded; what is None is left out."""
    return urlencode([(name, _text(value)) for name, value in told.items() if value is not None], quote_via=quote)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def balance_told(balance: BalanceView | None) -> dict[str, object]:
    """What a number alone does not say of a balance. The protocol has no negative amounts: those are told here."""
    if balance is None:
        return {}
    return {
        "balance": balance.points if balance.points < 0 else None,
        "balanceAsOf": balance.as_of,
        "balanceIsEstimate": balance.estimate,
        "pending": balance.pending or None,
        "inactive": balance.inactive or None,
        "expiring": ",".join(f"{one.points}@{one.last_day}" for one in balance.expiring) or None,
    }


def current(balance: BalanceView | None) -> dict[str, int]:
    """CurrentBalance, where the till knows one."""
    return {} if balance is None else {"CurrentBalance": max(0, balance.points)}
