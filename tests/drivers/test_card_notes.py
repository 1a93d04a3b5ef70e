"""Notes on NTAGs and DESFire cards: pulled at every exchange, swapped, locked, foreign, worn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.applications import KeyedFile
from drivers.atr import kind_of
from drivers.base import CardRead, Note, NoteWish, NoteWritten
from drivers.card_notes import Notes, read_note, write_note
from drivers.desfire import Ev1Session, Ev2Session
from drivers.key_file import Keys
from drivers.pcsc_tap import Tap
from drivers.presence import PRESENT, CardTrouble, Connection, Seen, Trouble
from drivers.wishes import Wishes
from tests.virtual.cards import Card, NtagCard, UidCard
from tests.virtual.desfire import DesfireCard, NoteMemory
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched

KEYS = Keys({"notes": bytes(range(16))})
OLD, NEW = b"the older note " * 5, b"the newer note, and longer " * 5


def file(authentication: str = "ev2") -> KeyedFile:
    return KeyedFile("a1b2c3", "notes", file=2, authentication=authentication)  # type: ignore[arg-type]


@dataclass
class Table:
    """A place with one card, which is pulled at its exchange number `at`: `torn` makes of a page what is left of it.

    `next_card` takes its place then, and with `silent` without any error.
    """

    card: Card
    at: int = -1
    next_card: Card | None = None
    torn: Callable[[bytes], bytes] | None = None
    silent: bool = False
    asked: list[bytes] = field(default_factory=list)

    @contextmanager
    def card_at(self, _reader: str) -> Iterator[Connection]:
        yield Connection(self._exchange)

    def wait(self, known: object, timeout_s: float) -> list[Seen]:
        return []

    def _exchange(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        if len(self.asked) - 1 != self.at:
            return self.card.answer(apdu)
        if self.torn and isinstance(self.card, NtagCard) and apdu[:2] == b"\xff\xd6":
            before = bytes(self.card.memory[apdu[3] * 4 : apdu[3] * 4 + 4])
            self.card.write(apdu[3], self.torn(apdu[5:])[:4].ljust(4, b"\0") if self.torn(apdu[5:]) else before)
        if self.next_card is not None:
            self.card = self.next_card
            if self.silent:
                return self.card.answer(apdu)
        elif isinstance(self.card, DesfireCard) and self.card.notes:
            self.card.notes.forget()
        raise CardTrouble(Trouble.CARD_GONE, "pulled")


class Place:
    """The port of drivers/presence.py over a Table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.wait = table.wait
        self.card = table.card_at


def noted(card: Card, data: bytes, notes: Notes, table: Table | None = None) -> NoteWritten:
    uid = card.uid.hex()  # type: ignore[attr-defined]
    return write_note(notes, kind_of(card.atr), NoteWish("desk", uid, data), Place(table or Table(card)))


def note_on(card: Card, notes: Notes) -> Note | None:
    return read_note(notes, kind_of(card.atr), card.uid.hex(), card.answer)  # type: ignore[attr-defined]


def ntag(model: int = 215) -> NtagCard:
    return NtagCard.with_notes("2990000000017", model=model)


def desfire(authentication: str = "ev2", mode: int = 3) -> DesfireCard:
    return DesfireCard(key=KEYS.get("notes", 16), notes=NoteMemory(mode=mode))


CARDS: dict[str, tuple[Callable[[], Card], Notes]] = {
    "ntag215": (ntag, Notes()),
    "ntag216": (lambda: ntag(216), Notes()),
    "desfire-ev2": (desfire, Notes(file(), KEYS)),
    "desfire-ev1-plain": (lambda: desfire("ev1", 0), Notes(file("ev1"), KEYS)),
    "desfire-ev1-maced": (lambda: desfire("ev1", 1), Notes(file("ev1"), KEYS)),
}


@pytest.fixture(params=CARDS)
def made(request: pytest.FixtureRequest) -> tuple[Callable[[], Card], Notes]:
    return CARDS[request.param]


def test_a_note_is_written_and_read_and_replaced(made: tuple[Callable[[], Card], Notes]) -> None:
    """Empty at first; then the newest one, also when it is empty again."""
    card, notes = made[0](), made[1]
    assert note_on(card, notes) == Note(note_on(card, notes).room)  # type: ignore[union-attr]
    for data in (OLD, NEW, b"", OLD):
        assert noted(card, data, notes).failure is None
        found = note_on(card, notes)
        assert found is not None
        assert found.data == data


