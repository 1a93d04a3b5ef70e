"""What a cashier is told, said in every language that tilld speaks. Pure.

Whoever makes a sentence does not know who will read it: a page, a POS and a log may hear of the same event. So it is
made in all languages at once, and one of them is chosen where it is handed over (terminal/wording.py).
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, get_args

Language = Literal["en", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


class Words:
    """One text in every language, with the same blanks for `str.format` in each.

    No Struct and no dataclass: what writes JSON must meet it as a stranger, and so ask which language is wanted.
    """

    __slots__ = ("en", "fr")

    def __init__(self, en: str, fr: str) -> None:
        self.en = en
        self.fr = fr

    @classmethod
    def by(cls, say: Callable[[Language], str]) -> "Words":
        """From what makes the text of one language."""
        return cls(say("en"), say("fr"))

    def said(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en

    def of(self, **values: object) -> "Words":
        """With its blanks filled; a value that is Words itself fills each text in that text's language."""
        return Words.by(lambda language: self.said(language).format(**_said(values, language)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and (self.en, self.fr) == (other.en, other.fr)

    def __hash__(self) -> int:
        return hash((self.en, self.fr))

    def __repr__(self) -> str:
        return f"Words({self.en!r}, {self.fr!r})"


def untranslated(text: str) -> Words:
    """Words for technicians and programmers, which are English everywhere."""
    return Words(text, text)


def in_a_row(parts: Sequence[Words]) -> Words:
    """One text of several sentences."""
    return Words.by(lambda language: " ".join(part.said(language) for part in parts))


def _said(values: dict[str, object], language: Language) -> dict[str, object]:
    return {name: value.said(language) if isinstance(value, Words) else value for name, value in values.items()}
