"""Every tensor operation against numpy on random shapes: the same values, the same refusals, and the shapes' own rules say so too."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.labs.tensors.operations import OPERATIONS, Example, Parameters, RefusedError, arithmetic_of, compute, sources
from mlp_core.labs.tensors.shapes import Role
from mlp_core.labs.tensors.table import literal, read

Floats = npt.NDArray[np.float64]
Oracle = Callable[[Sequence[Floats], Parameters], Any]


def refuse_unless(right: bool) -> None:
    if not right:
        raise ValueError


def of_axes(operands: Sequence[Floats], *axes: int) -> Sequence[Floats]:
    """What torch is stricter about than numpy: the number of axes."""
    refuse_unless(tuple(operand.ndim for operand in operands) == axes)
    return operands


def numpy_transpose(operands: Sequence[Floats], p: Parameters) -> Any:
    return np.swapaxes(operands[0], *p.swap)


NUMPY: dict[str, Oracle] = {
    "numel": lambda t, p: t[0].size,
    "sum": lambda t, p: t[0].sum(axis=p.axes or None, keepdims=p.keepdim and bool(p.axes)),
    "cumsum": lambda t, p: np.cumsum(t[0], axis=p.axis),
    "hadamard": lambda t, p: t[0] * t[1],
    "mul": lambda t, p: np.multiply(t[0], t[1]),
    "add": lambda t, p: t[0] + t[1],
    "dot": lambda t, p: np.dot(*of_axes(t, 1, 1)),
    "mv": lambda t, p: np.dot(*of_axes(t, 2, 1)),
    "mm": lambda t, p: np.dot(*of_axes(t, 2, 2)),
    "matmul": lambda t, p: np.matmul(t[0], t[1]),
    "l1": lambda t, p: np.linalg.norm(t[0].ravel(), 1),
    "l2": lambda t, p: np.linalg.norm(t[0].ravel()),
    "frobenius": lambda t, p: np.linalg.norm(t[0], "fro", axis=(-2, -1)),
    "transpose": numpy_transpose,
    "reshape": lambda t, p: np.reshape(t[0], p.shape),
}
SIZES = st.sampled_from([1, 1, 2, 2, 3, 4])
SHAPES = st.lists(SIZES, min_size=1, max_size=3).map(tuple)
PARAMETERS = st.builds(
    Parameters,
    axes=st.sets(st.integers(0, 2)).map(lambda axes: tuple(sorted(axes))),
    keepdim=st.booleans(),
    axis=st.integers(0, 2),
    swap=st.sampled_from([(0, 1), (0, 2), (1, 2)]),
    shape=st.lists(st.integers(-1, 4), min_size=1, max_size=3).map(tuple),
)


@st.composite
def calls(draw: st.DrawFn, low: int = -9) -> tuple[str, list[torch.Tensor], Parameters]:
    """An operation, tensors of whole numbers of any shapes (often such as fit), and parameters."""
    name = draw(st.sampled_from(list(OPERATIONS)))
    a = draw(SHAPES)
    nearly = [a, a[::-1], a[-1:], (*a[:-1], 1), (a[-1], 2), (*a[:-2], a[-1], 2)]
    shapes = [a, draw(st.one_of(st.sampled_from(nearly), SHAPES))][: OPERATIONS[name].arity]
    tensors = []
    for shape in shapes:
        count = math.prod(shape)
        numbers = draw(st.lists(st.integers(low, 9), min_size=count, max_size=count))
        tensors.append(torch.tensor(numbers, dtype=torch.float32).reshape(shape))
    return name, tensors, draw(PARAMETERS)


def test_every_operation_has_an_oracle() -> None:
    assert NUMPY.keys() == OPERATIONS.keys()


@given(calls())
def test_torch_numpy_and_the_lineup_agree(call: tuple[str, list[torch.Tensor], Parameters]) -> None:
    name, tensors, parameters = call
    operation = OPERATIONS[name]
    lineup = operation.lineup([tuple(tensor.shape) for tensor in tensors], parameters)
    roles = {axis.role for row in lineup.rows for axis in row.axes if axis is not None}
    assert lineup.words
    try:
        expected = np.asarray(NUMPY[name]([tensor.double().numpy() for tensor in tensors], parameters))
    except ValueError:  # AxisError is one too
        with pytest.raises(RefusedError, match=r"^(RuntimeError|IndexError): .+"):
            compute(operation, tensors, parameters)
        assert lineup.shape is None
        assert Role.CLASH in roles
    else:
        result = compute(operation, tensors, parameters)
        assert lineup.shape == tuple(result.value.shape) == expected.shape
        assert Role.CLASH not in roles
        np.testing.assert_allclose(result.value.double().numpy(), expected, rtol=1e-6)
        assert [tuple(axis.size for axis in lineup.rows[-1].axes if axis)] == [expected.shape]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_can_be_met_and_refused(name: str) -> None:
    operation = OPERATIONS[name]

    def asked(example: Example) -> bool:
        tensors = [read(text) for text in (example.a, example.b)[: operation.arity]]
        try:
            compute(operation, tensors, example.parameters)
        except RefusedError:
            return False
        return True

    assert asked(operation.fits)
    assert operation.clashes is None or not asked(operation.clashes)


@given(calls())
def test_the_line_that_is_shown_computes_what_is_shown(call: tuple[str, list[torch.Tensor], Parameters]) -> None:
    name, tensors, parameters = call
    operation = OPERATIONS[name]
    names: dict[str, Any] = {letter: eval(literal(tensor), {"torch": torch}) for letter, tensor in zip("AB", tensors, strict=False)}
    try:
        result = compute(operation, tensors, parameters)
    except RefusedError as refusal:
        with pytest.raises((RuntimeError, IndexError), match=f"^{re.escape(str(refusal).partition(': ')[2])}$"):
            eval(operation.line(parameters), {"torch": torch, **names})
    else:
        answer = eval(operation.line(parameters), {"torch": torch, **names})
        assert str(answer) == result.printed
        assert torch.equal(torch.as_tensor(answer), result.value)


@given(calls(low=1), st.data())
def test_a_cell_depends_on_its_sources_and_on_nothing_else(call: tuple[str, list[torch.Tensor], Parameters], data: st.DataObject) -> None:
    """Positive numbers: changing one that takes part changes the result, whatever the operation."""
    name, tensors, parameters = call
    operation = OPERATIONS[name]
    try:
        before = compute(operation, tensors, parameters).value
    except RefusedError:
        return
    if name == "numel":
        return
    cell = data.draw(st.integers(0, before.numel() - 1))
    made_by = sources(operation, tensors, parameters, cell)
    for which, mask in enumerate(made_by):
        for place in range(mask.numel()):
            changed = [tensor.clone() for tensor in tensors]
            changed[which].view(-1)[place] += 1000
            after = compute(operation, changed, parameters).value
            assert bool(after.flatten()[cell] != before.flatten()[cell]) == bool(mask.flatten()[place])


def test_a_count_depends_on_all_cells() -> None:
    (mask,) = sources(OPERATIONS["numel"], [torch.zeros(2, 3)], Parameters(), 0)
    assert mask.shape == (2, 3)
    assert mask.all()


def computed(written: str, names: dict[str, Any]) -> float:
    """The left side of written arithmetic, by Python's own."""
    text = written.replace("·", "*").replace("²", "**2").replace("√", "sqrt").replace("−", "-")
    while "|" in text:
        text = text.replace("|", "abs(", 1).replace("|", ")", 1)
    return float(eval(text, {"sqrt": math.sqrt, **names}))


