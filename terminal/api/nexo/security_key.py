"""The key that POS and till share for encrypted messages: made at this till's first start, never shipped.

Its file is just what the POS's library takes as its security key, so a POS reads it and is done.
"""

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from terminal.api.nexo.crypto import CRYPTO_VERSION, Material, Trailer, Unopened, decrypt, derive, encrypt
from terminal.api.nexo.messages import Header, header_of, malformed, parts
from terminal.api.nexo.names import Shape
from terminal.state_folder import StateUnusable

FILE: Final = "nexo-key.json"

_UNOPENED: Final = (
    "The encrypted message cannot be opened with this till's key, or it was changed on its way. Give the POS the key"
    f" from {FILE} in the till's state folder."
)
Passphrase = Annotated[str, msgspec.Meta(min_length=8, max_length=256, pattern="^[\\u0020-\\u007e]*$")]


class KeyFileUnusable(StateUnusable):
    """The key file cannot be used; the message says why and what to do."""


class SecurityKey(Shape, frozen=True):
    """`passphrase` is printable ASCII; raise `key_version` with it: a POS with the old one is told so then."""

    passphrase: Passphrase
    key_identifier: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    key_version: Annotated[int, msgspec.Meta(ge=0, le=2**31)]
    adyen_crypto_version: Annotated[int, msgspec.Meta(ge=CRYPTO_VERSION, le=CRYPTO_VERSION)] = CRYPTO_VERSION

    def __repr__(self) -> str:
        return f"SecurityKey({self.key_identifier!r}, {self.key_version})"


def load_or_create(state: Path, terminal: str) -> SecurityKey:
    """The key of the state folder, made when there is none (0600, 256 random bits). Raises KeyFileUnusable."""
    path = state / FILE
    try:
        if not path.exists():
            _write(path, SecurityKey(secrets.token_urlsafe(32), f"tilld-{terminal}"[:64], 1))
        return msgspec.json.decode(path.read_bytes(), type=SecurityKey)
    except (OSError, msgspec.DecodeError) as error:
        raise KeyFileUnusable(
            f"the nexo key {path} cannot be used: {error}.\nMend it, or delete it: a new one is made, and each POS"
            " needs the new one then."
        ) from error


def _write(path: Path, key: SecurityKey) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    told = {**msgspec.to_builtins(key), "AdyenCryptoVersion": CRYPTO_VERSION}
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    fresh.replace(path)


class Encryption:
    """Opens what a POS has encrypted, and encryption what it hears."""

    def __init__(self, key: SecurityKey) -> None:
        self._key = key
        self._material: Material = derive(key.passphrase)

    def opened(self, outer: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        """The envelope that was encrypted. Raises Refused where the key or the header is another."""
        try:
            blob = msgspec.json.decode(outer["NexoBlob"], type=str)
            trailer = msgspec.json.decode(outer.get("SecurityTrailer", b"null"), type=Trailer)
        except msgspec.ValidationError as error:
            raise malformed(f"SecurityTrailer: {error}.") from None
        self._refuse_foreign(trailer)
        try:
            found = parts(decrypt(blob, trailer.nonce, trailer.hmac, self._material))
        except Unopened:
            raise malformed(_UNOPENED) from None
        if header_of(found) != header_of(outer):
            raise malformed("The MessageHeader beside the encrypted message is not the one that was encrypted.")
        return found

    def encrypted(self, header: Header, reply: bytes) -> bytes:
        """The answer as the POS's library opens it."""
        blob, nonce, mac = encrypt(reply, self._material)
        trailer = Trailer(CRYPTO_VERSION, self._key.key_identifier, self._key.key_version, nonce, mac)
        answered = msgspec.structs.replace(header, message_type="Response")
        whole: dict[str, Any] = {"MessageHeader": answered, "NexoBlob": blob, "SecurityTrailer": trailer}
        return msgspec.json.encode({"SaleToPOIResponse": whole})

    def _refuse_foreign(self, trailer: Trailer) -> None:
        key = self._key
        if (trailer.key_identifier, trailer.key_version) != (key.key_identifier, key.key_version):
            raise malformed(f"The message is encrypted with another key than {key.key_identifier} {key.key_version}.")
        if trailer.adyen_crypto_version != CRYPTO_VERSION:
            raise malformed(f"AdyenCryptoVersion is {trailer.adyen_crypto_version}; {CRYPTO_VERSION} is known here.")
