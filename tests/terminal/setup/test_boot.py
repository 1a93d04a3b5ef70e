"""Starting with the machine: the commands are right where they can be run, and refused where they could not work."""

import subprocess
from pathlib import Path

import pytest

from terminal.config import SYSTEM_FILE
from terminal.setup import boot
from terminal.setup.boot import UNIT, Facts, Plan, by_hand, facts, may_perform, perform, planned

SHIPPED = Path(boot.__file__).parents[2] / "packaging" / "tilld.service"
HERE = Facts(root=True, systemd=True, user=True, unit=SHIPPED, program="/opt/tilld/.venv/bin/tilld")
STATE = Path("/var/lib/tilld")


def test_the_unit_is_installed_and_started() -> None:
    """In this order; a user is made only where there is none."""
    commands = planned(SYSTEM_FILE, HERE, boot=True).commands
    assert commands[0] == f"chown tilld: {SYSTEM_FILE}"
    assert commands[-3:] == ("systemctl daemon-reload", "systemctl enable tilld", "systemctl restart tilld")
    assert planned(SYSTEM_FILE, HERE._replace(user=False), boot=True).commands[0].startswith("useradd --system ")


@pytest.mark.parametrize(
    ("program", "config", "line"),
    [
        ("/opt/tilld/.venv/bin/tilld", SYSTEM_FILE, "/opt/tilld/.venv/bin/tilld run"),
        ("/opt/t&t|x/tilld", Path("/etc/a b/c.toml"), "'/opt/t&t|x/tilld' run --config '/etc/a b/c.toml'"),
        ("/opt/50%/$x/tilld", SYSTEM_FILE, "'/opt/50%%/$$x/tilld' run"),
    ],
)
def test_the_unit_starts_this_very_tilld(tmp_path: Path, program: str, config: Path, line: str) -> None:
    """By the command as it is shown, run by a real shell; all else of the unit stays."""
    unit = next(one for one in planned(config, HERE._replace(program=program), boot=True).commands if "sed" in one)
    written = tmp_path / "tilld.service"
    assert perform((unit.replace(str(UNIT), str(written)),)) == ""
    before, after = SHIPPED.read_text().splitlines(), written.read_text().splitlines()
    assert [new for old, new in zip(before, after, strict=True) if new != old] in ([f"ExecStart={line}"], [])
    assert f"ExecStart={line}" in after


def test_not_at_boot_is_undone() -> None:
    """A service that runs still reads its new config."""
    assert planned(SYSTEM_FILE, HERE, boot=False) == Plan(())
    running = HERE._replace(known=True, active=True)
    assert planned(SYSTEM_FILE, running, boot=False).commands == ("systemctl disable tilld", "systemctl restart tilld")


def test_what_cannot_work_is_not_tried() -> None:
    """A tilld in somebody's home, which the unit hides; an installation without the unit."""
    hidden = planned(SYSTEM_FILE, HERE._replace(program="/home/anne/tilld/.venv/bin/tilld"), boot=True)
    assert (hidden.commands, "/opt/tilld" in hidden.trouble) == ((), True)
    assert planned(SYSTEM_FILE, HERE._replace(unit=None), boot=True).trouble
    assert planned(SYSTEM_FILE, HERE._replace(systemd=False, unit=None), boot=True) == Plan(())


def test_without_root_the_commands_are_for_a_person() -> None:
    """Each as it is to be typed, redirections under sudo as well."""
    user = HERE._replace(root=False)
    assert not may_perform(user)
    plan = planned(SYSTEM_FILE, user, boot=True)
    typed = by_hand(plan, user, SYSTEM_FILE, STATE, alive=False)
    assert all(line.startswith("sudo ") for line in typed)
    assert [line for line in typed if ">" in line] == [line for line in typed if line.startswith("sudo sh -c ")]
    checked = [subprocess.run(["sh", "-n", "-c", line], check=False).returncode for line in typed]
    assert set(checked) == {0}


def test_without_systemd_the_till_is_started_by_hand() -> None:
    """Where the state and config are not the system's they are named; a till that runs needs nothing."""
    bare = HERE._replace(systemd=False)
    assert by_hand(Plan(()), bare, SYSTEM_FILE, STATE, alive=False) == ("/opt/tilld/.venv/bin/tilld run",)
    (typed,) = by_hand(Plan(()), bare, Path("/a b.toml"), STATE, alive=False)
    assert typed.endswith("run --config '/a b.toml' --state /var/lib/tilld")
    assert by_hand(Plan(()), bare, SYSTEM_FILE, STATE, alive=True) == ()


def test_a_command_that_fails_is_told_and_ends_the_rest(tmp_path: Path) -> None:
    """With its own words."""
    said = perform(("true", "echo no such thing >&2; exit 3", f"touch {tmp_path}/after"))
    assert "no such thing" in said
    assert perform(("exit 3",)) == "`exit 3` failed: exit code 3"
    assert list(tmp_path.iterdir()) == []


def test_the_facts_of_this_machine() -> None:
    """The unit of the source is found, and the program is a path."""
    here = facts()
    assert here.unit is not None
    assert here.unit.read_text() == SHIPPED.read_text()
    assert Path(here.program).is_absolute()
