"""Texts that change with a number, as each language counts. Pure.

Source: Unicode CLDR, language plural rules, category `one`: in English 1 alone, in French 0 and 1.
"""

from dataclasses import dataclass
from typing import Final

from offline_queue.words import Language, Words

_NEVER_MANY: Final[dict[Language, frozenset[int]]] = {"en": frozenset({1}), "fr": frozenset({0, 1})}


@dataclass(frozen=True)
class Counted:
    """A text for one and a text for many, with the same blanks; `{count}` is the number itself."""

    one: Words
    many: Words

    def of(self, count: int, **values: object) -> Words:
        """A number below zero counts as it would above: `-1 point`."""
        return Words.by(lambda language: self._for(count, language).said(language)).of(count=count, **values)

    def _for(self, count: int, language: Language) -> Words:
        return self.one if abs(count) in _NEVER_MANY[language] else self.many


_POINTS: Final = Counted(one=Words("{count} point", "{count} point"), many=Words("{count} points", "{count} points"))


def in_points(count: int) -> Words:
    """`1 point`, `2 points`; none is `0 points` in English and `0 point` in French."""
    return _POINTS.of(count)


def counted(count: int, one: str) -> str:
    """`1 record`, `2 records`: in English alone, for technicians."""
    return f"{count} {one if abs(count) == 1 else one + 's'}"
