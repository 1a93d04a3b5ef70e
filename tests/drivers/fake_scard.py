"""pyscard's `smartcard.scard` with a card of our own behind it, to give answers that no virtual reader gives."""

from types import ModuleType

from tests.virtual.cards import Card

SUCCESS = 0
TIMEOUT = 0x8010000A
REMOVED = 0x80100069


class FakeScard(ModuleType):
    """`fails` maps a function's name to the code that it answers from now on; `contexts` and `handles` are open."""

    SCARD_SCOPE_SYSTEM = 2
    SCARD_SHARE_SHARED = 2
    SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 = 1, 2
    SCARD_LEAVE_CARD, SCARD_UNPOWER_CARD = 0, 2
    SCARD_STATE_UNAWARE, SCARD_STATE_CHANGED, SCARD_STATE_UNKNOWN = 0, 2, 4
    EMPTY, PRESENT = 0x10, 0x20

    def __init__(self, reader: str = "Fake Reader 00 00") -> None:
        super().__init__("smartcard.scard")
        self.reader = reader
        self.fails: dict[str, int] = {}
        self.card: Card | None = None
        self.contexts: set[int] = set()
        self.handles: set[int] = set()
        self._count = 0
        self._handed_out = 0

    def lay(self, card: Card) -> None:
        self.card = card
        self._count += 1

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:  # noqa: N802 - pyscard's name, as all below
        if code := self.fails.get("EstablishContext"):
            return code, 0
        self._handed_out += 1
        self.contexts.add(self._handed_out)
        return SUCCESS, self._handed_out

    def SCardReleaseContext(self, context: int) -> int:  # noqa: N802
        self.contexts.remove(context)
        return SUCCESS

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:  # noqa: N802
        assert context in self.contexts
        return self.fails.get("ListReaders", SUCCESS), [self.reader]

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, timeout_ms: int, states: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        assert context in self.contexts
        if code := self.fails.get("GetStatusChange"):
            return code, []
        now = self._count << 16 | (self.PRESENT if self.card else self.EMPTY)
        atr = list(self.card.atr) if self.card else []
        changed = {
            name: now | self.SCARD_STATE_CHANGED for name, known in states if name == self.reader and known != now
        }
        return SUCCESS if changed else TIMEOUT, [(name, changed.get(name, known), atr) for name, known in states]

    def SCardConnect(self, context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]:  # noqa: N802
        assert context in self.contexts
        if code := self.fails.get("Connect"):
            return code, 0, 0
        self._handed_out += 1
        self.handles.add(self._handed_out)
        return SUCCESS, self._handed_out, self.SCARD_PROTOCOL_T1

    def SCardBeginTransaction(self, handle: int) -> int:  # noqa: N802
        assert handle in self.handles
        return self.fails.get("BeginTransaction", SUCCESS)

    def SCardTransmit(self, handle: int, protocol: int, apdu: list[int]) -> tuple[int, list[int]]:  # noqa: N802
        assert handle in self.handles
        if code := self.fails.get("Transmit"):
            return code, []
        return (SUCCESS, list(self.card.answer(bytes(apdu)))) if self.card else (REMOVED, [])

    def SCardEndTransaction(self, handle: int, disposition: int) -> int:  # noqa: N802
        assert handle in self.handles
        assert disposition in (self.SCARD_LEAVE_CARD, self.SCARD_UNPOWER_CARD)
        return SUCCESS

    def SCardDisconnect(self, handle: int, disposition: int) -> int:  # noqa: N802
        assert disposition == self.SCARD_LEAVE_CARD
        self.handles.remove(handle)
        return SUCCESS
