"""The last days as the API shows them."""

from collections.abc import Iterable

import msgspec

from offline_queue.timepiece import rfc3339
from terminal.history.buckets import Bucket, Reads


class ReadsView(msgspec.Struct, frozen=True):
    """Cards presented at a reader: read, broken off, and unreadable; `success` is the share of the first, 0 to 1."""

    good: int
    failed: int
    unreadable: int
    success: float | None


class Stretch(msgspec.Struct, frozen=True):
    """`start` is RFC 3339 in UTC; `queue` the most entries that waited at once.

    Of the `taken` entries that the ledger took custody of: seconds from the sale on, in the mean and at most.
    """

    start: str
    queue: int
    taken: int
    latency_mean_s: float | None
    latency_most_s: float | None
    readers: dict[str, ReadsView]


class History(msgspec.Struct, frozen=True):
    """Stretches of `step_s` seconds from the last `hours`, the oldest first; none for times without a running till."""

    step_s: int
    hours: int
    now: str
    stretches: list[Stretch]


def history(buckets: Iterable[Bucket], now_s: float, hours: int, step_s: int) -> History:
    return History(step_s, hours, rfc3339(int(now_s * 1000)), [_stretch(bucket) for bucket in buckets])


def _stretch(bucket: Bucket) -> Stretch:
    count, sum_ms, most_ms = bucket.waits.count, bucket.waits.sum_ms, bucket.waits.most_ms
    return Stretch(
        start=rfc3339(bucket.start * 1000),
        queue=bucket.queue,
        taken=count,
        latency_mean_s=round(sum_ms / count / 1000, 3) if count else None,
        latency_most_s=most_ms / 1000 if count else None,
        readers={name: _reads(reads) for name, reads in sorted(bucket.readers.items())},
    )


def _reads(reads: Reads) -> ReadsView:
    tried = reads.good + reads.failed + reads.unreadable
    return ReadsView(reads.good, reads.failed, reads.unreadable, round(reads.good / tried, 4) if tried else None)