@given(calls(), st.data())
def test_the_arithmetic_that_is_written_out_gives_the_result(call: tuple[str, list[torch.Tensor], Parameters], data: st.DataObject) -> None:
    name, tensors, parameters = call
    operation = OPERATIONS[name]
    try:
        result = compute(operation, tensors, parameters).value
    except RefusedError:
        return
    cell = data.draw(st.integers(0, result.numel() - 1))
    value = float(result.flatten()[cell])
    written = arithmetic_of(operation, tensors, sources(operation, tensors, parameters, cell), value)
    left, sign, right = written.rpartition("=" if "=" in written else "≈")
    assert float(right.replace("−", "-")) == pytest.approx(value, rel=1e-4)
    assert sign
    if "…" not in left:
        assert computed(left, {"A": tensors[0].numpy()}) == pytest.approx(value, rel=1e-4)
    if sign == "=" and "√" not in left and "…" not in left:
        assert computed(left, {"A": tensors[0].numpy()}) == value


def test_the_book_s_numbers() -> None:
    """d2l, section 2.3: arange(6) as (2, 3); ones(4, 9); u = (3, −4)."""
    a = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    assert compute(OPERATIONS["sum"], [a], Parameters(axes=(0,))).value.tolist() == [3, 5, 7]
    assert compute(OPERATIONS["sum"], [a], Parameters(axes=(1,), keepdim=True)).value.tolist() == [[3], [12]]
    assert compute(OPERATIONS["cumsum"], [a], Parameters(axis=0)).value.tolist() == [[0, 1, 2], [3, 5, 7]]
    assert compute(OPERATIONS["frobenius"], [torch.ones(4, 9)], Parameters()).value.item() == 6
    u = read("3 -4")
    assert compute(OPERATIONS["l1"], [u], Parameters()).value.item() == 7
    assert compute(OPERATIONS["l2"], [u], Parameters()).value.item() == 5
    assert compute(OPERATIONS["numel"], [a], Parameters()).printed == "6"


def test_overflow_is_infinity_as_torch_has_it() -> None:
    result = compute(OPERATIONS["hadamard"], [read("1e38"), read("10")], Parameters())
    assert math.isinf(result.value.item())
    assert arithmetic_of(OPERATIONS["hadamard"], [read("1e38"), read("10")], [torch.tensor([True])] * 2, math.inf) == "(1 × 10³⁸)·10 = ∞"
