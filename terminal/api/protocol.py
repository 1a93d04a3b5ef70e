"""HTTP on a listener of the till: a client has bounded time for a request's head, and hears why it was no HTTP."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from terminal.api.hardening import SECURITY_HEADERS
from terminal.api.limits import CLOSE
from terminal.api.problems import Refused, problem_response

HEAD_TIME_S: Final = 10.0


class ImpatientProtocol(H11Protocol):
    """Does not wait for ever for a request's head, nor for a TLS client that says nothing (slowloris)."""

    _head_timer: asyncio.TimerHandle | None = None
    cycle: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_arrived()
        elif self._head_timer is None:
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP hears a problem document like everybody, unless an answer has begun already."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            said = problem_response(Refused("malformed", f"{msg} Nothing was recorded.", CLOSE))
            headers = [*said.raw_headers, *SECURITY_HEADERS]
            self.transport.write(self.conn.send(h11.Response(status_code=400, headers=headers)) or b"")
            self.transport.write(self.conn.send(h11.Data(data=bytes(said.body))) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIME_S, self.transport.abort)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