def test_a_pull_at_any_exchange_leaves_the_older_or_the_newer_note(made: tuple[Callable[[], Card], Notes]) -> None:
    """Each exchange of the write, whether the card had taken that page or not; nothing but the note's place changes."""
    card, notes = made[0](), made[1]
    assert noted(card, OLD, notes).failure is None
    whole = Table(card)
    noted(card, NEW, notes, whole)
    for at in range(len(whole.asked)):
        for torn in (None, lambda page: page, lambda page: page[:1], lambda page: page[:3], lambda _: b"\xa5" * 4):
            pulled = made[0]()
            noted(pulled, OLD, notes)
            told = noted(pulled, NEW, notes, Table(pulled, at, torn=torn))
            assert told.failure == "card_gone"
            found = note_on(pulled, notes)
            assert found is not None
            assert found.data in (OLD, NEW)
            assert noted(pulled, b"again", notes).failure is None
            assert note_on(pulled, notes) == Note(found.room, b"again")


def test_a_swapped_card_is_never_written(made: tuple[Callable[[], Card], Notes]) -> None:
    """The other card of the same kind takes its place at any exchange; it stays as it was, byte for byte."""
    card, notes = made[0](), made[1]
    noted(card, OLD, notes)
    whole = Table(card)
    noted(card, NEW, notes, whole)
    for at in range(len(whole.asked)):
        first, other = made[0](), made[0]()
        other.uid = bytes.fromhex("04ffeeddccbbaa")  # type: ignore[attr-defined]
        noted(first, OLD, notes)
        before = _memory(other)
        assert noted(first, NEW, notes, Table(first, at, other)).failure is not None
        assert _memory(other) == before


def test_a_swap_without_any_error_is_noticed_before_the_next_page(made: tuple[Callable[[], Card], Notes]) -> None:
    """By the serial number that is read before each page and in each session, which no other card can go on with."""
    card, notes = made[0](), made[1]
    noted(card, OLD, notes)
    whole = Table(card)
    noted(card, NEW, notes, whole)
    last = max((at for at, apdu in enumerate(whole.asked) if apdu[:2] == b"\xff\xd6"), default=len(whole.asked))
    for at in range(1, last):
        if whole.asked[at][:2] == b"\xff\xd6":
            continue  # no reader can tell this one; pcscd's first exchange after a swap always fails
        first, other = made[0](), made[0]()
        other.uid = bytes.fromhex("04ffeeddccbbaa")  # type: ignore[attr-defined]
        noted(first, OLD, notes)
        before = _memory(other)
        assert noted(first, NEW, notes, Table(first, at, other, silent=True)).failure is not None
        assert _memory(other) == before


def test_a_card_that_is_not_the_one_of_the_wish_is_not_written(made: tuple[Callable[[], Card], Notes]) -> None:
    """The customer before has gone, the next one's card lies there."""
    first, other, notes = made[0](), made[0](), made[1]
    other.uid = bytes.fromhex("04ffeeddccbbaa")  # type: ignore[attr-defined]
    before = _memory(other)
    assert noted(first, NEW, notes, Table(other)).failure == "other_card"
    assert _memory(other) == before


def _memory(card: Card) -> bytes:
    if isinstance(card, NtagCard):
        return bytes(card.memory)
    assert isinstance(card, DesfireCard)
    assert card.notes is not None
    return card.notes.content


@pytest.mark.parametrize("model", [215, 216])
def test_what_the_tag_says_for_everybody_is_never_touched(model: int) -> None:
    """Serial number, capability container, NDEF, lock and configuration pages stay as they were."""
    card = ntag(model)
    before = bytes(card.memory)
    room = note_on(card, Notes()).room  # type: ignore[union-attr]
    for data in (b"x" * room, b"", b"y" * room):
        assert noted(card, data, Notes()).failure is None
    user_end = {215: 130, 216: 226}[model] * 4
    assert card.memory[: 34 * 4] == before[: 34 * 4]
    assert card.memory[user_end:] == before[user_end:]
    table = Table(card)
    noted(card, b"z", Notes(), table)
    for at, apdu in enumerate(table.asked):
        if apdu[:2] == b"\xff\xd6":
            assert table.asked[at - 1] == bytes.fromhex("ffca000000")


