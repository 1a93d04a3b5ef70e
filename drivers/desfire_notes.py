"""The note of a DESFire card: a backup data file, whose content changes as a whole at CommitTransaction or not at all.

The file has to be made by whoever issues the cards: of the type backup data file, its write right with the configured
key, its communication MACed or plain with `ev1`, full with `ev2`. A standard data file is refused: it can be torn.
"""

from typing import Final, NamedTuple

from drivers import card_record
from drivers.apdu import Exchange
from drivers.applications import KeyedFile, open_desfire
from drivers.base import Note
from drivers.card_record import HEAD, MOST, Record
from drivers.desfire import Random, Session
from drivers.key_file import Keys
from drivers.ndef import Damaged
from drivers.note_words import NotWritten
from drivers.tags import read_uid

STEP: Final = 31
"""Bytes of a file in one command: padded and with a MAC it still fits a frame of 59 (DESFire EV1)."""

_GET_FILE_SETTINGS: Final = 0xF5
_COMMIT: Final = 0xC7
_BACKUP: Final = 0x01
_SETTINGS: Final = 7
"""Type, communication, access rights, size (3 bytes, little-endian): NXP AN12343 section 6.4, all data files alike."""
_MODES: Final = {"ev1": (0x00, 0x01), "ev2": (0x03,)}


class File(NamedTuple):
    """A note file that was opened; `size` in bytes, `maced` when the file wants MACs of what is written."""

    session: Session
    number: int
    size: int
    maced: bool


def read(wanted: KeyedFile, keys: Keys, uid: bytes, exchange: Exchange, random: Random) -> Note | None:
    """None where the file cannot hold notes. Raises NotHere, NotAuthentic, Damaged."""
    file = _opened(wanted, keys, uid, exchange, random)
    if file is None:
        return None
    record = _record(uid, file, exchange)
    return Note(_room(file), record.data if record else b"")


def write(wanted: KeyedFile, keys: Keys, uid: bytes, exchange: Exchange, random: Random, data: bytes) -> None:
    """Returns when the card has committed. Raises NotWritten, NotHere, NotAuthentic, Damaged."""
    file = _opened(wanted, keys, uid, exchange, random)
    if file is None or len(data) > _room(file):
        raise NotWritten("no_room")
    if read_uid(exchange) != uid.hex():  # from here on the session tells another card
        raise NotWritten("other_card")
    before = _record(uid, file, exchange)
    content = card_record.encode(uid, card_record.after(before, data))
    for at in range(0, len(content), STEP):
        file.session.write(exchange, file.number, at, content[at : at + STEP], maced=file.maced)
    file.session.ask(exchange, _COMMIT)


def _opened(wanted: KeyedFile, keys: Keys, uid: bytes, exchange: Exchange, random: Random) -> File | None:
    session = open_desfire(wanted, keys, uid.hex(), exchange, random)
    settings = session.ask(exchange, _GET_FILE_SETTINGS, bytes([wanted.file]))
    if len(settings) < _SETTINGS or settings[0] != _BACKUP or settings[1] not in _MODES[wanted.authentication]:
        return None
    return File(session, wanted.file, int.from_bytes(settings[4:7], "little"), maced=settings[1] == 0x01)


def _room(file: File) -> int:
    """Whole pages are written."""
    return max(0, min(file.size // card_record.PAGE * card_record.PAGE - HEAD, MOST))


def _record(uid: bytes, file: File, exchange: Exchange) -> Record | None:
    if file.size < HEAD:
        return None
    content = file.session.read(exchange, file.number, 0, HEAD)
    size = card_record.extent(content)
    if size > file.size:
        raise Damaged(f"a note of {size} bytes in a file of {file.size}")
    while len(content) < size:
        step = min(STEP, size - len(content))
        content += file.session.read(exchange, file.number, len(content), step)
    return card_record.decode(uid, content)
