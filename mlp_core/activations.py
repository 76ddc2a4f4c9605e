"""The registry of activations, and value and autograd gradient of one on a grid.

A new activation is one entry of `ACTIVATIONS`: pages, expressions, advice and exported programs find everything about it there.
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mlp_core.bounds import Bounds
from mlp_core.words import Message, significant

SATURATED_MARGIN = 0.03  # |tanh| > 0.97 (Karpathy, makemore 3); the sigmoid outside [0.03, 0.97]
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. (2017): the fixed point at mean 0, variance 1
SILU_MINIMUM = -0.2784645427610738  # of x σ(x), at x = -1.27846
GELU_MINIMUM = -0.1699712074799037  # of x Φ(x), at x = -0.75179
MISH_MINIMUM = -0.3088434130172504  # of x tanh(softplus(x)), at x = -1.19243

Value = float | Tensor


@dataclass(frozen=True, slots=True)
class Parameter:
    """The number that shapes an activation.

    Args:
        symbol: one letter.
        learned_code: the function as Python code of x and a tensor a of one element, if the parameter is learned along with the weights.
            Then a tensor that broadcasts against x may stand in its place.
    """

    name: str
    symbol: str
    default: float
    bounds: Bounds
    help: str
    learned_code: str = ""

    @property
    def learnable(self) -> bool:
        return bool(self.learned_code)


@dataclass(frozen=True, slots=True)
class Interval:
    """The smallest interval that holds all values of a function; `closed` says of either end whether it is reached."""

    low: float
    high: float
    closed: tuple[bool, bool] = (False, False)

    def __str__(self) -> str:
        low, high = (significant(end, 4) for end in (self.low, self.high))
        return f"{'(['[self.closed[0]]}{low}, {high}{')]'[self.closed[1]]}"


@dataclass(frozen=True, slots=True)
class Code:
    """An activation in an exported program.

    Args:
        expression: Python code of x, and of the parameter a where there is one, with `torch` and `F` (torch.nn.functional) at hand.
        module: as an `nn.Module`; "" where it would do nothing, None where PyTorch has none.
        definition: of the function that the expression calls, where it is not PyTorch's.
    """

    expression: str
    module: str | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of every element of a tensor, and what is known about it. Call it: `activation(x, parameter)`.

    Args:
        name: its name in a `RunSpec`.
        label: its name for a person.
        function: `(x)`, or `(x, parameter)` where it has one -> the same shape; differentiable by autograd.
        code: how an exported program writes it.
        latex, derivative_latex: φ(x) and φ'(x); "" where no closed form is known.
        advice: when to choose it, in a line.
        output_range: of the parameter's value (ignored where there is none); None where not known.
        saturated_margin: this close to a finite end of its range the function is flat; None where the output does not tell.
        parameter: None where it has none.
        default_code: other code for where the parameter is at its default.
        scratch: (function, code) of its own in the implementation from scratch.
        derivative: (φ', its code in x and a), called as `function` is; None leaves it to autograd.
        trainable: whether its gradient is anything but 0 everywhere.
        rectifier: whether it lets one side pass and stops the other, so that He's initial weights suit it.
        largest_slope: of |φ'|, as far as it decides whether a deep stack can keep its gradient.
        negative_slope: below 0, of a function that is x above 0 and a line below; None for all others.
        operations: on every element, of an expression; 0 for the registry's own, whose time is small beside that of the products.
    """

    name: str
    label: str
    function: Callable[..., Tensor]
    code: Code
    latex: str
    derivative_latex: str
    advice: str
    output_range: Callable[[float], Interval] | None = None
    saturated_margin: float | None = None
    parameter: Parameter | None = None
    default_code: Code | None = None
    scratch: tuple[Callable[..., Tensor], Code] | None = None
    derivative: tuple[Callable[..., Tensor], str] | None = None
    trainable: bool = True
    rectifier: bool = False
    largest_slope: float = 1.0
    negative_slope: float | None = None
    operations: int = 0

    def __call__(self, x: Tensor, parameter: Value | None = None) -> Tensor:
        """φ(x), of x's shape and dtype; `parameter` None takes the default."""
        if self.parameter is None:
            if parameter is not None:
                raise TypeError(f"{self.name} has no parameter")
            return self.function(x)
        return self.function(x, self.parameter.default if parameter is None else parameter)

    def range(self, parameter: float | None = None) -> Interval | None:
        """The values it takes at this parameter, or None where that is not known."""
        if self.output_range is None:
            return None
        default = self.parameter.default if self.parameter else math.nan
        return self.output_range(default if parameter is None else parameter)

    def saturated(self, values: Tensor, parameter: float | None = None) -> Tensor:
        """Which of the outputs `values` lie where the function is flat -> bool, same shape; all False where the output does not tell."""
        interval = self.range(parameter)
        if interval is None or self.saturated_margin is None:
            return torch.zeros_like(values, dtype=torch.bool)
        margin = self.saturated_margin
        return (values <= interval.low + margin) | (values >= interval.high - margin)

    def written(self, parameter: float | None = None, *, from_scratch: bool = False) -> Code:
        """The code of an exported program at this value of the parameter."""
        code = self.scratch[1] if from_scratch and self.scratch else self.code
        if self.parameter is None:
            return code
        if parameter is None:
            code, parameter = self.default_code or code, self.parameter.default
        expression, module = (text and substituted(text, a=repr(parameter)) for text in (code.expression, code.module))
        return Code(expression or "", module, code.definition)