def test_tags_without_a_free_place_are_left_alone() -> None:
    """Too small, another maker's size, an NDEF message that reaches so far or has no end, somebody else's data."""
    small = NtagCard.with_text("2990000000017")
    lying = NtagCard.with_text("2990000000017")
    lying.memory[14] = 0x3E  # an NTAG213 that calls itself a 215: its lock pages would be hit
    false_end = ntag()
    false_end.memory[130 * 4 + 3] = 0
    long = ntag()
    long.memory[16:18] = bytes([0x03, 130])
    endless = ntag()
    endless.memory[16 : 34 * 4] = bytes(34 * 4 - 16)
    foreign = ntag()
    foreign.memory[129 * 4] = 1
    for card, why in (
        (small, "no_room"),
        (lying, "not_written"),
        (false_end, "no_room"),
        (long, "occupied"),
        (endless, "occupied"),
        (foreign, "occupied"),
    ):
        before = bytes(card.memory)
        assert noted(card, NEW, Notes()).failure == why
        assert bytes(card.memory) == before
    assert noted(ntag(), b"x" * 183, Notes()).failure == "no_room"


def test_a_card_that_does_not_take_a_page_keeps_its_note() -> None:
    """Locked, protected by a password, or worn: the tag says no, or shows something else than was written."""

    class Locked(NtagCard):
        def write(self, page: int, data: bytes) -> None:
            if page > 100:
                data = bytes(4)
            super().write(page, data)

    card = Locked.with_notes("1")
    assert noted(card, OLD, Notes()).failure is None
    assert noted(card, NEW, Notes()).failure == "not_confirmed"
    assert note_on(card, Notes()).data == OLD  # type: ignore[union-attr]


def test_a_page_that_reads_in_two_ways_does_not_cost_the_steady_record() -> None:
    """The slot with weak cells is written anew; the other one is not touched before."""

    class Weak(NtagCard):
        reads = 0

        def answer(self, apdu: bytes) -> bytes:
            answer = super().answer(apdu)
            if apdu[:4] == b"\xff\xb0\x00\x56" and len(answer) == 18:
                self.reads += 1
                return bytes([answer[0] ^ (self.reads & 1)]) + answer[1:]
            return answer

    card = Weak.with_notes("1")
    noted(card, OLD, Notes())
    noted(card, NEW, Notes())
    steady = bytes(card.memory[34 * 4 : 82 * 4])
    table = Table(card)
    noted(card, b"third", Notes(), table)
    assert all(apdu[3] >= 82 for apdu in table.asked if apdu[:2] == b"\xff\xd6")
    assert bytes(card.memory[34 * 4 : 82 * 4]) == steady


def test_files_that_can_be_torn_or_speak_otherwise_are_refused() -> None:
    """A standard data file changes with each write; other communication than the configured cannot be signed."""
    for memory, wanted in (
        (NoteMemory(kind=0), file()),
        (NoteMemory(mode=0), file()),
        (NoteMemory(mode=3), file("ev1")),
        (NoteMemory(content=bytes(8)), file()),
    ):
        card = DesfireCard(key=KEYS.get("notes", 16), notes=memory)
        before = memory.content
        assert noted(card, NEW, Notes(wanted, KEYS)).failure == "no_room"
        assert memory.content == before
    wrong = DesfireCard(key=bytes(16), notes=NoteMemory())
    assert noted(wrong, NEW, Notes(file(), KEYS)).failure == "not_authentic"
    assert note_on(wrong, Notes(file(), KEYS)) is None
    assert noted(UidCard(b"1234567"), NEW, Notes()).failure is not None


def test_a_desfire_without_a_configured_file_has_no_note() -> None:
    """And one that lacks the application neither."""
    assert note_on(desfire(), Notes()) is None
    elsewhere = KeyedFile("a1b2c4", "notes", file=2)
    assert note_on(desfire(), Notes(elsewhere, KEYS)) is None
    assert noted(desfire(), NEW, Notes(elsewhere, KEYS)).failure == "no_room"


