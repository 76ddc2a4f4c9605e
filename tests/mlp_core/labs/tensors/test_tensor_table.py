"""Texts and cells as small tensors: what is read, what is refused and how it is named, and that writing is reading backward."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlp_core.labs.tensors.table import MAX_TEXT_LENGTH, MOST, TableError, from_cells, literal, read, read_shape, resized, write

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False)
TENSORS = SHAPES.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=NUMBERS)).map(torch.from_numpy)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2 3", [1, 2, 3]),
        ("5", [5]),
        (" 1, 2,3 ", [1, 2, 3]),
        ("1 2 3;", [[1, 2, 3]]),
        ("1 2; 3 4", [[1, 2], [3, 4]]),
        ("1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("1, 2,\n3, 4,", [[1, 2], [3, 4]]),
        ("1;2;3", [[1], [2], [3]]),
        ("1 2; 3 4 | 5 6; 7 8", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
        ("1 2; 3 4 |", [[[1, 2], [3, 4]]]),
        ("1 | 2", [[[1]], [[2]]]),
        ("−1 -.5 +2e3 0", [-1, -0.5, 2000, 0]),
    ],
)
def test_a_text_is_read(text: str, expected: list[object]) -> None:
    tensor = read(text)
    assert tensor.dtype == torch.float32
    assert tensor.tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table: is empty"),
        (" ; ,\n | ", "the table: is empty"),
        ("1 abc", "row 0, column 1: 'abc' is not a number"),
        ("1 2; 3 x", "row 1, column 1: 'x' is not a number"),
        ("1 2; 3", "row 1: has 1 number, the first row has 2"),
        ("1 2 | 3 4; 5 6", "matrix 1: has 2 rows, the first one has 1"),
        ("1 2; 3 4 | 5 6; 7", "matrix 1, row 1: has 1 number"),
        ("1,,2", "row 0, column 1: is empty"),
        (";1", "row 0, column 0: is empty"),
        ("1;;2", "row 1, column 0: is empty"),
        ("1e39", "row 0, column 0: '1e39' is beyond the largest number of float32, 3.4 × 10³⁸"),
        ("1e-50", "'1e-50' is so small"),
        ("inf", "'inf' is not a finite number"),
        ("nan 1", "'nan' is not a finite number"),
        ("1_000", "'1_000' is not a number"),
        ("٣", "is not a number"),
        ("[[1, 2], [3, 4]]", "'[[1' is not a number; write rows like"),
        ("1 2 3 4 5 6 7 8 9", "has 9 columns; at most 8"),
        ("1;" * 9, "has 9 rows; at most 8"),
        ("1|" * 5, "has 5 matrices; at most 4"),
        ("1 " * MAX_TEXT_LENGTH, "the text: has 4,000 characters; at most 2,000"),
    ],
)
def test_a_bad_text_is_refused_with_place_rule_and_value(text: str, message: str) -> None:
    with pytest.raises(TableError) as refused:
        read(text)
    assert message in str(refused.value)


@given(st.text(alphabet=st.sampled_from("0123456789.,;| -+eE\n\tx[]"), max_size=60))
@example("1e400")
@example("|;")
@example(";|1")
def test_any_text_is_a_tensor_or_refused(text: str) -> None:
    try:
        tensor = read(text)
    except TableError:
        return
    assert tensor.isfinite().all()
    assert all(size <= most for size, most in zip(reversed(tensor.shape), reversed(MOST), strict=False))
    assert torch.equal(read(write(tensor)), tensor)


@given(TENSORS)
def test_writing_is_reading_backward(tensor: torch.Tensor) -> None:
    again = read(write(tensor))
    assert again.shape == tensor.shape
    assert torch.equal(again, tensor)


@given(TENSORS)
def test_the_line_of_python_makes_the_tensor(tensor: torch.Tensor) -> None:
    made = eval(literal(tensor), {"torch": torch})
    assert made.dtype == torch.float32
    assert torch.equal(made, tensor)


@pytest.mark.parametrize("cell", [None, "", "  "])
def test_an_empty_cell_is_named(cell: str | None) -> None:
    with pytest.raises(TableError, match="row 1, column 0: is empty"):
        from_cells([["1"], [cell]], (2, 1))


def test_a_decimal_comma_in_a_cell_is_refused_and_shown() -> None:
    with pytest.raises(TableError, match="row 0, column 1: '1,5' is not a number"):
        from_cells([["1", "1,5"]], (2,))


def test_the_error_survives_a_process() -> None:
    error = pickle.loads(pickle.dumps(TableError("row 0", "is wrong", "x")))
    assert (error.place, error.rule, error.value) == ("row 0", "is wrong", "x")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 2), [[1, 2], [4, 5]]),
        ((3, 4), [[1, 2, 3, 0], [4, 5, 6, 0], [0, 0, 0, 0]]),
        ((3,), [1, 2, 3]),
        ((2, 1, 2), [[[1, 2]], [[0, 0]]]),
    ],
)
def test_resizing_keeps_what_both_shapes_have(shape: tuple[int, ...], expected: list[object]) -> None:
    assert resized(torch.tensor([[1.0, 2, 3], [4, 5, 6]]), shape).tolist() == expected


@pytest.mark.parametrize(("text", "shape"), [("3 -1", (3, -1)), ("(2, 3)", (2, 3)), ("6", (6,)), ("[1,2,3]", (1, 2, 3)), ("−1 2", (-1, 2))])
def test_a_shape_is_read(text: str, shape: tuple[int, ...]) -> None:
    assert read_shape(text) == shape


@pytest.mark.parametrize("text", ["", "()", "1 2 3 4", "2.5", "a", "12345", "2 x 3", "--1"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(TableError, match="the new shape"):
        read_shape(text)
