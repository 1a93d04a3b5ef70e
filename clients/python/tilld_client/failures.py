"""What can go wrong, told apart by what a POS does next."""

from typing import Any


class TillFailure(Exception):
    """Everything that this package raises about the till."""


class Lost(TillFailure):
    """One attempt had no answer of the till: the line broke, time ran out, or somebody else answered."""


class Refused(TillFailure):
    """The till said no, and will say so again: nothing was recorded.

    Go by `code`, and by `reason` where one code has several causes; `detail` is for people. `next` says what the
    cashier tries where a card was not read.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        self.reason: str | None = problem.get("reason")
        self.step: str | None = problem.get("step")
        self.next: tuple[str, ...] = tuple(problem.get("next", ()))
        super().__init__(f"{self.code}: {self.detail}")


class Unanswered(TillFailure):
    """All patience is used up and nobody knows whether it was recorded.

    Send it again with the same key, or ask with `Till.outcome`: it cannot count twice. `last` is why the last attempt
    failed.
    """

    def __init__(self, what: str, last: TillFailure) -> None:
        super().__init__(f"{what} was not answered: it may be recorded or not. Last: {last}")
        self.last = last
