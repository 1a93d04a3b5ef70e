"""Logs for people and for machines; whatever may be a card number is masked before it is written.

One JSON object a line (`time`, `level`, `source`, `message`, `trace`) where stderr is no terminal or systemd
collects it; a short line where a person looks on.
"""

import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

from offline_queue.entry import masked
from offline_queue.legible import legible

_KEPT_OR_NUMBER: Final = re.compile(
    r"(?P<kept>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|\b[0-9a-f]{32,128}\b)"
    r"|\d{8,}|\d{4}(?:[ -]\d{4}){2,}(?:[ -]?\d{1,4})?"
)
"""Our own ids (UUIDs, hashes) are kept; runs of 8 digits and more, or groups of four as on a card, are not."""


def without_numbers(text: str) -> str:
    """The text with everything masked that may be a card number."""
    return _KEPT_OR_NUMBER.sub(lambda found: found["kept"] or masked(found[0]), text)


class JsonLines(logging.Formatter):
    """One JSON object a line, times in UTC (RFC 3339)."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": without_numbers(record.getMessage()),
        }
        if record.exc_info:
            line["trace"] = without_numbers(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


class Readable(logging.Formatter):
    """`12:00:00 warning till: message`, with the traceback below.

    What a device calls itself stands in messages too: a terminal must show it, not obey it.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - their name
        return legible(super().formatMessage(record))

    def formatException(self, exc_info: Any) -> str:  # noqa: N802 - their name
        return "\n".join(map(legible, super().formatException(exc_info).splitlines()))

    def format(self, record: logging.LogRecord) -> str:
        return without_numbers(super().format(record))


def watched_by_a_person(stream: TextIO) -> bool:
    """False under systemd too, which sets JOURNAL_STREAM or INVOCATION_ID for what it collects."""
    return stream.isatty() and not os.environ.keys() & {"JOURNAL_STREAM", "INVOCATION_ID"}


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends all logging of the process to `stream` (stderr), masked; earlier handlers are replaced."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Readable() if watched_by_a_person(stream) else JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its comings and goings are ours to tell
    logging.captureWarnings(capture=True)
