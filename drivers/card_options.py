"""The part of a reader's config that says what is read of cards: the same for every reader of chip cards."""

from pathlib import Path

import msgspec

from drivers import aes
from drivers.applications import DesfireFile, Iso7816Profile
from drivers.base import DriverError
from drivers.key_file import NO_KEYS, Keys, KeysUnusable, load_keys
from drivers.wishes import Wishes


class CardOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`chip` asks chips for model, signature and counter: five more exchanges in each tap. `desfire` and `iso7816` are
    applications of cards where the number stands, `keys` the file with their keys.
    """

    chip: bool = False
    keys: str = ""
    desfire: tuple[DesfireFile, ...] = ()
    iso7816: tuple[Iso7816Profile, ...] = ()


def wishes_of(options: CardOptions) -> Wishes:
    """Reads the key file and readies the ciphers where an application needs them. Raises DriverError."""
    wishes = Wishes(options.chip, options.desfire, options.iso7816)
    if not options.desfire:
        return wishes
    keys = _keys(options)
    aes.load()
    return wishes._replace(keys=keys)


def _keys(options: CardOptions) -> Keys:
    """With every key that the options name. Raises DriverError."""
    try:
        keys = load_keys(Path(options.keys)) if options.keys else NO_KEYS
        for file in options.desfire:
            keys.get(file.key, aes.KEY)
    except KeysUnusable as unusable:
        raise DriverError(str(unusable), "mend the key file, or `keys` of this [[reader]] in the config") from None
    return keys
