"""The pieces of a program: addresses made harmless, lists that break where formatters break them, blank lines where they belong."""

from __future__ import annotations

import ast
import re

from hypothesis import given
from hypothesis import strategies as st

from mlp_core.reports.export.script import WIDTH, Origin, bracketed, spaced


@given(st.text(max_size=80))
def test_a_link_keeps_to_the_characters_of_an_address(link: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9%/:=&?~#+,;@._-]*", Origin(link=link).safe_link)


def test_an_address_of_the_app_stays_as_it_is() -> None:
    link = "https://host:8501/base/train?activation=%3Dx%2Asigmoid%282%2Ax%29&hidden=256,10&lr=0.1"
    assert Origin(link=link).safe_link == link


@given(st.lists(st.integers(0, 10**12).map(str), min_size=1, max_size=20))
def test_a_list_is_the_same_on_one_line_and_on_many(items: list[str]) -> None:
    text = bracketed("numbers = [", items, "]")
    (statement,) = ast.parse(text).body
    assert isinstance(statement, ast.Assign)
    assert ast.literal_eval(statement.value) == [int(item) for item in items]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert ("\n" in text) == (len(f"numbers = [{', '.join(items)}]") > WIDTH)


def test_two_blank_lines_stand_around_what_is_defined() -> None:
    plain, function = "x = 1", "def f():\n    return 1"
    code = "\n\n\n\n".join([plain, plain, function, f"@once\n{function}\n{plain}"])
    expected = f"{plain}\n\n{plain}\n\n\n{function}\n\n\n@once\n{function}\n\n\n{plain}"
    assert spaced(code.splitlines()) == spaced(expected.splitlines()) == expected
