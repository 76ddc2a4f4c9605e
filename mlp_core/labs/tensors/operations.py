"""The registry of what the warm-up does to small tensors: the formula, the line of torch, how shapes line up.

The result is torch's own; a refusal is torch's own error. The words about shapes come from `tensor_shapes`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mlp_core.labs.tensors import shapes
from mlp_core.labs.tensors.shapes import Lineup, Shape
from mlp_core.words import Message, significant

MOST_TERMS = 9
DIGITS = 5  # significant ones


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of an operand."""

    index: tuple[int, ...]
    value: float


Operands = Sequence[Sequence[Cell]]  # for each operand, the cells that made the result's, in the order of memory
Writer = Callable[[Operands], str]


def number(value: float) -> str:
    """A number with five significant digits, and no comma in it: numbers stand in lists here."""
    return significant(value, DIGITS).replace(",", "")


def is_exact(value: float) -> bool:
    """Whether `number` shows all of a float32: then an equals sign is true."""
    return not math.isfinite(value) or float(np.float32(f"{value:.{DIGITS}g}")) == value


def written_out(writer: Writer, operands: Operands, result: float) -> str:
    """The arithmetic with its result; ≈ where digits are left out."""
    exact = all(is_exact(cell.value) for cells in operands for cell in cells) and is_exact(result)
    return f"{writer(operands)} {'=' if exact else '≈'} {number(result)}"


def counted(operands: Operands) -> str:
    """2·3: the sizes of a tensor all of whose cells are given."""
    return "·".join(str(size + 1) for size in operands[0][-1].index)


def summed(operands: Operands) -> str:
    """1 + 4."""
    return _joined([_term(cell) for cell in operands[0]])


def added(operands: Operands) -> str:
    """1 + 10."""
    return _joined([_term(operands[0][0]), _term(operands[1][0])])


def multiplied(operands: Operands) -> str:
    """1·5 + 2·7: each cell of A with its partner of B."""
    return _joined([f"{_factor(first)}·{_factor(second)}" for first, second in zip(*operands, strict=True)])


def absolute(operands: Operands) -> str:
    """|1| + |−4|."""
    return _joined([f"|{number(cell.value)}|" for cell in operands[0]])


def rooted(operands: Operands) -> str:
    """√(1² + (−4)²)."""
    return f"√({_joined([f'{_factor(cell)}²' for cell in operands[0]])})"


def moved(operands: Operands) -> str:
    """A[1, 0]: where the number stood before."""
    return f"A[{', '.join(map(str, operands[0][0].index))}]"


def _term(cell: Cell) -> str:
    text = number(cell.value)
    return f"({text})" if text.startswith("−") else text


def _factor(cell: Cell) -> str:
    text = _term(cell)
    return f"({text})" if "×" in text and not text.startswith("(") else text


def _joined(terms: list[str]) -> str:
    if len(terms) > MOST_TERMS:
        terms = [*terms[: MOST_TERMS - 2], "…", terms[-1]]
    return " + ".join(terms)


