"""A visitor's own activation: text is parsed to a tree over an allow-list of operations and compiled. Nothing is ever evaluated."""

import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Activation, Code
from mlp_core.expression.operations import Constant, compute, finite_constants, fold, has_slope, operations, to_code, to_latex
from mlp_core.expression.parser import LARGEST, ExpressionError, parse
from mlp_core.spec import EXPRESSION_PREFIX, SpecError
from mlp_core.words import Message

__all__ = ["ExpressionError", "compile_expression", "resolve"]


def resolve(activation: str) -> Activation:
    """The activation that `RunSpec.activation` names: of the registry, or "=" and an expression in x.

    Raises:
        SpecError: no such name.
        ExpressionError: an expression that breaks a rule.
    """
    if activation.startswith(EXPRESSION_PREFIX):
        return compile_expression(activation[len(EXPRESSION_PREFIX) :])
    if activation not in ACTIVATIONS:
        rule = Message("must be one of {names} or '=' and an expression in x", names=", ".join(ACTIVATIONS))
        raise SpecError("activation", rule, activation)
    return ACTIVATIONS[activation]


def compile_expression(text: str) -> Activation:
    """An expression in x, such as `x*sigmoid(1.702*x)`, as an activation like any other.

    Raises:
        ExpressionError: where the text leaves the grammar of `mlp_core.expression.parser`, is too long or too deep, or has no x.
    """
    written = parse(text)
    tree = fold(written)
    if isinstance(tree, Constant):
        raise ExpressionError(Message("the expression must contain x"), 0)
    if (largest := max(map(abs, finite_constants(tree)), default=0.0)) > LARGEST:
        rule = Message("a part without x comes to {number}, beyond the largest number of float32, 3.4 × 10³⁸", number=f"{largest:.3g}")
        raise ExpressionError(rule, 0)

    def function(x: Tensor) -> Tensor:
        value = torch.as_tensor(compute(tree, x), dtype=x.dtype, device=x.device).expand_as(x)
        if x.requires_grad and not value.requires_grad:  # a step, say: gradient 0 everywhere, as autograd would find, and in the graph
            return torch.where(torch.ones_like(x, dtype=torch.bool), value, x)
        return value

    advice = Message("Your own. Look at the gradient first: where it is 0 nothing is learned, and where it is not finite training ends.")
    code = to_code(tree)
    if not has_slope(tree):
        code = f"torch.where(torch.ones_like(x, dtype=torch.bool), {code}, x)"  # the same
    return Activation(
        EXPRESSION_PREFIX + text, text.strip(), function, Code(code), to_latex(written), "", advice, rectifier=True,
        operations=operations(tree),
    )  # fmt: skip
