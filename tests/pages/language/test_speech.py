"""What is said: in the language of who looks, with all that stands in it, typeset as that language asks."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from mlp_core.words import Message, counted, joined, listed, percent
from pages.language import ENGLISH, Language, _, current, languages, said, spoken, written
from pages.language.typography import NO_BREAK_SPACE, TYPOGRAPHY, WORD_JOINER, ZERO_WIDTH_SPACE
from scripts.translations import as_mo
from tests.support import pseudo

POLISH: dict[str | tuple[str, ...], str | tuple[str, ...]] = {
    "Layers": "Warstwy",
    "{first} beside {second}.": "{second} obok {first}.",
    ("{n} run", "{n} runs"): ("{n} przebieg", "{n} przebiegi", "{n} przebiegów"),
    "{items} and {last_item}": "{items} i {last_item}",
    "{number} %": "{number}%",
    "English": "polski",
}


@pytest.fixture
def polish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Language:
    """A language with three forms of a plural, which comes to be by its catalogue alone."""
    catalogue = Catalog(locale="pl", fuzzy=False)
    for sentence, translation in POLISH.items():
        catalogue.add(sentence, translation)
    path = tmp_path / "pl" / "LC_MESSAGES" / "messages.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(as_mo(catalogue))
    monkeypatch.setattr("pages.language.catalogs.FOLDER", tmp_path)
    return languages()["pl"]


def test_a_catalogue_is_a_language(polish: Language) -> None:
    assert list(languages()) == ["en", "pl"]
    assert polish.name == "polski"
    assert polish.code == "pl"


def test_whole_sentences_are_said_with_all_that_stands_in_them(polish: Language) -> None:
    runs = counted(22, "{n} run", "{n} runs")
    with spoken(polish):
        assert _("{first} beside {second}.", first=Message("Layers"), second=runs) == "22 przebiegi obok Warstwy."
        assert _(listed([Message("Layers"), runs, percent(0.5)], "and")) == "Warstwy, 22 przebiegi i 50.0%"
        assert _(joined("Layers", "Layers")) == "Layers Layers"  # which are texts, and no messages
        assert _(joined(Message("Layers"), Message("Layers"))) == "Warstwy Warstwy"
        assert _(ValueError(Message("Layers"))) == "Warstwy"
        assert said({"x": Message("Layers")})("x") == "Warstwy"
    assert _("{first} beside {second}.", first=Message("Layers"), second=runs) == "Layers beside 22 runs."


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        *[(0, "0 przebiegów"), (1, "1 przebieg"), (2, "2 przebiegi"), (5, "5 przebiegów"), (1001, "1,001 przebiegów")],
        *[(-1, "−1 przebiegi"), (1.6, "2 przebiegi"), (math.inf, "∞ przebiegi"), (math.nan, "NaN przebiegi")],  # which no form is for
    ],
)
def test_a_plural_has_the_forms_that_its_language_has(polish: Language, amount: float, shown: str) -> None:
    with spoken(polish):
        assert _(counted(amount, "{n} run", "{n} runs")) == shown


def test_what_has_no_translation_is_said_in_english(polish: Language) -> None:
    with spoken(polish):
        assert _("No such sentence, {name}.", name="relu") == "No such sentence, relu."


def test_another_thread_speaks_english(polish: Language) -> None:
    heard: list[Language] = []
    with spoken(polish):
        thread = threading.Thread(target=lambda: heard.append(current()))
        thread.start()
        thread.join()
        assert current() is polish
    assert heard == [ENGLISH]
    assert current() is ENGLISH


def test_a_value_without_a_place_is_a_mistake_in_every_language(polish: Language) -> None:
    for language in (ENGLISH, polish):
        with spoken(language), pytest.raises(KeyError):
            _("Layers", number=3)


def test_the_pseudo_language_brackets_and_lengthens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pseudo.use(pseudo.write_catalogue(tmp_path), monkeypatch)
    assert {"en", "zh", pseudo.SHORT} <= set(languages())
    with spoken(languages()[pseudo.SHORT]):
        assert _("Train").startswith(f"{pseudo.BEGIN}Train")
        assert list(pseudo.unsaid(_(listed([Message("Loss"), "ReLU", "unheard"], "and")))) == []
        assert list(pseudo.unsaid("Three of `these` $are$ " + _("Loss"))) == ["Three", "of"]


# In Chinese


def test_a_number_stays_with_its_unit_and_with_what_it_counts() -> None:
    chinese = TYPOGRAPHY["zh"]
    assert chinese("第3章的256个单元") == f"第{WORD_JOINER}3{WORD_JOINER}章的256{WORD_JOINER}个单元"
    assert chinese("4.5 × 10⁻⁷，3 ms，0.84 ± 0.01") == "4.5 × 10⁻⁷，3 ms，0.84 ± 0.01".replace(" ", NO_BREAK_SPACE)
    assert chinese("每张图像407 kFLOP") == f"每张图像407{NO_BREAK_SPACE}kFLOP"
    for text in ("`x = 3个`", "$3个$", "$$\n3个, x = 3\n$$", "c = a \\text{长度为1的轴}", "[a](b?x=3个)", "`3 ms`", "784-256-10 ReLU"):
        assert chinese(text) == text


def test_an_equation_stays_in_one_line_and_a_formula_with_the_mark_beside_it() -> None:
    chinese = TYPOGRAPHY["zh"]
    assert chinese("在−8 ≤ x ≤ 0，") == "在−8 ≤ x ≤ 0，".replace(" ", NO_BREAK_SPACE)
    assert chinese("乘以1/(1 − 0.5) = **2**。") == "乘以1/(1 − 0.5) = **2**。".replace(" ", NO_BREAK_SPACE)
    assert chinese("乘以$x + 1$。然后") == f"乘以$x + 1${WORD_JOINER}。然后"
    assert chinese(chinese("（$x$）")) == f"（{WORD_JOINER}$x${WORD_JOINER}）"
    assert chinese("× $x$") == f"×{NO_BREAK_SPACE}{WORD_JOINER}$x$"
    assert chinese("是$x$的") == "是$x$的"


@pytest.mark.parametrize(
    ("text", "edges"),
    [("**好**的", (False, False)), ("对**“好”**的", (True, True)), ("**84.4%**的", (False, True)), ("**`lr`**的", (True, True))],
)
def test_what_is_bold_in_markdown_is_bold_between_letters(text: str, edges: tuple[bool, bool]) -> None:
    """CommonMark 0.31, 6.2: between a mark and a letter, neither opens nor closes `**` anything; a format character is no mark."""
    typeset = TYPOGRAPHY["zh"](text)
    assert typeset.replace(ZERO_WIDTH_SPACE, "") == text
    inside = typeset.split("**")[1]
    assert (inside.startswith(ZERO_WIDTH_SPACE), inside.endswith(ZERO_WIDTH_SPACE)) == edges


def test_a_file_has_no_invisible_marks() -> None:
    chinese = languages()["zh"]
    with spoken(chinese):
        assert WORD_JOINER in _("{text}", text="3个")
        assert written("{text}", text="3个") == "3个"
