"""A driver in the test's own process: everything it says, waited for instead of slept for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drivers.base import CardRead, CardUnreadable, Condition, Reader, ReaderState, Report

PATIENCE_S = 60.0


@contextmanager
def opened(reader: Reader) -> Iterator[Reader]:
    reader.open()
    try:
        yield reader
    finally:
        reader.close()


def until(reader: Reader, wanted: Callable[[Report], bool]) -> Report:
    """The first report that is wanted; those before it are passed over."""
    passed: list[Report] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        report = reader.read(0.2)
        if report is not None and wanted(report):
            return report
        passed += [report] if report is not None else []
    raise AssertionError(f"not said within {PATIENCE_S} s; said: {passed}")


def state(reader: Reader, wanted: ReaderState) -> Condition:
    report = until(reader, lambda report: isinstance(report, Condition) and report.state is wanted)
    assert isinstance(report, Condition)
    return report


def card(reader: Reader) -> CardRead:
    """The next card; an unreadable one before it is a failure."""
    report = until(reader, lambda report: not isinstance(report, Condition))
    assert isinstance(report, CardRead), report
    return report


def failure(reader: Reader) -> CardUnreadable:
    report = until(reader, lambda report: not isinstance(report, Condition))
    assert isinstance(report, CardUnreadable), report
    return report
