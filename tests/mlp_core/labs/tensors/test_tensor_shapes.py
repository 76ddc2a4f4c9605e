"""How shapes line up: the role of every axis, and the words for those that clash. Which shapes fit is tested beside torch and numpy."""

from __future__ import annotations

import pytest

from mlp_core.labs.tensors.shapes import (
    Lineup,
    Row,
    all_axes,
    broadcast,
    dot,
    matmul,
    matrix_norm,
    mm,
    mv,
    reduced,
    reshaped,
    running,
    swapped,
    tuple_text,
)


def drawn(row: Row) -> list[str]:
    """A row as short text: size and role of every axis, a dot where there is none."""
    return [f"{axis.size} {axis.role}" if axis else "·" for axis in row.axes]


def rows(lineup: Lineup) -> dict[str, list[str]]:
    return {row.name: drawn(row) for row in lineup.rows}


def test_broadcasting_aligns_from_the_right() -> None:
    assert rows(broadcast((2, 3), (3,))) == {
        "A": ["2 stays", "3 equal"],
        "B": ["1 counts as 1", "3 equal"],
        "result": ["2 stays", "3 stays"],
    }
    assert rows(broadcast((3, 1), (1, 4))) == {
        "A": ["3 stays", "1 stretched"],
        "B": ["1 stretched", "4 stays"],
        "result": ["3 stays", "4 stays"],
    }


def test_axes_that_clash_are_named_as_each_tensor_counts_them() -> None:
    lineup = broadcast((4, 2, 3), (3, 2))
    assert rows(lineup) == {"A": ["4 stays", "2 clash", "3 clash"], "B": ["1 counts as 1", "3 clash", "2 clash"]}
    assert lineup.words.startswith("Axis 1 of A (size 2) meets axis 0 of B (size 3). Axis 2 of A (size 3) meets axis 1 of B (size 2).")
    assert lineup.shape is None


def test_the_inner_axes_of_a_product_are_joined_and_go() -> None:
    lineup = mm((2, 3), (3, 4))
    assert rows(lineup) == {"A": ["2 stays", "3 summed"], "B": ["3 summed", "4 stays"], "result": ["2 stays", "4 stays"]}
    assert lineup.links == (((0, 1), (1, 0)),)


def test_a_batch_broadcasts_before_its_matrices_meet() -> None:
    lineup = matmul((5, 2, 3), (3, 4))
    assert rows(lineup) == {
        "A": ["5 stays", "2 stays", "3 summed"],
        "B": ["1 counts as 1", "3 summed", "4 stays"],
        "result": ["5 stays", "2 stays", "4 stays"],
    }
    assert lineup.links == (((0, 2), (1, 1)),)


@pytest.mark.parametrize(
    ("lineup", "words"),
    [
        (dot((3,), (2,)), "A is multiplied with B in pairs, so axis 0 of A (size 3) must equal axis 0 of B (size 2)."),
        (dot((1, 3), (3,)), "dot takes two vectors; A has 2 axes."),
        (mv((2, 3), (2,)), "Every row of A is multiplied with B in pairs, so axis 1 of A (size 3) must equal axis 0 of B (size 2)."),
        (mv((3,), (2, 3)), "mv takes a matrix and a vector; A has 1 axis and B has 2 axes."),
        (mm((2, 3), (2, 3)), "so axis 1 of A (size 3) must equal axis 0 of B (size 2)."),
        (mm((2, 2, 2), (2, 2)), "mm takes two matrices; A has 3 axes. matmul takes more."),
        (
            matmul((2, 2, 3), (3, 2, 4)),
            "axis 2 of A (size 3) must equal axis 1 of B (size 2). Axis 0 of A (size 2) meets axis 0 of B (size 3).",
        ),
        (matrix_norm((3,)), "with at least 2 axes; A has 1 axis."),
        (reduced((2, 3), (0, 2), False), "A has 2 axes, they are counted from 0 to 1; there is no axis 2."),
        (running((3,), 1), "A has 1 axis, its only axis is 0; there is no axis 1."),
        (swapped((3,), 1, 2), "there is no axis 1 and no axis 2."),
        (reshaped((2, 3), (4, -1)), "A has 6 elements, and 6 is no multiple of 4."),
        (reshaped((2, 3), (2, 2)), "A has 6 elements, the new shape has 2·2 = 4."),
        (reshaped((2, 3), (-1, -1)), "Only one size may be −1"),
        (reshaped((2, 3), (-2, 3)), "from 0 on, or −1"),
    ],
)
def test_what_does_not_fit_is_told_in_words(lineup: Lineup, words: str) -> None:
    assert words in lineup.words
    assert lineup.shape is None
    assert "result" not in rows(lineup)


def test_a_sum_shows_the_axis_that_goes() -> None:
    gone = reduced((2, 3), (0,), keepdim=False)
    assert rows(gone) == {"A": ["2 summed", "3 stays"], "result": ["·", "3 stays"]}
    assert gone.words == "Axis 0 disappears."
    kept = reduced((2, 3), (0,), keepdim=True)
    assert rows(kept)["result"] == ["1 summed", "3 stays"]
    assert kept.shape == (1, 3)
    assert reduced((2, 3), (), keepdim=True).words == "All axes go: one number."
    assert reduced((2, 3, 4), (0, 2), keepdim=False).words == "Each of the axes 0, 2 disappears."


def test_swapped_axes_cross() -> None:
    lineup = swapped((2, 3, 4), 0, 2)
    assert lineup.shape == (4, 3, 2)
    assert lineup.links == (((0, 0), (1, 2)), ((0, 2), (1, 0)))


@pytest.mark.parametrize(
    "lineup", [all_axes((2, 3), "x"), reshaped((2, 3), (6,)), reshaped((6,), (1, 2, 3)), matrix_norm((4, 2, 3)), dot((3,), (3,))]
)
def test_all_rows_are_equally_long(lineup: Lineup) -> None:
    assert len({len(row.axes) for row in lineup.rows}) == 1
    assert [axis.size for axis in lineup.rows[-1].axes if axis] == list(lineup.shape or ())


def test_a_shape_is_written_as_python_does() -> None:
    assert [tuple_text(shape) for shape in [(), (3,), (2, 3)]] == ["()", "(3,)", "(2, 3)"]
