"""Why the books did not do what they were asked."""

from offline_queue.wire import (
    Problem,
)


class Refused(Exception):
    """The answer is a problem document; nothing was changed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class BooksUnusable(Exception):
    """These books cannot be opened: `what` is wrong, what it `means` for the points, and the `remedy`."""

    def __init__(self, where: str, what: str, meaning: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}. {meaning} {remedy}")


class NotRecorded(Exception):
    """The books could not be written; nothing of the call was done and it may be repeated."""
