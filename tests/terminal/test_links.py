"""Addresses that carry a card number: ours, and everybody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.cards.links import LinkRule, is_link, number_in

GSRN = "411369833821910265"
RULE = LinkRule(frozenset({"id.gs1.org", "id.example.com"}), ("https://l.example/c/",))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"https://id.gs1.org/8018/{GSRN}", GSRN),
        (f"HTTPS://ID.EXAMPLE.COM/8018/{GSRN}", GSRN),
        (f"http://id.example.com/some/where/8018/{GSRN}/8019/7?a=b#c", GSRN),
        ("https://l.example/c/2990000000017", "2990000000017"),
        ("https://l.example/c/2990000000017/?utm=x", "2990000000017"),
    ],
)
def test_our_links_carry_numbers(text: str, number: str) -> None:
    """GS1 Digital Link on a configured host (GS1's own example), and what follows a configured beginning."""
    assert is_link(text)
    assert number_in(RULE, text) == number


@pytest.mark.parametrize(
    "text",
    [
        f"https://id.gs1.org.evil.example/8018/{GSRN}",
        f"https://id.gs1.org@evil.example/8018/{GSRN}",
        f"https://evil@id.gs1.org/8018/{GSRN}",
        f"https://id.gs1.org:8443/8018/{GSRN}",
        f"ftp://id.gs1.org/8018/{GSRN}",
        f"https://dlnkd.tn.gg/8018/{GSRN}",
        "https://id.gs1.org/8018/411369833821910266",
        "https://id.gs1.org/8018/41136983382191026",
        "https://id.gs1.org/01/09520123456788",
        "https://l.example/c/",
        "https://l.example.evil/c/2990000000017",
        "https://[broken/8018/1",
        f"https://id.gs1.org/8018/{GSRN}" + "/x" * 1000,
    ],
)
def test_other_links_carry_none(text: str) -> None:
    """Hosts that only look like ours, an article's link, a wrong check digit, an address without an end."""
    assert is_link(text)
    assert number_in(RULE, text) is None


@given(st.text(max_size=100))
def test_any_text_is_a_link_or_not(text: str) -> None:
    """No crash on what a bar code may hold."""
    for address in (text, f"https://{text}", f"https://id.gs1.org/{text}"):
        is_link(address)
        assert number_in(LinkRule(RULE.hosts), address) is None or "8018" in address
