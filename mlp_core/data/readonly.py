"""A tensor that many share and nobody can write to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_WRITES = {"__setitem__", "__set__", "__delete__"} | {
    f"__i{name}__" for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
}


class ReadOnlyTensor(Tensor):
    """A tensor that refuses writes in place before they happen, and so do its views and its numpy arrays.

    What an operation computes or copies is an ordinary tensor: `index_select`, `clone`, `float`. Make one of a tensor that nobody
    else writes to: `values.as_subclass(ReadOnlyTensor)`. (An inference tensor would not do: torch 2.15 writes first and raises then.)
    Who wants to get around it can, by `untyped_storage()` or DLPack: this keeps out mistakes, not intent.
    """

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], _types: object, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what torch asks for, unless it writes to one of us.

        Raises:
            RuntimeError: an operation in place, or one with one of us as its `out`.
        """
        kwargs = kwargs or {}
        if func is Tensor.index_select:  # in every training step, and always a copy: no need to look
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs)
        name = getattr(func, "__name__", "").partition(".")[0]  # "add_.Tensor" of torch.ops
        in_place = name in _WRITES or (name.endswith("_") and not name.endswith("__")) or kwargs.get("inplace")
        written = [*(args[:1] if in_place else ()), kwargs.get("out")]
        if any(isinstance(tensor, cls) for tensor in _tensors(written)):
            raise _refusal(name)
        with torch._C.DisableTorchFunctionSubclass():
            return _guarded(func(*args, **kwargs), {_memory(tensor) for tensor in _tensors(args) if isinstance(tensor, cls)})

    def set_(self, *_args: object, **_kwargs: object) -> Tensor:
        """Refused; torch does not announce this one to `__torch_function__`."""
        raise _refusal("set_")

    def __deepcopy__(self, memo: dict[int, object]) -> Tensor:
        """An ordinary tensor, as any copy."""
        return self.clone()


def _refusal(name: str) -> RuntimeError:
    return RuntimeError(f"this tensor is shared and read-only: {name} would change it for everybody; work on its clone()")


def _tensors(values: object) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from _tensors(value)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _guarded(result: Any, shared: set[int]) -> Any:
    """`result`, read-only where it lies in `shared` memory: a view, several views, a numpy array."""
    if isinstance(result, Tensor):
        return result.as_subclass(ReadOnlyTensor) if _memory(result) in shared else result
    if type(result) in (tuple, list):
        return type(result)(_guarded(item, shared) for item in result)
    if isinstance(result, np.ndarray):
        result.flags.writeable = False
    return result
