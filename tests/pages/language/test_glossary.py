"""A term is said one way throughout: the Chinese of a sentence has the Chinese of each term in it, as docs/glossary.md gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.translations import LOCALE, PLACE
from tests.pages.language.test_catalogue import FORMULA_OR_CODE, LINK, translations

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"\b\w+(?:\.\w+)+(?:\(\))?|\[\[\w+\]\]|\w+@\w+")  # that stands in a sentence as itself
NO_TERM = re.compile(r"^Step(?= one)|\bmeans nothing\b")  # a verb that looks like one
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def terms() -> dict[str, tuple[str, ...]]:
    """English -> Chinese, the longest first; a word that has other meanings too bears a note in brackets, and is not read."""
    table, _sections = (ROOT / "docs" / "glossary.md").read_text("utf-8").split("\nSections have other numbers", 1)
    rows = {english: tuple(chinese.split(", ")) for english, chinese in ROW.findall(table) if english != "English" and "(" not in english}
    return dict(sorted(rows.items(), key=lambda row: -len(row[0])))


def wrong_terms(english: str, translation: str, table: Mapping[str, Sequence[str]]) -> list[str]:
    """The terms of an English sentence that its translation says otherwise."""
    english, wrong = NO_TERM.sub("_", CODE.sub("_", PLACE.sub("_", LINK.sub("]", FORMULA_OR_CODE.sub("_", english))))), []
    for term, chinese in table.items():
        english, found = re.subn(rf"(?<![\w-]){re.escape(term)}(?:s|es|'s)?(?![\w-])", "_", english, flags=re.IGNORECASE)
        if found and not any(one in translation for one in chinese):
            wrong.append(f"{term}: {' or '.join(chinese)}")
    return wrong


def test_another_word_for_a_term_is_found() -> None:
    table = {"hidden layer": ("隐藏层",), "layer": ("层",), "loss": ("损失",)}
    assert wrong_terms("Two hidden layers.", "两个隐层。", table) == ["hidden layer: 隐藏层"]
    assert wrong_terms("Two hidden layers, no lossless one: `loss`.", "两个隐藏层。", table) == []


def test_every_term_is_said_one_way() -> None:
    table = terms()
    assert len(table) > 60
    said = translations(LOCALE / "zh_CN" / "LC_MESSAGES" / "messages.po")
    assert [(wrong, english, text) for english, text in said if text and (wrong := wrong_terms(english, text, table))] == []
