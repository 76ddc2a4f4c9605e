"""A visitor's own activation as Python code: written anew from its checked syntax tree, never copied from the text. Runs nothing."""

from __future__ import annotations

import ast
import math

from mlp_core.expression.operations import (
    COMPARISONS,
    FUNCTIONS,
    NEGATE,
    POWERS,
    PRODUCTS,
    SUMS,
    WHERE,
    Call,
    Constant,
    Node,
    Operation,
    fold,
)
from mlp_core.expression.parser import parse

_BINARY: dict[Operation, ast.operator] = {
    SUMS["+"]: ast.Add(),
    SUMS["-"]: ast.Sub(),
    PRODUCTS["*"]: ast.Mult(),
    PRODUCTS["/"]: ast.Div(),
    POWERS["**"]: ast.Pow(),
}
_COMPARED: dict[Operation, ast.cmpop] = {
    COMPARISONS["<"]: ast.Lt(),
    COMPARISONS["<="]: ast.LtE(),
    COMPARISONS[">"]: ast.Gt(),
    COMPARISONS[">="]: ast.GtE(),
}
# The calls, one around the other, with what follows the operand; as mlp_core.activations and mlp_core.expression.operations compute them.
_CALLS: dict[str, tuple[tuple[str, tuple[float, ...]], ...]] = {
    **{
        name: ((f"torch.{name}", ()),)
        for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "tanh", "sinh", "cosh", "atan", "erf", "sigmoid", "sign", "floor", "relu")
    },
    **{name: ((f"F.{name}", ()),) for name in ("selu", "gelu", "silu", "mish")},
    "leaky_relu": (("F.leaky_relu", (0.01,)),),
    "prelu": (("F.leaky_relu", (0.25,)),),
    "elu": (("F.elu", (1.0,)),),
    "softplus": (("F.softplus", (1.0, 40.0)),),
    "hard_sigmoid": (("F.hardsigmoid", ()),),
    "hard_tanh": (("F.hardtanh", ()),),
    "identity": (),
    "step": (("torch.sign", ()), ("torch.relu", ())),
}
_NAMES = {operation: name for name, operation in FUNCTIONS.items()}


def expression_code(text: str) -> str:
    """The lines of a function's body that computes an expression of the tensor `x`, as `mlp_core.expression.compiler` computes it.

    Raises:
        ExpressionError: the text is no expression.
    """
    tree = fold(parse(text))
    value = _unparsed(_float(tree))
    if isinstance(tree, Constant):
        value = f"torch.full_like(x, {value})"
    elif _has_slope(tree):
        return f"return {value}"
    return f"value = {value}\nreturn torch.where(torch.ones_like(x, dtype=torch.bool), value, x)  # slope 0, but in the graph"


def _unparsed(node: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _float(node: Node) -> ast.expr:
    """Code for a node's value; a comparison counts as 0 and 1."""
    code = _code(node)
    if isinstance(node, Call) and node.operation in _COMPARED:
        return ast.Call(ast.Attribute(code, "to", ast.Load()), [_dotted("x.dtype")], [])
    return code


def _code(node: Node) -> ast.expr:
    if isinstance(node, Constant):
        return _number(node.value)
    if not isinstance(node, Call):
        return ast.Name("x", ast.Load())
    name = _NAMES.get(node.operation, "")
    if name == "where":
        return _where(*node.operands)
    if name in ("min", "max"):
        return _extreme(name, node.operands)
    return _applied(node.operation, name, *map(_float, node.operands))


def _applied(operation: Operation, name: str, first: ast.expr, *others: ast.expr) -> ast.expr:
    if operation in _BINARY:
        return ast.BinOp(first, _BINARY[operation], others[0])
    if operation in _COMPARED:
        return ast.Compare(first, [_COMPARED[operation]], [others[0]])
    if operation == NEGATE:
        return ast.UnaryOp(ast.USub(), first)
    for function, further in _CALLS[name]:
        first = _called(function, first, *map(ast.Constant, further))
    return first


def _where(condition: Node, chosen: Node, other: Node) -> ast.expr:
    compared = isinstance(condition, Call) and condition.operation in _COMPARED
    test = _code(condition) if compared else ast.Compare(_float(condition), [ast.NotEq()], [ast.Constant(0)])
    return _called("torch.where", test, _float(chosen), _float(other))


def _extreme(name: str, operands: tuple[Node, ...]) -> ast.expr:
    """The larger or smaller of two; where one is a number, by clamp, whose slope where both are equal is another one."""
    numbers = [operand for operand in operands if isinstance(operand, Constant)]
    if not numbers:
        return _called(f"torch.{name}imum", *map(_float, operands))
    (tensor,) = (operand for operand in operands if not isinstance(operand, Constant))
    bound = ast.keyword("min" if name == "max" else "max", _float(numbers[0]))
    return ast.Call(_dotted("torch.clamp"), [_float(tensor)], [bound])


def _number(value: float) -> ast.expr:
    if math.isfinite(value):
        return ast.Constant(value)
    return _dotted("torch.nan") if math.isnan(value) else ast.Constant(value)  # an infinity is unparsed as 1e309


def _called(function: str, *values: ast.expr) -> ast.Call:
    return ast.Call(_dotted(function), list(values), [])


def _dotted(name: str) -> ast.expr:
    first, _, rest = name.partition(".")
    node = ast.Name(first, ast.Load())
    return ast.Attribute(node, rest, ast.Load()) if rest else node


def _has_slope(node: Node) -> bool:
    """Whether autograd finds a way from the value back to x; through a comparison there is none."""
    if not isinstance(node, Call):
        return not isinstance(node, Constant)
    if node.operation in _COMPARED:
        return False
    return any(map(_has_slope, node.operands[1:] if node.operation is WHERE else node.operands))
