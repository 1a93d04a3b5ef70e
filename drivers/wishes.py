"""What a shop wants to be read of cards, beyond their text, and the order in which a card is asked for it."""

from typing import NamedTuple

from drivers.apdu import Exchange
from drivers.atr import CardKind
from drivers.base import Technology
from drivers.chips import read_chip, technology_of
from drivers.tags import Content, read_content


class Wishes(NamedTuple):
    """`chip` asks NTAG and Ultralight chips for their model, signature and counter."""

    chip: bool = False


def read_wished(wishes: Wishes, kind: CardKind, uid: str | None, exchange: Exchange, *, again: bool) -> Content:
    """`again` is a further attempt at the same card: then only what is needed is asked for. Raises Damaged."""
    content = read_content(kind, exchange)
    if wishes.chip and uid and not again and kind.storage and kind.technology is Technology.ULTRALIGHT:
        chip = read_chip(uid, exchange)
        return content._replace(technology=technology_of(chip, content.technology), chip=chip)
    return content
