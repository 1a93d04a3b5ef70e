"""NFC tags and phones through nfcpy, for readers that pcscd does not know: PN532 boards, RC-S380 and kin.

| reader | by | tried |
|---|---|---|
| PN532 board on a serial line (UART, USB converter) | `path = "/dev/serial/by-id/..."` | with an emulated chip |
| Sony RC-S380, RC-S330/360/370; SCM SCL3711, other PN531/PN533 | `path = "usb"`, `"usb:054c:06c3"` | never |
| ACR122U | `path = "usb:072f:2200"`; better left to pcscd (`pcsc`) | never |

| card | what is read |
|---|---|
| NTAG213/215/216, Ultralight with NDEF | serial number; the first text or URI record |
| NTAG, Ultralight EV1, with `chip` | model, maker's signature, tap counter |
| DESFire EV1 to EV3, NTAG 424 DNA, with `desfire`; other cards, with `iso7816` | the number in the application |
| Type 4A tag (NDEF application), phones that emulate one | the same; a phone's serial number is random |
| MIFARE Classic, DESFire, other cards of ISO 14443 type A | serial number: anybody can copy it |
| phones, with `smart_tap` or `apple_vas` | the shop's pass in the wallet |
| payment cards | nothing: recognised by two SELECTs, switched off, reported as `payment_card` |
| ISO 14443 type B, FeliCa, Topaz | nothing: they are not looked for |

nfcpy 1.0.4 is the last of its kind (2022) and stays inside this file: nothing else imports it.
"""

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from drivers.apdu import Exchange
from drivers.base import (
    CardUnreadable,
    Condition,
    DriverError,
    NoteWish,
    NoteWritten,
    Place,
    ReaderAbsent,
    ReaderState,
    Report,
)
from drivers.card_notes import not_written
from drivers.card_options import CardOptions, wishes_of
from drivers.iso14443 import AnswerToSelect
from drivers.nfc_field import Field
from drivers.nfc_radio import Found
from drivers.pn532_line import LOOK, SerialLine
from drivers.presence import CardTrouble, Trouble
from drivers.retry import Retry
from drivers.usb_readers import is_usb_path, trouble_with
from drivers.wishes import Wishes

RETRY_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Pauses before the reader is opened again; the first failure after a good look may be a loose contact."""

_TTY: Final = re.compile(r"tty:([a-zA-Z0-9-]+):pn532")
"""nfcpy's own way to name a serial port."""
_PLAIN: Final = re.compile(r"/dev/[a-zA-Z0-9/_.-]+")
"""What a kernel calls its devices; nfcpy hands the name to a shell."""

_REPLUG: Final = (
    "check its power, that TX and RX are crossed and its switches set to HSU; unplug it and plug it in again"
)


