"""A real ledger, a real till, and between it and its POS a line that loses and withholds answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.line import Faults, Line
from tests.acceptance.rig import LedgerProcess, TillProcess

DEADLINE_S = 90


@dataclass(frozen=True)
class Shop:
    """`line` carries what the POS and the till say to each other."""

    ledger: LedgerProcess
    till: TillProcess
    line: Line

    @property
    def token_file(self) -> Path:
        return self.till.state / "pos.token"


@contextmanager
def open_shop(folder: Path, api: str = "") -> Iterator[Shop]:
    """`api`: more lines for the till's section [api]."""
    ledger = LedgerProcess(folder)
    till = TillProcess(folder, f"http://127.0.0.1:{ledger.port}")
    line = Line(("127.0.0.1", till.port))
    try:
        named = f'hosts = ["127.0.0.1:{line.port}"]\n{api}\n[ledger]'
        till.config.write_text(till.config.read_text().replace("[ledger]", named, 1))
        ledger.start("--enrolment", "open", "--unknown-cards", "register")
        till.start()
        yield Shop(ledger, till, line)
    finally:
        till.stop()
        ledger.stop()
        line.close()


class Withheld(Faults):
    """Answers pass until `number` of them have; the next one has come this far, and goes no further.

    `reached` is set then: the till has said yes and the POS has not heard it.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = number
        self.reached, self._gone = threading.Event(), threading.Event()

    def pick(self) -> str:
        if self._left > 0:
            self._left -= 1
            return "pass"
        self.reached.set()
        self._gone.wait(DEADLINE_S)
        return "lose"

    def forget(self) -> None:
        """What was withheld is thrown away."""
        self._gone.set()
