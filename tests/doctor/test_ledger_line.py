"""The way to the ledger, broken at each of its steps: the step is named, and nothing behind it is guessed at."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.terminal_key import load_or_create_key
from terminal.config import Config, LedgerAddress
from terminal.doctor import ledger_line
from terminal.doctor.findings import Finding, Level, Verdict, Who
from terminal.doctor.line import Address, Heard
from terminal.doctor.patient import Patient
from tests.doctor.machines import only, verdicts
from tests.doctor.servers import Answer, books, certificate, overloaded, portal, serving, stranger


@pytest.fixture
def state(tmp_path: Path) -> Path:
    load_or_create_key(tmp_path / "terminal.key")
    return tmp_path


def looked(state: Path, url: str, **address: object) -> list[Finding]:
    ledger = LedgerAddress(url=url, **address)  # type: ignore[arg-type]
    return list(ledger_line.look(Patient(state, Config(ledger=ledger), Level.EXTERNAL)))


def test_a_ledger_that_is_well(state: Path) -> None:
    """Name, port, a signed question answered, and clocks that agree."""
    with serving(books) as url:
        found = looked(state, url)
    assert {code for code, verdict in verdicts(found).items() if verdict is not Verdict.OK} == {"ledger.recent"}


def test_the_internal_level_asks_nobody(state: Path) -> None:
    """Nothing listens there, and nothing is said of it."""
    found = list(ledger_line.look(Patient(state, Config(ledger=LedgerAddress(url="http://127.0.0.1:1")))))
    assert set(verdicts(found)) == {"ledger.private", "ledger.recent"}


def test_a_name_that_nobody_knows(state: Path) -> None:
    """A label of 70 characters is none (RFC 1035), so nobody is asked; the remedy asks for this very name."""
    name = f"{'l' * 70}.example.com"
    found = looked(state, f"https://{name}")
    assert f"resolvectl query {name}" in (only(found, "ledger.name").remedy or "")
    assert "ledger.port" not in verdicts(found)


@pytest.mark.parametrize(("days", "code", "verdict"), [(-1, "trust", "broken"), (5, "certificate", "attention")])
def test_a_certificate_that_has_expired_or_soon_will(state: Path, days: float, code: str, verdict: str) -> None:
    """The dates are told although the certificate is not trusted; and nothing was sent to whoever shows it."""
    asked: list[object] = []
    pem = certificate(state, days=days)
    with serving(lambda query: (asked.append(query), books(query))[1], tls=pem) as url:
        found = looked(state, url, ca_file=str(pem))
    assert only(found, f"ledger.{code}").verdict == verdict
    assert only(found, f"ledger.{code}").who is Who.LEDGER_OFFICE
    if days < 0:
        assert "expired" in only(found, "ledger.trust").evidence
        assert only(found, "ledger.certificate").verdict is Verdict.BROKEN
        assert asked == []


def test_a_certificate_of_an_authority_that_nobody_knows(state: Path) -> None:
    """Good for a year, and still nobody's."""
    with serving(books, tls=certificate(state, days=300)) as url:
        found = looked(state, url)
    assert only(found, "ledger.trust").verdict is Verdict.BROKEN
    assert only(found, "ledger.certificate").verdict is Verdict.OK


def test_plain_http_where_tls_is_expected(state: Path) -> None:
    with serving(books) as url:
        found = looked(state, url.replace("http://", "https://"))
    assert "no TLS there" in only(found, "ledger.trust").evidence


@pytest.mark.parametrize(
    ("answer", "code", "verdict"),
    [
        (portal, "answers", "broken"),
        (overloaded, "answers", "attention"),
        (stranger, "signature", "broken"),
    ],
)
def test_what_answers_is_no_ledger_or_does_not_know_us(state: Path, answer: Answer, code: str, verdict: str) -> None:
    """A captive portal, a ledger that is busy, one that has never heard of this till."""
    with serving(answer) as url:
        found = looked(state, url)
    assert only(found, f"ledger.{code}").verdict == verdict


@pytest.mark.parametrize(("minutes", "verdict"), [(0, "ok"), (-10, "attention"), (24 * 60, "broken")])
def test_clocks_that_disagree(state: Path, minutes: int, verdict: str) -> None:
    with serving(books, ahead=timedelta(minutes=minutes)) as url:
        assert only(looked(state, url), "ledger.skew").verdict == verdict


def test_a_till_without_its_key_asks_nothing_signed(tmp_path: Path) -> None:
    """No key is made by looking."""
    with serving(books) as url:
        found = looked(tmp_path, url)
    assert only(found, "ledger.signature").verdict is Verdict.UNKNOWN
    assert list(tmp_path.iterdir()) == []


@given(st.floats(-1e7, 1e7))
def test_the_graver_the_skew_the_graver_the_verdict(seconds: float) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    verdict = ledger_line.skew(Heard(200, "", now, now - timedelta(seconds=seconds))).verdict
    assert (verdict is Verdict.OK) == (abs(seconds) <= ledger_line.SKEW_S)
    assert (verdict is Verdict.BROKEN) == (abs(seconds) > ledger_line.WRONG_S)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8790", Address("127.0.0.1", 8790, False, "")),
        ("https://ledger.example.com/tills/", Address("ledger.example.com", 443, True, "/tills")),
        ("http://[::1]", Address("::1", 80, False, "")),
    ],
)
def test_where_a_ledger_is(url: str, address: Address) -> None:
    """Port and path as its URL means them."""
    assert Address.of(url) == address


def test_a_ledger_on_another_machine_without_tls() -> None:
    """Allowed by `plain_http`, and told all the same."""
    assert ledger_line.private(Address("10.0.0.5", 80, False, "")).verdict is Verdict.ATTENTION
    assert ledger_line.private(Address("127.0.0.1", 80, False, "")).verdict is Verdict.OK
