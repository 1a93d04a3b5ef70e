"""Starting with the machine: which commands that takes here. `facts` looks and `perform` acts; the rest is pure."""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from terminal.config import SYSTEM_FILE
from terminal.setup.file import SERVICE_USER

UNIT: Final = Path("/etc/systemd/system/tilld.service")
RUNNING: Final = Path("/run/systemd/system")
"""There while systemd is what started this machine (sd_booted(3))."""
SEALED: Final = tuple(Path("/", *parts) for parts in (["home"], ["root"], ["run", "user"], ["tmp"], ["var", "tmp"]))
"""What the unit's ProtectHome and PrivateTmp hide from the service (systemd.exec(5))."""


class Facts(NamedTuple):
    """What the plan depends on. `unit` is the file that tilld brings, None where it was left out; `known` and `active`
    what systemd says of the service."""

    root: bool
    systemd: bool
    user: bool
    unit: Path | None
    program: str
    known: bool = False
    active: bool = False


class Plan(NamedTuple):
    """Shell commands, in order; and what keeps them from working here, "" when nothing does."""

    commands: tuple[str, ...]
    trouble: str = ""


def facts() -> Facts:
    systemd = RUNNING.is_dir()
    return Facts(
        root=os.getuid() == 0,
        systemd=systemd,
        user=_has_user(),
        unit=_unit_file(),
        program=_program(),
        known=systemd and _says("is-enabled"),
        active=systemd and _says("is-active"),
    )


def planned(config: Path, facts: Facts, *, boot: bool) -> Plan:
    """What makes the till start, or not start, with the machine, and read its new config now."""
    if not facts.systemd:
        return Plan(())
    if not boot:
        again = ("systemctl restart tilld",) if facts.active else ()
        return Plan((*(("systemctl disable tilld",) if facts.known else ()), *again))
    if facts.unit is None:
        return Plan((), "the unit file was not installed with this tilld: take packaging/tilld.service of its source.")
    if any(map(Path(facts.program).is_relative_to, SEALED)):
        why = f"no service may see {facts.program}. Install tilld in /opt/tilld and run its `tilld setup` again."
        return Plan((), why)
    line = shlex.join([facts.program, "run", *([] if config == SYSTEM_FILE else ["--config", str(config)])])
    rewritten = shlex.quote(f"s|^ExecStart=.*|ExecStart={_for_sed(_for_systemd(line))}|")
    user = f"useradd --system --home-dir /var/lib/tilld --shell /usr/sbin/nologin {SERVICE_USER}"
    return Plan((
        *(() if facts.user else (user,)),
        f"chown {SERVICE_USER}: {shlex.quote(str(config))}",
        f"sed {rewritten} {shlex.quote(str(facts.unit))} > {UNIT}",
        "systemctl daemon-reload",
        "systemctl enable tilld",
        "systemctl restart tilld",
    ))  # fmt: skip


def _for_systemd(line: str) -> str:
    """Its specifiers and variables are written twice to stand for themselves (systemd.service(5), command lines)."""
    return line.replace("%", "%%").replace("$", "$$")


def _for_sed(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("&", "\\&")


def may_perform(facts: Facts) -> bool:
    return facts.root and facts.systemd


def by_hand(plan: Plan, facts: Facts, config: Path, state: Path, *, alive: bool) -> tuple[str, ...]:
    """What a person types where tilld itself may not, or where nothing starts it."""
    if plan.commands and facts.systemd:
        return tuple(command if facts.root else _by_sudo(command) for command in plan.commands)
    named = [] if config == SYSTEM_FILE else ["--config", str(config), "--state", str(state)]
    return () if alive else (shlex.join([facts.program, "run", *named]),)


def _by_sudo(command: str) -> str:
    return f"sudo sh -c {shlex.quote(command)}" if ">" in command else f"sudo {command}"


def perform(commands: tuple[str, ...]) -> str:
    """Runs them one after the other; the first failure in words, "" when all went well."""
    for command in commands:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            said = done.stderr.strip() or f"exit code {done.returncode}"
            return f"`{command}` failed: {said}"
    return ""


def _program() -> str:
    """The console script beside this Python."""
    script = Path(sys.executable).with_name("tilld")
    return str(script if script.exists() else Path(sys.argv[0]).absolute())


def _has_user() -> bool:
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return False
    return True


def _unit_file() -> Path | None:
    """As installed, else of the source that this tilld runs from."""
    places = (Path(sys.prefix) / "share/tilld/tilld.service", Path(__file__).parents[2] / "packaging/tilld.service")
    return next((place for place in places if place.is_file()), None)


def _says(question: str) -> bool:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return False
    done = subprocess.run([systemctl, "--quiet", question, "tilld"], capture_output=True, check=False)  # noqa: S603
    return done.returncode == 0
