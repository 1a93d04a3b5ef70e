"""A line between till and ledger that can be cut, mended and made to lie: a TCP proxy with faults as input."""

import contextlib
import random
import selectors
import socket
import threading
from dataclasses import dataclass, field

CAPTIVE_PORTAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 44\r\nConnection: close\r\n\r\n"
    b"<html><body>Please accept our terms</body>\r\n"
)


@dataclass
class Faults:
    """What happens to an answer: chances between 0 and 1, drawn from a seeded source."""

    lose: float = 0.0
    html: float = 0.0
    source: random.Random = field(default_factory=lambda: random.Random(1))

    def pick(self) -> str:
        chance = self.source.random()
        return "lose" if chance < self.lose else "html" if chance < self.lose + self.html else "pass"


class Line:
    """Listens on 127.0.0.1 and carries bytes to `target`; every answer passes, is lost or becomes a portal's page."""

    def __init__(self, target: tuple[str, int], faults: Faults | None = None) -> None:
        self.target = target
        self.faults = faults or Faults()
        self._whole = True
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="line", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Connections break now, and new ones break at once."""
        with self._lock:
            self._whole = False
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            if not self._whole:
                return
            with socket.create_connection(self.target, timeout=60) as far:
                with self._lock:
                    if not self._whole:
                        return
                    self._ends |= {near, far}
                try:
                    self._pump(near, far)
                finally:
                    with self._lock:
                        self._ends -= {near, far}

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        """Both ways until one side closes; the fate of an answer is drawn when its first bytes come."""
        fate = "pass"
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ)
            ready.register(far, selectors.EVENT_READ)
            asked = False
            while True:
                for key, _ in ready.select():
                    if not (chunk := key.fileobj.recv(65536)):  # type: ignore[union-attr]
                        return
                    if key.fileobj is near:
                        asked = True
                        far.sendall(chunk)
                        continue
                    if asked:
                        fate, asked = self.faults.pick(), False
                    if fate == "pass":
                        near.sendall(chunk)
                        continue
                    if fate == "html":
                        near.sendall(CAPTIVE_PORTAL)
                    return
