"""Notes on cards, whatever the card: read in a tap, written while the card lies there. What they say is opaque."""

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from drivers import desfire_notes, ntag_notes
from drivers.apdu import Exchange
from drivers.applications import KeyedFile
from drivers.atr import CardKind
from drivers.base import EntryMode, Note, NoteWish, NoteWritten, Technology
from drivers.desfire import NotAuthentic, NotHere, Random
from drivers.key_file import NO_KEYS, Keys
from drivers.ndef import Damaged
from drivers.note_words import WORDS, NotWritten
from drivers.presence import READERS_OWN, CardPlace, CardTrouble, Trouble
from drivers.tags import read_uid

REASONS: Final = {Trouble.CARD_GONE: "card_gone", Trouble.MUTE: "card_gone"}
"""What a trouble of the card means for its note; every other one: `not_written`."""


class Notes(NamedTuple):
    """Where notes are looked for: on NTAGs always, on DESFire in the configured file."""

    file: KeyedFile | None = None
    keys: Keys = NO_KEYS
    random: Random = os.urandom


def read_note(notes: Notes, kind: CardKind, uid: str | None, exchange: Exchange) -> Note | None:
    """None where the card has no place for one that can be read: a note never keeps a card from being read."""
    if uid is None or kind.entry_mode is not EntryMode.CONTACTLESS:
        return None
    number = bytes.fromhex(uid)
    try:
        if kind.storage:
            return ntag_notes.read(number, exchange) if kind.technology is Technology.ULTRALIGHT else None
        if notes.file is None:
            return None
        return desfire_notes.read(notes.file, notes.keys, number, exchange, notes.random)
    except (Damaged, NotAuthentic, NotHere):
        return None


def write_note(notes: Notes, kind: CardKind, wish: NoteWish, place: CardPlace) -> NoteWritten:
    """One connection, one transaction. Raises CardTrouble when the reader or its service has failed."""
    try:
        with place.card(wish.slot) as card:
            if read_uid(card.exchange) != wish.uid:
                raise NotWritten("other_card")
            _writer(notes, kind)(bytes.fromhex(wish.uid), card.exchange, wish.data)
    except (NotWritten, NotHere, NotAuthentic, Damaged, CardTrouble) as error:
        return not_written(wish, _reason(error))
    return NoteWritten(wish.uid, wish.data)


def not_written(wish: NoteWish, reason: str) -> NoteWritten:
    return NoteWritten(wish.uid, wish.data, reason, WORDS[reason])


def _writer(notes: Notes, kind: CardKind) -> Callable[[bytes, Exchange, bytes], None]:
    if kind.storage:
        return ntag_notes.write
    file = notes.file
    if file is None:
        raise NotWritten("no_room")
    return lambda uid, exchange, data: desfire_notes.write(file, notes.keys, uid, exchange, notes.random, data)


def _reason(error: Exception) -> str:
    match error:
        case NotWritten():
            return error.reason
        case NotHere():
            return "no_room"
        case NotAuthentic():
            return "not_authentic"
        case CardTrouble():
            if error.trouble in READERS_OWN:
                raise error
            return REASONS.get(error.trouble, "not_written")
        case _:
            return "not_written"
