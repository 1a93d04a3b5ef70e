"""Copies as a till makes them, and a keeper in the test's hand."""

import threading
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.entry import GENESIS_HASH, chain, encode
from offline_queue.mirror_copy import Copy, MirrorUnreachable, sealed
from tests.offline_queue.sales import sale

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TERMINAL = "S001-T01"
STREAM = "5" * 32


def records(count: int) -> list[bytes]:
    return [encode(sale()) for _ in range(count)]


def copied(raw: Sequence[bytes], first: int = 1, before: bytes = GENESIS_HASH, stream: str = STREAM) -> Copy:
    """As the till's own key seals it."""
    head = before
    for record in raw:
        head = chain(head, record)
    return sealed(TERMINAL, stream, first, raw, head, KEY)


class HandKeeper:
    """Keeps copies in memory; the test cuts the line, or lets a call hang until it says `go`."""

    def __init__(self) -> None:
        self.kept: list[Copy] = []
        self.forgotten: list[str] = []
        self.cut = False
        self.go = threading.Event()
        self.go.set()
        self.asked = threading.Event()
        self._more = threading.Condition()

    def held(self, terminal: str) -> dict[str, int]:
        self._reach()
        return {copy.stream: copy.last for copy in self.kept if copy.terminal == terminal}

    def keep(self, copy: Copy) -> None:
        self.asked.set()
        assert self.go.wait(60)
        self._reach()
        with self._more:
            self.kept.append(copy)
            self._more.notify_all()

    def until_kept(self, entry: str) -> None:
        """Waits for the copy of an entry, by its id."""
        with self._more:
            assert self._more.wait_for(lambda: any(entry in text for copy in self.kept for text in copy.records), 20)

    def forget(self, terminal: str, stream: str, upto: int) -> None:
        self._reach()
        self.kept = [copy for copy in self.kept if (copy.terminal, copy.stream) != (terminal, stream)]
        self.forgotten.append(stream)

    def close(self) -> None:
        """Nothing is held open."""

    def _reach(self) -> None:
        if self.cut:
            raise MirrorUnreachable("the cable is out")
