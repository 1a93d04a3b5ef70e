"""The lines of an export, of a journal or of the ledger's books: what a stranger can verify (docs/protocol.md).

One JSON document a line; `line` says which of these shapes it is. A chain is named by `stream`, in the books of a
ledger also by its `owner`, the terminal, and by a `branch` above 0 where two machines continued one stream.
"""

from typing import Final

import msgspec

from offline_queue.receipts import Receipt
from offline_queue.wire import Seq

FORMAT: Final = 1
MAX_LINE_BYTES: Final = 8 << 20
"""An entry has 8 KiB; an opaque record a batch at most, in base64; what was decided of it is short."""


class Begin(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="begin"):
    """The first line. Of a journal: its `terminal` with its key. `ledger_key` signs the receipts. Keys are base64."""

    export: int
    terminal: str | None = None
    public_key: str | None = None
    ledger_key: str | None = None
    generation: str | None = None


class Key(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="key"):
    """A key that the ledger has known a terminal by, base64; `revoked` is why it counts no more."""

    terminal: str
    public_key: str
    revoked: str | None = None


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision, the `n`-th of its terminal's feed; `points` is the effect where it is not what was asked."""

    n: int
    state: str
    code: str
    detail: str | None = None
    points: int | None = None


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="record"):
    """A record and the chain's hash after it (hex): its text as `record`, or base64 as `opaque` where it is no text."""

    stream: str
    seq: Seq
    hash: str
    record: str | None = None
    opaque: str | None = None
    owner: str | None = None
    branch: int = 0
    decisions: list[Decided] = []


class Gone(msgspec.Struct, frozen=True, tag_field="line", tag="gone"):
    """Stands for the records from 2 to `seq`, which were given up; the chain goes on with `hash`."""

    stream: str
    seq: Seq
    hash: str


class Branch(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="branch"):
    """Behind record `seq` of the chain `grown_from`, whose hash is this one, another begins; its records come later."""

    stream: str
    seq: int
    hash: str
    owner: str
    branch: int
    grown_from: int = 0


class Proof(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="receipt"):
    """The ledger's receipt of custody, directly behind the record that it speaks of."""

    stream: str
    receipt: Receipt
    owner: str | None = None
    branch: int = 0


class End(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="end"):
    """The end of a chain; `seal`, base64, is the terminal's signature over `signing.seal_input` of it."""

    stream: str
    seq: int
    hash: str
    seal: str | None = None
    owner: str | None = None
    branch: int = 0


class Total(msgspec.Struct, frozen=True, tag_field="line", tag="total"):
    """The last line: how many records, and SHA-256 (hex) over every byte before this line."""

    records: int
    sha256: str


Line = Begin | Key | Record | Gone | Branch | Proof | End | Total
