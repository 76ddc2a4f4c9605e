"""Which device a run computes on, which library multiplies on the processor, and which errors mean that a device gave out.

On AMD's processors PyTorch's default library, MKL, can take nearly twice as long as oneDNN. PyTorch hands float32 products to oneDNN only
when told that a "medium" precision will do, bfloat16 inside; most processors compute in float32 all the same, but those with bfloat16
units may really round. So the products of a training step are measured first, once a process, and oneDNN is kept only where its error is
that of float32. The choice rests on no clock: the same machine always takes the same library, and a run repeats bit for bit
on as many threads.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mlp_core.spec import SpecError
from mlp_core.words import Message, listed

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_DEVICE_LOST = ("CUDA error", "device-side assert", "MPS backend", "no CUDA-capable device", "No CUDA GPUs", "NVIDIA driver", "CUDA driver")


def available_devices() -> tuple[str, ...]:
    """What a run may ask for on this machine: "cpu" always, "cuda" and "mps" where they are."""
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return tuple(name for name, there in found.items() if there)


def find_device(name: str) -> torch.device:
    """The device that `RunSpec.device` means here; "auto" takes CUDA, then MPS, then the processor.

    Raises:
        SpecError: the machine does not have it.
    """
    available = available_devices()
    if name == "auto":
        return torch.device(next(device for device in ("cuda", "mps", "cpu") if device in available))
    if name not in available:
        raise SpecError("device", Message("must be one this machine has ({devices})", devices=listed(["auto", *available])), name)
    return torch.device(name)


def failure_of(error: RuntimeError | MemoryError) -> Literal["out_of_memory", "device_lost"] | None:
    """`StopReason.kind` where the error means memory or a device that gave out; None for any other."""
    text = str(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(sign in text for sign in _OUT_OF_MEMORY):
        return "out_of_memory"
    if any(sign in text for sign in _DEVICE_LOST):
        return "device_lost"
    return None


ONEDNN, DEFAULT_LIBRARY = "oneDNN", Message("PyTorch's default library")
LARGEST_ERROR = 1e-5  # float32 stays near 1e-6 for these shapes; bfloat16 inside gives 1e-3
BATCH = 256
LAYERS = ((784, 256), (256, 10), (1024, 1024))  # the book's two layers, and one large enough for other kernels
Product = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class MatmulChoice:
    """The library in use, as `name`, and why.

    `largest_error` is oneDNN's, relative to the largest entry of the product in float64; None where there is no oneDNN.
    """

    name: str
    largest_error: float | None


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


def largest_error(products: tuple[Product, ...] = (torch.matmul, _linear), layers: tuple[tuple[int, int], ...] = LAYERS) -> float:
    """Largest relative error of these ways to multiply among the products of one step through such layers, against float64."""
    generator = torch.Generator().manual_seed(0)
    errors = []
    for a, b in step_operands(generator, layers):
        exact = a.double() @ b.double()
        errors += [((product(a, b) - exact).abs().max() / exact.abs().max()).item() for product in products]
    return max(errors)


def step_operands(generator: torch.Generator, layers: tuple[tuple[int, int], ...]) -> Iterator[tuple[Tensor, Tensor]]:
    """The factors of H Wᵀ, Gᵀ H and G W in every layer, with the strides that autograd gives them."""
    for n_in, n_out in layers:
        H = torch.randn(BATCH, n_in, generator=generator)
        W = torch.randn(n_out, n_in, generator=generator)
        G = torch.randn(BATCH, n_out, generator=generator)
        yield H, W.T
        yield G.T, H
        yield G, W
