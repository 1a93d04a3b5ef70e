"""Every command's --help is enough to use it, and the manual page is made of the same words."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.man_page import PAGE, commands, page, text
from terminal.cli import SECTIONS, cli
from terminal.commands.help_text import HEADING, own_epilog, told

ROOT = Path(__file__).resolve().parents[2]
EVERY = dict(commands(cli, click.Context(cli, info_name="tilld", **cli.context_settings)))
MANY = pytest.mark.parametrize("path", EVERY)


def test_all_commands_are_found() -> None:
    """Those of the till and of the ledger, in groups and alone."""
    assert {"tilld run", "tilld setup", "tilld queue show", "tilld ledger account", "tilld ledger"} <= EVERY.keys()
    assert {name for names in SECTIONS.values() for name in names} <= {path.split()[1] for path in EVERY}


@MANY
def test_a_command_tells_how_it_is_used_and_how_it_ends(path: str) -> None:
    """What it does, an example, its exit codes, and the files and variables that it depends on."""
    command = EVERY[path].command
    shown = command.get_help(EVERY[path])
    assert command.help, path
    assert "Example" in own_epilog(command), path
    assert shown.count(HEADING) == 1
    assert "the till does not answer" not in shown or not path.startswith("tilld ledger")
    options = {parameter.name for parameter in command.params}
    assert ("Files:" in shown) == bool(options & {"config", "state", "database"}), path
    assert ("Environment:" in shown) == ("Files:" in shown)


@MANY
def test_an_example_is_a_command_that_can_be_given(path: str) -> None:
    """Its names and options are real ones."""
    examples = re.findall(r"tilld [^\n]*", own_epilog(EVERY[path].command))
    assert examples, path
    for line in examples:
        words = shlex.split(re.split(r"  +| \| | > | < | && |   \(", line)[0])[1:]
        group, context = click.Command("none"), click.Context(cli, **cli.context_settings)
        here: click.Command = cli
        while isinstance(here, click.Group) and words and (group := here.get_command(context, words[0])) is not None:
            here, words = group, words[1:]
        assert not isinstance(here, click.Group) or here.invoke_without_command, line
        here.make_parser(click.Context(here, **here.context_settings)).parse_args(words)


def test_the_common_words_come_once() -> None:
    """However often a command is asked for."""
    command = told(told(click.Command("x", epilog="Example:  tilld x")))
    assert (command.epilog or "").count(HEADING) == 1
    assert own_epilog(command) == "Example:  tilld x"


def test_the_manual_page_is_up_to_date() -> None:
    """`make man` after each change of a command."""
    assert PAGE.read_text() == page(), "run: make man"


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_finds_nothing_to_warn_of() -> None:
    """And shows every command."""
    command = ["man", "--warnings=w", "--local-file", str(PAGE)]
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "200"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert done.stderr == ""
    assert [path for path in EVERY if f"{path} " not in done.stdout and f"{path}\n" not in done.stdout] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), min_size=1, max_size=3)
)
def test_any_words_are_shown_as_they_are(words: list[str]) -> None:
    """No text of a command becomes a request to the formatter."""
    assert not any(line.startswith((".", "'")) for line in map(text, words))
    assert all(text(word).isascii() for word in words)


def test_words_are_read_back() -> None:
    """By the formatter itself."""
    words = ".x 'y' \\fBz\\fR \"q\" --state é"
    source = f".TH T 1\n.nf\n{text(words)}\n.fi\n"
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-c"], input=source, capture_output=True, text=True, check=True
    ).stdout
    assert words.replace("'", "") in shown.replace("'", "").replace("’", "").replace("‐", "-")


def test_the_page_and_the_unit_are_installed() -> None:
    """With the distribution, where man(1) and `tilld setup` look for them."""
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    assert files == {"share/man/man1": ["docs/man/tilld.1"], "share/tilld": ["packaging/tilld.service"]}
    assert all((ROOT / name).is_file() for names in files.values() for name in names)
