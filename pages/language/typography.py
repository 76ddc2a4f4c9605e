"""What a language's own typesetting asks of a text on a page."""

import re
from collections.abc import Callable, Mapping

WORD_JOINER = "\u2060"  # no line ends here
NO_BREAK_SPACE = "\u00a0"
ZERO_WIDTH_SPACE = "\u200b"  # a line may end here
_CODE_OR_FORMULA = re.compile(r"(`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\))", re.DOTALL)
_NUMBER_AND_MEASURE_WORD = re.compile(r"(?<=[0-9])(?=[\u4e00-\u9fff])|(?<=第)(?=[0-9])")
_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9]) (?=[×±]|(?:[a-zA-Zµ]{1,2}|min|[kMGT]?FLOP)(?![a-zA-Z]))|(?<=[×±]) (?=[0-9]|$)")  # 4 × 10⁻⁷, 3 ms
_AROUND_A_SIGN = re.compile(r"(?<=\S) (?=[=≤≥≈−+] )|(?<=[^ ][ \u00a0][=≤≥≈−+]) (?=\S)")  # −8 ≤ x ≤ 0
_CLOSING, _OPENING = "，。；：？！、）”》", "（“《"  # no line begins with the first, nor ends with the second
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def _chinese(text: str) -> str:
    """What belongs together stays in one line, and what is to be bold is.

    That is: a number and its unit, its measure word or the 第 before it; the two sides of an equation; a formula and the mark beside it.
    """
    parts = _CODE_OR_FORMULA.split(text)
    parts[::2] = map(_unbroken, parts[::2])
    for place in range(1, len(parts), 2):
        if parts[place].startswith("$"):  # what the browser takes for a picture, which any mark may be parted from
            before, after = parts[place - 1][-1:], parts[place + 1][:1]
            begin, end = before and before in _OPENING + NO_BREAK_SPACE, after and after in _CLOSING
            parts[place] = f"{WORD_JOINER if begin else ''}{parts[place]}{WORD_JOINER if end else ''}"
    return _BOLD.sub(_bold, "".join(parts))


def _unbroken(words: str) -> str:
    if "\\" in words:  # LaTeX, which has no dollars where all of the text is a formula
        return words
    words = _NUMBER_AND_MEASURE_WORD.sub(WORD_JOINER, words)
    return _AROUND_A_SIGN.sub(NO_BREAK_SPACE, _NUMBER_AND_UNIT.sub(NO_BREAK_SPACE, words))


def _bold(found: re.Match[str]) -> str:
    """Markdown takes ** between a punctuation mark and a letter for two stars, as nobody would write where words have spaces between."""
    inside = found[1]
    begin, end = ("" if edge.isalnum() else ZERO_WIDTH_SPACE for edge in (inside[0], inside[-1]))
    return f"**{begin}{inside}{end}**"


TYPOGRAPHY: Mapping[str, Callable[[str], str]] = {"zh": _chinese}
