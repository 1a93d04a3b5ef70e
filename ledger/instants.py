"""Times as people and the wire have them, from milliseconds since 1970 and back."""

from datetime import UTC, datetime


def rfc3339(unix_ms: int) -> str:
    """UTC with milliseconds."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def effective(told: str, now: int) -> int:
    """When a sale was, in ms since 1970: as told, never later than `now`; `now` for what is no RFC 3339 time."""
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        return now
    return min(max(0, round(time.replace(tzinfo=time.tzinfo or UTC).timestamp() * 1000)), now)
