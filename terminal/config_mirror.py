"""What a shop may set of second copies (terminal/default.toml has each reason)."""

from base64 import b64decode
from pathlib import Path
from typing import Annotated

import msgspec

from offline_queue.ledger_client import UnsafeLedgerUrl, checked_url

File = Annotated[str, msgspec.Meta(max_length=4096)]
Peer = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63} [A-Za-z0-9+/]{43}=$",
        description="the first line that `tilld enroll` shows at that till: its name, a blank, its key",
    ),
]
"""A terminal and its public key, as `tilld enroll` tells them."""


class MirrorConfig(msgspec.Struct, frozen=True):
    to: File = ""
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 0
    ca_file: File = ""
    plain_http: bool = False
    listen: Annotated[str, msgspec.Meta(max_length=64)] = ""
    certificate: File = ""
    private_key: File = ""
    peers: Annotated[tuple[Peer, ...], msgspec.Meta(max_length=64)] = ()
    deliver_after_h: Annotated[int, msgspec.Meta(ge=0, le=8760)] = 24

    def keys(self) -> dict[str, bytes]:
        """The public key, 32 bytes, of each peer."""
        return {name: b64decode(key) for name, key in (peer.split() for peer in self.peers)}


def mirror_problems(config: MirrorConfig) -> list[tuple[str, str]]:
    """What is wrong although each key alone is right: its key, and the words."""
    found = []
    if "://" in config.to:
        try:
            checked_url(config.to, allow_plain_http=config.plain_http)
        except UnsafeLedgerUrl as unsafe:
            found.append(("to", f"{unsafe}."))
    elif config.to and not Path(config.to).is_absolute():
        found.append(("to", "must be a folder's whole path, like /mnt/office/tilld, or https://HOST:PORT."))
    if config.ca_file and not Path(config.ca_file).is_file():
        found.append(("ca_file", f"{config.ca_file!r} is no file that can be read."))
    if bool(config.certificate) != bool(config.private_key):
        found.append(("certificate", "and mirror.private_key belong together: name both or neither."))
    if config.listen and not config.peers:
        found.append(("peers", "must name the terminals whose copies are kept here."))
    return found
