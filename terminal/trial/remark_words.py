"""What a trial's remarks are called before a technician: what was seen, and what to do now. Pure."""

from typing import Final

HEADLINES: Final = {True: "PASS: this reader works.", False: "FAIL: this reader is not proven to work."}
CARD_HEADLINES: Final = {
    True: "What was presented can be used here.",
    False: "Not everything that was presented can be used here.",
    None: "",
}

WORDS: Final[dict[str, tuple[str, str]]] = {
    "not_ready": (
        "The reader is not ready: {trouble}",
        "Mend that first, then repeat the test.",
    ),
    "broke_down": (
        "The reader's process broke down during the test: {restarts} x.",
        "See `journalctl -u tilld` for where; replug the reader, try another cable or port, then repeat the test.",
    ),
    "no_taps": (
        "The reader noticed no card at all.",
        "Present a card that works at another reader. If nothing comes, check plug, cable and `tilld readers`.",
    ),
    "reads_nothing": (
        "The reader noticed what was presented ({taps} x) and could read none of it. {why}",
        "Try another card of the same kind: if that one is read the first card is dead, else the reader is.",
    ),
    "intermittent": (
        "The reader read {good} of {taps} presentations. {why}",
        (
            "Hold the card flat and still and repeat the test. If it stays so with another card, change cable, port or"
            " place of the reader (metal and other readers disturb), then the reader."
        ),
    ),
    "incomplete": (
        "The test ended after {taps} of {wanted} presentations.",
        "Repeat it to the end: fewer taps prove less.",
    ),
    "reads_all": ("The reader read all that was presented: {taps} of {taps}.", ""),
    "slow": (
        "A read takes {ms} ms (median), more than {limit} ms: customers lift their card sooner.",
        (
            "Try another card: if that one is fast this one is worn or asked for too much. Else look at the port's"
            " speed, at a camera's light, and at what `tilld readers` says."
        ),
    ),
    "several_cards": (
        "{cards} different cards were presented.",
        "",
    ),
    "usable": ("The card is one of the programme: it can be used here.", ""),
    "phone_without_pass": (
        "This phone shows a random number: use its QR code.",
        (
            "Open the loyalty pass on the phone and scan its code. Where the shop has Google Wallet or Apple Wallet"
            " passes, set `smart_tap` or `apple_vas` for this reader (docs/readers.md)."
        ),
    ),
    "random_number": (
        "This chip shows another serial number at every tap, so it identifies nobody.",
        "Use the code on the card or in the phone, or key its number.",
    ),
    "bare_serial": (
        "This card carries nothing but its serial number, and this shop does not take that.",
        "Use the code printed on the card. [cards] bare_uid = true takes serial numbers; anybody can copy them.",
    ),
    "no_number": (
        "This card carries no number of the programme.",
        "Use the code printed on the card, or key its number.",
    ),
    "bank_card": (
        "This is a payment card: it was recognised and refused, and nothing of it was kept.",
        "That is as it should be. Test the programme with a loyalty card.",
    ),
    "other_programme": (
        "This card belongs to another programme, or the code is an article's. {why}",
        "If it should be taken, see [cards] prefixes and formats, and [links] hosts, in the config.",
    ),
    "blocked": (
        "This card is blocked at the ledger; the reader reads it well.",
        "See `tilld card show NUMBER`.",
    ),
    "no_proof": (
        "This card or code does not prove that it is genuine now. {why}",
        (
            "Tap the card itself, or open the pass anew. Where all cards do so, check the till's clock and the keys in"
            " [sdm], [codes] and the reader's key file."
        ),
    ),
    "imitation": (
        "The chip is an imitation: it cannot show its maker's signature, and this shop takes only originals.",
        "Use the code printed on the card, and tell who buys the cards.",
    ),
    "phone_pass": (
        "The phone gives no pass now. {why}",
        "Unlock it and open the pass of this shop, then tap again; else scan its QR code.",
    ),
    "set_up": ("This is the scanner's set-up code. {why}", "Scan a loyalty card as well."),
    "refused": ("The card was read and is not taken here. {why}", "Use its printed code, or key its number."),
    "worn": (
        "This card is hard to read (wear {wear} of 100).",
        "Replace the card; test the reader with a fresh one before you blame it.",
    ),
}
"""By code: what is said, and the advice; `{name}` are filled in by terminal/trial/judging.py."""

CARD_OF_REASON: Final = {
    "payment_card": "bank_card",
    "card_blocked": "blocked",
    "imitation": "imitation",
    **dict.fromkeys(("not_authentic", "stale_code", "replayed"), "no_proof"),
    **dict.fromkeys(
        ("foreign_number", "foreign_link", "format", "too_long", "too_short", "check_digit"), "other_programme"
    ),
    **dict.fromkeys(
        ("no_pass", "choose_pass", "phone_locked", "pass_of_another_time", "terminal_not_trusted", "phone_refused"),
        "phone_pass",
    ),
    "unsupported_card": "no_number",
    "setup_code": "set_up",
}
"""What a refusal's reason says of the card; any other is told as it is."""
