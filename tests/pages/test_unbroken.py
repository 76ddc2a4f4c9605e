"""A callback of any page is carried out whole, whatever click comes meanwhile: in the code of all pages, and on pages that are clicked."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.pages.interruptions import interrupted
from tests.support.pages.visit import ROOT, address, again, opened, visit, widget

EARLY = (2, 3, 5, 8, 13, 21, 34, 55, 89)  # chances to interrupt; the first comes before Streamlit has looked at the click
CALLBACK = re.compile("on_(click|.*change)")
OWN = ("live_chart",)  # functions of these pages that guard what they are given


def unguarded(source: str) -> Iterator[str]:
    """What is given to Streamlit as a callback, as an argument or in a dictionary of arguments, and is not guarded."""
    tree = ast.parse(source)
    guarded = {target.id for target, value in assignments(tree) if isinstance(target, ast.Name) and is_guarded(value)}
    for node in ast.walk(tree):
        given: list[tuple[str | None, ast.expr]] = []
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in OWN):
            given = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            given = [(str(key.value), value) for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)]
        for name, value in given:
            known = is_guarded(value) or isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id in guarded)
            if CALLBACK.fullmatch(name or "") and not known:
                yield ast.unparse(value)


def assignments(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            yield from zip(target.elts, value.elts, strict=True) if several else [(target, value)]  # type: ignore[attr-defined]


def is_guarded(callback: ast.expr) -> bool:
    return isinstance(callback, ast.Call) and isinstance(callback.func, ast.Name) and callback.func.id == "unbroken"


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_callback_is_carried_out_whole(path: Path) -> None:
    assert list(unguarded(path.read_text())) == []


def test_a_callback_that_is_not_guarded_is_found() -> None:
    good = 'a, b = unbroken(take), take\nst.button("x", on_click=a)\nst.download_button("x", on_click="ignore")\n'
    bad = 'st.button("x", on_click=b)\nchart(**{"on_name_change": take})'
    assert sorted(unguarded(good + bad)) == ["b", "take"]


def pressed(key: str) -> Callable[[AppTest], Any]:
    return lambda page: page.button(key=key).click()


def button(label: str) -> Callable[[AppTest], Any]:
    return lambda page: next(one for one in page.button if one.label == label).click()


def preset(key: str, name: str) -> Callable[[AppTest], Any]:
    return lambda page: widget(page, key).set_value(name)


CLICKS: dict[str, tuple[str, dict[str, str], Callable[[AppTest], Any], dict[str, str]]] = {
    "a preset of designs": (
        "stability", {"act": "training", "activation4": "tanh"}, preset("stability_preset", "Too small"),
        {"act": "training", "activation": "relu", "init": "normal", "activation2": "tanh", "init2": "normal", "activation3": "sigmoid",
         "init3": "normal"},
    ),
    "a layer more": ("stability", {"act": "chain", "x": "1,2"}, button("One layer more"), {"act": "chain", "x": "1,2,2"}),
    "other points": (
        "nonlinearity", {"act": "playground", "data_seed": "6"}, pressed("plane_again"), {"act": "playground", "data_seed": "7"},
    ),
    "a preset of points": (
        "nonlinearity", {"act": "playground", "noise": "10"}, preset("_plane_preset", "XOR, no hidden layer"),
        {"act": "playground", "deep": "0"},
    ),
    "a preset of polynomials": (
        "generalization", {"noise": "0.5", "degree": "4"}, preset("generalization_polynomial_preset", "Just right"),
        {"noise": "0.5", "degree": "3", "samples": "100"},
    ),
    "more masks": ("generalization", {"act": "dropout", "masks": "5"}, pressed("masks_10"), {"act": "dropout", "masks": "15"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CLICKS)
def test_a_click_is_carried_out_whole_and_once(name: str) -> None:
    page_name, link, click, expected = CLICKS[name]
    for at in EARLY:
        with visit(f"pages/{page_name}.py") as page:
            click(opened(page, **link))
            with interrupted(page, at):
                again(page)
            assert (at, address(page)) == (at, expected)
