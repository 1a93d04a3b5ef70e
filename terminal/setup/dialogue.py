"""The five questions, asked of a person at any terminal; Enter takes what stands in brackets."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import click
import msgspec

from offline_queue.config_file import plain
from offline_queue.entry import masked
from offline_queue.legible import legible
from terminal.config import Config, Currency, Factor, LedgerAddress, ReaderConfig, Short, TerminalId
from terminal.config_problems import url_problem
from terminal.setup.candidates import Candidate
from terminal.setup.card_numbers import form_of, in_words, refusal
from terminal.setup.draft import Draft, with_programme
from terminal.setup.trials import Word

INTRODUCTION: Final = "Five questions. Enter takes what stands in [brackets]; Ctrl-C leaves everything as it was."


class Trials(NamedTuple):
    """How answers are tried: the readers there may be, one of them opened, the ledger asked."""

    found: Callable[[Iterable[ReaderConfig]], list[Candidate]]
    opened: Callable[[ReaderConfig], Word]
    asked: Callable[[Config], Word]


class Tried(NamedTuple):
    """One answer and what trying it has come to."""

    what: str
    word: Word


def ask(draft: Draft, trials: Trials, configured: Sequence[ReaderConfig]) -> tuple[Draft, list[Tried]]:
    """All five, in order; `configured` are the readers of the config that was there."""
    click.echo(INTRODUCTION)
    config = draft.config
    _title(1, "Readers")
    config, tried = _readers(config, trials, configured)
    _title(2, "Ledger")
    config, word = _ledger(config, trials)
    _title(3, "Programme")
    config, sample = _programme(config, draft.sample)
    _title(4, "Language")
    config = _language(config)
    _title(5, "Start")
    boot = click.confirm("Start the till with the machine?", default=draft.boot)
    return Draft(config, boot, sample), [*tried, Tried(config.ledger.url, word)]


def tried(draft: Draft, trials: Trials) -> list[Tried]:
    """The same without a person: every reader opened, the ledger asked, the sample judged."""
    words = [Tried(one.name, trials.opened(one)) for one in draft.config.readers]
    words.append(Tried(draft.config.ledger.url, trials.asked(draft.config)))
    if draft.sample:
        why = refusal(draft.sample, draft.config.cards.card_format())
        words.append(Tried(f"card {masked(draft.sample)}", Word(why is None, why or "the till takes such numbers")))
    return words


def chosen(text: str, count: int) -> list[int]:
    """Places, counted from 0, of numbers from 1 to `count` with commas or blanks. Raises ValueError."""
    places = {str(number): number - 1 for number in range(1, count + 1)}
    given = text.replace(",", " ").split()
    if not given or not places.keys() >= set(given):
        raise ValueError(f"give numbers from 1 to {count}, like 1,2" if count > 1 else "there is only number 1")
    return sorted({places[one] for one in given})


def _title(number: int, name: str) -> None:
    click.secho(f"\n{number}/5 {name}", bold=True)


def _tell(word: Word) -> None:
    click.secho(f"     {'ok' if word.ok else 'not yet'}: {legible(word.said)}", fg="green" if word.ok else "yellow")
    if word.remedy:
        click.echo(f"     {legible(word.remedy)}")


def _readers(config: Config, trials: Trials, configured: Sequence[ReaderConfig]) -> tuple[Config, list[Tried]]:
    found = trials.found(configured)
    words: dict[int, Word] = {}
    for at, one in enumerate(found):
        click.echo(f"  {at + 1}  {one.reader.name:12}{legible(one.what)}")
        if one.likely:
            _try(at, one, trials, words)
    while True:
        default = ",".join(str(at + 1) for at in _default(found, words))
        places = click.prompt("Which ones (numbers)", default, value_proc=lambda text: _chosen(text, len(found)))
        for at in places:
            if at not in words:
                click.echo(f"  {at + 1}  {found[at].reader.name}")
                _try(at, found[at], trials, words)
        lacking = [found[at].reader.name for at in places if not words[at].ok]
        if not lacking or click.confirm(f"Not ready: {', '.join(lacking)}. Keep all the same?", default=True):
            break
    readers = tuple(found[at].reader for at in places)
    return msgspec.structs.replace(config, readers=readers), [Tried(found[at].reader.name, words[at]) for at in places]


def _try(at: int, one: Candidate, trials: Trials, words: dict[int, Word]) -> None:
    words[at] = trials.opened(one.reader)
    _tell(words[at])


def _default(found: Sequence[Candidate], words: dict[int, Word]) -> list[int]:
    """What is ready; where nothing is, what is read as soon as it is plugged in, and what needs no device."""
    ready = [at for at, word in words.items() if word.ok]
    return ready or [at for at, one in enumerate(found) if one.likely or one.reader.driver == "simulated"]


def _chosen(text: str, count: int) -> list[int]:
    try:
        return chosen(text, count)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def _ledger(config: Config, trials: Trials) -> tuple[Config, Word]:
    """Until it answers, or a person says that it will."""
    while True:
        url = click.prompt("Its address", config.ledger.url, value_proc=_url_of(config.ledger))
        name = click.prompt("This till's name there", config.terminal.id, value_proc=_as(TerminalId))
        config = msgspec.structs.replace(
            config,
            ledger=msgspec.structs.replace(config.ledger, url=url),
            terminal=msgspec.structs.replace(config.terminal, id=name),
        )
        word = trials.asked(config)
        _tell(word)
        if word.ok or click.confirm("The till works without it and goes on asking. Keep this?", default=True):
            return config, word


def _url_of(place: LedgerAddress) -> Callable[[str], str]:
    def read(text: str) -> str:
        if problem := url_problem(text.strip(), plain_http=place.plain_http):
            raise click.BadParameter(legible(problem))
        return text.strip()

    return read


def _as(shape: Any) -> Callable[[str], Any]:
    """What a key of the config takes, by that key's own type."""

    def read(text: str) -> Any:
        try:
            return msgspec.convert(text.strip(), shape, strict=False)
        except msgspec.ValidationError as error:
            raise click.BadParameter(f"{plain(error, shape)}.") from None

    return read


