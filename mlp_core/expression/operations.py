"""What an expression may be made of: the nodes of its tree and the allow-list of operations on tensors, in LaTeX and in Python too.

A comparison gives a bool tensor; every other operation meets it as 0 and 1 in x's dtype. Subtrees without x are folded to one float
beforehand, so at least one operand of every operation that runs is a tensor.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Substitution

MAX_EXPONENT = 16.0
COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)  # how tightly a node binds, for brackets in LaTeX

Operand = float | Tensor


@dataclass(frozen=True, slots=True)
class Operation:
    """One allowed operation.

    Args:
        latex: with {0}, {1}, … for its operands, which get brackets if they bind looser than `operand_levels`.
        code: Python code of its operands, x and y; "" where it depends on them.
        cost: its time as so many operations of about 20 ns an element, value and gradient together.
    """

    function: Callable[..., Any]
    latex: str
    code: str
    arity: int = 1
    level: int = ATOM
    operand_levels: tuple[int, ...] = (COMPARISON, COMPARISON, COMPARISON)
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Constant:
    value: float
    latex: str
    level: int = ATOM

    depth = 1


@dataclass(frozen=True, slots=True)
class Variable:
    latex = "x"
    depth = 1
    level = ATOM


@dataclass(frozen=True, slots=True)
class Call:
    operation: Operation
    operands: tuple[Node, ...]

    @property
    def level(self) -> int:
        return self.operation.level

    @property
    def depth(self) -> int:
        return 1 + max(node.depth for node in self.operands)


Node = Constant | Variable | Call


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
    return Call(node.operation, operands)


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
        shown.append(rf"\left({text}\right)" if operand.level < level else text)
    return node.operation.latex.format(*shown)


def to_code(node: Node) -> str:
    """A folded tree as Python code of a tensor x, which computes what `compute` does."""
    return ast.unparse(_number_code(node))


def operations(node: Node) -> int:
    """How many operations a folded tree takes an element, a costly one counted as several."""
    return node.operation.cost + sum(map(operations, node.operands)) if isinstance(node, Call) else 0


def finite_constants(node: Node) -> list[float]:
    """All numbers in a tree that are neither infinite nor NaN."""
    if isinstance(node, Call):
        return [number for operand in node.operands for number in finite_constants(operand)]
    return [node.value] if isinstance(node, Constant) and math.isfinite(node.value) else []


def has_slope(node: Node) -> bool:
    """Whether autograd finds a way from the value back to x; through a comparison there is none."""
    if not isinstance(node, Call):
        return isinstance(node, Variable)
    if _compares(node):
        return False
    return any(map(has_slope, node.operands[1:] if node.operation is WHERE else node.operands))


def _code(node: Node) -> ast.expr:
    if isinstance(node, Constant):
        return _in_place("torch.nan") if math.isnan(node.value) else ast.Constant(node.value)  # an infinity is unparsed as 1e309
    if isinstance(node, Variable):
        return ast.Name("x")
    operation, numbers = node.operation, [_number_code(operand) for operand in node.operands]
    if operation is WHERE:
        condition = _code(node.operands[0]) if _compares(node.operands[0]) else _in_place("p != 0", p=numbers[0])
        return _in_place("torch.where(p, q, r)", p=condition, q=numbers[1], r=numbers[2])
    if operation in (MINIMUM, MAXIMUM):
        return _extreme_code(node, numbers)
    return _in_place(operation.code, **dict(zip("xy", numbers, strict=False)))


def _in_place(code: str, **operands: ast.expr) -> ast.expr:
    """Code with operands in place of names; what occurs twice is computed once, or nested code would double with every level."""
    tree = ast.parse(code, mode="eval").body
    used = [part.id for part in ast.walk(tree) if isinstance(part, ast.Name)]
    for name, operand in operands.items():
        if used.count(name) > 1 and not isinstance(operand, ast.Name):
            return ast.Call(ast.parse(f"lambda {name}: {code}", mode="eval").body, [operand], [])
    result: ast.expr = Substitution(operands).visit(tree)
    return result


def _number_code(node: Node) -> ast.expr:
    """Code for a node's value; a comparison counts as 0 and 1."""
    return _in_place("p.to(x.dtype)", p=_code(node)) if _compares(node) else _code(node)


def _compares(node: Node) -> bool:
    return isinstance(node, Call) and node.operation in COMPARISONS.values()


def _extreme_code(node: Call, numbers: list[ast.expr]) -> ast.expr:
    """The larger or smaller of two; where one is a number, by clamp, whose slope where both are equal is another one."""
    first, second = node.operands
    name, bound = ("minimum", "max") if node.operation is MINIMUM else ("maximum", "min")
    if not isinstance(first, Constant) and not isinstance(second, Constant):
        return _in_place(f"torch.{name}(p, q)", p=numbers[0], q=numbers[1])
    tensor, number = numbers if isinstance(second, Constant) else reversed(numbers)
    return _in_place(f"torch.clamp(p, {bound}=q)", p=tensor, q=number)