class Options(CardOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`path` is a serial device, best by its lasting name under /dev/serial/by-id, or nfcpy's own way to name a
    reader: `tty:USB0:pn532`, `usb`, `usb:054c:06c3`, `usb:001:023`.
    """

    path: str = "usb"

    def __post_init__(self) -> None:
        if not is_usb_path(self.path) and device_of(self.path) is None:
            raise ValueError(f'path {self.path!r} is neither a device like "/dev/ttyUSB0" nor like "usb:054c:06c3"')


def device_of(path: str) -> str | None:
    """The serial device that a path names, None when it names none."""
    named = _TTY.fullmatch(path)
    if named is None:
        return path if path.startswith("/") else None
    port = named.group(1)
    return f"/dev/tty{port}" if re.fullmatch(r"(S|ACM|AMA|USB)\d+", port) else f"/dev/{port}"


class Reader:
    """Opens the reader, and opens it anew after any failure, a little later each time."""

    def __init__(self, place: Place, options: Options) -> None:
        self._path = options.path
        self._options, self._notes = options, place.notes
        self._wishes = Wishes()
        self._nfc: Any = None
        self._radio: NfcpyRadio | None = None
        self._field: Field | None = None
        self._lying: CardUnreadable | None = None
        self._reopened = place.reopened
        self._retry = Retry(RETRY_S)

    def open(self) -> None:
        try:
            import nfc
            import nfc.clf.pn532
            import nfc.tag.tt4
        except (ImportError, OSError) as error:  # OSError: libusb itself is missing
            raise ReaderAbsent(f"nfcpy is not usable: {error}", "pip install 'tilld[contactless]'") from error
        logging.getLogger("nfc").setLevel(logging.CRITICAL)  # every failure has its own words here
        self._nfc = nfc
        self._wishes = wishes_of(self._options, notes=self._notes)

    def read(self, timeout_s: float) -> Report | None:
        deadline = time.monotonic() + timeout_s
        try:
            return self._next(deadline)
        except DriverError as error:
            self._lose()
            return self._retry.news(error.condition)
        except CardTrouble:  # of the reader itself; opening it again tells why
            self._lose()
            return None

    def look_now(self) -> None:
        self._retry.at_once()

    def write_note(self, wish: NoteWish) -> NoteWritten:
        """A failure of the reader is told by the next read()."""
        if self._field is None or self._wishes.notes is None:
            return not_written(wish, "card_gone")
        try:
            return self._field.write_note(self._wishes.notes, wish)
        except CardTrouble:
            self._lose()
            return not_written(wish, "not_written")

    def close(self) -> None:
        self._release()

    def _next(self, deadline: float) -> Report | None:
        if self._radio is None or self._field is None:
            if not self._retry.due_by(deadline):
                return None
            self._radio = NfcpyRadio(self._nfc, self._path)
            self._field = Field(self._radio, self._path, self._wishes)
            self._lying, self._reopened = self._field.begin(reopened=self._reopened), True
            if ready := self._retry.news(Condition(ReaderState.READY, self._radio.name)):
                return ready
        if self._lying:
            lying, self._lying = self._lying, None
            return lying
        report = self._field.report(max(0.0, deadline - time.monotonic()))
        self._retry.went_well()
        return report

    def _lose(self) -> None:
        self._release()
        self._retry.failed()

    def _release(self) -> None:
        if self._radio is not None:
            self._radio.close()
        self._radio = self._field = self._lying = None


class NfcpyRadio:
    """A reader opened by nfcpy, as drivers/nfc_field.py wants it."""

    def __init__(self, nfc: Any, path: str) -> None:
        """Raises DriverError."""
        self._nfc = nfc
        self._held = contextlib.ExitStack()
        self._frontend = nfc.ContactlessFrontend()
        device = device_of(path)
        with contextlib.ExitStack() as undo:
            undo.callback(self._held.close)
            self._frontend.device = self._usb(path) if device is None else self._serial(device)
            undo.pop_all()
        self.name = f"{self._frontend.device.chipset_name} at {path}"

    def find(self, uid: bytes | None) -> Found | None:
        with self._translated():
            wanted = self._nfc.clf.RemoteTarget("106A")
            if uid is not None:
                wanted.sel_req = bytearray(uid)
            target = self._frontend.sense(wanted)
            if target is None or target.sdd_res is None:
                return None
            return Found(bytes(target.sdd_res), target.sel_res[0])

    def send(self, frame: bytes, timeout_s: float) -> bytes:
        with self._translated():
            return bytes(self._frontend.exchange(frame, timeout_s))

    def select_dep(self) -> bytes:
        size = 8 if self._frontend.max_recv_data_size >= 256 else 7  # ISO/IEC 14443-4 table 1: 256 or 128 bytes
        return self.send(bytes([0xE0, size << 4]), 0.03)

    def dep(self, answer: AnswerToSelect) -> Exchange:
        size = min(answer.frame_size, self._frontend.max_send_data_size)
        protocol = self._nfc.tag.tt4.IsoDepInitiator(self._frontend, size, answer.wait_s)

        def exchange(apdu: bytes) -> bytes:
            with self._translated():
                return bytes(protocol.exchange(apdu or None) or b"")

        return exchange

    def off(self) -> None:
        with self._translated():
            self._frontend.device.mute()

    def close(self) -> None:
        # Every failure: closing a reader that was unplugged raises termios.error, no OSError, and whatever it is,
        # the reader has been given back as far as it can be.
        with contextlib.suppress(Exception):
            self._frontend.close()
        self._held.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (self._nfc.clf.CommunicationError, self._nfc.tag.TagCommandError) as error:
            raise CardTrouble(Trouble.MUTE, str(error) or type(error).__name__) from error
        except Exception as error:
            # Every reader of nfcpy's has errors of its own, an unplugged port raises termios.error, and answers that
            # nfcpy does not expect end in IndexError. Whatever it is: the reader is opened anew.
            raise CardTrouble(Trouble.READER_GONE, f"{type(error).__name__}: {error}") from error

    def _serial(self, path: str) -> Any:
        real = os.path.realpath(path)
        if not _PLAIN.fullmatch(real):
            raise ReaderAbsent(f"there is no {path}", f"plug the reader in; see what is there: {LOOK}")
        line = SerialLine.taken(Path(real))
        self._held.callback(line.free)
        if line.wake() is None:
            raise DriverError(f"no PN532 answers at {path}", _REPLUG)
        try:
            port = self._nfc.clf.transport.TTY(real)
            self._held.callback(_shut, port)
            device = self._nfc.clf.pn532.init(port)
        except Exception as error:  # see _translated
            raise DriverError(f"the PN532 at {path} does not start: {error}", _REPLUG) from error
        device._path = real  # noqa: SLF001 - what nfcpy's own connect() does for a port that it finds by name
        return device

    def _usb(self, path: str) -> Any:
        try:
            device = self._nfc.clf.device.connect(path)
        except Exception as error:  # see _translated; libusb has errors of its own too
            raise trouble_with(path) from error
        if device is None:
            raise trouble_with(path)
        return device


def _shut(port: Any) -> None:
    """What nfcpy leaves open when it cannot say goodbye to its chip."""
    if port.tty is not None:
        port.tty.close()
