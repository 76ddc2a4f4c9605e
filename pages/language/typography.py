"""What a language's own typesetting asks of a text on a page."""

import re
from collections.abc import Callable, Mapping

WORD_JOINER = "\u2060"  # no line ends here
ZERO_WIDTH_SPACE = "\u200b"  # a line may end here
_CODE_OR_FORMULA = re.compile(r"(`[^`]*`|\$[^$]*\$|\]\([^)]*\))")
_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9])(?=[\u4e00-\u9fff])|(?<=第)(?=[0-9])")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def _chinese(text: str) -> str:
    """Numbers stay in one line with the measure word behind them and with the 第 before them; and what is to be bold is."""
    parts = _CODE_OR_FORMULA.split(text)
    text = "".join(part if place % 2 else _NUMBER_AND_UNIT.sub(WORD_JOINER, part) for place, part in enumerate(parts))
    return _BOLD.sub(_bold, text)


def _bold(found: re.Match[str]) -> str:
    """Markdown takes ** between a punctuation mark and a letter for two stars, as nobody would write where words have spaces between."""
    inside = found[1]
    begin, end = ("" if edge.isalnum() else ZERO_WIDTH_SPACE for edge in (inside[0], inside[-1]))
    return f"**{begin}{inside}{end}**"


TYPOGRAPHY: Mapping[str, Callable[[str], str]] = {"zh": _chinese}
