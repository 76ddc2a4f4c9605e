"""The library is chosen by error alone, once, and float32's error is told from that of rounding to bfloat16."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from mlp_core.runtime import devices as matmul
from mlp_core.runtime.devices import DEFAULT_LIBRARY, LARGEST_ERROR, ONEDNN, choose_matmul, largest_error


@pytest.fixture(autouse=True)
def unchosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every test choose anew, and give the process its setting back."""
    setting = torch.backends.mkldnn.matmul.fp32_precision  # type: ignore[attr-defined]
    monkeypatch.setattr(matmul, "_chosen", None)
    yield
    torch.backends.mkldnn.matmul.fp32_precision = setting  # type: ignore[attr-defined]


def setting() -> str:
    return str(torch.backends.mkldnn.matmul.fp32_precision)  # type: ignore[attr-defined]


def rounded_to_bfloat16(a: Tensor, b: Tensor) -> Tensor:
    return a.bfloat16().float() @ b.bfloat16().float()


def rounded_to_tensor_float(a: Tensor, b: Tensor) -> Tensor:
    """The product of numbers with TensorFloat-32's 10 bits of mantissa."""
    mask = -(1 << 13)
    return (a.contiguous().view(torch.int32) & mask).view(torch.float32) @ (b.contiguous().view(torch.int32) & mask).view(torch.float32)


def test_float32_passes_and_shorter_mantissas_do_not() -> None:
    matmul._take_onednn(False)
    assert largest_error() < LARGEST_ERROR / 5
    assert largest_error((rounded_to_bfloat16,)) > 50 * LARGEST_ERROR
    assert largest_error((rounded_to_tensor_float,)) > 5 * LARGEST_ERROR


def test_the_choice_keeps_what_it_promises() -> None:
    choice = choose_matmul()
    assert largest_error() < LARGEST_ERROR
    assert choice.name == (ONEDNN if setting() == "bf16" else DEFAULT_LIBRARY)


@pytest.mark.parametrize(
    ("error", "name", "left"), [(9e-6, ONEDNN, "bf16"), (1e-5, DEFAULT_LIBRARY, "none"), (float("nan"), DEFAULT_LIBRARY, "none")]
)
def test_the_error_decides(monkeypatch: pytest.MonkeyPatch, error: float, name: str, left: str) -> None:
    monkeypatch.setattr(matmul, "largest_error", lambda: error)
    choice = choose_matmul()
    assert (choice.name, setting()) == (name, left)


def test_without_onednn_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = setting()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    choice = choose_matmul()
    assert (choice.name, choice.largest_error, setting()) == (DEFAULT_LIBRARY, None, before)


def test_products_on_a_gpu_keep_their_precision() -> None:
    before = torch.backends.cuda.matmul.fp32_precision
    choose_matmul()
    assert torch.backends.cuda.matmul.fp32_precision == before != "tf32"


def test_threads_that_ask_at_once_get_one_choice_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def measured() -> float:
        calls.append(1)
        time.sleep(0.01)  # long enough for the others to ask meanwhile
        return 1e-6

    monkeypatch.setattr(matmul, "largest_error", measured)
    with ThreadPoolExecutor(8) as pool:
        choices = list(pool.map(lambda _: choose_matmul(), range(32)))
    assert all(choice is choices[0] for choice in choices)
    assert len(calls) == 1
