"""What setting up has brought about: the file, the service, the till that runs; and how it is told."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from offline_queue.legible import legible
from terminal.setup import boot, file, running
from terminal.setup.commented import commented
from terminal.setup.dialogue import Tried
from terminal.setup.draft import Draft


class Done(NamedTuple):
    """`todo` are commands for a person, `trouble` what keeps the till from running by the new config."""

    written: bool
    backup: Path | None
    todo: tuple[str, ...]
    running: bool
    trouble: str = ""


def text_of(draft: Draft) -> str:
    """The config as it is to be written."""
    return commented(draft.config, resources.files("terminal").joinpath("default.toml").read_text())


def brought_about(draft: Draft, config: Path, state: Path, new: str, before: str | None) -> Done:
    """Writes what has changed, and makes the till run by it where this user may. Raises OSError."""
    changed = new != before
    backup = file.write(config, new, file.owner_of(config)) if changed else None
    facts = boot.facts()
    plan = boot.planned(config.absolute(), facts, boot=draft.boot)
    if boot.may_perform(facts) and plan.commands:
        failed = boot.perform(plan.commands)
        return Done(changed, backup, (), running.status_of(state) is not None, failed)
    alive, trouble = running.status_of(state) is not None, plan.trouble
    if alive and changed and not facts.active:
        trouble = running.read_again(state, draft.config.terminal.id) or trouble
    return Done(changed, backup, boot.by_hand(plan, facts, config, state, alive=alive), alive, trouble)


def told(draft: Draft, config: Path, tried: Sequence[Tried], done: Done) -> dict[str, Any]:
    """The document of --json."""
    return {
        "ok": not done.trouble and all(one.word.ok for one in tried),
        "config": str(config),
        "written": done.written,
        "backup": str(done.backup) if done.backup else None,
        "terminal": draft.config.terminal.id,
        "readers": [one.name for one in draft.config.readers],
        "ledger": draft.config.ledger.url,
        "boot": draft.boot,
        "tried": [{"what": one.what, **one.word._asdict()} for one in tried],
        "running": done.running,
        "trouble": done.trouble or None,
        "next": list(done.todo),
    }


def words(told: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"\n{told['config']} {'is written' if told['written'] else 'is as it was'}."]
    lines += [f"What was there is {told['backup']}."] if told["backup"] else []
    lines += [_tried_words(one) for one in told["tried"]]
    if told["running"]:
        lines.append("The till runs; `tilld status` tells how it is.")
    lines += [f"Not done: {told['trouble']}"] if told["trouble"] else []
    lines += ["What is left to do:", *(f"  {command}" for command in told["next"])] if told["next"] else []
    return "\n".join(map(legible, "\n".join(lines).split("\n")))


def _tried_words(one: dict[str, Any]) -> str:
    remedy = f" -> {one['remedy']}" if one["remedy"] else ""
    return f"  {one['what']}: {'ok' if one['ok'] else 'not yet'}, {one['said']}{remedy}"
