"""When a sale was, as far as the ledger believes what it is told."""

from datetime import UTC, datetime


def effective(told: str, now: int) -> int:
    """When a sale was, in ms since 1970: as told, never later than `now`; `now` for what is no RFC 3339 time."""
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        return now
    return min(max(0, round(time.replace(tzinfo=time.tzinfo or UTC).timestamp() * 1000)), now)
