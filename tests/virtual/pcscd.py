"""The real pcscd of Debian with readers of the vpcd driver, in namespaces of its own.

Nothing of the machine's own pcscd is touched: `unshare -mn` gives it a /run/pcscd and a loopback of its own.
Programs outside find it by the environment variable PCSCLITE_CSOCK_NAME. Usable from anywhere:

    with VirtualPcscd() as pcscd:
        subprocess.Popen([...], env=pcscd.environment)
        pcscd.insert(NtagCard.with_text("2990000000017"))
        pcscd.remove()
        pcscd.kill()
        pcscd.start()
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.virtual.cards import Card
from tests.virtual.vpcd import InsertedCard, connector

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
ROOT = Path(__file__).parents[2]
SOCKET = Path("run/pcscd/pcscd.comm")
FIRST_PORT = 0x8C7B
PATIENCE_S = 60.0

ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}

READER = """FRIENDLYNAME "{name}"
DEVICENAME /dev/null:0x{port:X}
LIBPATH {library}
CHANNELID 0x{port:X}
"""
HOLD = "mkdir -p /run/pcscd && mount -t tmpfs tmpfs /run/pcscd && ip link set lo up && echo ready && exec cat"


def missing() -> str | None:
    """Why a virtual pcscd cannot run here, or None when it can."""
    if os.geteuid() != 0:
        return "needs root: pcscd runs in mount and network namespaces of its own"
    for program in ("pcscd", "unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(program, path=ENVIRONMENT["PATH"]) is None:
            return f"needs the program {program} (make setup-dev installs it)"
    if not DRIVER.exists():
        return "needs the Debian package vsmartcard-vpcd (make setup-dev installs it)"
    probe = subprocess.run(["unshare", "-mn", "true"], capture_output=True, check=False)
    return f"needs namespaces, and the kernel says: {probe.stderr.decode().strip()}" if probe.returncode else None


class VirtualPcscd:
    """A pcscd with `readers` readers. `names` are theirs as PC/SC lists them, `environment` what a client needs."""

    def __init__(self, readers: int = 1) -> None:
        self.names = [f"Virtual Reader {chr(65 + n)}" for n in range(readers)]
        self._cards: dict[int, InsertedCard] = {}
        self._pcscd: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="virtual-pcscd-"))
        self._configure()
        # The holder of the namespaces ends with its standard input, so it never outlives this process.
        self._holder = subprocess.Popen(
            ["unshare", "-mn", "sh", "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
        )
        try:
            assert self._holder.stdout is not None
            if self._holder.stdout.readline() != b"ready\n":
                raise RuntimeError("no namespaces for pcscd: " + (missing() or "unshare failed"))
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with the way to this pcscd."""
        return {**os.environ, "PCSCLITE_CSOCK_NAME": str(self.socket)}

    @property
    def socket(self) -> Path:
        return Path(f"/proc/{self._holder.pid}/root") / SOCKET

    @property
    def pid(self) -> int:
        """The process id of pcscd. Raises RuntimeError when it is not running."""
        if self._pcscd is None:
            raise RuntimeError("pcscd is not running")
        return self._pcscd.pid

    def start(self) -> None:
        """Starts pcscd and returns when it listens."""
        self.socket.unlink(missing_ok=True)
        # setpriv: pcscd ends with the thread that has started it, however that ends.
        into = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--target={self._holder.pid}"]
        into += ["--mount", "--root", "--net"]
        self._pcscd = subprocess.Popen(
            [*into, "pcscd", "--foreground", "--config", str(self._folder / "readers")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self.socket.exists():
            if self._pcscd.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("pcscd does not start; see journalctl -t pcscd")
            select.select([], [], [], 0.005)

    def kill(self) -> None:
        """SIGKILL; the cards lose their reader with it."""
        if self._pcscd is not None:
            self._pcscd.send_signal(signal.SIGKILL)
            self._pcscd.wait(PATIENCE_S)
            self._pcscd = None
        for card in self._cards.values():
            card.remove()
        self._cards.clear()

    def insert(self, card: Card, reader: int = 0) -> InsertedCard:
        """Lays a card on a reader; one that lies there is taken away first."""
        self.remove(reader)
        self._cards[reader] = InsertedCard(card, connector(self._holder.pid, self._port(reader)))
        return self._cards[reader]

    def remove(self, reader: int = 0) -> None:
        """Takes the card away, if there is one, and returns when pcscd has noticed."""
        card = self._cards.pop(reader, None)
        if card is None:
            return
        card.remove()
        self._await(reader, "empty")

    def wait_for_card(self, reader: int = 0) -> None:
        """Returns when pcscd has noticed the card."""
        self._await(reader, "present")

    def _await(self, reader: int, state: str) -> None:
        command = [sys.executable, "-m", "tests.virtual.reader_state", f"{self.names[reader]} 00 00", state]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def close(self) -> None:
        self.kill()
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait(PATIENCE_S)
        self._holder.stdout.close()
        shutil.rmtree(self._folder)

    def _port(self, reader: int) -> int:
        return FIRST_PORT + 2 * reader  # each entry of the driver has two slots: port and port + 1

    def _configure(self) -> None:
        readers = self._folder / "readers"  # pcscd takes every file in this folder for a configuration
        readers.mkdir()
        for number, name in enumerate(self.names):
            # The driver keeps static state per library: two readers need two copies of it.
            library = self._folder / f"libifdvpcd{number}.so"
            shutil.copy(DRIVER, library)
            entry = READER.format(name=name, port=self._port(number), library=library)
            (readers / f"{number}.conf").write_text(entry)
