"""From a card's last answer to the event on the POS's stream: what the reader's process, the till and its API add.

The card is in this process and notes when it has answered; the POS is a thread beside it that notes when the line
came. Between them are the real pcscd with its virtual driver (or nfcpy with an emulated PN532), the real daemon and
its stream of server-sent events. What pcscd itself needs to notice a card (its driver is asked every 400 ms) is told
apart: a real reader interrupts.
"""

import contextlib
import http.client
import json
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from bench.figures import percentile
from tests.acceptance.rig import LedgerProcess, TillProcess
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import NtagCard, Type4Card, text_record
from tests.virtual.pcscd import VirtualPcscd, missing
from tests.virtual.pn532 import Pn532

CARDS = 100
PATIENCE_S = 10.0
BAR_MS = 15.0
"""The most that may be added by us, at the 95th percentile."""


@dataclass
class Timed:
    """A card that notes the time of each of its answers, in seconds of `time.perf_counter`."""

    card: NtagCard | Type4Card
    answered: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.atr, self.uid = self.card.atr, self.card.uid

    def answer(self, apdu: bytes) -> bytes:
        said = self.card.answer(apdu)
        self.answered.append(time.perf_counter())
        return said


class Stream:
    """The POS: an open stream of events, and the time at which each read card's line came."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {token}"})
        self._answer = self._connection.getresponse()
        self._seen: queue.Queue[tuple[str, float]] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        kind = b""
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the till, or this stream, has ended
            while line := self._answer.readline():
                at = time.perf_counter()
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                elif line.startswith(b"data: ") and kind == b"card_read":
                    self._seen.put((json.loads(line[6:])["card"]["number"], at))

    def seen(self, number: str) -> float:
        """When the event of this card came. Raises queue.Empty when it does not come."""
        while True:
            told, at = self._seen.get(timeout=PATIENCE_S)
            if told == number:
                return at


class Tap(NamedTuple):
    """Seconds from laying the card down to its first answer, to its last, and from there to the POS's event."""

    noticed: float
    read: float
    told: float


def run(*, quick: bool) -> Table:
    """Milliseconds. The bar stands in the caption."""
    count = CARDS // 5 if quick else CARDS
    table = Table(title=f"From a card to the event on the POS's stream, {count} cards each", caption="")
    for heading in (
        "reader and card",
        "noticed p50",
        "read p50",
        "answer to event p50",
        "p95",
        "most",
        f"< {BAR_MS:g}",
    ):
        table.add_column(heading, justify="left" if heading == "reader and card" else "right")
    table.caption = "noticed: what the virtual reader needs (pcscd asks its driver every 400 ms, we a PN532 every 100)"
    with tempfile.TemporaryDirectory(prefix="tilld-bench-") as name:
        folder = Path(name)
        with Pn532(folder) as chip:
            config = f'[[reader]]\nname = "counter"\ndriver = "contactless"\npath = "{chip.path}"\n'
            reader = CardReader("contactless", {}, str(chip.path), chip.insert, chip.remove)
            measure(table, reader, folder / "contactless", config, {}, count)
        if why := missing():
            table.caption += f"; pcsc not measured: {why}"
            return table
        with VirtualPcscd() as pcscd:
            config = '[[reader]]\nname = "counter"\ndriver = "pcsc"\n'
            reader = CardReader("pcsc", {}, pcscd.names[0], pcscd.insert, pcscd.remove)
            measure(table, reader, folder / "pcsc", config, pcscd.environment, count)
    return table


def measure(
    table: Table, reader: CardReader, folder: Path, readers: str, environment: dict[str, str], count: int
) -> None:
    with selling(folder, readers, environment) as stream:
        for kind, make in (("NTAG", NtagCard.with_text), ("Type 4", lambda text: Type4Card(text_record(text)))):
            taps = [tapped(stream, Timed(make(number)), number, reader) for number in numbers(reader, kind, count)]
            told = [tap.told * 1e3 for tap in taps]
            medians = [percentile([getattr(tap, what) * 1e3 for tap in taps], 50) for what in ("noticed", "read")]
            p50, p95 = percentile(told, 50), percentile(told, 95)
            cells = [*(f"{ms:.1f}" for ms in medians), f"{p50:.2f}", f"{p95:.2f}", f"{max(told):.2f}"]
            table.add_row(f"{reader.driver}, {kind}", *cells, "yes" if p95 < BAR_MS else "NO")


def numbers(reader: CardReader, kind: str, count: int) -> Iterator[str]:
    """Card numbers, each but once; the till has not met any of them before."""
    head = 29 * 10**7 + 10**6 * (2 * (reader.driver == "pcsc") + (kind == "NTAG"))
    return (str(head + number) for number in range(count))


def tapped(stream: Stream, card: Timed, number: str, reader: CardReader) -> Tap:
    reader.remove()
    laid = time.perf_counter()
    reader.insert(card)
    at = stream.seen(number)
    answered = [one for one in card.answered if one < at]
    return Tap(answered[0] - laid, answered[-1] - answered[0], at - answered[-1])


@contextlib.contextmanager
def selling(folder: Path, readers: str, environment: dict[str, str]) -> Iterator[Stream]:
    """A till with its ledger, and the POS's stream."""
    folder.mkdir()
    ledger = LedgerProcess(folder)
    till = TillProcess(folder, f"http://127.0.0.1:{ledger.port}", readers=readers)
    try:
        ledger.start("--enrolment", "open", "--unknown-cards", "register")
        till.start(environment)
        yield Stream(till.port, (till.state / "pos.token").read_text().strip())
    finally:
        till.stop()
        ledger.stop()
