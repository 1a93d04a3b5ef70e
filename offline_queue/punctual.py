"""HTTP answers that end in time.

urllib3's read timeout counts from one piece to the next, so a peer that drips byte after byte, broken or hostile, would
hold the thread that asks it for days. Here head and body of an answer share that time.
"""

import http.client
import io
import time
from socket import SocketIO, socket
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Deadline(io.RawIOBase):
    """What comes from the socket, until the time has run out that its timeout gave when this was made."""

    def __init__(self, raw: SocketIO, connection: socket) -> None:
        self._raw, self._connection = raw, connection
        self._ends = time.monotonic() + (connection.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Deadline(self.fp.detach(), sock))  # type: ignore[arg-type]


class _Http(HTTPConnection):
    response_class = _Answer


class _Https(HTTPSConnection):
    response_class = _Answer


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


POOLS: Final = {"http": _HttpPool, "https": _HttpsPool}


def pool(*, connections: int, connect_s: float, answer_s: float, ca_file: str | None) -> urllib3.PoolManager:
    """Keeps so many connections to one server, verifies certificates, never tries twice."""
    made = urllib3.PoolManager(
        num_pools=1,
        maxsize=connections,
        retries=False,
        timeout=urllib3.Timeout(connect=connect_s, read=answer_s),
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_file,
    )
    made.pool_classes_by_scheme = POOLS
    return made
