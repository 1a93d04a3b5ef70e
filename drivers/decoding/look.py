"""One picture while it is being read: its views, made once and only when wanted, and what was sighted so far."""

from dataclasses import dataclass, field
from functools import cached_property

from drivers.decoding import bars, views
from drivers.decoding.symbol import Gray, Sighting, Wanted


@dataclass
class Look:
    """`sightings` holds everything that any engine has said, certain or not."""

    picture: Gray
    wanted: Wanted
    sightings: list[Sighting] = field(default_factory=list)
    tried: list[Sighting] = field(default_factory=list)
    """Unread QR codes that soft decoding has given up."""

    @cached_property
    def half(self) -> Gray:
        """At half its size."""
        return views.scaled(self.picture, 0.5)

    @cached_property
    def levelled(self) -> Gray:
        """With even light."""
        return views.levelled(self.picture)

    @cached_property
    def strips(self) -> list[bars.Strip]:
        """Where bars stand, likeliest first."""
        return bars.strips(self.picture)
