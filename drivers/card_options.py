"""The part of a reader's config that says what is read of cards: the same for every reader of chip cards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from drivers import aes, apple_vas, smart_tap
from drivers.applications import DesfireFile, Iso7816Profile, KeyedFile
from drivers.base import DriverError
from drivers.card_notes import Notes
from drivers.key_file import NO_KEYS, Keys, KeysUnusable, load_keys
from drivers.wishes import Wishes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

PRIVATE_KEY: Final = 32
"""Bytes of a private key of P-256."""

_MEND: Final = "mend the key file, or `keys` of this [[reader]] in the config"


class SmartTapKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A merchant of Google Wallet: its collector id, and the name of its private key in the key file (P-256)."""

    collector: int
    key: str
    key_version: int = 1


class AppleVas(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Passes of Apple Wallet: their pass type identifier, and the names of their private keys in the key file (P-256).

    `tolerance_s` is how far a phone's clock may be from the till's, 0 for any. Nothing is asked of a phone unless
    `enabled`: read the legal note in docs/readers.md first.
    """

    pass_type: Annotated[str, msgspec.Meta(pattern=r"^pass\.[\x21-\x7e]{1,200}$")]
    keys: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=8)]
    tolerance_s: Annotated[int, msgspec.Meta(ge=0)] = 900
    enabled: bool = False


class CardOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`chip` asks chips for model, signature and counter: five more exchanges in each tap. `desfire` and `iso7816` are
    applications of cards where the number stands, `keys` the file with their keys. `smart_tap` asks phones with Google
    Wallet for the merchant's loyalty pass, `apple_vas` those with Apple's. `notes` is the file of a DESFire card where
    notes are kept, if the shop has notes kept on cards.
    """

    chip: bool = False
    keys: str = ""
    desfire: tuple[DesfireFile, ...] = ()
    iso7816: tuple[Iso7816Profile, ...] = ()
    smart_tap: SmartTapKey | None = None
    apple_vas: AppleVas | None = None
    notes: KeyedFile | None = None


def wishes_of(options: CardOptions, *, notes: bool = False) -> Wishes:
    """Reads the key file and readies the ciphers where an application needs them. Raises DriverError.

    `notes`: the shop has notes kept on cards.
    """
    wishes = Wishes(options.chip, options.desfire, options.iso7816, notes=Notes() if notes else None)
    files = [*options.desfire, *([options.notes] if notes and options.notes else [])]
    apple = options.apple_vas if options.apple_vas and options.apple_vas.enabled else None
    if not files and not options.smart_tap and not apple:
        return wishes
    try:
        keys = load_keys(Path(options.keys)) if options.keys else NO_KEYS
        for file in files:
            keys.get(file.key, aes.KEY)
        google = _google(keys, options.smart_tap) if options.smart_tap else None
        wishes = wishes._replace(keys=keys, smart_tap=google, apple_vas=_apple(keys, apple) if apple else None)
    except KeysUnusable as unusable:
        raise DriverError(str(unusable), _MEND) from None
    aes.load()
    return wishes._replace(notes=Notes(options.notes, keys) if notes else None)


def _google(keys: Keys, wanted: SmartTapKey) -> smart_tap.Merchant:
    return smart_tap.Merchant(wanted.collector, wanted.key_version, _private(keys, wanted.key))


def _apple(keys: Keys, wanted: AppleVas) -> apple_vas.Merchant:
    private = tuple(_private(keys, name) for name in wanted.keys)
    return apple_vas.Merchant(wanted.pass_type, private, wanted.tolerance_s)


def _private(keys: Keys, name: str) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.derive_private_key(int.from_bytes(keys.get(name, PRIVATE_KEY), "big"), ec.SECP256R1())
    except ValueError:
        raise KeysUnusable(f"the key {name!r} is no private key of the curve P-256.") from None
