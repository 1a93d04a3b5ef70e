"""polkit, which pcscd 2 asks who may use cards; a daemon's user is refused until a rule says otherwise."""

from collections.abc import Iterator
from typing import Final

from terminal.doctor import shipped
from terminal.doctor.account import account_of
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

RULE: Final = Check(
    "polkit.rule",
    "Where pcscd asks polkit, a rule lets the group tilld use cards",
    "sudo install -m 644 udev/polkit-tilld.rules /etc/polkit-1/rules.d/50-tilld.rules; sudo systemctl restart polkit",
    Who.ROOT,
)
MEMBER: Final = Check(
    "polkit.member",
    "The daemon's user is in the group that the rule names",
    "sudo usermod -aG tilld tilld; sudo systemctl restart tilld",
    Who.ROOT,
)
CHECKS: Final = (RULE, MEMBER)

RULES: Final = ("/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d", "/run/polkit-1/rules.d")
ACTION: Final = "org.debian.pcsc-lite.access"
GROUP: Final = "tilld"


def look(patient: Patient) -> Iterator[Finding]:
    if not patient.uses("pcsc"):
        yield RULE.ok("no reader wants pcscd")
        return
    try:
        asks = asks_polkit(patient.machine.said("pcscd", "--version").text)
        account = account_of(patient)
    except OSError as error:
        yield RULE.unknown(str(error))
        return
    if not asks or account.is_root:
        yield RULE.ok("this pcscd does not ask polkit" if not asks else "the daemon runs as root, who is never refused")
        return
    yield rule(patient)
    member = GROUP in account.groups
    evidence = f"{account.name} is in {', '.join(account.groups)}"
    yield MEMBER.ok(evidence) if member else MEMBER.broken(evidence, remedy=_joins(account.name))


def asks_polkit(said: str) -> bool:
    """Pure: by the features that `pcscd --version` names."""
    features = next((line for line in said.splitlines() if line.startswith("Enabled features:")), "")
    return "polkit" in features.split()


def rule(patient: Patient) -> Finding:
    """The folder of the rules is polkitd's alone, so only root can tell that none is there."""
    hidden = False
    for folder in RULES:
        try:
            files = sorted(patient.machine.path(folder).iterdir())
        except FileNotFoundError:
            continue
        except OSError:
            hidden = True
            continue
        for file in files:
            if ACTION in (patient.machine.word(f"{folder}/{file.name}") or ""):
                return RULE.ok(f"{folder}/{file.name}")
    if hidden:
        return RULE.unknown("this user may not look into polkit's rules; ask as root: sudo tilld doctor")
    remedy = f"{shipped.install('polkit-tilld.rules', '/etc/polkit-1/rules.d/50-tilld.rules')}; {_RESTART}"
    return RULE.broken("pcscd asks polkit, and no rule names its actions", remedy=remedy)


_RESTART: Final = "sudo systemctl restart polkit"


def _joins(user: str) -> str:
    return f"sudo usermod -aG {GROUP} {user}; sudo systemctl restart tilld"
