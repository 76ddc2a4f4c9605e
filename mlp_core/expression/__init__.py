"""A visitor's own activation: parsed, checked against an allow-list, compiled to operations on tensors. Nothing is ever evaluated."""

from mlp_core.expression.compiler import ExpressionError, compile_expression, resolve

__all__ = ["ExpressionError", "compile_expression", "resolve"]
