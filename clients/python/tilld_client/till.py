"""The till as a POS uses it: calls are repeated rightly, and a sale has the key that makes it count once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast
from urllib.parse import quote

from tilld_client.attempts import Attempts
from tilld_client.failures import Refused
from tilld_client.line import Line, Place
from tilld_client.listening import everything, next_card
from tilld_client.patience import Patience
from tilld_client.pending import Pending
from tilld_client.shapes import Amount, Answer, CardWish, Event, Outcome, Read, Receipt, Request

KEY_LENGTH: Final = 64
USUAL: Final = Patience()


@dataclass(frozen=True)
class Resumed:
    """What became of a request that was sent before a crash: the till's word on it, or its refusal."""

    key: str
    request: Request
    answer: Answer | Outcome | None
    refused: Refused | None = None


class Till:
    """For one thread, and a context that closes its connection.

    With `pending`, a request is on the disk before it is sent, and `resume` settles what is left. Its sentences
    for people are in `language`, `fr` or `en`, else in the till's own. Every call raises Refused for the till's no, and
    Unanswered when its patience is used up.
    """

    def __init__(self, attempts: Attempts, pending: Pending | None = None) -> None:
        self._attempts, self._pending = attempts, pending

    @classmethod
    def on_socket(
        cls, path: Path, pending: Pending | None = None, patience: Patience = USUAL, *, language: str | None = None
    ) -> "Till":
        """By `tilld.sock` in the till's state folder; the till's own user and root may. Raises ValueError."""
        return cls(Attempts(Line(Place.on_socket(path, language)), patience), pending)

    @classmethod
    def at(
        cls,
        url: str,
        token: str,
        pending: Pending | None = None,
        patience: Patience = USUAL,
        *,
        language: str | None = None,
    ) -> "Till":
        """By HTTP, with the content of `pos.token`. Raises ValueError for plain HTTP to another machine."""
        return cls(Attempts(Line(Place.of_url(url, token, language)), patience), pending)

    def earn(
        self,
        key: str,
        card: CardWish | None = None,
        *,
        points: int | None = None,
        amount: Amount | None = None,
        receipt: Receipt | None = None,
        operator: str | None = None,
    ) -> Answer:
        """Give `amount` and let the till's rule count, or give `points`. Without a card print the answer's `claim`."""
        return self.transact(key, _request("earn", card, points, receipt, operator, amount=amount))

    def redeem(
        self, key: str, card: CardWish, points: int, *, receipt: Receipt | None = None, operator: str | None = None
    ) -> Answer:
        """Hand over the reward only when this has returned."""
        return self.transact(key, _request("redeem", card, points, receipt, operator))

    def reverse(self, key: str, original: str, points: int | None = None, *, operator: str | None = None) -> Answer:
        """All of the transaction with this id, or `points` of it."""
        return self.transact(key, _request("reverse", None, points, None, operator, reverses=original))

    def transact(self, key: str, request: Request) -> Answer:
        """Durable at the till when it returns. After Unanswered it stays pending."""
        if not (0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()):
            raise ValueError(f"{key!r} is no key of 1 to {KEY_LENGTH} printable ASCII characters.")
        if self._pending is not None:
            self._pending.keep(key, request)
        try:
            answer = self.ask("POST", "/v1/transactions", request, {"Idempotency-Key": key}, Answer)
        except Refused:
            self._settle(key)
            raise
        self._settle(key)
        return cast("Answer", answer)

    def resume(self) -> list[Resumed]:
        """After a crash: what became of every request that had no answer. What the till never heard is sent now.

        A redemption whose customer has gone may be among them; reverse it if nothing was handed over.
        """
        return [self._resumed(sent.key, sent.request) for sent in self._pending or ()]

    def _resumed(self, key: str, request: Request) -> Resumed:
        known = self.outcome(key)
        if known is not None:
            self._settle(key)
            return Resumed(key, request, known)
        try:
            return Resumed(key, request, self.transact(key, request))
        except Refused as refused:
            return Resumed(key, request, None, refused)

    def outcome(self, key: str) -> Outcome | None:
        """None: it is not recorded, or not yet. Sent again with the same key it counts once."""
        try:
            known = self.ask("GET", f"/v1/transactions?idempotency_key={quote(key, safe='')}", shape=Outcome)
        except Refused as refused:
            if refused.code == "not_found":
                return None
            raise
        return cast("Outcome", known)

    def read(self, timeout_s: float = 30.0, entry_modes: Sequence[str] = ()) -> Read:
        """Waits for the next card, and for its turn while another POS waits.

        Refused is `no_card` when none came in time, `card_refused` for one that will not do, `aborted`, or `busy`.
        """
        return next_card(self._attempts, timeout_s, entry_modes)

    def end_read(self) -> None:
        """Ends the waiting read; its caller hears `aborted`."""
        self.ask("DELETE", "/v1/reads/current")

    def card(self, number: str) -> dict[str, Any]:
        """Card and account as the till knows them."""
        return cast("dict[str, Any]", self.ask("GET", f"/v1/cards/{quote(number, safe='')}"))

    def status(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.ask("GET", "/v1/status"))

    def events(self, after: str | None = None) -> Iterator[Event]:
        """Everything that happens, without end, over breaks of the line and restarts of the till.

        `reset` means that events are missing here: ask for the status again. `after` is the last id that was seen,
        `first` brings all that the till still remembers.
        """
        return everything(self._attempts, after)

    def ask(self, method: str, target: str, body: Any = None, headers: Any = None, shape: Any = None) -> Any:
        """Any other route of the API, repeated until it is answered."""
        return self._attempts.ask(method, target, body, headers, shape)

    def _settle(self, key: str) -> None:
        if self._pending is not None:
            self._pending.settle(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._attempts.line.close()


def _request(
    kind: str, card: CardWish | None, points: int | None, receipt: Receipt | None, operator: str | None, **more: Any
) -> Request:
    fields = {"kind": kind, "card": card, "points": points, "receipt": receipt, "operator": operator, **more}
    return cast("Request", {name: value for name, value in fields.items() if value is not None})
