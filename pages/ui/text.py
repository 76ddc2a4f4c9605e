"""A visitor's own text made harmless, and what is said where something of theirs cannot be."""

import re

from mlp_core.bounds import SpecError
from mlp_core.words import Message
from pages.language import _


def plain(text: object, limit: int = 80) -> str:
    """Text from outside as markdown code, so that no link, picture or formula in it comes to life; without halves of surrogate pairs."""
    said = _(text) if isinstance(text, Message) else str(text)
    shown = re.sub(r"[`\s\ud800-\udfff]+", " ", said).strip()
    return f"`{shown[: limit - 1] + '…' if len(shown) > limit else shown or ' '}`"


def escaped(text: str) -> str:
    """Text as markdown that shows just that text."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$<>:^=&-])", r"\\\1", text)


def refused(error: Exception) -> str:
    """Which field, which rule and which value, without a full stop; of other errors what they say, as text."""
    if isinstance(error, SpecError):
        field, value = (_(one) if isinstance(one, Message) else one for one in (error.field, error.value))
        field = str(field).replace("*", r"\*")  # in a field that begins with a sweep's cell may be an expression
        return Message("**{field}** {rule}, got {value}", field=field, rule=error.rule, value=plain(value))
    return plain(_(error), 300)