def trainable_activations() -> tuple[str, ...]:
    """The names that `RunSpec.activation` may have."""
    return tuple(name for name, entry in ACTIVATIONS.items() if entry.trainable)


class Substitution(ast.NodeTransformer):
    """Puts expressions in place of names."""

    def __init__(self, nodes: Mapping[str, ast.expr]) -> None:
        self.nodes = nodes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.nodes.get(node.id, node)


def substituted(code: str, **values: str) -> str:
    """A Python expression with other expressions put in place of names, in brackets where they need them."""
    nodes = {name: ast.parse(value, mode="eval").body for name, value in values.items()}
    return ast.unparse(Substitution(nodes).visit(ast.parse(code, mode="eval")))


@dataclass(frozen=True, slots=True)
class Curve:
    """A function on a grid: `x`, `value` and `gradient` are detached tensors of one shape and dtype."""

    x: Tensor
    value: Tensor
    gradient: Tensor


def evaluate(activation: str | Activation, x: Any, **parameters: float) -> Curve:
    """Value and gradient of an activation at every element of `x`.

    Formula: gradient = d sum(φ(x)) / dx, by autograd, as in d2l section 5.1.2.

    Args:
        activation: a name in `ACTIVATIONS`, or an `Activation`.
        x: floating-point tensor, or what `torch.as_tensor` makes one of.
        parameters: the activation's own parameter, under its own name.

    Raises:
        SpecError: a parameter outside its bounds.
        TypeError: a parameter that the activation does not have.
    """
    chosen = ACTIVATIONS[activation] if isinstance(activation, str) else activation
    known = {chosen.parameter.name: chosen.parameter} if chosen.parameter else {}
    for name in parameters:
        if name not in known:
            raise TypeError(f"{chosen.name} has no parameter {name!r}")
    checked = [known[name].bounds.check(name, value) for name, value in parameters.items()]
    leaf = torch.as_tensor(x).detach().clone().requires_grad_()
    value = chosen(leaf, *checked)
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return Curve(leaf.detach(), value.detach(), gradient)


def _fixed(low: float, high: float, *closed: bool) -> Callable[[float], Interval]:
    interval = Interval(low, high, (closed[0], closed[1]) if closed else (False, False))
    return lambda _: interval


def _rectified_range(slope: float) -> Interval:
    return Interval(-math.inf, math.inf) if slope > 0 else Interval(0.0, math.inf, (True, False))


