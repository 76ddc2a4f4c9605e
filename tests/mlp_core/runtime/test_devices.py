"""Devices are found, preferred and refused as a machine has them, and errors are sorted into outcomes and defects."""

from __future__ import annotations

import pytest
import torch

from mlp_core.runtime.devices import available_devices, failure_of, find_device
from mlp_core.spec import SpecError

MACHINES = {"cpu": (False, False), "cuda": (True, False), "mps": (False, True), "both": (True, True)}


@pytest.fixture
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    cuda, mps = MACHINES[name]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    return name


@pytest.mark.parametrize(
    ("machine", "available", "auto"),
    [
        ("cpu", ("cpu",), "cpu"),
        ("cuda", ("cpu", "cuda"), "cuda"),
        ("mps", ("cpu", "mps"), "mps"),
        ("both", ("cpu", "cuda", "mps"), "cuda"),
    ],
    indirect=["machine"],
)
def test_a_machine_offers_what_it_has(machine: str, available: tuple[str, ...], auto: str) -> None:
    assert available_devices() == available
    assert find_device("auto") == torch.device(auto)
    for name in available:
        assert find_device(name) == torch.device(name)


@pytest.mark.parametrize(("machine", "missing"), [("cpu", "cuda"), ("cpu", "mps"), ("cuda", "mps"), ("mps", "cuda")], indirect=["machine"])
def test_a_device_that_is_not_there_is_refused_by_name(machine: str, missing: str) -> None:
    with pytest.raises(SpecError) as refused:
        find_device(missing)
    assert (refused.value.field, refused.value.value) == ("device", missing)
    for name in available_devices():
        assert name in refused.value.rule


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "out_of_memory"),
        (RuntimeError("CUDA error: out of memory"), "out_of_memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory"), "out_of_memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18.1 GB)"), "out_of_memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device_lost"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device_lost"),
        (RuntimeError("CUDA error: unspecified launch failure"), "device_lost"),
        (RuntimeError("No CUDA GPUs are available"), "device_lost"),
        (RuntimeError("Found no NVIDIA driver on your system."), "device_lost"),
        (RuntimeError("CUDA driver error: invalid argument"), "device_lost"),
    ],
)
def test_what_gave_out_is_told_apart(error: RuntimeError | MemoryError, kind: str) -> None:
    assert failure_of(error) == kind


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied (16x6 and 7x8)",
        "element 0 of tensors does not require grad and does not have a grad_fn",
        "the screwdriver is missing",
        "",
    ],
)
def test_a_defect_is_no_outcome(text: str) -> None:
    assert failure_of(RuntimeError(text)) is None


def test_a_real_allocation_that_fails_is_memory() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**55)
    assert failure_of(raised.value) == "out_of_memory"
