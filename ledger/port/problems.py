"""The ledger's refusals, each with what it means for the points and what the till does next."""

from typing import Final

from ledger.port.refusals import Refused
from offline_queue.wire import Problem, ProblemCode

TITLES: Final = {
    ProblemCode.MALFORMED.value: (400, "This is not a request that the ledger knows; nothing was changed"),
    ProblemCode.SIGNATURE_BAD.value: (401, "The signature is not by the key enrolled for this terminal"),
    ProblemCode.TERMINAL_UNKNOWN.value: (401, "This terminal is not enrolled; its entries stay safe in its own queue"),
    "host": (403, "This ledger is not known under that name"),
    "cross_site": (403, "Web pages may not ask the ledger; nothing was changed"),
    ProblemCode.ACCOUNT_UNKNOWN.value: (404, "No account is open for this card; register it at the ledger"),
    "entry_unknown": (404, "No such entry is in these books; nothing was changed"),
    "not_found": (404, "There is nothing under this address"),
    "method": (405, "This address does not take that method"),
    "slow": (408, "The request did not come whole in time; nothing was changed, send it again"),
    ProblemCode.GAP.value: (409, "Records before these are missing here; send from `expected` on"),
    ProblemCode.GENERATION.value: (409, "These are not the books that the till knew; say hello first"),
    "key_mismatch": (409, "This id was used before with other content; the first stands"),
    "claim_unproven": (409, "The code proves nothing here; nothing was changed"),
    "not_settled": (409, "This is nothing that a person settles; nothing was changed"),
    "no_account": (409, "There is no account that this could be posted on; nothing was changed"),
    ProblemCode.TOO_LARGE.value: (413, "The request is larger than the ledger takes; send less at once"),
    "media_type": (415, "This address takes another content type"),
    ProblemCode.PROTOCOL.value: (426, "No protocol version is spoken by both; the entries stay queued until an update"),
    ProblemCode.TOO_MANY_LOOKUPS.value: (429, "This till has asked for too many phone numbers; come again later"),
    "internal": (500, "The ledger failed on this request; nothing was changed"),
    ProblemCode.BUSY.value: (503, "Too many tills ask at once; nothing was changed, come again after Retry-After"),
    ProblemCode.UNAVAILABLE.value: (503, "The books cannot be used just now; nothing was changed, send it again"),
}


def problem(
    code: str,
    detail: str | None = None,
    *,
    request: str | None = None,
    generation: str | None = None,
    expected: int | None = None,
) -> Problem:
    """An RFC 9457 document for a code of TITLES."""
    status, title = TITLES[code]
    return Problem(title, status, code, detail, request=request, generation=generation, expected=expected)


def refused(
    code: str,
    detail: str | None = None,
    *,
    request: str | None = None,
    generation: str | None = None,
    expected: int | None = None,
) -> Refused:
    return Refused(problem(code, detail, request=request, generation=generation, expected=expected))