def _programme(config: Config, sample: str) -> tuple[Config, str]:
    before = config.programme
    points = click.prompt("A sale earns so many points", str(before.points), value_proc=_as(Factor))
    per = click.prompt("for each full amount of (100 is 1.00)", str(before.per), value_proc=_as(Factor))
    currency = click.prompt("in the currency", before.currency, value_proc=_as(Currency))
    config = with_programme(config, before, points=points, per=per, currency=currency)
    if config.programme != before:
        click.echo(f"     these points are the rule {config.programme.rule}: head office sets the same at the ledger")
    number = click.prompt("A card number, to try (empty: none)", sample, show_default=bool(sample)).strip()
    return (_with_numbers(config, number) if number else config), number


def _with_numbers(config: Config, number: str) -> Config:
    """Learns the form of the programme's numbers from one where none is set; says what the till makes of it."""
    cards = config.cards
    if not cards.formats and refusal(number, cards.card_format()) is None:
        form = form_of(number)
        click.echo(f"     {in_words(form)}")
        if click.confirm("Take only numbers like this?", default=form.check != "none"):
            beginning = click.prompt(
                "All of them begin with (- for anything)", form.prefix or "-", value_proc=_as(Short)
            )
            form = msgspec.structs.replace(form, prefix="" if beginning == "-" else beginning)
            cards = msgspec.structs.replace(cards, formats=(form,))
    why = refusal(number, cards.card_format())
    _tell(Word(why is None, why or "the till takes this number", "" if why is None else "[cards] in the config"))
    return msgspec.structs.replace(config, cards=cards)


def _language(config: Config) -> Config:
    kind = click.Choice(["en", "fr"])
    language = click.prompt("Words for the cashier", config.terminal.language, type=kind)
    return msgspec.structs.replace(config, terminal=msgspec.structs.replace(config.terminal, language=language))
