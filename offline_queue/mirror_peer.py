"""A mirror at another till: copies travel over HTTP, signed by the till that sends them (signing.signing_input)."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from offline_queue.ledger_client import checked_url
from offline_queue.mirror_copy import Copy, MirrorUnreachable
from offline_queue.signing import authorization, signing_input
from offline_queue.terminal_key import sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PATH: Final = "/v1/mirror"
CONNECT_S, ANSWER_S = 1.0, 5.0
MAX_ANSWER_BYTES: Final = 1024 * 1024


class PeerKeeper:
    """See mirror_copy.Keeper. `url` is https://, or http:// to this machine alone. Raises UnsafeLedgerUrl."""

    def __init__(
        self,
        url: str,
        terminal: str,
        key: "Ed25519PrivateKey",
        *,
        allow_plain_http: bool = False,
        ca_file: str | None = None,
    ) -> None:
        from offline_queue.punctual import pool

        self._url = checked_url(url, allow_plain_http=allow_plain_http)
        self._terminal, self._key = terminal, key
        self._pool = pool(connections=1, connect_s=CONNECT_S, answer_s=ANSWER_S, ca_file=ca_file)

    def held(self, terminal: str) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._ask("GET", quote(terminal)), type=dict[str, int])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MirrorUnreachable(f"{self._url} is no mirror: {error}") from error

    def keep(self, copy: Copy) -> None:
        self._ask("POST", quote(copy.terminal), msgspec.json.encode(copy))

    def forget(self, terminal: str, stream: str, upto: int) -> None:
        self._ask("DELETE", f"{quote(terminal)}/{quote(stream)}/{upto}")

    def close(self) -> None:
        self._pool.clear()

    def _ask(self, method: str, name: str, body: bytes = b"") -> bytes:
        """Raises MirrorUnreachable."""
        from urllib3.exceptions import HTTPError

        path = f"{PATH}/{name}"
        headers = {
            "Authorization": authorization(self._terminal, sign(self._key, signing_input(method, path, body))),
            "Content-Type": "application/json",
        }
        try:
            answer = self._pool.request(
                method, self._url + path, body=body, headers=headers, redirect=False, preload_content=False
            )
            said: bytes = answer.read(MAX_ANSWER_BYTES)
            answer.release_conn()
        except (HTTPError, OSError) as error:
            raise MirrorUnreachable(f"{self._url}{_trouble(error)}") from error
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise MirrorUnreachable(f"{self._url} answered {answer.status}: {said[:200].decode(errors='replace')}")
        return said


def _trouble(error: Exception) -> str:
    from urllib3.exceptions import SSLError

    if isinstance(error, SSLError):
        return f" shows no certificate that is trusted here ({error}); ca_file names the authority that vouches for it"
    return f": {type(error).__name__}"
