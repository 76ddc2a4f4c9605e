"""The catalogues say all that the code says, and as each language writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from scripts.translations import LOCALE, PLACE, faults, fresh, sentences, updated

CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/messages.po"))
FORMULA_OR_CODE = re.compile(r"\$\$.*?\$\$|\$[^$]+\$|```.*?```|`[^`]*`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]*)\)")
HOVERED = re.compile(r"%\{[^{}]*\}")
SYMBOL_OR_SECTION = re.compile(r"^\{mark\} |\d+(?:\.\d+)+ (?=[\u4e00-\u9fff])")  # 4.8.1.3 打破对称性
HAN = r"[\u4e00-\u9fff]"
LATIN = r"(?:[A-Za-z0-9]|%(?!\{))"
MIXED = {  # what no Chinese sentence has -> where it has
    "a half-width mark behind Chinese": rf"(?:{HAN}|[”》）])(?:[,;!?](?![A-Za-z0-9])|:(?![\w-]+\[|\w*/)|\.(?=\s|$|{HAN}))",
    "a half-width mark before Chinese": rf"[,;!?] ?{HAN}",
    "a half-width bracket at Chinese": rf"\([^()]*{HAN}[^()]*\)|{HAN}\([A-Za-z]{{2,}}\)",  # around numbers it is a formula's
    "a space between Chinese and Latin": rf"{HAN} +{LATIN}|{LATIN} +{HAN}",
    "a space at a full-width mark": r" [，。：；？！、）”]|[，。：；？！、（“] ",
    "two marks": r"。。|，，|。，|，。",
}
FULL_STOPS = ("。", "？", "…")

each_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])


def translations(path: Path) -> Iterator[tuple[str, str]]:
    """English, with its plural behind it where it has one -> each translation."""
    with path.open("rb") as file:
        for message in read_po(file):
            if message.id:
                for string in message.string if isinstance(message.string, tuple) else [message.string]:
                    yield (message.id if isinstance(message.id, str) else "\n".join(message.id)), str(string)


def mixed(text: str) -> list[str]:
    """What of a Chinese text is set as another language's."""
    text = HOVERED.sub("x", LINK.sub("]", FORMULA_OR_CODE.sub("x", text)))
    text = re.sub(r":material/\w+: ?|:\w+-badge\[", "", PLACE.sub("x", SYMBOL_OR_SECTION.sub("", text))).replace("**", "")
    return [name for name, pattern in MIXED.items() if re.search(pattern, text)]


@each_catalogue
def test_every_sentence_is_translated_with_all_that_stands_in_it_and_the_file_is_up_to_date(path: Path) -> None:
    catalogue = updated(path, sentences())
    assert list(faults(catalogue)) == []
    assert fresh(path, catalogue)
    assert fresh(path.with_suffix(".mo"), catalogue)


@each_catalogue
def test_formulas_code_and_links_are_those_of_the_english(path: Path) -> None:
    wrong = []
    for english, translation in translations(path):
        singular, *plural = english.split("\n") if "\n" in english and "{n}" in english else [english]
        for pattern in (FORMULA_OR_CODE, LINK):
            has = {text.replace("zh.d2l.ai", "d2l.ai") for text in pattern.findall(translation)}
            if all(has != set(pattern.findall(one)) for one in (singular, *plural)):
                wrong.append((english, translation))
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a half-width mark behind Chinese", "损失,与精度"), ("a half-width mark behind Chinese", "训练结束."),
        ("a half-width mark before Chinese", "{x}, 损失"), ("a half-width bracket at Chinese", "暂退法(dropout)"),
        ("a space between Chinese and Latin", "使用 ReLU"), ("a space between Chinese and Latin", "{n} 个"),
        ("a space between Chinese and Latin", "学习率 $\\eta$"), ("a space at a full-width mark", "损失， 精度"), ("two marks", "结束。。"),
    ],
)  # fmt: skip
def test_what_is_mixed_is_found(name: str, text: str) -> None:
    assert name in mixed(text)


@pytest.mark.parametrize(
    "text",
    [
        "使用ReLU激活函数，学习率$\\eta$为0.1。",
        ":material/lock: 由链接锁定",
        "见[第4章](https://zh.d2l.ai/a_b/c.html)。",
        "**lr**与`a, b`",
        "84.4%的图像",
        "一行\n\n- 另一行",
        "训练 · {name}",
        "{items}, {last}",
    ],
)  # fmt: skip
def test_what_is_not_mixed_is_left_alone(text: str) -> None:
    assert mixed(text) == []


def test_chinese_is_set_as_chinese() -> None:
    said = list(translations(LOCALE / "zh_CN" / "LC_MESSAGES" / "messages.po"))
    assert [(wrong, text) for _english, text in said if (wrong := mixed(text))] == []
    ends = [
        (english, text)
        for english, text in said
        if re.search(HAN, text) and ends_with(english, (".", "?", "…")) != ends_with(text, FULL_STOPS)
    ]
    assert ends == []


def ends_with(text: str, stops: tuple[str, ...]) -> bool:
    return text.rstrip('*_)”"）').endswith(stops)
