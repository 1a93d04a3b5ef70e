"""The config on the disk: whole, private, with its predecessor beside it."""

import os
import stat
from pathlib import Path

import pytest

from terminal.setup import file
from terminal.setup.earlier import found
from terminal.setup.file import Owner, difference, owner_of, write

OURS = Owner(os.getuid(), os.getgid())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_config_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It may name a ledger and keys: nobody else reads it. Its folder is made."""
    path = tmp_path / "etc" / "tilld.toml"
    assert write(path, "a = 1\n", OURS) is None
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a = 1\n", 0o600)
    assert names(path.parent) == ["tilld.toml"]


def test_what_was_there_is_kept_each_time(tmp_path: Path) -> None:
    """Under names of its own: no copy is ever overwritten."""
    path = tmp_path / "tilld.toml"
    write(path, "one", OURS)
    assert write(path, "two", OURS) == tmp_path / "tilld.toml.1"
    assert write(path, "three", OURS) == tmp_path / "tilld.toml.2"
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["three", "one", "two"]


def test_the_owner_stays(tmp_path: Path) -> None:
    """A config that its service reads by a group is read by it afterwards; others never may."""
    path = tmp_path / "tilld.toml"
    path.write_text("")
    path.chmod(0o644)
    assert owner_of(path).mode == 0o640
    path.chmod(0o400)
    assert owner_of(path).mode == 0o600
    if os.getuid() == 0:
        os.chown(path, 1234, 1235)
        write(path, "x", owner_of(path))
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


@pytest.mark.parametrize("step", ["_fill", "_backup"])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Ctrl-C or a full disk in the middle: the old file, whole, and nothing beside it."""
    path = tmp_path / "tilld.toml"
    path.write_text("old")
    real = getattr(file, step)

    def interrupted(*arguments: object) -> None:
        real(*arguments) if step == "_fill" else None
        raise KeyboardInterrupt

    monkeypatch.setattr(file, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(path, "new", OURS)
    assert (path.read_text(), names(tmp_path)) == ("old", ["tilld.toml"])


def test_the_difference_shows_and_obeys_nothing() -> None:
    """Lines that come and go; what would command the terminal is written out."""
    shown = difference("a = 1\nb = 2\n", "a = 1\nb = '\x1b[2J'\n", "f")
    assert shown.splitlines() == ["--- f", "+++ f (new)", "@@ -1,2 +1,2 @@", " a = 1", "-b = 2", "+b = '\\x1b[2J'"]
    assert difference("a", "a", "f") == ""


def test_what_was_set_up_before_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A usable config does; a spoiled one is told and left out; without one the language is that of the person."""
    path = tmp_path / "tilld.toml"
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert found(path).draft(tmp_path, boot=True).config.terminal.language == "fr"
    assert found(path).draft(tmp_path, boot=True).config.terminal.state == str(tmp_path)
    path.write_text('[terminal]\nlanguage = "en"\nstate = "/x"\n[[reader]]\nname = "a"\ndriver = "simulated"')
    there = found(path)
    assert [one.name for one in there.readers] == ["a"]
    assert there.draft(tmp_path, boot=False).config.terminal.state == "/x"
    path.write_bytes(b"[terminal\xff")
    assert found(path).problems
    assert found(path).readers == ()
