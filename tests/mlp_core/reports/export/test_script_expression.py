"""The code of a visitor's own activation computes what the activation computes: value and slope, bit for bit, for any expression."""

from __future__ import annotations

import ast
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Code
from mlp_core.expression import ExpressionError, compile_expression
from mlp_core.expression.operations import functions
from tests.support.programs import EXPRESSIONS

X = torch.cat([torch.arange(-4.0, 4.01, 0.25), torch.tensor([-100.0, 100.0, 1e-20])])
ONE, TWO = (sorted(name for name, entry in functions().items() if entry.arity == arity) for arity in (1, 2))

numbers = st.sampled_from(["0", "1", "2.5", "0.1", "1e3", "pi", "e", "-1"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(ONE), inner),
        st.builds("{}({}, {})".format, st.sampled_from(TWO), inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "<", "<=", ">", ">="]), inner),
        st.builds("(-{})".format, inner),
        st.builds("{}^{}".format, st.builds("({})".format, inner), st.sampled_from(["2", "3", "0.5", "-1"])),
        st.builds("where({}, {}, {})".format, inner, inner, inner),
    )


expressions = st.recursive(st.just("x") | numbers, _grown, max_leaves=8)


def computed(code: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient of a function that returns this."""
    names = {"torch": torch, "F": F}
    exec(f"def phi(x):\n    return {code}", names)
    leaf = x.clone().requires_grad_()
    value: Tensor = names["phi"](leaf)  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def expression_code(text: str) -> str:
    return compile_expression(text).written().expression


def same(text: str) -> bool:
    leaf = X.clone().requires_grad_()
    expected = compile_expression(text)(leaf)
    (slope,) = torch.autograd.grad(expected.sum(), leaf)
    value, gradient = computed(expression_code(text), X)
    return value.dtype == expected.dtype and bits(value) == bits(expected.detach()) and bits(gradient) == bits(slope)


def bits(values: Tensor) -> list[float | str]:
    return ["NaN" if math.isnan(value) else value for value in values.tolist()]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_code_computes_the_expression(text: str) -> None:
    assert same(text)


@settings(max_examples=300)
@given(expressions)
def test_so_does_the_code_of_any_expression(text: str) -> None:
    try:
        compile_expression(text)(X)
    except (ExpressionError, TypeError):  # no x in it, too deep; or a function of a number that only `where` shows to be one
        return
    assert same(text), expression_code(text)


@given(expressions)
def test_code_is_made_of_known_parts_only(text: str) -> None:
    """One expression, no name but x, torch and F, no attribute of anything else."""
    try:
        code = expression_code(text)
    except ExpressionError:
        return
    assert "\n" not in code
    parts = list(ast.walk(ast.parse(code, mode="eval")))
    assert {node.id for node in parts if isinstance(node, ast.Name)} <= {"x", "torch", "F"}
    owners = {node.value.id for node in parts if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}
    assert owners <= {"torch", "F", "x"}


def test_every_function_has_its_code() -> None:
    for name, operation in functions().items():
        arguments = ", ".join(["x"] * operation.arity)
        assert same(f"{name}({arguments})"), name


def test_code_that_uses_its_operand_twice_does_not_double(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(ACTIVATIONS["relu"], name="twice", function=lambda x: x * torch.sigmoid(x), code=Code("x * torch.sigmoid(x)"))
    monkeypatch.setitem(ACTIVATIONS, "twice", entry)
    assert same("twice(twice(x + 1))")
    assert len(expression_code("twice(" * 20 + "x" + ")" * 20)) < 2000


@pytest.mark.parametrize("text", ["__import__('os')", "x.real", "x +", "y"])
def test_what_is_no_expression_has_no_code(text: str) -> None:
    with pytest.raises(ExpressionError):
        expression_code(text)
