"""Smart cards and contactless cards through PC/SC (pcscd and libccid, by pyscard's `smartcard.scard`).

| card | what is read |
|---|---|
| NTAG213/215/216, Ultralight with NDEF | serial number; the first text or URI record |
| NTAG, Ultralight EV1, with `chip` | model, maker's signature, tap counter where the reader lets them through |
| Type 4 tag (NDEF application) | serial number where the card has a fixed one; the first text or URI record |
| MIFARE Classic, DESFire, FeliCa, other contactless cards | serial number: anybody can copy it |
| phones (the wallets' application answers) | the pass (`smart_tap`, `apple_vas`), or the Type 4 tag that they emulate |
| payment cards | nothing: recognised by at most two SELECTs, switched off, reported as `payment_card` |
| DESFire EV1 to EV3, NTAG 424 DNA, with `desfire` | the number in a file, after AES authentication |
| cards of ISO/IEC 7816, contact or contactless, with `iso7816` | the number in the answer to configured commands |
| other contact cards | nothing: reported as `unsupported_card` |

One process serves every reader whose name contains `match`; a second `[[reader]]` with its own `match` gives a
device a process of its own. Tried with pcscd 1.9.9 and virtual readers, on no real reader yet (docs/readers.md).
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from drivers.atr import kind_of
from drivers.base import (
    CardUnreadable,
    Condition,
    NoteWish,
    NoteWritten,
    Place,
    ReaderAbsent,
    ReaderState,
    Report,
)
from drivers.card_notes import not_written, write_note
from drivers.card_options import CardOptions, wishes_of
from drivers.pcsc_service import PcscError, Service
from drivers.pcsc_tap import Tap
from drivers.presence import LYING, Change, Seen, Trouble, change_of
from drivers.retry import Retry
from drivers.wishes import Wishes

RETRY_S: Final = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Pauses between attempts to reach pcscd. systemd gives up on a pcscd.socket that starts a failing pcscd more
than five times in ten seconds."""

CONDITIONS: Final = {
    Trouble.SERVICE_GONE: Condition(
        ReaderState.ABSENT,
        "pcscd, the service for card readers, does not answer",
        "sudo apt-get install pcscd libccid && sudo systemctl enable --now pcscd.socket",
    ),
    Trouble.FORBIDDEN: Condition(
        ReaderState.FORBIDDEN,
        "pcscd lets nobody more in: polkit forbids it to this user, or 200 programs are connected",
        "sudo cp udev/polkit-tilld.rules /etc/polkit-1/rules.d/50-tilld.rules, with this user in the group tilld; "
        "where it worked before: sudo systemctl restart pcscd",
    ),
}


class Options(CardOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`match` is a part of the reader's name as `pcsc_scan -r` shows it; empty for all that are there."""

    match: str = ""


def condition_of(readers: Sequence[str], match: str) -> Condition:
    """Of the readers that match."""
    if readers:
        return Condition(ReaderState.READY, ", ".join(readers))
    wanted = f"whose name contains {match!r} " if match else ""
    return Condition(
        ReaderState.ABSENT,
        f"pcscd sees no reader {wanted}",
        "plug the reader in; where `lsusb` shows it and `pcsc_scan -r` does not, see docs/readers.md",
    )


class Reader:
    """One thread, one context: pcscd tells what changes, and a card that arrives is read at once."""

    def __init__(self, place: Place, options: Options) -> None:
        self._match = options.match
        self._options, self._notes = options, place.notes
        self._wishes = Wishes()
        self._scard: Any = None
        self._service: Service | None = None
        self._known: dict[str, int] = {}
        self._read: dict[str, Seen] = {}
        self._waiting: deque[Seen | CardUnreadable] = deque()
        self._looked_before = place.reopened
        self._retry = Retry(RETRY_S)

    def open(self) -> None:
        try:
            from smartcard import scard
        except ImportError as error:
            raise ReaderAbsent(f"pyscard is not usable: {error}", "pip install 'tilld[pcsc]'") from error
        self._scard = scard
        self._wishes = wishes_of(self._options, notes=self._notes)

    def read(self, timeout_s: float) -> Report | None:
        deadline = time.monotonic() + timeout_s
        try:
            return self._next(deadline)
        except PcscError as error:
            self._lose()
            if error.trouble is Trouble.READER_GONE:
                return None
            return self._retry.news(CONDITIONS.get(error.trouble) or _failing(error))

    def look_now(self) -> None:
        self._retry.at_once()

    def write_note(self, wish: NoteWish) -> NoteWritten:
        """To the card that was read there last; a failure of the reader is told by the next read()."""
        seen, notes = self._read.get(wish.slot), self._wishes.notes
        if self._service is None or seen is None or notes is None:
            return not_written(wish, "card_gone")
        try:
            return write_note(notes, kind_of(seen.atr), wish, self._service)
        except PcscError:
            self._lose()
            return not_written(wish, "not_written")

    def close(self) -> None:
        self._release()

    def _next(self, deadline: float) -> Report | None:
        service = self._reached(deadline)
        if service is None:
            return None
        while not self._waiting:
            readers = [name for name in service.readers() if self._match in name]
            condition = condition_of(readers, self._match)
            is_news = self._retry.is_news(condition)
            known = {name: self._known.get(name, 0) for name in readers}
            seen = service.wait(known, 0.0 if is_news else max(0.0, deadline - time.monotonic()))
            self._retry.went_well()
            self._take(readers, seen)
            if is_news:  # told only now that the service has answered every question
                return self._retry.news(condition)
            if not self._waiting and time.monotonic() >= deadline:
                return None
        card = self._waiting.popleft()
        if isinstance(card, CardUnreadable):
            return card
        self._read[card.reader] = card
        return Tap(service, card, self._wishes).report()

    def _take(self, readers: Iterable[str], seen: Sequence[Seen]) -> None:
        """Remembers the states and queues what they mean; readers that are gone are forgotten."""
        before = {name: self._known[name] for name in readers if name in self._known}
        self._known = before | {one.reader: one.state for one in seen}
        for one in seen:
            change = change_of(before.get(one.reader), one.state)
            if change is Change.LYING and self._looked_before:
                # It may be the card of the customer before: it must not answer for the next one.
                self._waiting.append(CardUnreadable(*LYING, slot=one.reader))
            elif change is not Change.NOTHING:
                self._waiting.append(one)
        self._looked_before = self._looked_before or bool(seen)

    def _reached(self, deadline: float) -> Service | None:
        """The service; None when it is not yet time to try again. Raises PcscError."""
        if self._service is None:
            if not self._retry.due_by(deadline):
                return None
            self._service = Service(self._scard)
        return self._service

    def _lose(self) -> None:
        """After any failure everything is made anew, a little later each time."""
        self._release()
        self._retry.failed()

    def _release(self) -> None:
        if self._service is not None:
            self._service.release()
        self._service = None
        self._known, self._read = {}, {}
        self._waiting.clear()


def _failing(error: PcscError) -> Condition:
    return Condition(ReaderState.FAILING, str(error), "sudo systemctl restart pcscd")
