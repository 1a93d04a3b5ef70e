"""Every `tilld` command line that a page, a remedy or a picture of the docs shows can be given as it stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from terminal.cli import SECTIONS, cli
from terminal.doctor.sections import every_check

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "clients").glob("*/README.md")))
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
END = re.compile(r"  +#| # | \| | > | >> | < | && |;|\\\|")
GIVEN = re.compile(r"(?:^|(?<=[\s(]))(?:sudo )?(?:\.venv/bin/)?tilld (?P<words>[a-z].*)$")


def written(page: str) -> Iterator[str]:
    """Lines of its blocks of code, and what stands between backticks on its lines."""
    for block in FENCE.finditer(page):
        yield from (line for line in block.group().splitlines() if not line.startswith(("20", "{")))
    for span in re.finditer(r"`([^`]+)`", FENCE.sub("", page)):
        yield " ".join(span.group(1).split())
    yield from (line.strip() for line in page.splitlines() if line.startswith("    "))


def given(line: str) -> list[str] | None:
    """The words after `tilld`, None where the line gives no command."""
    command = GIVEN.search(END.split(line.strip())[0])
    return shlex.split(command["words"].rstrip(".,;:")) if command else None


def misgiven(words: list[str]) -> str | None:
    """What is wrong with these words; a command that is only spoken of may lack arguments, and an option its value."""
    here: click.Command = cli
    context = click.Context(cli, info_name="tilld", **cli.context_settings)
    left = [word for word in words if word not in {"...", "…"}]
    while isinstance(here, click.Group) and left and not left[0].startswith("-"):
        found = [here.get_command(context, name) for name in re.split(r"[|,]", left[0])]
        if None in found or found[-1] is None:
            return f"{words}: there is no command {left[0]}"
        here, left = found[-1], left[1:]
        context = click.Context(here, context, **here.context_settings)
    try:
        _, beyond, _ = here.make_parser(context).parse_args(left)
    except click.BadOptionUsage:
        return None
    except click.UsageError as error:
        return f"{words}: {error.format_message()}"
    return f"{words}: {beyond} is too much" if beyond else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_commands_that_can_be_given(page: Path) -> None:
    """Their names and options are real ones."""
    commands = [words for line in written(page.read_text()) if (words := given(line)) is not None]
    assert [why for words in commands if (why := misgiven(words)) is not None] == []


def test_a_remedy_is_a_command_that_can_be_given() -> None:
    """What the doctor prescribes is copied into a shell."""
    remedies = [check.remedy for check in every_check()]
    spans = [part for remedy in remedies for part in re.findall(r"\btilld [^`;()]+", remedy)]
    names = {name for each in SECTIONS.values() for name in each}
    commands = [words for span in spans if (words := given(span)) is not None and words[0] in names]
    assert len(commands) > 5
    assert [why for words in commands if (why := misgiven(words)) is not None] == []


def test_a_wrong_command_would_be_found() -> None:
    """The look at the docs sees more than names."""
    assert misgiven(["queue", "export", "--output", "FILE"]) is None
    assert misgiven(["queue", "export", "FILE"]) is not None
    assert misgiven(["queue", "exprt"]) is not None
    assert misgiven(["status", "--jsn"]) is not None
    assert given("sudo tilld doctor --json | jq .   # look") == ["doctor", "--json"]
