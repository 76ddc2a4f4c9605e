"""Which library multiplies float32 matrices on the processor: chosen once a process, by measured error.

On AMD's processors the default, MKL, can take nearly twice as long as oneDNN. PyTorch hands products to oneDNN only when told that a
"medium" precision will do, bfloat16 inside; most processors compute in float32 all the same, but those with bfloat16 units may really
round. So the products of a training step are measured first, and oneDNN is kept only where its error is that of float32. The choice
rests on no clock: the same machine always takes the same library, and a run repeats bit for bit.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

ONEDNN, DEFAULT_LIBRARY = "oneDNN", "PyTorch's default library"
LARGEST_ERROR = 1e-5  # float32 stays near 1e-6 for these shapes; bfloat16 inside gives 1e-3
BATCH = 256
LAYERS = ((784, 256), (256, 10), (1024, 1024))  # the book's two layers, and one large enough for other kernels


@dataclass(frozen=True, slots=True)
class MatmulChoice:
    """The library in use, as `name`, and why.

    `largest_error` is oneDNN's, relative to the largest entry of the product in float64; None where there is no oneDNN.
    """

    name: str
    largest_error: float | None


Product = Callable[[Tensor, Tensor], Tensor]


def _linear(a: Tensor, b: Tensor) -> Tensor:
    """a @ b as `nn.Linear` computes it, which may take another way."""
    return F.linear(a, b.T, torch.zeros(b.shape[1]))


_lock = threading.Lock()
_chosen: MatmulChoice | None = None


def choose_matmul() -> MatmulChoice:
    """Settle the library for the whole process; the first call measures, every later one returns the same choice.

    Only products on the processor are concerned. `torch.set_float32_matmul_precision("medium")` would take oneDNN too, but with it
    TensorFloat-32 on CUDA.
    """
    global _chosen  # noqa: PLW0603 (the setting is the process's own)
    with _lock:
        if _chosen is None:
            _chosen = _choose()
        return _chosen


def _choose() -> MatmulChoice:
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return MatmulChoice(DEFAULT_LIBRARY, None)
    _take_onednn(True)
    error = largest_error()
    if error < LARGEST_ERROR:
        return MatmulChoice(ONEDNN, error)
    _take_onednn(False)
    return MatmulChoice(DEFAULT_LIBRARY, error)


def _take_onednn(taken: bool) -> None:
    torch.backends.mkldnn.matmul.fp32_precision = "bf16" if taken else "none"  # type: ignore[attr-defined]


def largest_error(products: tuple[Product, ...] = (torch.matmul, _linear)) -> float:
    """Largest relative error of these ways to multiply among the products of one step forward and backward, against float64."""
    generator = torch.Generator().manual_seed(0)
    errors = []
    for a, b in _step_operands(generator):
        exact = a.double() @ b.double()
        errors += [((product(a, b) - exact).abs().max() / exact.abs().max()).item() for product in products]
    return max(errors)


def _step_operands(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """The factors of H Wᵀ, Gᵀ H and G W in every layer, with the strides that autograd gives them."""
    for n_in, n_out in LAYERS:
        H = torch.randn(BATCH, n_in, generator=generator)
        W = torch.randn(n_out, n_in, generator=generator)
        G = torch.randn(BATCH, n_out, generator=generator)
        yield H, W.T
        yield G.T, H
        yield G, W
