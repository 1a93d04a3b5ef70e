"""What every answer of every listener tells browsers: keep it to this origin, and obey nothing that it holds."""

from collections.abc import Sequence
from typing import Final

from starlette.types import Message, Send

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)
_DEVICES: Final = b"camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=(), midi=()"
SECURITY_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", _DEVICES),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def hardened(send: Send, more: Sequence[tuple[bytes, bytes]] = ()) -> Send:
    """The same, with SECURITY_HEADERS and `more` on the answer."""

    async def harder(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS, *more]
        await send(message)

    return harder
