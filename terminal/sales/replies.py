"""Answering whoever waits, once: the first word counts, and a caller that has gone is nobody's error."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

from terminal.pos import Refusal

T = TypeVar("T")


def answer(reply: Future[T], value: T) -> None:
    with contextlib.suppress(InvalidStateError):
        reply.set_result(value)


def refuse(reply: Future[T], refusal: Refusal) -> None:
    with contextlib.suppress(InvalidStateError):
        reply.set_exception(refusal)


@contextlib.contextmanager
def refusing(reply: Future[T]) -> Iterator[None]:
    """A Refusal that is raised inside is the answer."""
    try:
        yield
    except Refusal as refusal:
        refuse(reply, refusal)
