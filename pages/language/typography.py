"""What a language's own typesetting asks of a text on a page."""

import re
from collections.abc import Callable, Mapping

WORD_JOINER = "\u2060"  # no line ends here
_CODE_OR_FORMULA = re.compile(r"(`[^`]*`|\$[^$]*\$|\]\([^)]*\))")
_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9])(?=[\u4e00-\u9fff])|(?<=第)(?=[0-9])")


def _chinese(text: str) -> str:
    """Numbers stay in one line with the measure word behind them and with the 第 before them."""
    parts = _CODE_OR_FORMULA.split(text)
    return "".join(part if place % 2 else _NUMBER_AND_UNIT.sub(WORD_JOINER, part) for place, part in enumerate(parts))


TYPOGRAPHY: Mapping[str, Callable[[str], str]] = {"zh": _chinese}
