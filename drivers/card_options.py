"""The part of a reader's config that says what is read of cards: the same for every reader of chip cards."""

from pathlib import Path
from typing import Final

import msgspec

from drivers import aes
from drivers.applications import DesfireFile, Iso7816Profile
from drivers.base import DriverError
from drivers.key_file import NO_KEYS, Keys, KeysUnusable, load_keys
from drivers.smart_tap import Merchant
from drivers.wishes import Wishes

PRIVATE_KEY: Final = 32
"""Bytes of a private key of P-256."""

_MEND: Final = "mend the key file, or `keys` of this [[reader]] in the config"


class SmartTapKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A merchant of Google Wallet: its collector id, and the name of its private key in the key file (P-256)."""

    collector: int
    key: str
    key_version: int = 1


class CardOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`chip` asks chips for model, signature and counter: five more exchanges in each tap. `desfire` and `iso7816` are
    applications of cards where the number stands, `keys` the file with their keys. `smart_tap` asks phones with Google
    Wallet for the merchant's loyalty pass.
    """

    chip: bool = False
    keys: str = ""
    desfire: tuple[DesfireFile, ...] = ()
    iso7816: tuple[Iso7816Profile, ...] = ()
    smart_tap: SmartTapKey | None = None


def wishes_of(options: CardOptions) -> Wishes:
    """Reads the key file and readies the ciphers where an application needs them. Raises DriverError."""
    wishes = Wishes(options.chip, options.desfire, options.iso7816)
    if not options.desfire and not options.smart_tap:
        return wishes
    keys = _keys(options)
    aes.load()
    return wishes._replace(keys=keys, smart_tap=_merchant(options.smart_tap, keys))


def _keys(options: CardOptions) -> Keys:
    """With every key that the options name. Raises DriverError."""
    try:
        keys = load_keys(Path(options.keys)) if options.keys else NO_KEYS
        for file in options.desfire:
            keys.get(file.key, aes.KEY)
        if options.smart_tap:
            keys.get(options.smart_tap.key, PRIVATE_KEY)
    except KeysUnusable as unusable:
        raise DriverError(str(unusable), _MEND) from None
    return keys


def _merchant(wanted: SmartTapKey | None, keys: Keys) -> Merchant | None:
    from cryptography.hazmat.primitives.asymmetric import ec

    if wanted is None:
        return None
    try:
        key = ec.derive_private_key(int.from_bytes(keys.get(wanted.key, PRIVATE_KEY), "big"), ec.SECP256R1())
    except ValueError:
        raise DriverError(f"the key {wanted.key!r} is no private key of the curve P-256", _MEND) from None
    return Merchant(wanted.collector, wanted.key_version, key)