def _scratch_relu(X: Tensor) -> Tensor:
    """Derivative 0 at 0 by convention; that of `torch.max(X, 0)`, shared between two equal arguments, would be ½ there."""
    return X * (X > 0)


def _prelu(x: Tensor, alpha: Value) -> Tensor:
    if isinstance(alpha, float | int):
        return F.leaky_relu(x, alpha)
    return torch.prelu(x, alpha.reshape(1)) if alpha.ndim == 0 else torch.where(x > 0, x, alpha * x)


def _silu(x: Tensor, beta: Value) -> Tensor:
    return F.silu(x) if isinstance(beta, float) and beta == 1.0 else x * torch.sigmoid(beta * x)


def _softplus(x: Tensor, beta: float) -> Tensor:
    return F.softplus(x, beta, threshold=40.0)  # the default of 20 leaves a jump of 2e-9, which float64 shows


def _step(x: Tensor) -> Tensor:
    return torch.relu(torch.sign(x))  # 0 at 0; autograd gives sign the gradient 0, so the graph holds and carries nothing


_SCRATCH_RELU = '''def relu(X):
    """max(x, 0), with slope 0 at 0."""
    return X * (X > 0)'''

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in (
    Activation(
        "identity", Message("Identity"), lambda x: x, Code("x", ""), r"x", r"1",
        Message("Not for hidden layers: any number of linear layers is one linear layer. Right at the output of a regression."),
        _fixed(-math.inf, math.inf), derivative=(torch.ones_like, "torch.ones_like(x)"), negative_slope=1.0,
    ),
    Activation(
        "relu", "ReLU", torch.relu, Code("torch.relu(x)", "nn.ReLU()"),
        r"\max(x, 0)", r"\begin{cases}1 & x > 0\\ 0 & x \le 0\end{cases}",
        Message(
            "Take this first: cheap, and the gradient of an active unit is exactly 1. "
            "Hidden layers only; a unit that is never active is dead."
        ),
        _fixed(0.0, math.inf, True, False), scratch=(_scratch_relu, Code("relu(x)", definition=_SCRATCH_RELU)),
        derivative=(lambda x: (x > 0).to(x.dtype), "(x > 0).to(x.dtype)"), rectifier=True, negative_slope=0.0,
    ),
    Activation(
        "leaky_relu", Message("Leaky ReLU"), F.leaky_relu, Code("F.leaky_relu(x, a)", "nn.LeakyReLU(a)"),
        r"\max(0, x) + a \min(0, x)", r"\begin{cases}1 & x > 0\\ a & x \le 0\end{cases}",
        Message("ReLU whose units cannot die: a small fixed slope lets gradient through on the left. Try it when ReLU units go dead."),
        _rectified_range, parameter=Parameter("negative_slope", "a", 0.01, Bounds(0.0, 1.0), Message("Slope for x < 0.")),
        derivative=(lambda x, a: torch.where(x > 0, torch.ones_like(x), a), "torch.where(x > 0, torch.ones_like(x), a)"),
        rectifier=True, negative_slope=0.01,
    ),
    Activation(
        "prelu", "pReLU", _prelu, Code("F.leaky_relu(x, a)", "nn.PReLU(init=a)"),
        r"\max(0, x) + \alpha \min(0, x)", r"\begin{cases}1 & x > 0\\ \alpha & x \le 0\end{cases}",
        Message("Leaky ReLU whose slope α is learned along with the weights. Worth it in large networks; on little data it can overfit."),
        _rectified_range, rectifier=True, parameter=Parameter(
            "alpha", "α", 0.25, Bounds(-1.0, 2.0), Message("Slope for x < 0; training starts here and learns it."),
            learned_code="torch.prelu(x, a)",
        ),
    ),
    Activation(
        "sigmoid", Message("Sigmoid"), torch.sigmoid, Code("torch.sigmoid(x)", "nn.Sigmoid()"),
        r"\frac{1}{1 + e^{-x}}", r"\sigma(x)\,(1 - \sigma(x))",
        Message("For the output of a binary classifier. Avoid it in deep stacks: the gradient is at most 1/4 a layer, so it vanishes."),
        _fixed(0.0, 1.0), SATURATED_MARGIN, largest_slope=1 / 4,
        derivative=(lambda x: torch.sigmoid(x) * (1 - torch.sigmoid(x)), "torch.sigmoid(x) * (1 - torch.sigmoid(x))"),
    ),
    Activation(
        "tanh", Message("Tanh"), torch.tanh, Code("torch.tanh(x)", "nn.Tanh()"), r"\frac{1 - e^{-2x}}{1 + e^{-2x}}", r"1 - \tanh^2(x)",
        Message(
            "Zero-centered, and better in hidden layers than the sigmoid. In deep stacks its gradient still vanishes once units saturate."
        ),
        _fixed(-1.0, 1.0), SATURATED_MARGIN, derivative=(lambda x: 1 - torch.tanh(x) ** 2, "1 - torch.tanh(x) ** 2"),
    ),
    Activation(
        "elu", "ELU", F.elu, Code("F.elu(x, a)", "nn.ELU(a)"), r"\begin{cases}x & x > 0\\ \alpha\,(e^{x} - 1) & x \le 0\end{cases}",
        r"\begin{cases}1 & x > 0\\ \alpha\,e^{x} & x \le 0\end{cases}",
        Message("ReLU with a smooth negative side that brings the mean output nearer to 0; costs an exponential."),
        lambda alpha: Interval(-alpha, math.inf) if alpha > 0 else Interval(0.0, math.inf, (True, False)),
        SATURATED_MARGIN, rectifier=True,
        derivative=(lambda x, a: torch.where(x > 0, 1.0, a * torch.exp(x)), "torch.where(x > 0, 1.0, a * torch.exp(x))"),
        parameter=Parameter("alpha", "α", 1.0, Bounds(0.0, 5.0), Message("Depth of the negative side; smooth at 0 only for α = 1.")),
    ),
    Activation(
        "selu", "SELU", F.selu, Code("F.selu(x)", "nn.SELU()"),
        r"\lambda\begin{cases}x & x > 0\\ \alpha\,(e^{x} - 1) & x \le 0\end{cases}",
        r"\lambda\begin{cases}1 & x > 0\\ \alpha\,e^{x} & x \le 0\end{cases}",
        Message("ELU scaled (λ = 1.0507, α = 1.6733) to keep mean 0 and variance 1 where weights have variance 1/(number of inputs)."),
        _fixed(-SELU_SCALE * SELU_ALPHA, math.inf), SATURATED_MARGIN, derivative=(
            lambda x: torch.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * torch.exp(x)),
            f"torch.where(x > 0, {SELU_SCALE}, {SELU_SCALE * SELU_ALPHA} * torch.exp(x))",
        ),
    ),
    Activation(
        "gelu", "GELU", F.gelu, Code("F.gelu(x)", "nn.GELU()"), r"x\,\Phi(x)", r"\Phi(x) + x\,\frac{e^{-x^2/2}}{\sqrt{2\pi}}",
        Message("The usual choice in transformers: a smooth ReLU that dips below 0. In a small MLP it rarely beats ReLU by much."),
        _fixed(GELU_MINIMUM, math.inf, True, False), rectifier=True, derivative=(
            lambda x: torch.special.ndtr(x) + x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
            "torch.special.ndtr(x) + x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)",
        ),
    ),
    Activation(
        "silu", "SiLU / Swish", _silu, Code("x * torch.sigmoid(a * x)"),
        r"x\,\sigma(\beta x)", r"\sigma(\beta x) + \beta x\,\sigma'(\beta x)",
        Message("A smooth ReLU, much used in deep networks. β = 0 is the line x/2; a large β is close to ReLU."),
        lambda beta: Interval(SILU_MINIMUM / beta, math.inf, (True, False)) if beta > 0 else Interval(-math.inf, math.inf),
        parameter=Parameter("beta", "β", 1.0, Bounds(0.0, 10.0), Message("Sharpness: 0 gives x/2, 1 is SiLU, large is close to ReLU.")),
        default_code=Code("F.silu(x)", "nn.SiLU()"), rectifier=True, derivative=(
            lambda x, a: torch.sigmoid(a * x) * (1 + a * x * (1 - torch.sigmoid(a * x))),
            "torch.sigmoid(a * x) * (1 + a * x * (1 - torch.sigmoid(a * x)))",
        ),
    ),
    Activation(
        "softplus", Message("Softplus"), _softplus, Code("F.softplus(x, a, 40.0)", "nn.Softplus(a, threshold=40.0)"),
        r"\frac{1}{\beta}\ln(1 + e^{\beta x})", r"\sigma(\beta x)",
        Message("For an output that must be positive (a scale, a rate). In hidden layers ReLU is cheaper and its units are sparse."),
        _fixed(0.0, math.inf), SATURATED_MARGIN, derivative=(lambda x, a: torch.sigmoid(a * x), "torch.sigmoid(a * x)"), rectifier=True,
        parameter=Parameter("beta", "β", 1.0, Bounds(0.1, 10.0), Message("Sharpness of the bend; large is close to ReLU.")),
    ),
    Activation(
        "mish", "Mish", F.mish, Code("F.mish(x)", "nn.Mish()"),
        r"x\tanh(s),\quad s = \ln(1 + e^{x})", r"\tanh(s) + x\,\sigma(x)\operatorname{sech}^2(s)",
        Message("Close to SiLU and dearer to compute. Try it where SiLU works."),
        _fixed(MISH_MINIMUM, math.inf, True, False), rectifier=True, derivative=(
            lambda x: F.softplus(x).tanh() + x * torch.sigmoid(x) / F.softplus(x).cosh() ** 2,
            "F.softplus(x).tanh() + x * torch.sigmoid(x) / F.softplus(x).cosh() ** 2",
        ),
    ),
    Activation(
        "hard_sigmoid", Message("Hard sigmoid"), F.hardsigmoid, Code("F.hardsigmoid(x)", "nn.Hardsigmoid()"),
        r"\min(\max(x/6 + 1/2,\ 0),\ 1)", r"\begin{cases}1/6 & |x| < 3\\ 0 & |x| \ge 3\end{cases}",
        Message("The sigmoid without its exponential, for gates on small devices. Beyond ±3 there is no gradient at all."),
        _fixed(0.0, 1.0, True, True), 0.0, largest_slope=1 / 6,
        derivative=(lambda x: (x.abs() < 3).to(x.dtype) / 6, "(x.abs() < 3).to(x.dtype) / 6"),
    ),
    Activation(
        "hard_tanh", Message("Hard tanh"), F.hardtanh, Code("F.hardtanh(x)", "nn.Hardtanh()"),
        r"\min(\max(x,\ -1),\ 1)", r"\begin{cases}1 & |x| < 1\\ 0 & |x| \ge 1\end{cases}",
        Message("Tanh without its exponential. Beyond ±1 there is no gradient at all."),
        _fixed(-1.0, 1.0, True, True), 0.0, derivative=(
            lambda x: (x.abs() < 1).to(x.dtype), "(x.abs() < 1).to(x.dtype)"
        ),
    ),
    Activation(
        "step", Message("Step function"), _step, Code("torch.relu(torch.sign(x))"),
        r"\begin{cases}1 & x > 0\\ 0 & x \le 0\end{cases}", r"0",
        Message("The perceptron's. Its gradient is 0 everywhere, so gradient descent never moves a weight: it cannot be trained this way."),
        _fixed(0.0, 1.0, True, True), 0.0, trainable=False,
    ),
)}  # fmt: skip
