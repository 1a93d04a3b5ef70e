"""The till that runs while it is set up: what it says of its readers, and how it reads its new config."""

import os
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from drivers.local_socket import short_path
from terminal.commands.client import NotRunning, ask
from terminal.config import ReaderConfig
from terminal.setup.trials import Word

START_S: Final = 30.0
LOOK_S: Final = 0.1
_LISTEN: Final = b"GET /v1/events HTTP/1.1\r\nHost: tilld\r\n\r\n"
_PIECE: Final = 65536
_CREDENTIALS: Final = struct.Struct("3i")
"""struct ucred of socket(7): process, user, group."""


def status_of(state: Path) -> dict[str, Any] | None:
    """The status that the till in this state folder tells, None when none runs."""
    try:
        reply = ask(state / "tilld.sock", "GET", "/v1/status")
    except NotRunning:
        return None
    return reply.body if reply.status == 200 else None


def ready_there(reader: ReaderConfig, configured: Iterable[ReaderConfig], status: dict[str, Any] | None) -> Word | None:
    """The running till's word on a reader that it has opened itself: nobody else can open it then. Pure."""
    if status is None or reader not in configured:
        return None
    for told in status["readers"]:
        if (told["name"], told["driver"], told["status"]) == (reader.name, reader.driver, "ready"):
            return Word(ok=True, said=f"{told['detail']} (the till that runs has it)")
    return None


def read_again(state: Path, terminal: str) -> str:
    """Makes the running till read its config; what keeps it from that, "" when it runs as `terminal` again."""
    from terminal.ending import READ_AGAIN

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(START_S)
        try:
            with short_path(state / "tilld.sock") as path:
                line.connect(path)
            line.sendall(_LISTEN)
            line.recv(_PIECE)  # it hears us: from now on the end of its news is the end of its run
            process, _, _ = _CREDENTIALS.unpack(
                line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            os.kill(process, READ_AGAIN)
            with suppress(ConnectionResetError):
                while line.recv(_PIECE):
                    pass  # its news; they end when it stops
        except OSError as error:
            return f"it could not be told ({error}); stop it and start it again"
    return _back(state, terminal)


def _back(state: Path, terminal: str) -> str:
    deadline = time.monotonic() + START_S
    while (status := status_of(state)) is None:
        if time.monotonic() > deadline:
            return f"it has stopped, and does not answer after {START_S:.0f} s; its log says why"
        time.sleep(LOOK_S)
    if status["terminal"] != terminal:
        return f"it runs as {status['terminal']}, by another config; start it with --config and this one's name"
    return ""
