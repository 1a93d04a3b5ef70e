"""Unix sockets in folders of any depth, and who is at their other end."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MAX_UNIX_PATH: Final = 107
"""unix(7): sun_path has 108 bytes with its final zero."""


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket file that fits however deep it lies: by way of its folder's descriptor."""
    if len(os.fsencode(path)) <= MAX_UNIX_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end of a Unix socket, from the kernel (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)