def _apply(operation: Operation, operands: list[Any], x: Tensor) -> Operand:
    if operation is WHERE:
        return _where(x, operands[0], _number(operands[1], x), _number(operands[2], x))
    result: Operand = operation.function(*(_number(operand, x) for operand in operands))
    return result


def _number(operand: Operand, x: Tensor) -> Operand:
    return operand.to(x.dtype) if isinstance(operand, Tensor) and operand.dtype == torch.bool else operand


def _where(x: Tensor, condition: Tensor, chosen: Operand, other: Operand) -> Operand:
    if not isinstance(chosen, Tensor) and not isinstance(other, Tensor):
        chosen = torch.full_like(x, chosen)  # torch.where of two floats would take the default dtype, not x's
    return torch.where(condition if condition.dtype == torch.bool else condition != 0, chosen, other)


def _extreme(of_two: Callable[..., Tensor], bound: str, a: Operand, b: Operand) -> Tensor:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return of_two(a, b)
    tensor, number = (a, b) if isinstance(a, Tensor) else (b, a)
    return torch.clamp(tensor, **{bound: number})  # type: ignore[arg-type]


def _named(name: str) -> str:
    return rf"\operatorname{{{name}}}".replace("_", r"\_").replace("{", "{{").replace("}", "}}") + r"\left({0}\right)"


WHERE = Operation(torch.where, r"\begin{{cases}}{1} & {0}\\ {2} & \text{{otherwise}}\end{{cases}}", "", 3, COMPARISON)
MINIMUM = Operation(partial(_extreme, torch.minimum, "max"), r"\min\left({0}, {1}\right)", "", 2)
MAXIMUM = Operation(partial(_extreme, torch.maximum, "min"), r"\max\left({0}, {1}\right)", "", 2)
NEGATE = Operation(operator.neg, "-{0}", "-x", 1, SIGN, (SIGN,))
COMPARISONS = {
    "<": Operation(operator.lt, "{0} < {1}", "x < y", 2, COMPARISON, (SUM, SUM)),
    "<=": Operation(operator.le, r"{0} \le {1}", "x <= y", 2, COMPARISON, (SUM, SUM)),
    ">": Operation(operator.gt, "{0} > {1}", "x > y", 2, COMPARISON, (SUM, SUM)),
    ">=": Operation(operator.ge, r"{0} \ge {1}", "x >= y", 2, COMPARISON, (SUM, SUM)),
}
SUMS = {
    "+": Operation(operator.add, "{0} + {1}", "x + y", 2, SUM, (SUM, PRODUCT)),
    "-": Operation(operator.sub, "{0} - {1}", "x - y", 2, SUM, (SUM, PRODUCT)),
}
PRODUCTS = {
    "*": Operation(operator.mul, r"{0} \cdot {1}", "x * y", 2, PRODUCT, (PRODUCT, POWER)),
    "/": Operation(operator.truediv, r"\frac{{{0}}}{{{1}}}", "x / y", 2, PRODUCT),
}
POWERS = {symbol: Operation(operator.pow, "{0}^{{{1}}}", "x ** y", 2, POWER, (ATOM, COMPARISON)) for symbol in ("**", "^")}

LOGARITHM = Operation(torch.log, r"\ln\left({0}\right)", "torch.log(x)")

CONSTANTS = {"pi": Constant(math.pi, r"\pi"), "e": Constant(math.e, "e")}
FUNCTIONS: dict[str, Operation] = {
    "abs": Operation(torch.abs, r"\left|{0}\right|", "torch.abs(x)"),
    "sqrt": Operation(torch.sqrt, r"\sqrt{{{0}}}", "torch.sqrt(x)"),
    "exp": Operation(torch.exp, r"\exp\left({0}\right)", "torch.exp(x)"),
    "log": LOGARITHM,
    "ln": LOGARITHM,
    "sin": Operation(torch.sin, r"\sin\left({0}\right)", "torch.sin(x)"),
    "cos": Operation(torch.cos, r"\cos\left({0}\right)", "torch.cos(x)"),
    "tanh": Operation(torch.tanh, r"\tanh\left({0}\right)", "torch.tanh(x)"),
    "sinh": Operation(torch.sinh, r"\sinh\left({0}\right)", "torch.sinh(x)", cost=3),
    "cosh": Operation(torch.cosh, r"\cosh\left({0}\right)", "torch.cosh(x)", cost=3),
    "atan": Operation(torch.atan, r"\arctan\left({0}\right)", "torch.atan(x)"),
    "erf": Operation(torch.erf, _named("erf"), "torch.erf(x)"),
    "sigmoid": Operation(torch.sigmoid, r"\sigma\left({0}\right)", "torch.sigmoid(x)"),
    "sign": Operation(torch.sign, _named("sign"), "torch.sign(x)"),
    "floor": Operation(torch.floor, r"\left\lfloor {0} \right\rfloor", "torch.floor(x)"),
    "min": MINIMUM,
    "max": MAXIMUM,
    "where": WHERE,
}


def functions() -> dict[str, Operation]:
    """All that can be called by name: every activation at its default parameter, and `FUNCTIONS`."""
    activations = {name: Operation(entry, _named(name), entry.written().expression) for name, entry in ACTIVATIONS.items()}
    return activations | FUNCTIONS
