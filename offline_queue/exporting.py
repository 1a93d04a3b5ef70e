"""Writes lines of an export, and counts and hashes them for its last one."""

import hashlib
from typing import BinaryIO

import msgspec

from offline_queue.export_lines import Line, Record, Total


class Exporting:
    """Everything goes to `out` at once; nothing is kept."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._digest = out, hashlib.sha256()
        self._encoder = msgspec.json.Encoder()
        self.records = 0

    def write(self, line: Line) -> None:
        text = self._encoder.encode(line) + b"\n"
        self._digest.update(text)
        self._out.write(text)
        self.records += isinstance(line, Record)

    def finish(self) -> int:
        """The last line; the number of records."""
        self._out.write(self._encoder.encode(Total(self.records, self._digest.hexdigest())) + b"\n")
        return self.records
