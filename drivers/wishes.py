"""What a shop wants to be read of cards, beyond their text, and the order in which a card is asked for it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from drivers import apple_vas as apple
from drivers import smart_tap as google
from drivers.apdu import Exchange
from drivers.applications import DesfireFile, Iso7816Profile, read_desfire, read_iso7816
from drivers.atr import CardKind
from drivers.base import Chip, EntryMode, Note, Technology
from drivers.card_notes import Notes, read_note
from drivers.chips import read_chip, technology_of
from drivers.desfire import NotHere, Random, read_model
from drivers.key_file import NO_KEYS, Keys
from drivers.passes import NoPass, Reason
from drivers.tags import Content, read_content


class Wishes(NamedTuple):
    """`chip` asks chips for model, signature and counter; applications are tried in the order of the config.

    `notes` are looked for where the shop wants them.
    """

    chip: bool = False
    desfire: tuple[DesfireFile, ...] = ()
    iso7816: tuple[Iso7816Profile, ...] = ()
    keys: Keys = NO_KEYS
    random: Random = os.urandom
    smart_tap: google.Merchant | None = None
    apple_vas: apple.Merchant | None = None
    now_s: Callable[[], float] = time.time
    notes: Notes | None = None


def read_wished(wishes: Wishes, kind: CardKind, uid: str | None, exchange: Exchange, *, again: bool) -> Content:
    """`again` is a further attempt at the same card: then only what is needed is asked for, and no note.

    Raises Damaged, and NotAuthentic for a card that has the application and not its key.
    """
    chip = None if again or not wishes.chip or kind.technology is not Technology.DESFIRE else _model(exchange)
    if not kind.storage:
        for technology, number in _numbers(wishes, kind, uid, exchange):
            return Content(technology, number, chip, _note(wishes, kind, uid, exchange, again=again))
    content = read_content(kind, exchange)
    content = content._replace(note=_note(wishes, kind, uid, exchange, again=again))
    if wishes.chip and uid and not again and kind.storage and kind.technology is Technology.ULTRALIGHT:
        chip = read_chip(uid, exchange)
        return content._replace(technology=technology_of(chip, content.technology), chip=chip)
    return content._replace(chip=chip)


def read_phone(wishes: Wishes, kind: CardKind, uid: str | None, exchange: Exchange, *, again: bool) -> Content:
    """The merchant's pass, of any wallet that is asked for; without one, what the phone emulates as a card.

    Raises NoPass when it carries neither and can say why, and what read_wished raises.
    """
    none: NoPass | None = None
    for read_pass in _wallets(wishes):
        try:
            return Content(Technology.PHONE, read_pass(exchange))
        except NoPass as why:
            none = none if why.reason is Reason.ANOTHER_WALLET else why
    content = read_wished(wishes, kind, uid, exchange, again=again)
    if none and content.text is None:
        raise none
    return content._replace(technology=Technology.PHONE)


def _note(wishes: Wishes, kind: CardKind, uid: str | None, exchange: Exchange, *, again: bool) -> Note | None:
    return None if again or wishes.notes is None else read_note(wishes.notes, kind, uid, exchange)


def _wallets(wishes: Wishes) -> Iterator[Callable[[Exchange], str]]:
    """Those whose passes are wanted; each tells by itself whether it is its phone."""
    collector, pass_type = wishes.smart_tap, wishes.apple_vas
    if collector:
        yield lambda exchange: google.read_pass(collector, exchange, wishes.random)
    if pass_type:
        yield lambda exchange: apple.read_pass(pass_type, exchange, wishes.now_s())


def _numbers(wishes: Wishes, kind: CardKind, uid: str | None, exchange: Exchange) -> Iterator[tuple[Technology, str]]:
    """Of the applications that the card has; one that it has not costs one SELECT."""
    for file in wishes.desfire if kind.entry_mode is EntryMode.CONTACTLESS else ():
        with contextlib.suppress(NotHere):
            yield Technology.DESFIRE, read_desfire(file, wishes.keys, uid, exchange, wishes.random)
    for profile in wishes.iso7816:
        with contextlib.suppress(NotHere):
            yield Technology.ISO7816, read_iso7816(profile, exchange)


def _model(exchange: Exchange) -> Chip | None:
    model = read_model(exchange)
    return None if model is None else Chip(model)
