"""One till, two languages: each caller hears the till's sentences in their own, at the same time."""

import http.client
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offline_queue.conflicts import sentence
from offline_queue.entry import State
from offline_queue.words import LANGUAGES, Language, Words
from terminal.commands import client
from terminal.inbox import InboxFull
from tests.api.conftest import Api, Reply, serving
from tests.api.fake_till import TOO_FEW, FakeTill
from tests.api.test_events import stream

OVERDRAWN = sentence("overdrawn")


def disputed(api: Api, till: FakeTill) -> None:
    api.sale("k-1")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")


def asked_in(api: Api, language: str, method: str = "GET", path: str = "/v1/conflicts", **more: Any) -> Reply:
    return api.ask(method, path, Accept_Language=language, **more)


def test_a_conflict_is_said_in_the_callers_language(api: Api, till: FakeTill) -> None:
    """Shapes and codes stay the same; what was not asked for in a language of ours is in the till's."""
    disputed(api, till)
    french, english = (
        asked_in(api, "fr-FR,fr;q=0.9").json["entries"][0],
        api.ask("GET", "/v1/conflicts").json["entries"][0],
    )
    assert (french["sentence"], english["sentence"]) == (OVERDRAWN.fr, OVERDRAWN.en)
    assert {**french, "sentence": ""} == {**english, "sentence": ""}
    assert asked_in(api, "de").json["entries"][0] == english


def test_the_tills_own_language_stands_in(till: FakeTill, tmp_path: Path) -> None:
    """For a POS that says nothing, and for one that asks for a language which the till does not speak."""
    with serving(till, tmp_path, language="fr") as api:
        disputed(api, till)
        told = [
            reply.json["entries"][0]["sentence"] for reply in (api.ask("GET", "/v1/conflicts"), asked_in(api, "de"))
        ]
        assert told == [OVERDRAWN.fr] * 2
        assert asked_in(api, "en").json["entries"][0]["sentence"] == OVERDRAWN.en


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_said_in_the_callers_language(api: Api, language: Language) -> None:
    """Programs go by the code, which is the same."""
    sale = {"kind": "redeem", "card": {"number": "2990000000017"}, "points": 500}
    no = asked_in(api, language, "POST", "/v1/transactions", body=sale, Idempotency_Key=f"k-{language}")
    assert (no.status, no.json["code"], no.json["detail"]) == (409, "insufficient_points", TOO_FEW.said(language))


@pytest.mark.parametrize("header", ["\xff\xfe", "fr;q=nonsense", ",;,;", "*" * 4000, "fr," * 2000])
def test_a_header_of_garbage_keeps_no_sale_out(api: Api, header: str) -> None:
    """It is about words alone."""
    assert asked_in(api, header).status == 200
    sale = {"kind": "earn", "card": {"number": "2990000000017"}, "points": 5}
    sold = asked_in(api, header, "POST", "/v1/transactions", body=sale, Idempotency_Key="k")
    assert sold.status == 201


def test_two_headers_are_one_list(api: Api, till: FakeTill) -> None:
    """As RFC 9110, section 5.3, has it."""
    disputed(api, till)
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    connection.putrequest("GET", "/v1/conflicts")
    for name, value in (
        ("Authorization", "Bearer pos-secret"),
        ("Accept-Language", "de"),
        ("Accept-Language", "fr;q=0.5"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    told = connection.getresponse().read().decode()
    connection.close()
    assert OVERDRAWN.fr in told


def test_what_is_said_before_the_till_is_asked(till: FakeTill, tmp_path: Path) -> None:
    """A full inbox is told by the guard, in the caller's language too."""

    def full(_: object) -> None:
        raise InboxFull

    till.inbox.offer = full  # type: ignore[method-assign, assignment]
    with serving(till, tmp_path) as api:
        assert "débordée" in asked_in(api, "fr", path="/v1/status").json["detail"]
        assert "not keeping up" in api.ask("GET", "/v1/status").json["detail"]


def test_one_stream_serves_listeners_of_both_languages(api: Api, till: FakeTill) -> None:
    """By header, by query where a client sets no headers, and resumed in another language; ids are the same."""
    told = Words("Hold the card still.", "Ne bougez pas la carte.")
    with ExitStack() as open_:
        french = open_.enter_context(stream(api, Accept_Language="fr"))
        english = open_.enter_context(stream(api, Accept_Language="en"))
        chosen = open_.enter_context(stream(api, Accept_Language="en", path="/v1/events?language=fr"))
        unsaid = open_.enter_context(stream(api))
        till.notices.publish("card_unreadable", {"detail": told, "ladder": [{"say": told}]})
        heard = [next(events) for events in (french, english, chosen, unsaid)]
    assert [event.data["detail"] for event in heard] == [told.fr, told.en, told.fr, told.en]
    assert [event.data["ladder"][0]["say"] for event in heard] == [told.fr, told.en, told.fr, told.en]
    assert len({event.id for event in heard}) == 1
    with stream(api, path="/v1/events?after=first&language=fr") as again:
        assert next(again).data["detail"] == told.fr


def test_a_stream_in_a_language_that_is_none_of_ours_is_refused(api: Api) -> None:
    """A slip in an address is said, where a header of a browser is only a wish."""
    no = api.ask("GET", "/v1/events?language=de")
    assert (no.status, no.json["code"]) == (422, "invalid")


def test_the_command_line_hears_the_tills_language(till: FakeTill, tmp_path: Path) -> None:
    """On the socket nobody asks for one."""
    with serving(till, tmp_path, language="fr") as api:
        events = client.watch(api.socket, "f00d-0")
        till.notices.publish("conflict", {"id": "x", "sentence": OVERDRAWN})
        assert next(events).data["sentence"] == OVERDRAWN.fr
