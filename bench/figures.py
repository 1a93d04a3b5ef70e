"""What every bench computes from its samples."""

from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: float) -> float:
    """The sample that `percent` of all are at or below (nearest rank)."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
