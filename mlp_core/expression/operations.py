"""What an expression may be made of: the nodes of its tree and the allow-list of operations on tensors. Knows nothing of text.

A comparison gives a bool tensor; every other operation meets it as 0 and 1 in x's dtype. Subtrees without x are folded to one float
beforehand, so at least one operand of every operation that runs is a tensor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS

MAX_EXPONENT = 16.0
COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)  # how tightly a node binds, for brackets in LaTeX

Operand = float | Tensor


@dataclass(frozen=True, slots=True)
class Operation:
    """One allowed operation. `latex` has {0}, {1}, … for its operands, which get brackets if they bind looser than `operand_levels`."""

    function: Callable[..., Any]
    latex: str
    arity: int = 1
    level: int = ATOM
    operand_levels: tuple[int, ...] = (COMPARISON, COMPARISON, COMPARISON)


@dataclass(frozen=True, slots=True)
class Constant:
    value: float
    latex: str

    depth = 1


@dataclass(frozen=True, slots=True)
class Variable:
    latex = "x"
    depth = 1


@dataclass(frozen=True, slots=True)
class Call:
    operation: Operation
    operands: tuple[Node, ...]
    depth: int


Node = Constant | Variable | Call


def call(operation: Operation, *operands: Node) -> Call:
    """The node that applies `operation` to `operands`."""
    return Call(operation, operands, 1 + max(node.depth for node in operands))


def fold(node: Node) -> Node:
    """The same tree with every subtree that has no x replaced by its value, computed in float64."""
    if not isinstance(node, Call):
        return node
    operands = tuple(fold(operand) for operand in node.operands)
    values = [torch.tensor(operand.value, dtype=torch.float64) for operand in operands if isinstance(operand, Constant)]
    if len(values) == len(operands):
        return Constant(float(_apply(node.operation, values, values[0])), "")
    if node.operation is WHERE and isinstance(operands[0], Constant):
        return operands[1] if operands[0].value else operands[2]
    return Call(node.operation, operands, node.depth)


def compute(node: Node, x: Tensor) -> Operand:
    """The value of a folded tree: a tensor of x's shape, or a float where x does not matter."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Variable):
        return x
    return _apply(node.operation, [compute(operand, x) for operand in node.operands], x)


def to_latex(node: Node) -> str:
    """The tree as LaTeX, with no more brackets than it needs."""
    if not isinstance(node, Call):
        return node.latex
    shown = []
    for operand, level in zip(node.operands, node.operation.operand_levels, strict=False):
        text = to_latex(operand)
        loose = isinstance(operand, Call) and operand.operation.level < level
        shown.append(rf"\left({text}\right)" if loose else text)
    return node.operation.latex.format(*shown)


def _apply(operation: Operation, operands: list[Any], x: Tensor) -> Operand:
    if operation is WHERE:
        return _where(x, operands[0], _number(operands[1], x), _number(operands[2], x))
    result: Operand = operation.function(*(_number(operand, x) for operand in operands))
    return result


def _number(operand: Operand, x: Tensor) -> Operand:
    return operand.to(x.dtype) if isinstance(operand, Tensor) and operand.dtype == torch.bool else operand


def _where(x: Tensor, condition: Operand, chosen: Operand, other: Operand) -> Operand:
    if not isinstance(condition, Tensor):
        return chosen if condition != 0 else other
    if not isinstance(chosen, Tensor) and not isinstance(other, Tensor):
        chosen = torch.full_like(x, chosen)  # torch.where of two floats would take the default dtype, not x's
    return torch.where(condition if condition.dtype == torch.bool else condition != 0, chosen, other)


def _maximum(a: Operand, b: Operand) -> Tensor:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.maximum(a, b)
    return torch.clamp(a, min=b) if isinstance(a, Tensor) else torch.clamp(b, min=a)  # type: ignore[arg-type]


def _minimum(a: Operand, b: Operand) -> Tensor:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.minimum(a, b)
    return torch.clamp(a, max=b) if isinstance(a, Tensor) else torch.clamp(b, max=a)  # type: ignore[arg-type]


def _no_function(*_: Operand) -> Tensor:
    raise AssertionError("where needs x and is computed by _where")


def _named(name: str) -> str:
    return rf"\operatorname{{{name}}}".replace("_", r"\_").replace("{", "{{").replace("}", "}}") + r"\left({0}\right)"


WHERE = Operation(_no_function, r"\begin{{cases}}{1} & {0}\\ {2} & \text{{otherwise}}\end{{cases}}", 3, COMPARISON)
NEGATE = Operation(operator.neg, "-{0}", 1, SIGN, (SIGN,))
COMPARISONS = {
    "<": Operation(operator.lt, "{0} < {1}", 2, COMPARISON, (SUM, SUM)),
    "<=": Operation(operator.le, r"{0} \le {1}", 2, COMPARISON, (SUM, SUM)),
    ">": Operation(operator.gt, "{0} > {1}", 2, COMPARISON, (SUM, SUM)),
    ">=": Operation(operator.ge, r"{0} \ge {1}", 2, COMPARISON, (SUM, SUM)),
}
SUMS = {
    "+": Operation(operator.add, "{0} + {1}", 2, SUM, (SUM, PRODUCT)),
    "-": Operation(operator.sub, "{0} - {1}", 2, SUM, (SUM, PRODUCT)),
}
PRODUCTS = {
    "*": Operation(operator.mul, r"{0} \cdot {1}", 2, PRODUCT, (PRODUCT, POWER)),
    "/": Operation(operator.truediv, r"\frac{{{0}}}{{{1}}}", 2, PRODUCT),
}
POWERS = {symbol: Operation(operator.pow, "{0}^{{{1}}}", 2, POWER, (ATOM, COMPARISON)) for symbol in ("**", "^")}

CONSTANTS = {"pi": Constant(math.pi, r"\pi"), "e": Constant(math.e, "e")}
FUNCTIONS: dict[str, Operation] = {
    **{name: Operation(entry, _named(name)) for name, entry in ACTIVATIONS.items()},
    "abs": Operation(torch.abs, r"\left|{0}\right|"),
    "sqrt": Operation(torch.sqrt, r"\sqrt{{{0}}}"),
    "exp": Operation(torch.exp, r"\exp\left({0}\right)"),
    "log": Operation(torch.log, r"\ln\left({0}\right)"),
    "sin": Operation(torch.sin, r"\sin\left({0}\right)"),
    "cos": Operation(torch.cos, r"\cos\left({0}\right)"),
    "tanh": Operation(torch.tanh, r"\tanh\left({0}\right)"),
    "sinh": Operation(torch.sinh, r"\sinh\left({0}\right)"),
    "cosh": Operation(torch.cosh, r"\cosh\left({0}\right)"),
    "atan": Operation(torch.atan, r"\arctan\left({0}\right)"),
    "erf": Operation(torch.erf, _named("erf")),
    "sigmoid": Operation(torch.sigmoid, r"\sigma\left({0}\right)"),
    "sign": Operation(torch.sign, _named("sign")),
    "floor": Operation(torch.floor, r"\left\lfloor {0} \right\rfloor"),
    "min": Operation(_minimum, r"\min\left({0}, {1}\right)", 2),
    "max": Operation(_maximum, r"\max\left({0}, {1}\right)", 2),
    "where": WHERE,
}
