"""A language that nobody speaks: every sentence longer and in brackets, so that what was never said through the catalogue stands out.

As every other language it is a catalogue in a folder, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from babel.messages.catalog import Catalog

from pages.language import catalogs
from scripts.translations import LOCALE, as_mo, sentences

CODE, SHORT = "qps", "qps"  # which ISO 639 leaves to private use
BEGIN, END, LONGER = "⟦", "⟧", "·"
LENGTHENED = 0.4  # as English becomes in German or Finnish
# What may stand outside of the brackets: what is no sentence in any language.
CODE_AND_FORMULAS = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<style.*?</style>|<[^<>]+>|:material/\w+:|:[a-z-]+(?=\[)|\{foreground=\"[^\"]*\"\}"
    r"|\]\([^)\s]*\)|(?:https?://|data:image/)\S+|&\w+;|%\{[^{}]*\}|\b[a-z]+_[a-z_]+\b|\b\w+=\w+",
    re.DOTALL,
)
WORD = re.compile(r"[A-Za-z]{2,}")
NAMES = frozenset((  # of things that have one name everywhere, and units
    "ReLU", "GELU", "Swish", "SiLU", "ELU", "SELU", "PReLU", "pReLU", "Mish", "Adam", "AdamW", "RMSprop", "Adagrad", "AdaGrad",
    "SGD", "MLP", "XOR", "NaN", "He", "Xavier", "Glorot", "Fashion", "MNIST", "PyTorch", "Sequential", "JSON", "CSV", "PNG", "ln",
    "log", "exp", "sin", "softmax", "xy", "max", "float", "bfloat", "int", "tanh", "lr", "std", "ms", "min", "kB", "MB", "GB",
    "GFLOPS", "FLOPs", "cm", "mm", "px",
))  # fmt: skip


def pseudo(text: str) -> str:
    """A sentence of that language."""
    return f"{BEGIN}{text} {LONGER * max(1, round(LENGTHENED * len(text)))}{END}"


def write_catalogue(folder: Path) -> Path:
    """A folder with the app's catalogues and that language's."""
    copytree(LOCALE, folder, dirs_exist_ok=True)
    catalogue = Catalog(locale=None, fuzzy=False)
    for message in sentences():
        catalogue.add(message if len(message) > 1 else message[0], tuple(map(pseudo, message)) if len(message) > 1 else pseudo(message[0]))
    path = folder / CODE / "LC_MESSAGES" / f"{catalogs.DOMAIN}.mo"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_mo(catalogue))
    return folder


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the app find its languages there."""
    monkeypatch.setattr(catalogs, "FOLDER", folder)
    assert SHORT in catalogs.languages()


def unsaid(text: str, names: frozenset[str] = NAMES) -> Iterator[str]:
    """The words of a text that stand outside of the brackets and are no names."""
    outside, depth, kept = CODE_AND_FORMULAS.sub(" ", text), 0, ""
    for letter in outside:
        depth += letter == BEGIN
        if not depth:
            kept += letter
        depth -= letter == END
    yield from (word for word in WORD.findall(kept) if word not in names)
