"""How this programme's cards are recognised: the rules of the config together with the keys of the key file."""

from pathlib import Path

from drivers.aes import KEY
from drivers.key_file import NO_KEYS, Keys, load_keys
from terminal.cards.identification import Recognition
from terminal.cards.links import LinkRule
from terminal.cards.rotating_codes import RotatingRule, SignedRule
from terminal.cards.sdm import SdmRule
from terminal.config import Config
from terminal.config_cards import Codes, Sdm


def recognition_of(config: Config) -> Recognition:
    """Raises KeysUnusable."""
    keys = load_keys(Path(config.cards.keys)) if config.cards.keys else NO_KEYS
    return Recognition(
        config.cards.card_format(),
        _sdm(config.sdm, keys) if config.sdm.address else None,
        _rotating(config.codes, keys) if config.codes.pattern else None,
        _signed(config.codes) if config.codes.issuers else None,
        LinkRule(frozenset(config.links.hosts), config.links.beginnings),
    )


def _sdm(sdm: Sdm, keys: Keys) -> SdmRule:
    return SdmRule(
        sdm.address,
        keys.get(sdm.meta_key, KEY),
        keys.get(sdm.file_key, KEY),
        bytes.fromhex(sdm.diversification) or None,
        sdm.picc,
        sdm.file,
        sdm.mac,
        sdm.number,
    )


def _rotating(codes: Codes, keys: Keys) -> RotatingRule:
    return RotatingRule(codes.pattern, keys.get(codes.key), codes.period_s, codes.digits, codes.tolerance_s)


def _signed(codes: Codes) -> SignedRule:
    return SignedRule(tuple(bytes.fromhex(key) for key in codes.issuers), codes.tolerance_s)
