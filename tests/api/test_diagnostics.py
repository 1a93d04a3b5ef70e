"""The till examined over its API: by whom, how far, and in the documented shape."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.timepiece import SystemTimepiece
from terminal.api.callers import PAGE_COOKIE
from terminal.api.desk import Desk
from terminal.api.server import ApiServer
from terminal.config import Config
from terminal.doctor.resident import Resident
from terminal.doctor.sections import NAMES
from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import FakeTill


@pytest.fixture
def examined(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    desk = Desk(till.inbox.offer, till.notices, TOKENS, "127.0.0.1:0", "S001-T01", "0.1.0")
    doctor = Resident(Config(), tmp_path, 2, SystemTimepiece())
    server = ApiServer(dataclasses.replace(desk, doctor=doctor), tmp_path / "tilld.sock")
    server.start()
    yield Api(server.address, tmp_path / "tilld.sock")
    server.stop()


def test_every_section_answers_and_the_end_is_marked(examined: Api) -> None:
    """In their order; the last key says that nothing is missing; the schema is checked by the client."""
    reply = examined.ask("GET", "/v1/diagnostics", token=TOKENS.technician)
    assert [section["name"] for section in reply.json["sections"]] == list(NAMES)
    assert list(json.loads(reply.body))[-1] == "complete"
    assert reply.json["complete"] is True


def test_one_section_can_be_asked_for(examined: Api) -> None:
    """So that a program can show progress; another name is refused with those there are."""
    one = examined.ask("GET", "/v1/diagnostics?section=readers", token=TOKENS.technician).json
    assert [section["name"] for section in one["sections"]] == ["readers"]
    assert one["sections"][0]["findings"][0]["subject"] == "counter"
    refused = examined.ask("GET", "/v1/diagnostics?section=kitchen", token=TOKENS.technician)
    assert (refused.status, refused.json["code"]) == (422, "invalid")
    assert "readers" in refused.json["detail"]


@pytest.mark.parametrize("level", ["interactive", "deep", ""])
def test_levels_that_need_a_person_are_not_for_the_api(examined: Api, level: str) -> None:
    """Nobody waits at the till while a program asks."""
    assert examined.ask("GET", f"/v1/diagnostics?level={level}", token=TOKENS.technician).status == 422


def test_who_may_ask_what(examined: Api) -> None:
    """The page sees what is known; hardware and network are tried for the technician alone."""
    page = examined.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]
    assert page.startswith(PAGE_COOKIE)
    assert examined.ask("GET", "/v1/diagnostics", token=None, Cookie=page).status == 200
    assert examined.ask("GET", "/v1/diagnostics?level=external", token=None, Cookie=page).status == 401
    assert examined.ask("GET", "/v1/diagnostics?level=external").status == 401
    assert examined.ask("GET", "/v1/diagnostics", token=None).status == 401


def test_an_api_without_a_doctor_says_so(till: FakeTill, tmp_path: Path) -> None:
    """Not an examination without findings, which would look like health."""
    with serving(till, tmp_path) as api:
        assert api.ask("GET", "/v1/diagnostics", token=TOKENS.technician).status == 503
