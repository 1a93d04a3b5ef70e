"""The udev rules: well formed, each device told by name, nobody let in who should not be."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from drivers.usb_readers import MODELS

FOLDER = Path(__file__).parents[2] / "udev"
RULES = sorted(FOLDER.glob("*.rules"))
UDEV_RULES = [path for path in RULES if path.name[0].isdigit()]
TERM = re.compile(r'[A-Z_]+(\{[A-Za-z0-9_]+\})?(==|!=|\+=|:=|=)"[^"]*"\Z')


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("path", UDEV_RULES, ids=lambda path: path.name)
def test_every_rule_is_well_formed(path: Path) -> None:
    """Each term is a key, an operator and a quoted value, and each jump has its label."""
    text = "\n".join(lines(path))
    assert all(TERM.match(term) for line in lines(path) for term in re.split(r",\s*(?=[A-Z])", line))
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))


@pytest.mark.parametrize("path", UDEV_RULES, ids=lambda path: path.name)
def test_no_rule_opens_a_device_to_everybody(path: Path) -> None:
    """A keyboard that every user may read tells every user what is typed."""
    modes = re.findall(r'MODE="(\d+)"', path.read_text())
    assert all(mode.endswith("0") for mode in modes)


def test_each_scanner_is_named_once_and_with_what_it_is() -> None:
    """A technician finds the device that was bought; no VID:PID stands twice."""
    seen: list[str] = []
    before = ""
    for line in (FOLDER / "71-tilld-scanners.rules").read_text().splitlines():
        if found := re.match(r'ATTRS\{idVendor\}=="([0-9a-f]{4})", ATTRS\{idProduct\}=="([0-9a-f|]+)"', line):
            assert re.match(r"# \w.*: \w", before)
            seen += [f"{found[1]}:{product}" for product in found[2].split("|")]
        before = line
    assert len(seen) == len(set(seen)) > 40
    assert all(re.fullmatch("[0-9a-f]{4}:[0-9a-f]{4}", one) for one in seen)


def test_udev_itself_takes_the_rules() -> None:
    """Where the machine has a udev that can check them (254 and later)."""
    if shutil.which("udevadm") is None:
        pytest.skip("needs udevadm (Debian package udev)")
    if "verify" not in subprocess.run(["udevadm", "--help"], capture_output=True, text=True, check=False).stdout:
        pytest.skip("needs a udev that can check rules (254 and later)")
    checked = subprocess.run(["udevadm", "verify", *UDEV_RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nfc_readers_of_ours_are_those_that_the_driver_knows() -> None:
    """The rules give away no other device, and leave out only the reader that is pcscd's."""
    told = set()
    for line in lines(FOLDER / "70-tilld.rules"):
        if found := re.match(r'ATTR\{idVendor\}=="([0-9a-f]{4})", ATTR\{idProduct\}=="([0-9a-f|]+)"', line):
            told |= {(int(found[1], 16), int(product, 16)) for product in found[2].split("|")}
    assert told == set(MODELS) - {(0x072F, 0x2200)}
