"""The whole contract of a reader: what a driver must offer and what it says.

A driver is one file in this folder. Its name is the driver's name in the config; its docstring is an honest
support table; it holds `Options` (a frozen msgspec.Struct: the config of one reader) and `class Reader`, made
with `Reader(place, options)`. Libraries that touch hardware are imported inside `open()`. A driver runs alone
in a child process (drivers/worker.py), so it may block, leak and crash; it must never lie.
"""

from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

import msgspec


class Technology(StrEnum):
    """What carried the data."""

    NTAG = "ntag"
    ULTRALIGHT = "ultralight"
    MIFARE_CLASSIC = "mifare_classic"
    DESFIRE = "desfire"
    TYPE_4 = "type_4"
    FELICA = "felica"
    ISO7816 = "iso7816"
    PHONE = "phone"
    PAYMENT = "payment"
    MAGSTRIPE = "magstripe"
    QR = "qr"
    AZTEC = "aztec"
    PDF417 = "pdf417"
    DATAMATRIX = "datamatrix"
    EAN = "ean"
    CODE128 = "code128"
    CODE39 = "code39"
    ITF = "itf"
    KEYED = "keyed"
    UNKNOWN = "unknown"


class EntryMode(StrEnum):
    """How the data came into the till (the words of the nexo Retailer Protocol, in snake case, but for `phone`).

    `phone`: the number was found by the customer's phone number; no reader says that. A sale that came without a card
    has no mode.
    """

    CONTACTLESS = "contactless"
    ICC = "icc"
    SCANNED = "scanned"
    MAG_STRIPE = "mag_stripe"
    KEYED = "keyed"
    PHONE = "phone"


class Chip(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a chip says of itself, as far as it says it.

    `original` is whether its maker's signature fits its serial number; an imitation that cannot show one is not
    original. `taps` is its own count of presentations.
    """

    model: str | None = None
    original: bool | None = None
    taps: int | None = None


ENTRY_MODES: Final = {
    Technology.ISO7816: EntryMode.ICC,
    Technology.MAGSTRIPE: EntryMode.MAG_STRIPE,
    Technology.KEYED: EntryMode.KEYED,
    **dict.fromkeys(
        (
            Technology.NTAG,
            Technology.ULTRALIGHT,
            Technology.MIFARE_CLASSIC,
            Technology.DESFIRE,
            Technology.TYPE_4,
            Technology.FELICA,
            Technology.PHONE,
            Technology.PAYMENT,
        ),
        EntryMode.CONTACTLESS,
    ),
}
"""How each technology comes in, where the reader does not know better; everything else is scanned."""


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a till has left on a card for the next one that sees it; no driver knows what it says.

    `room` is how many bytes the card takes, `data` what stands there, empty when nothing does.
    """

    room: int
    data: bytes = b""


class NoteWish(msgspec.Struct, frozen=True):
    """What shall stand on the card with this serial number, if it still lies at `slot`."""

    slot: str
    uid: str
    data: bytes


class NoteWritten(msgspec.Struct, frozen=True, omit_defaults=True, tag="note_written"):
    """What became of a NoteWish: `failure` is None when the card shows the note, else a stable code with `detail`."""

    uid: str
    data: bytes
    failure: str | None = None
    detail: str = ""


class CardRead(msgspec.Struct, frozen=True, omit_defaults=True, tag="card_read"):
    """One presentation of one card.

    `data` is the text the card carries (an NDEF text, a bar code), None when it carried none;
    `uid` its serial number in lower-case hex. `elements` are the GS1 application identifiers and values that
    `data` holds, in its order: each identifier once, check digits right; who may use them is not decided here.
    `slot` is the device's own name for where it was read.
    `effort` says how hard it was: 1 for a clean first read, one more for each attempt, frame in vain or rung of the
    decoding ladder; None where the device does not tell, as scanners.
    `chip` is there where the chip was asked, the card has one that answers and the reader lets it; `note` where the
    shop wants notes on cards and this card has room for one.
    `duration_ms` runs from the card's arrival to this message, without the wait for the arrival itself.
    """

    technology: Technology
    entry_mode: EntryMode
    data: str | None = None
    uid: str | None = None
    elements: tuple[tuple[str, str], ...] = ()
    slot: str | None = None
    chip: Chip | None = None
    note: Note | None = None
    effort: int | None = None
    duration_ms: float = 0.0


class CardUnreadable(msgspec.Struct, frozen=True, omit_defaults=True, tag="card_unreadable"):
    """A card was there and could not be read. `reason` is a stable code, `detail` a sentence for people."""

    reason: str
    detail: str
    slot: str | None = None
    technology: Technology = Technology.UNKNOWN


class ReaderState(StrEnum):
    """What a reader is doing; every state but `ready` has a reason and a remedy."""

    READY = "ready"
    RECONNECTING = "reconnecting"
    ABSENT = "absent"
    HELD = "held"
    FORBIDDEN = "forbidden"
    STOPPED = "stopped"
    FAILING = "failing"


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, tag="condition"):
    """A driver's word on itself, sent whenever it changes: `remedy` is what a technician types or does."""

    state: ReaderState
    detail: str
    remedy: str | None = None


Report = CardRead | CardUnreadable | Condition
"""Everything that a driver may say."""


class DriverError(Exception):
    """The reader cannot go on. `condition` tells the technician why and what mends it.

    The worker ends with it, and the supervisor opens the reader again with growing pauses.
    """

    state = ReaderState.FAILING

    def __init__(self, detail: str, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.condition = Condition(self.state, detail, remedy)


class ReaderAbsent(DriverError):
    """No such device is there now."""

    state = ReaderState.ABSENT


class ReaderHeld(DriverError):
    """Another program or kernel driver owns the device; the detail names it."""

    state = ReaderState.HELD


class ReaderForbidden(DriverError):
    """The device is there and this user may not open it."""

    state = ReaderState.FORBIDDEN


class Place(msgspec.Struct, frozen=True):
    """Where a driver works: the reader's `name` in the config and the one `folder` it may keep files in.

    `reopened` is true when an earlier process of this reader has ended: a card that lies on the reader may
    then have been presented already, perhaps by the customer before. `notes`: cards are read and written with notes.
    """

    name: str
    folder: str
    reopened: bool = False
    notes: bool = False


class Reader(Protocol):
    """What the worker drives, from one thread: open, then read again and again, then close."""

    def open(self) -> None:
        """Take the device. Raises DriverError."""

    def read(self, timeout_s: float) -> Report | None:
        """The next report, or None when `timeout_s` passed without one. Raises DriverError.

        The first report is a Condition: what opening has come to. It returns at least every `timeout_s`
        seconds while nothing hangs: that is the reader's heartbeat.
        """

    def close(self) -> None:
        """Give the device back. Never raises, may be called twice and without open."""


@runtime_checkable
class Hopeful(Protocol):
    """A reader that waits long for its device: the worker calls it between two reads, when some device has come."""

    def look_now(self) -> None:
        """The next read() tries at once."""


@runtime_checkable
class NoteReader(Protocol):
    """A reader that can write, too: the worker calls it between two reads, from the same thread."""

    def write_note(self, wish: NoteWish) -> NoteWritten:
        """What became of it, at once. Raises DriverError."""
