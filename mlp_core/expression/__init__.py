"""A visitor's own activation: parsed, checked against an allow-list, compiled to operations on tensors. Nothing is ever evaluated."""

from mlp_core.expression.compiler import compile_expression, resolve
from mlp_core.expression.parser import ExpressionError

__all__ = ["ExpressionError", "compile_expression", "resolve"]
