"""What a language's own typesetting asks of a text on a page."""

import re
from collections.abc import Callable, Mapping

WORD_JOINER = "\u2060"  # no line ends here
NO_BREAK_SPACE = "\u00a0"
ZERO_WIDTH_SPACE = "\u200b"  # a line may end here
_CODE_OR_FORMULA = re.compile(r"(`[^`]*`|\$[^$]*\$|\]\([^)]*\))")
_NUMBER_AND_MEASURE_WORD = re.compile(r"(?<=[0-9])(?=[\u4e00-\u9fff])|(?<=第)(?=[0-9])")
_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9]) (?=[×±]|(?:[a-zA-Zµ]{1,2}|min)(?![a-zA-Z]))|(?<=[×±]) (?=[0-9])")  # 4.5 × 10⁻⁷, 3 ms
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def _chinese(text: str) -> str:
    """Numbers stay in one line with their unit or measure word, and with the 第 before them; and what is to be bold is."""
    parts = _CODE_OR_FORMULA.split(text)
    parts[::2] = [_NUMBER_AND_UNIT.sub(NO_BREAK_SPACE, _NUMBER_AND_MEASURE_WORD.sub(WORD_JOINER, part)) for part in parts[::2]]
    return _BOLD.sub(_bold, "".join(parts))


def _bold(found: re.Match[str]) -> str:
    """Markdown takes ** between a punctuation mark and a letter for two stars, as nobody would write where words have spaces between."""
    inside = found[1]
    begin, end = ("" if edge.isalnum() else ZERO_WIDTH_SPACE for edge in (inside[0], inside[-1]))
    return f"**{begin}{inside}{end}**"


TYPOGRAPHY: Mapping[str, Callable[[str], str]] = {"zh": _chinese}
