"""What a shop may set of its cards: their numbers, chips, codes and links (terminal/default.toml has each reason)."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from drivers.aes import KEY, LONGEST_INPUT, SHORTEST_INPUT
from drivers.key_file import KeysUnusable, load_keys
from terminal.cards.identification import CardFormat
from terminal.cards.number_formats import NumberFormat
from terminal.cards.rotating_codes import pattern_problem
from terminal.cards.sdm import NumberFrom
from terminal.counter.ladder import Step

UID_LENGTH: Final = 7
"""Bytes of the serial number of every chip that has keys of its own."""

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Length = Annotated[int, msgspec.Meta(ge=1, le=64)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
Address = Annotated[str, msgspec.Meta(max_length=512)]
KeyName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Parameter = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{0,32}$")]
Region = Annotated[
    str, msgspec.Meta(pattern=r"^([A-Z]{2})?$", description="two capitals after ISO 3166-1, like 'FR', or ''")
]
Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2}){0,64}$")]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{64}$")]


class Cards(msgspec.Struct, frozen=True):
    shortest: Length = 4
    longest: Length = 64
    prefixes: tuple[Short, ...] = ()
    formats: tuple[NumberFormat, ...] = ()
    bare_uid: bool = False
    only_original: bool = False
    debounce_ms: Milliseconds = 1000
    notes: bool = False
    keys: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    ladder: tuple[Step, ...] = tuple(step for step in Step if step is not Step.PHONE)
    phone_region: Region = ""

    def card_format(self) -> CardFormat:
        return CardFormat(self.shortest, self.longest, self.prefixes, self.bare_uid, self.formats, self.only_original)


class Sdm(msgspec.Struct, frozen=True):
    address: Address = ""
    meta_key: KeyName = "sdm-meta"
    file_key: KeyName = "sdm-file"
    diversification: Hex = ""
    picc: Parameter = "picc_data"
    file: Parameter = ""
    mac: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,32}$")] = "cmac"
    number: NumberFrom = "uid"


class Codes(msgspec.Struct, frozen=True):
    pattern: Annotated[str, msgspec.Meta(max_length=128)] = ""
    key: KeyName = "codes"
    period_s: Annotated[int, msgspec.Meta(ge=5, le=600)] = 30
    digits: Annotated[int, msgspec.Meta(ge=6, le=9)] = 8
    tolerance_s: Annotated[int, msgspec.Meta(ge=0, le=600)] = 60
    issuers: Annotated[tuple[PublicKey, ...], msgspec.Meta(max_length=4)] = ()


class Links(msgspec.Struct, frozen=True):
    hosts: tuple[Short, ...] = ()
    beginnings: tuple[Address, ...] = ()


def card_problems(cards: Cards, sdm: Sdm, codes: Codes, links: Links) -> list[tuple[str, str]]:
    """What is wrong although each key alone is right: its section.key, and the words."""
    found = [
        ("cards.shortest", f"is above cards.longest, {cards.longest}.") if cards.shortest > cards.longest else None,
        ("sdm.address", "must be an address without ? and #.") if set("?#") & set(sdm.address) else None,
        ("sdm.file", "must be named: sdm.number says that the number is there.") if _unnamed_file(sdm) else None,
        ("sdm.diversification", _diversification_problem(sdm.diversification)) if sdm.diversification else None,
        ("codes.pattern", pattern_problem(codes.pattern)) if codes.pattern else None,
        ("links.hosts", "must be host names in small letters, without port.") if _odd(links.hosts) else None,
        ("links.beginnings", "must be https://... each.") if not _addresses(links.beginnings) else None,
        ("cards.keys", key_problem(cards, sdm, codes)),
        ("cards.phone_region", region_problem(cards.phone_region)) if cards.phone_region else None,
    ]
    return [(where, what) for where, what in filter(None, found) if what]


def key_problem(cards: Cards, sdm: Sdm, codes: Codes) -> str | None:
    """What keeps the till from the keys that it needs, None when it has them or needs none."""
    wanted: list[tuple[str, int | None]] = [(sdm.meta_key, KEY), (sdm.file_key, KEY)] if sdm.address else []
    wanted += [(codes.key, None)] if codes.pattern else []
    if not wanted and not cards.keys:
        return None
    if not cards.keys:
        return "must name the file that holds the keys of sdm and codes."
    try:
        keys = load_keys(Path(cards.keys))
        for name, length in wanted:
            keys.get(name, length)
    except KeysUnusable as unusable:
        return str(unusable)
    return None


def region_problem(region: str) -> str | None:
    """Why phone numbers cannot be read as they are written there."""
    from phonenumbers import country_code_for_region

    return None if country_code_for_region(region) else "is no country: two capital letters as in ISO 3166, like FR."


def _unnamed_file(sdm: Sdm) -> bool:
    return sdm.number == "file" and not sdm.file


def _diversification_problem(after_uid: str) -> str | None:
    shortest, longest = SHORTEST_INPUT - UID_LENGTH, LONGEST_INPUT - UID_LENGTH
    return None if shortest <= len(after_uid) // 2 <= longest else f"must be {shortest} to {longest} bytes."


def _odd(hosts: tuple[str, ...]) -> bool:
    return any(host != host.lower() or set("/:@ ") & set(host) for host in hosts)


def _addresses(beginnings: tuple[str, ...]) -> bool:
    return all(one.startswith(("https://", "http://")) and one.count("/") > 2 for one in beginnings)