def test_writing_in_full_communication_is_that_of_an12196() -> None:
    """Table 21: ten bytes into file 3 of an NTAG 424 DNA."""
    drawn = bytes.fromhex
    session = Ev2Session(
        drawn("7A93D6571E4B180FCA6AC90C9A7488D4"), drawn("FC4AF159B62E549B5812394CAB1918CC"), drawn("7614281A")
    )
    heard: list[str] = []

    def card(apdu: bytes) -> bytes:
        heard.append(apdu.hex())
        return drawn("C26D236E4A7C046D9100")

    session.write(card, 3, 0, drawn("0102030405060708090A"), maced=False)
    assert heard == ["908d00001f030000000a00006b5e6804909962fc4e3ff5522cf0f8436c0c53315b9c73aa00"]


def test_writing_of_ev1_follows_the_published_chain() -> None:
    """The same trace as that of the session itself: two writes after create, list and settings."""
    session = Ev1Session(bytes.fromhex("40E7D271626FFBD49C530E3D304F5B17"))
    written = bytes(range(0x50))
    answers = iter(("765C9DAA50ECB62F", "3E0AED986B8B0F37"))
    for sent, answer in (
        ("CD05001100500000", "A75316AD1596B953"),
        ("6F", "052D5FF67FFEC9D2D3"),
        ("F505", "000011005000002AAC7517024E09DC"),
    ):
        session.sent(bytes.fromhex(sent))
        session.received(bytes.fromhex(answer + "9100"))
    for offset, part in ((0, written[:0x34]), (0x34, written[0x34:])):
        session.write(lambda _: bytes.fromhex(next(answers) + "9100"), 5, offset, part, maced=False)


@given(st.lists(st.tuples(st.integers(16, 539), st.integers(0, 255)), max_size=40))
@settings(max_examples=60)
def test_any_memory_is_read_and_only_the_notes_place_is_written(garbage: list[tuple[int, int]]) -> None:
    """Whatever somebody has written on the card, from its data area to its last byte."""
    card = ntag()
    for at, byte in garbage:
        card.memory[at] = byte
    before = bytes(card.memory)
    found = note_on(card, Notes())
    assert found is None or found.data == b""
    told = noted(card, NEW, Notes())
    changed = [at for at, (one, other) in enumerate(zip(before, card.memory, strict=True)) if one != other]
    assert all(34 * 4 <= at < 130 * 4 for at in changed)
    assert (note_on(card, Notes()) == Note(182, NEW)) == (told.failure is None)


def test_a_tap_tells_the_note_and_a_second_attempt_does_without() -> None:
    """A card that can hardly be read is read for its number first of all."""
    card = ntag()
    noted(card, NEW, Notes())

    def tapped(wishes: Wishes, at: int = -1) -> CardRead:
        read = Tap(Place(Table(card, at)), Seen("desk", PRESENT, card.atr), wishes).report()
        assert isinstance(read, CardRead)
        return read

    assert tapped(Wishes()).note is None
    assert tapped(Wishes(notes=Notes())).note == Note(182, NEW)
    again = tapped(Wishes(notes=Notes()), at=12)
    assert (again.effort, again.data, again.note) == (2, "2990000000017", None)


@pytest.mark.pcscd
@pytest.mark.parametrize("authentication", ["ev1", "ev2"])
def test_a_desfire_note_by_the_config_of_a_reader(pcscd: VirtualPcscd, tmp_path: Path, authentication: str) -> None:
    """Through the real card service, with the key from its file; pulled before the commit, the older one stands."""
    keys = tmp_path / "card.keys"
    keys.write_text(f'notes = "{bytes(range(16)).hex()}"\n')
    keys.chmod(0o600)
    wanted = {"application": "a1b2c3", "key": "notes", "file": 2, "authentication": authentication}
    card = desfire(authentication, 3 if authentication == "ev2" else 1)
    with Watched(tmp_path, "pcsc", options={"keys": str(keys), "notes": wanted}, notes=True) as reader:
        pcscd.insert(card)
        first = reader.card()
        assert first.note == Note(246)
        assert reader.noted(first, OLD).failure is None
        assert card.notes is not None
        card.notes.leaves_before_commit = True
        assert reader.noted(first, NEW).failure == "card_gone"
        card.notes.leaves_before_commit = False
        pcscd.insert(card)
        assert reader.card().note == Note(246, OLD)
