"""Parameters of a query into values."""

from terminal.api.problems import Refused


def number_from(text: str | None, name: str, least: int, most: int, default: int) -> int:
    """`default` where nothing was sent. Raises Refused for what is no plain number within the bounds."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 5 and least <= int(text) <= most):
        raise Refused("invalid", f"`{name}` is a number from {least} to {most}.")
    return int(text)