Kind = Literal["one", "cellwise", "product"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be chosen beside the tensors. `axes` empty stands for all axes; `shape` may hold one -1."""

    axes: tuple[int, ...] = (0,)
    keepdim: bool = False
    axis: int = 0
    swap: tuple[int, int] = (0, 1)
    shape: Shape = (3, -1)


@dataclass(frozen=True, slots=True)
class Example:
    """Texts for `tensor_table.read`, and parameters."""

    a: str
    b: str = ""
    parameters: Parameters = Parameters()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one tensor A or two, A and B.

    Args:
        latex: what one cell of the result is.
        line: the torch that computes it.
        apply: the same, done; an int where torch gives one.
        lineup: how the shapes line up.
        writer: writes one cell of the result out.
        use: where a multilayer perceptron needs it; markdown.
        fits, clashes: examples; `clashes` is None for what takes every tensor.
        chosen: names of the `Parameters` that matter.
        kind: of one tensor; of two, cell by cell; or rows of one with columns of the other.
    """

    label: str
    latex: str
    line: Callable[[Parameters], str]
    apply: Callable[[Sequence[Tensor], Parameters], Tensor | int]
    lineup: Callable[[Sequence[Shape], Parameters], Lineup]
    writer: Writer
    use: str
    fits: Example
    clashes: Example | None = None
    chosen: tuple[str, ...] = ()
    kind: Kind = "one"

    @property
    def arity(self) -> int:
        """How many tensors it takes."""
        return 1 if self.kind == "one" else 2


@dataclass(frozen=True, slots=True)
class Result:
    """What torch answered: the tensor (a number where torch gives a number), and the answer as Python prints it."""

    value: Tensor
    printed: str


class RefusedError(ValueError):
    """Torch's own words about operands it does not take, with the name of its error before them."""


def compute(operation: Operation, tensors: Sequence[Tensor], parameters: Parameters) -> Result:
    """Let torch do it.

    Raises:
        RefusedError: torch raised an error.
    """
    try:
        answer = operation.apply(tensors, parameters)
    except (RuntimeError, IndexError) as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from error
    return Result(torch.as_tensor(answer), str(answer))


def sources(operation: Operation, tensors: Sequence[Tensor], parameters: Parameters, cell: int) -> list[Tensor]:
    """Which cells of the operands make one cell of the result: a bool tensor an operand.

    Autograd tells: with ones everywhere, every cell that takes part has a gradient other than 0. A count depends on all cells alike.

    Args:
        cell: its place in the flattened result.
    """
    ones = [torch.ones_like(tensor).requires_grad_() for tensor in tensors]
    answer = operation.apply(ones, parameters)
    if not isinstance(answer, Tensor):
        return [torch.ones_like(tensor, dtype=torch.bool) for tensor in tensors]
    gradients = torch.autograd.grad(answer.flatten()[cell], ones)
    return [gradient != 0 for gradient in gradients]


def arithmetic_of(operation: Operation, tensors: Sequence[Tensor], made_by: Sequence[Tensor], result: float) -> str:
    """One cell of the result written out, given the masks of `sources`."""
    operands = [
        [Cell(tuple(index), float(tensor[tuple(index)])) for index in mask.nonzero().tolist()]
        for tensor, mask in zip(tensors, made_by, strict=True)
    ]
    return written_out(operation.writer, operands, result)


def _sum_line(p: Parameters) -> str:
    if not p.axes:
        return "A.sum()"
    dim = str(p.axes[0] if len(p.axes) == 1 else p.axes)
    return f"A.sum(dim={dim}{', keepdim=True' if p.keepdim else ''})"


def _sum(tensors: Sequence[Tensor], p: Parameters) -> Tensor:
    return tensors[0].sum(dim=p.axes, keepdim=p.keepdim) if p.axes else tensors[0].sum()


TWO_BY_THREE = "1 2 3; 4 5 6"
OPERATIONS: dict[str, Operation] = {
    "numel": Operation(
        Message("numel"), r"\text{numel}(A) = \prod_i \text{size}_i",
        lambda p: "A.numel()", lambda t, p: t[0].numel(),
        lambda s, p: shapes.all_axes(s[0], Message("The sizes of all axes are multiplied: the number of cells.")), counted,
        Message("Counting parameters: $W_1$ of shape (784, 256) and $b_1$ of shape (256,) hold 200,704 + 256 numbers."),
        Example(TWO_BY_THREE),
    ),
    "sum": Operation(
        Message("sum"), r"c_{\ldots} = \sum_i a_{\ldots i \ldots}",
        _sum_line, _sum, lambda s, p: shapes.reduced(s[0], p.axes, p.keepdim), summed,
        Message(
            "The mean loss of a batch is `loss.sum() / loss.numel()`. Softmax divides by `exp(O).sum(dim=1, keepdim=True)`: with the kept "
            "axis, (256, 1), the division broadcasts."
        ),
        Example(TWO_BY_THREE), Example(TWO_BY_THREE, parameters=Parameters(axes=(2,))), ("axes", "keepdim"),
    ),
    "cumsum": Operation(
        Message("cumsum"), r"c_{\ldots i \ldots} = \sum_{k \le i} a_{\ldots k \ldots}",
        lambda p: f"A.cumsum(dim={p.axis})", lambda t, p: t[0].cumsum(dim=p.axis),
        lambda s, p: shapes.running(s[0], p.axis), summed,
        Message("No layer needs it; it keeps count around one: images seen after each batch, or the share of the weights below a size."),
        Example(TWO_BY_THREE), Example(TWO_BY_THREE, parameters=Parameters(axis=2)), ("axis",),
    ),
    "hadamard": Operation(
        Message("elementwise ⊙"), r"c_{ij} = a_{ij}\, b_{ij}", lambda p: "A * B", lambda t, p: t[0] * t[1],
        lambda s, p: shapes.broadcast(*s), multiplied,
        Message(r"Backpropagation through an activation: the gradient times $\varphi'(Z)$, cell by cell. Dropout: the mask times $H$."),
        Example(TWO_BY_THREE, "10 20 30; 40 50 60"), Example(TWO_BY_THREE, "10 20; 30 40"), kind="cellwise",
    ),
    "mul": Operation(
        Message("mul, broadcast"), Message(r"c_{ij} = a_{ij}\, b_{ij}, \quad \text{index 0 where a size is 1}"),
        lambda p: "torch.mul(A, B)", lambda t, p: torch.mul(t[0], t[1]),
        lambda s, p: shapes.broadcast(*s), multiplied,
        Message("A learning rate or a scale of its own for every column: (256, 10) times (10,), with nothing copied."),
        Example("1; 2; 3", "1 2 3 4;"), Example(TWO_BY_THREE, "1 2"), kind="cellwise",
    ),
    "add": Operation(
        Message("add, broadcast"), Message(r"c_{ij} = a_{ij} + b_{ij}, \quad \text{index 0 where a size is 1}"),
        lambda p: "A + B", lambda t, p: t[0] + t[1],
        lambda s, p: shapes.broadcast(*s), added,
        Message("The bias: in $XW + b$ the product (256, 10) meets $b$ (10,), which stretches over the batch."),
        Example(TWO_BY_THREE, "10 20 30"), Example(TWO_BY_THREE, "10 20"), kind="cellwise",
    ),
    "dot": Operation(
        Message("dot"), r"c = \sum_i a_i\, b_i", lambda p: "torch.dot(A, B)", lambda t, p: torch.dot(t[0], t[1]),
        lambda s, p: shapes.dot(*s), multiplied,
        Message(r"One unit and one sample: $\langle w, x \rangle + b$, the perceptron."),
        Example("1 2 3", "4 5 6"), Example("1 2 3", "4 5"), kind="product",
    ),
    "mv": Operation(
        Message("mv"), r"c_i = \sum_k a_{ik}\, b_k", lambda p: "torch.mv(A, B)", lambda t, p: torch.mv(t[0], t[1]),
        lambda s, p: shapes.mv(*s), multiplied,
        Message("A whole layer and one sample: a dot product for every unit."),
        Example(TWO_BY_THREE, "1 0 -1"), Example(TWO_BY_THREE, "1 0"), kind="product",
    ),
    "mm": Operation(
        Message("mm"), r"c_{ij} = \sum_k a_{ik}\, b_{kj}",
        lambda p: "torch.mm(A, B)", lambda t, p: torch.mm(t[0], t[1]),
        lambda s, p: shapes.mm(*s), multiplied,
        Message(
            "A layer and a batch: $XW$ is (256, 784) times (784, 256). With a broadcast $b$ added, that is all a layer does before it "
            "bends."
        ),
        Example("1 2; 3 4; 5 6", "5 6 1 0; 7 8 0 1"), Example(TWO_BY_THREE, "1 2 3; 4 5 6"), kind="product",
    ),
    "matmul": Operation(
        Message("matmul @"), r"c_{\ldots ij} = \sum_k a_{\ldots ik}\, b_{\ldots kj}",
        lambda p: "A @ B", lambda t, p: t[0] @ t[1],
        lambda s, p: shapes.matmul(*s), multiplied,
        Message("mm for any number of axes: five networks at once are (5, 256, 784) @ (5, 784, 256). One batch for all five broadcasts."),
        Example("1 2; 3 4 | 5 6; 7 8", "1 0; 0 2"), Example("1 2; 3 4 | 5 6; 7 8", "1 2 3"), kind="product",
    ),
    "l1": Operation(
        Message("L1 norm"), r"\|A\|_1 = \sum_i |a_i|", lambda p: "A.abs().sum()", lambda t, p: t[0].abs().sum(),
        lambda s, p: shapes.all_axes(s[0], Message("Every cell counts: one number.")), absolute,
        Message(r"As a penalty, $\lambda\|w\|_1$ favors weights that are exactly 0."),
        Example("3 -4"),
    ),
    "l2": Operation(
        Message("L2 norm"), r"\|A\|_2 = \sqrt{\sum_i a_i^2}",
        lambda p: "torch.linalg.vector_norm(A)", lambda t, p: torch.linalg.vector_norm(t[0]),
        lambda s, p: shapes.all_axes(s[0], Message("Every cell counts: one number.")), rooted,
        Message(r"Weight decay adds $\frac{\lambda}{2}\|w\|_2^2$ to the loss. The size of a gradient is measured so too."),
        Example("3 -4"),
    ),
    "frobenius": Operation(
        Message("Frobenius norm"), r"\|A\|_F = \sqrt{\sum_{ij} a_{ij}^2}",
        lambda p: "torch.linalg.matrix_norm(A)", lambda t, p: torch.linalg.matrix_norm(t[0]),
        lambda s, p: shapes.matrix_norm(s[0]), rooted,
        Message(r"The size of a weight matrix: weight decay of a layer is $\frac{\lambda}{2}\|W\|_F^2$, the squared Frobenius norm."),
        Example("1 1 1; 1 1 1; 1 1 1; 1 1 1"), Example("3 -4"),
    ),
    "transpose": Operation(
        Message("transpose"), r"c_{\ldots j \ldots i \ldots} = a_{\ldots i \ldots j \ldots}",
        lambda p: f"A.transpose({p.swap[0]}, {p.swap[1]})", lambda t, p: t[0].transpose(*p.swap),
        lambda s, p: shapes.swapped(s[0], *p.swap), moved,
        Message(
            r"`nn.Linear` keeps $W$ as (out, in) and computes $XW^\top + b$. "
            r"Backward: $\partial L/\partial W = X^\top \partial L/\partial Z$."
        ),
        Example(TWO_BY_THREE), Example("1 2 3"), ("swap",),
    ),
    "reshape": Operation(
        Message("reshape"), Message(r"c_{[n]} = a_{[n]} \text{ for the } n\text{-th cell in reading order}"),
        lambda p: f"A.reshape({', '.join(map(str, p.shape))})", lambda t, p: t[0].reshape(p.shape),
        lambda s, p: shapes.reshaped(s[0], p.shape), moved,
        Message("An image (28, 28) becomes the 784 inputs of the first layer: `X.reshape(-1, 784)`."),
        Example(TWO_BY_THREE), Example(TWO_BY_THREE, parameters=Parameters(shape=(4, -1))), ("shape",),
    ),
}  # fmt: skip
