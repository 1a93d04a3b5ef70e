"""docs/doctor.md lists every code of the code, and no other."""

import re
from pathlib import Path

from terminal.doctor.findings import GRAVITY, Who
from terminal.doctor.sections import NAMES, every_check

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text()
ROW = re.compile(r"^\| `([a-z]+\.[a-z]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def test_every_code_is_explained_as_the_code_has_it() -> None:
    """What it should be, what mends it, and who can; in the order in which sections are shown."""
    told = ROW.findall(PAGE)
    assert told == [(check.code, check.what, check.remedy.replace("|", "\\|"), check.who) for check in every_check()]


def test_every_section_verdict_and_person_is_named() -> None:
    for word in (*NAMES, *GRAVITY, *Who):
        assert f"`{word}`" in PAGE, word
