"""When to try again, and how long to wait before it: pure, so that every case can be looked at."""

from dataclasses import dataclass
from typing import Final

AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
"""After these nobody knows, or it will pass: the same request with the same key may succeed."""
AT_THE_DOOR: Final = frozenset({401, 403})
"""Said before the till looks at a request: they tell nothing of what an earlier attempt has done."""
FINAL_CODES: Final = frozenset({"no_card", "ledger_unreachable"})
"""Answers all the same: no card came in time; the ledger was asked for a person who waits, and kept silent."""


@dataclass(frozen=True)
class Patience:
    """For `total_s` a request is tried, with pauses that double from `first_s` up to `most_s`.

    One attempt may take `answer_s`: longer than the till itself takes for its slowest yes, 60 s.
    """

    total_s: float = 90.0
    first_s: float = 0.2
    most_s: float = 5.0
    answer_s: float = 75.0

    def pause_s(self, attempt: int, chance: float, told_s: float | None = None) -> float:
        """Before the next attempt after `attempt` (0, 1, ...) failed; `chance` (0 to 1) spreads many tills.

        Never shorter than the till has `told` by Retry-After.
        """
        grown = min(self.most_s, self.first_s * 2.0 ** min(attempt, 30))
        return max(told_s or 0.0, grown * (0.5 + chance / 2))


def passes(status: int, code: str | None) -> bool:
    """Whether this refusal may pass by itself."""
    return status in AGAIN and code not in FINAL_CODES


def retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3), at most a minute; None for a date or nonsense."""
    if header is None or not (header.isascii() and header.strip().isdigit() and len(header) < 10):
        return None
    return min(60.0, float(header.strip()))
