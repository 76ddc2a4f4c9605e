"""What no page may say in any state: numbers as a program writes them, one of a thing as several, a change that is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

NO_PLURAL = (  # what ends in an s after a 1 all the same
    "is", "was", "has", "does", "loss", "class", "pass", "axis", "bias", "less", "plus", "minus", "times", "lies", "always", "across", "as",
    "this", "its", "means", "gives", "takes", "costs", "stretches",
)  # fmt: skip
PATTERNS: dict[str, re.Pattern[str]] = {
    "a minus zero": re.compile(r"(?<![\w.,)\]}^{\[])[-−]0(?:\.0*)?(?![\d.,]*\d|[\w-])"),
    "a power with an e": re.compile(r"(?<![\w.])\d+(?:\.\d+)?e[+-]?\d+"),
    "inf or nan": re.compile(r"(?<![\w(.])-?(?:inf|nan|Infinity)(?![\w(])"),
    "a power of a power": re.compile(r"\^\s*(?:\{[^{}]*\}|\w)\s*\^"),
    "digits that nobody reads": re.compile(r"(?<![\w.])\d{12,}|\d(?:,\d{3}){4,}|(?<![\w.])\d+\.\d{9,}"),
    "one of a thing as several": re.compile(
        rf"(?<![\w.,−–/-])(?<!= )1 (?!(?:{'|'.join(NO_PLURAL)})\b)(?:(?:hidden|training|test|other|more|real) )?[a-z]+[a-rt-z]s\b"
    ),
    "a change of nothing": re.compile(r"^[+−-]0(?:\.0+)?(?: points| %)?$|(?<![\w.,])0(?:\.0+)? (?:points|away)\b"),
    "an object of Python": re.compile(r"<[\w.]+(?: [\w.<>]+)? at 0x|\btensor\(|\bnp\.float|\barray\(|\bNoneType\b"),
    "a sentence that was not filled in": re.compile(r"(?<![\\\w^_{}])\{[a-z_]+(?::[^{}]*)?\}|\bNone\b(?= [a-z])"),
    "a stop too many": re.compile(r"(?<![.…])\.\.(?![.\w/])|[.,;:][,;:]|[,;:]\.| [.,;](?= |$)"),
}
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
ADDRESS = re.compile(r"\]\([^)\s]*\)|https?://\S+")
ICON = re.compile(r":material/\w+:")


def faults(text: str, typed: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Name of a pattern and where it is in the text, for each that is there; code is a program's own and is left out.

    Args:
        typed: what a visitor has typed, who may write as a program does.
    """
    bare = ICON.sub("", ADDRESS.sub("]", CODE.sub("code", text)))
    for name, pattern in PATTERNS.items():
        found = pattern.search(bare)
        if found and not any(found[0] in text for text in typed):
            yield name, bare[max(0, found.start() - 50) : found.end() + 40]
