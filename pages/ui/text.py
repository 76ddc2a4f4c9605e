"""A visitor's own text made harmless."""

import re


def plain(text: object, limit: int = 80) -> str:
    """Text from outside as markdown code, so that no link, picture or formula in it comes to life; without halves of surrogate pairs."""
    shown = re.sub(r"[`\s\ud800-\udfff]+", " ", str(text)).strip()
    return f"`{shown[: limit - 1] + '…' if len(shown) > limit else shown or ' '}`"


def escaped(text: str) -> str:
    """Text as markdown that shows just that text."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$<>:^=&-])", r"\\\1", text)
