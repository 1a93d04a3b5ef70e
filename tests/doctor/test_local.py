"""The shell's own look: which till answers, what another user may see, and how both opinions become one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from offline_queue.config_file import Problem
from terminal.commands.console import Place
from terminal.config import Config
from terminal.doctor import disk, exposure, journal, state_files, till
from terminal.doctor.examination import Examination
from terminal.doctor.findings import Level, Verdict
from terminal.doctor.local import Opinion, answers_at, diagnosis, exit_code, patient_of
from terminal.doctor.patient import Patient
from terminal.doctor.sections import chosen
from tests.acceptance.rig import free_port
from tests.api.conftest import serving
from tests.api.fake_till import FakeTill
from tests.doctor.machines import ToldMachine, only, verdicts
from tests.doctor.servers import portal
from tests.doctor.servers import serving as serving_http

NOBODY = 65534


@contextmanager
def another_user() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_another_user_sees_that_it_may_not_see() -> None:
    """Not that the files are missing or broken, and not that all is well."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        for name in ("journal.db", "pos.token", "technician.token"):
            (state / name).touch(mode=0o600)
        (config := state / "tilld.toml").touch(mode=0o600)
        patient = Patient(state, config_file=config, problems=(Problem(str(config), "cannot be read"),))
        with another_user():
            found = [*journal.look(patient), *state_files.look(patient), exposure.tokens(patient)]
            found += [disk.room_in(state), till.config(patient)]
            deeper = next(state_files.look(Patient(state / "state")))
    told = verdicts(found)
    assert (told["journal.readable"], told["state.files"], told["api.tokens"]) == (Verdict.UNKNOWN,) * 3
    assert (told["disk.room"], told["till.config"]) == (Verdict.UNKNOWN,) * 2
    assert "sudo tilld doctor" in only(found, "journal.readable").evidence
    assert deeper.verdict is Verdict.UNKNOWN


def test_a_till_whose_socket_is_not_for_this_user() -> None:
    """It runs; the section says what to do to see more."""
    found = till.running(Patient(Path("/s"), running=True, silence="Permission denied"))
    assert (found.verdict, "sudo tilld doctor" in found.evidence) == (Verdict.UNKNOWN, True)


def test_whether_a_till_answers_is_asked_without_a_token(tmp_path: Path) -> None:
    """A till does; a closed port, a portal and an address that is none do not."""
    fake = FakeTill()
    fake.start()
    with serving(fake, tmp_path) as api:
        assert answers_at(api.address)
    fake.stop()
    assert not answers_at(f"127.0.0.1:{free_port()}")
    with serving_http(portal) as url:
        assert not answers_at(url.removeprefix("http://"))
    assert not answers_at("0.0.0.0:80")


def test_a_till_that_cannot_be_examined_is_looked_at_from_beside(tmp_path: Path) -> None:
    """An API without a doctor (an older version): the shell's findings stand alone, each section whole."""
    fake = FakeTill()
    fake.start()
    with serving(fake, tmp_path):
        place = Place(tmp_path, None)
        patient = patient_of(
            place, Level.INTERNAL, ToldMachine(tmp_path / "root", {"/proc/meminfo": "", "/proc/loadavg": ""})
        )
        assert patient.running
        sections = list(Opinion(patient, place.socket, Examination()).sections([*chosen("machine"), *chosen("api")]))
    fake.stop()
    assert [section.name for section in sections] == ["machine", "api"]
    assert diagnosis(patient, sections).terminal == Config().terminal.id
    assert exit_code(diagnosis(patient, sections)) in {0, 1}


def test_a_section_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(LookupError, match="readers"):
        chosen("kitchen")
