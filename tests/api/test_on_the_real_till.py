"""The API in front of the real daemon, journal and ledger: what the fake till stands for is what the real one does."""

from collections.abc import Iterator

import pytest

from offline_queue.words import LANGUAGES, Language
from terminal.commands import client
from terminal.counter.ladder import Step
from terminal.counter.ladder_words import say
from tests.acceptance.rig import TillProcess, asked, till_with_ledger, tilld
from tests.api.conftest import Api, Reply

CARD = {"number": "2990000000017"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    with till_with_ledger(tmp_path_factory.mktemp("real")) as till:
        yield till


class RealApi(Api):
    """The same client, with the real till's token."""

    def __init__(self, till: TillProcess) -> None:
        super().__init__(f"127.0.0.1:{till.port}", till.state / "tilld.sock")
        self.token = (till.state / "pos.token").read_text().strip()

    def ask(self, method: str, path: str, body: object = None, token: str | None = "", **headers: str) -> Reply:
        return super().ask(method, path, body, self.token if token == "" else token, **headers)


@pytest.fixture
def api(real: TillProcess) -> RealApi:
    return RealApi(real)


def redeemed(api: Api, key: str, points: int) -> Reply:
    """Asked again as it was while the ledger takes longer than a customer waits: a loaded machine is slow."""
    while (reply := api.sale(key, kind="redeem", points=points)).json.get("code") == "offline_limit":
        pass
    return reply


def wait_until_posted(api: Api, entry_id: str) -> None:
    for event in client.watch(api.socket, "first"):
        if event.kind == "transaction" and (event.data["id"], event.data["state"]) == (entry_id, "posted"):
            return
    raise AssertionError("the till stopped before the ledger had posted the entry")


def test_a_day_of_a_pos(api: RealApi) -> None:
    """Earn, again, redeem, too much, reverse, ask: every answer as the document says."""
    earned = api.sale("day-1", points=100)
    again = api.sale("day-1", points=100)
    assert (earned.status, again.status, again.headers["idempotency-replayed"]) == (201, 200, "true")
    assert earned.body == again.body
    assert api.sale("day-1", points=99).json["code"] == "idempotency_key_reused"
    wait_until_posted(api, earned.json["id"])
    assert redeemed(api, "day-2", 30).status == 201
    assert redeemed(api, "day-3", 5000).json["code"] == "insufficient_points"
    reversal = {"kind": "reverse", "reverses": earned.json["id"], "points": 10}
    assert api.ask("POST", "/v1/transactions", reversal, Idempotency_Key="day-4").status == 201
    outcome = api.ask("GET", "/v1/transactions?idempotency_key=day-1").json
    assert outcome == api.ask("GET", f"/v1/transactions/{earned.json['id']}").json
    assert api.ask("GET", "/v1/transactions/unknown").json["code"] == "not_found"


def test_a_claim_code_there_and_back(api: RealApi) -> None:
    """A sale without a card, its code as text and picture, what it says, and the card that gets the points."""
    sale = {"kind": "earn", "points": 30, "receipt": {"number": "4711"}}
    sold = api.ask("POST", "/v1/transactions", sale, Idempotency_Key="claim-1").json
    assert api.ask("GET", f"/v1/transactions/{sold['id']}").json["claim"] == sold["claim"]
    picture = api.ask("GET", f"/v1/transactions/{sold['id']}/claim.svg")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert picture.body.startswith(b"<svg")
    assert b"//" not in picture.body.replace(b"http://www.w3.org/2000/svg", b"")
    told = api.ask("POST", "/v1/claims/verify", {"code": sold["claim"]}).json
    assert (told["points"], told["receipt"], told["proof"], told["claimed"]) == (30, "4711", "proven", None)
    first = api.ask("POST", "/v1/claims", {"code": sold["claim"], "card": CARD})
    again = api.ask("POST", "/v1/claims", {"code": sold["claim"], "card": CARD})
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    wait_until_posted(api, first.json["id"])
    wait_until_posted(api, sold["id"])
    other = {"code": sold["claim"], "card": {"number": "2990000000024"}}
    assert api.ask("POST", "/v1/claims", other).json["code"] == "claimed"
    assert api.ask("POST", "/v1/claims", {"code": "TILLD1:", "card": CARD}).json["code"] == "claim_unreadable"
    redemption = redeemed(api, "claim-2", 1).json
    assert api.ask("GET", f"/v1/transactions/{redemption['id']}/claim.svg").json["code"] == "not_found"


@pytest.mark.parametrize(
    "path", ["/v1/status", "/v1/queue", "/v1/conflicts", "/v1/cards/2990000000017", "/healthz", "/metrics"]
)
def test_the_views_are_as_the_document_says(api: RealApi, path: str) -> None:
    """Held against the schema by the client itself."""
    assert api.ask("GET", path).status == 200


def test_the_journal_is_paged_by_id(api: RealApi) -> None:
    """Each transaction once, whatever stream it is in."""
    for n in range(5):
        assert api.sale(f"page-{n}").status == 201
    everything = [entry["id"] for entry in api.ask("GET", "/v1/queue?limit=1000").json["entries"]]
    seen, after = [], ""
    while after is not None:
        page = api.ask("GET", f"/v1/queue?limit=2{after and '&after=' + after}").json
        seen += [entry["id"] for entry in page["entries"]]
        after = page["next"]
    assert seen == everything
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "card", [{"number": "1" * 10_000}, {"number": ""}, {"number": "4111111111111111"}, {"read_id": "never"}, {}]
)
def test_a_card_that_is_none_is_refused(api: RealApi, card: dict[str, str]) -> None:
    """Too long, empty, a payment card, a read that never was."""
    refused = api.sale("bad-card", card=card)
    assert refused.status == 422
    assert refused.json["code"] in {"card_refused", "invalid"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_read_in_vain_is_told_in_the_callers_language(api: RealApi, language: Language) -> None:
    """What has happened, and each time what the cashier tries next."""
    no = api.ask("POST", "/v1/reads", {"timeout_ms": 1}, Accept_Language=language)
    assert (no.status, no.json["code"]) == (408, "no_card")
    assert no.json["detail"].startswith({"en": "No card came", "fr": "Aucune carte"}[language])
    assert no.json["next"] == [say(Step(no.json["step"]), claims=True).said(language)]


def test_a_first_answer_is_given_again_in_the_language_of_whoever_asks(api: RealApi) -> None:
    """The journal keeps it in both: who redeems a code and who asks again need not read the same."""
    sold = api.ask("POST", "/v1/transactions", {"kind": "earn", "points": 30}, Idempotency_Key="twice-1").json
    claim = {"code": sold["claim"], "card": CARD}
    french = api.ask("POST", "/v1/claims", claim, Accept_Language="fr")
    english = api.ask("POST", "/v1/claims", claim, Accept_Language="en")
    assert (french.status, english.status) == (201, 200)
    assert "une seule fois" in french.json["detail"]
    assert "just once" in english.json["detail"]
    assert {**french.json, "detail": ""} == {**english.json, "detail": ""}


def test_a_card_is_tapped_and_read(real: TillProcess, api: RealApi) -> None:
    """From the command line through the reader's process to the waiting POS."""
    assert tilld("tap", "2990000000031", "--state", real.state).returncode == 0
    event = tilld("watch", "--after", "first", "--count", "1", "--json", "--state", real.state)
    assert event.returncode == 0
    assert "2990000000031" not in event.stdout


def test_the_command_line_finds_the_till(real: TillProcess, api: RealApi) -> None:
    """Through its socket, without a token."""
    api.sale("cli-1")
    assert asked("status", "--state", real.state)["running"] is True
    assert asked("queue", "show", "cli-1", "--state", real.state)["idempotency_key"] == "cli-1"
    assert asked("queue", "verify", "--state", real.state)["ok"] is True
    assert "due" in asked("sync", "--state", real.state)
    lines = tilld("queue", "export", "--state", real.state).stdout.splitlines()
    assert len(lines) >= 3
