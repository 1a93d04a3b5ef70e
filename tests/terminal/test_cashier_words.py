"""Every sentence that a cashier can see, wherever it stands: whole in both languages, with the same blanks."""

import importlib
import importlib.resources
import pkgutil
import string
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec
import pytest

import offline_queue
import terminal
from offline_queue.words import LANGUAGES, Words
from terminal.counter.ladder import Step
from terminal.counter.refusals import WORDS

FEWEST = 150
"""Fewer would mean that the search below has lost some."""


def modules() -> Iterator[ModuleType]:
    for package in (terminal, offline_queue):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def words_in(value: Any) -> Iterator[Words]:
    if isinstance(value, Words):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from words_in(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from words_in(each)
    elif isinstance(value, msgspec.Struct):
        yield from words_in(msgspec.structs.astuple(value))


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.fixture(scope="module")
def told() -> list[tuple[str, Words]]:
    """What stands in the modules, by its place; a table that is imported elsewhere is found again there."""
    return [
        (f"{module.__name__}.{name}", words)
        for module in modules()
        for name, value in vars(module).items()
        for words in words_in(value)
    ]


def test_no_word_is_missing(told: list[tuple[str, Words]]) -> None:
    """Nothing is empty, and nothing is said in English twice."""
    assert len({words for _, words in told}) > FEWEST
    assert [place for place, words in told if not (words.en.strip() and words.fr.strip())] == []
    assert [place for place, words in told if words.en == words.fr] == []


def test_the_blanks_are_the_same(told: list[tuple[str, Words]]) -> None:
    """What is filled in is told in both languages, and nothing else is asked for."""
    assert [place for place, words in told if blanks(words.en) != blanks(words.fr)] == []


def test_sentences_end_alike(told: list[tuple[str, Words]]) -> None:
    """A sentence is one in both languages, and a part of one in both."""
    assert [(place, words) for place, words in told if words.en.endswith(".") != words.fr.endswith(".")] == []


@pytest.mark.parametrize("reason", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_card_says_what_it_means_and_what_to_do(reason: str, language: Any) -> None:
    """What has happened to the points first, then at least one thing to do."""
    detail, *steps = (words.said(language) for words in WORDS[reason])
    assert "point" in detail
    assert steps
    assert all(step[0].isupper() for step in steps)


def test_the_page_names_every_rung_in_both_languages() -> None:
    """The names of the ladder's rungs are the page's own; its sentences come from the till."""
    page = (importlib.resources.files("terminal.web") / "words.js").read_text()
    for name in Step:
        assert page.count(f"{name.value}: ") == len(LANGUAGES)
