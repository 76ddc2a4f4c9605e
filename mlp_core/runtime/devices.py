"""Which device a run computes on, and which errors mean that a device gave out rather than that the program is wrong."""

import torch

from mlp_core.spec import SpecError

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
        raise SpecError("device", f"must be one this machine has (auto, {', '.join(available)})", name)
    return torch.device(name)


def failure_of(error: RuntimeError | MemoryError) -> tuple[str, str] | None:
    """(`StopReason.kind`, the beginning of a sentence) where the error means memory or a device that gave out; None for any other."""
    text = str(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(sign in text for sign in _OUT_OF_MEMORY):
        return "out_of_memory", "The memory ran out (a smaller network or batch needs less)"
    if any(sign in text for sign in _DEVICE_LOST):
        return "device_lost", "The device stopped answering"
    return None
