"""The ledger's refusals, each with what it means for the points and what the till does next."""

from typing import Final

from ledger.port import Refused
from offline_queue.wire import Problem

TITLES: Final = {
    "gap": (409, "Records before these are missing here; send from `expected` on"),
    "generation": (409, "These books were restored since; say hello first"),
    "head_mismatch": (400, "The records do not lead to the declared head; nothing was taken"),
    "count_mismatch": (400, "The batch does not hold as many records as it says; nothing was taken"),
    "malformed": (400, "This is not a request that the ledger knows; nothing was changed"),
    "signature_bad": (401, "The signature is not by the key enrolled for this terminal; nothing was changed"),
    "terminal_unknown": (401, "This terminal is not enrolled; its entries stay safe in its own queue until it is"),
    "key_revoked": (401, "This terminal has come with another key than the enrolled one; nothing was changed"),
    "host": (403, "This ledger is not known under that name"),
    "card_unknown": (404, "No account is open for this card; register it at the ledger"),
    "not_found": (404, "There is nothing under this address"),
    "method": (405, "This address does not take that method"),
    "key_mismatch": (409, "This id was used before with other content; the first stands"),
    "too_large": (413, "The request is larger than the ledger takes; send less at once"),
    "media_type": (415, "This address takes another content type"),
    "protocol": (426, "No protocol version is spoken by both; update the till or the ledger. Its entries stay queued"),
    "not_recorded": (503, "The books could not be written just now; nothing was changed, send it again"),
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
