"""Nothing that torch or numpy offers for writing changes a read-only tensor; whatever is computed from it is ordinary."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mlp_core.data.readonly import ReadOnlyTensor


def fresh() -> ReadOnlyTensor:
    return torch.arange(1, 25, dtype=torch.uint8).reshape(4, 6).as_subclass(ReadOnlyTensor)


def augmented(tensor: Tensor) -> None:
    tensor += 1


def through_data(tensor: Tensor) -> None:
    tensor.data = torch.zeros_like(tensor)


WRITES: dict[str, Callable[[Tensor], object]] = {
    "method": lambda x: x.zero_(),
    "item": lambda x: x.__setitem__((0, 0), 7),
    "augmented": augmented,
    "data": through_data,
    "slice": lambda x: x[1:3].add_(1),
    "reshape": lambda x: x.reshape(-1)[3:].mul_(2),
    "transpose": lambda x: x.T.fill_(0),
    "row of an iteration": lambda x: next(iter(x)).fill_(0),
    "part of a split": lambda x: x.chunk(2)[1].fill_(0),
    "list of parts": lambda x: torch.tensor_split(x, 2)[0].fill_(0),
    "detached": lambda x: x.detach().fill_(0),
    "its data": lambda x: x.data.fill_(0),
    "same dtype and device": lambda x: x.to(torch.uint8).fill_(0),
    "out": lambda x: torch.add(x, 1, out=x),
    "out of strangers": lambda x: torch.add(torch.ones(4, 6), 1, out=x),
    "several outs": lambda x: torch.max(torch.ones(4, 6), 0, out=(x[0], torch.zeros(6, dtype=torch.int64))),
    "inplace": lambda x: nn.functional.relu(x, inplace=True),
    "initializer": nn.init.zeros_,
    "foreach": lambda x: torch._foreach_add_([x, x[0]], 1),
    "operator": lambda x: torch.ops.aten.add_.Tensor(x, 1),
    "resize": lambda x: x.resize_(2, 2),
}


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_writes_are_refused_before_they_happen(write: Callable[[Tensor], object], mode: Callable[[], torch.no_grad]) -> None:
    tensor = fresh()
    with mode(), pytest.raises(RuntimeError, match=r"shared and read-only.*clone\(\)"):
        write(tensor)
    assert tensor.tolist() == torch.arange(1, 25).reshape(4, 6).tolist()


IN_PLACE = sorted(name for name in dir(Tensor) if name.endswith("_") and not name.startswith("_"))


@pytest.mark.filterwarnings("ignore:This overload")
@pytest.mark.parametrize("name", IN_PLACE)
def test_no_method_in_place_gets_through(name: str) -> None:
    ones = torch.ones(4, 6, dtype=torch.uint8)
    for arguments in ((), (1,), (1, 2), (ones,), (ones, 1), (ones, ones), (0, torch.tensor([0]), ones), (0, torch.tensor([0]), 1)):
        tensor = fresh()
        with pytest.raises((RuntimeError, TypeError)):  # TypeError: torch reads the arguments first
            getattr(tensor, name)(*arguments)
        assert tensor.tolist() == torch.arange(1, 25).reshape(4, 6).tolist()


def test_numpy_views_are_read_only_too() -> None:
    for array in (fresh().numpy(), np.asarray(fresh()), fresh()[1:].numpy()):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 9


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.sampled_from([torch.index_select, Tensor.index_select]))
def test_a_selection_is_an_ordinary_copy(chosen: list[int], select: Callable[..., Tensor]) -> None:
    tensor = fresh()
    selected = select(tensor, 0, torch.tensor(chosen))
    assert type(selected) is Tensor
    assert selected.tolist() == [tensor.tolist()[row] for row in chosen]
    selected.zero_()
    assert tensor.tolist() == torch.arange(1, 25).reshape(4, 6).tolist()


@pytest.mark.parametrize("compute", [Tensor.clone, Tensor.float, lambda x: x + 1, lambda x: x[torch.tensor([0])], copy.deepcopy])
def test_what_is_computed_can_be_written(compute: Callable[[Tensor], Tensor]) -> None:
    tensor = fresh()
    compute(tensor).zero_()
    assert tensor[0, 0] == 1


def test_others_may_be_written_from_it() -> None:
    target = torch.zeros(4, 6)
    target.copy_(fresh())
    target[0] = fresh()[1]
    target += fresh()
    assert target[0].tolist() == [8, 10, 12, 14, 16, 18]
