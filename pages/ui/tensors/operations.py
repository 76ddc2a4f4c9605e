"""The section "Shapes and operations": tensors a visitor edits, an operation, its result and how the shapes line up."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from mlp_core.labs.tensors.operations import (
    OPERATIONS,
    Example,
    Operation,
    Parameters,
    RefusedError,
    arithmetic_of,
    compute,
    number,
    sources,
)
from mlp_core.labs.tensors.shapes import Lineup, tuple_text
from mlp_core.labs.tensors.table import LARGEST, MAX_TEXT_LENGTH, TableError, literal, read_shape
from mlp_core.spec import Bounds
from mlp_core.words import Message, joined, listed
from pages.figures.figure import Figure
from pages.figures.tensors import AxisBox, CellGrid, ShapeRow, falk_scheme, shape_lineup, tensor_equation
from pages.language import _, written
from pages.ui import link as links
from pages.ui.link import LinkState
from pages.ui.live_chart import Click, live_chart
from pages.ui.tensors.input import operand, show_table_error
from pages.ui.unbroken import button, unbroken

START = OPERATIONS["mm"].fits
SWAPS = ("0,1", "0,2", "1,2")
MOST_CELLS = 4096
CELL_PX, LEAST_PX, MOST_PX = 44, 130, 560
LINEUP_ROW_PX = 88
FIELDS = (
    links.choice("op", "mm", tuple(OPERATIONS)),
    links.text("a", START.a, MAX_TEXT_LENGTH),
    links.text("b", START.b, MAX_TEXT_LENGTH),
    links.choices("axes", ("0",), ("0", "1", "2")),
    links.choice("keepdim", "no", ("no", "yes")),
    links.choice("axis", "0", ("0", "1", "2")),
    links.choice("swap", "0,1", SWAPS),
    links.text("shape", "3 -1", 40),
    links.number("cell", 0, Bounds(0, MOST_CELLS - 1, whole=True)),
)
NAMES = ("A", "B")
SIGNS = {"hadamard": "∗", "mul": "∗", "add": "+"}


def section(link: LinkState) -> None:
    """Choose an operation, edit its operands, see what it makes."""
    st.pills(
        _("Operation"), format_func=lambda name: _(OPERATIONS[name].label), required=True, label_visibility="collapsed",
        on_change=unbroken(_follow), args=(link,), **link.default("op"),
    )  # fmt: skip
    operation = OPERATIONS[link["op"]]
    controls, results = st.columns([1, 2], gap="medium")
    with controls:
        _examples(link, operation)
        parameters = _parameters(link, operation)
        tensors = [operand(link, name) for name in ("a", "b")[: operation.arity]]
    with results:
        given = [tensor for tensor in tensors if tensor is not None]
        if parameters is None or len(given) < operation.arity:
            st.info(_("The result comes back as soon as the input at its side can be read."), icon=":material/edit:")
        else:
            _results(link, operation, given, parameters)
        st.info(_(operation.use), icon=":material/hub:")


def _examples(link: LinkState, operation: Operation) -> None:
    with st.container(horizontal=True):
        button(_("One that fits"), "tensors_fits", "check_circle", _take, link, operation.fits)
        if operation.clashes is not None:
            button(_("One that clashes"), "tensors_clashes", "block", _take, link, operation.clashes)


def _follow(link: LinkState) -> None:
    """With another operation chosen comes its example, unless the tensors are the visitor's own."""
    known = [example for one in OPERATIONS.values() for example in (one.fits, one.clashes) if example is not None]
    if link["a"] in {example.a for example in known} and link["b"] in {example.b for example in known}:
        _take(link, OPERATIONS[link["op"]].fits)
    link["cell"] = 0


def _take(link: LinkState, example: Example) -> None:
    parameters = example.parameters
    link["a"], link["b"] = example.a, example.b or START.b
    link["axes"], link["keepdim"] = [str(axis) for axis in parameters.axes], "yes" if parameters.keepdim else "no"
    link["axis"], link["swap"] = str(parameters.axis), ",".join(map(str, parameters.swap))
    link["shape"], link["cell"] = " ".join(map(str, parameters.shape)), 0


def _parameters(link: LinkState, operation: Operation) -> Parameters | None:
    """Draw what the operation lets one choose; None, and why, where that cannot be read."""
    if "axes" in operation.chosen:
        st.pills(_("Axes to sum over (none: all)"), selection_mode="multi", **link.default("axes"))
    if "keepdim" in operation.chosen and link["axes"]:
        said = {"no": "keepdim=False", "yes": "keepdim=True"}
        st.segmented_control(_("Keep the axis?"), format_func=said.__getitem__, required=True, **link.default("keepdim"))
    if "axis" in operation.chosen:
        st.pills(_("Axis to sum along"), required=True, **link.default("axis"))
    if "swap" in operation.chosen:
        st.pills(_("Axes to swap"), required=True, **link.default("swap"))
    shape: tuple[int, ...] = (-1,)
    if "shape" in operation.chosen:
        st.text_input(_("New shape"), **link.value("shape", help=_("One size may be −1: it follows from the others.")))
        try:
            shape = read_shape(link["shape"])
        except TableError as error:
            show_table_error(_("Reshape"), error)
            return None
    first, second = (int(axis) for axis in link["swap"].split(","))
    axes = tuple(sorted(int(axis) for axis in link["axes"]))
    return Parameters(axes, link["keepdim"] == "yes", int(link["axis"]), (first, second), shape)


def _results(link: LinkState, operation: Operation, tensors: Sequence[Tensor], parameters: Parameters) -> None:
    shapes = [tuple(tensor.shape) for tensor in tensors]
    lineup, line = operation.lineup(shapes, parameters), operation.line(parameters)
    picture, words = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with picture:
        st.markdown(f"##### {_('How the shapes line up')}")
        alt = _(joined(Message("Axes of {shapes}.", shapes=listed([*map(tuple_text, shapes)], "and")), lineup.words))
        live_chart(lineup_picture(lineup, shapes), key="tensors_lineup", height=LINEUP_ROW_PX * len(lineup.rows), alt=alt)
    with words:
        st.latex(written(operation.latex))
        st.code(line, language="python")
        try:
            result = compute(operation, tensors, parameters)
        except RefusedError as error:
            st.error(_(joined(Message("These shapes do not fit."), lineup.words)), icon=":material/block:")
            st.markdown(_("What torch says:"))
            st.code(str(error), language=None, wrap_lines=True)
            return
        shape = tuple_text(result.value.shape)
        if result.printed.isdigit():
            answer = Message("The result: shape `{shape}`, a Python `int`.", shape=shape)
        else:
            answer = Message("The result: shape `{shape}`, `{dtype}`.", shape=shape, dtype=str(result.value.dtype))
        st.markdown(_(joined(lineup.words, answer)))
        if not bool(result.value.isfinite().all()):  # the inputs are finite, so whatever is not came from the operation
            overflow = _(
                "Overflow: the largest number of float32 is {largest}; what grows beyond it becomes ∞, and ∞ − ∞ or 0·∞ is NaN.",
                largest=number(LARGEST),
            )
            st.warning(overflow, icon=":material/all_inclusive:")
    _cells(link, operation, tensors, parameters, result.value)
    made = [f"{name} = {literal(tensor)}" for name, tensor in zip(NAMES, tensors, strict=False)]
    printed = [f"# {row}" for row in result.printed.splitlines()]
    st.code("\n".join([*made, line, *printed]), language="python", wrap_lines=True)


def _cells(link: LinkState, operation: Operation, tensors: Sequence[Tensor], parameters: Parameters, result: Tensor) -> None:
    """The numbers, with the chosen cell of the result written out."""
    count = result.numel()
    cell = link.fitted("cell", min(int(link["cell"]), count - 1), Message("must be a cell of the result, 0 to {last}", last=count - 1))
    made_by = sources(operation, tensors, parameters, cell)
    index = [int(part) for part in torch.unravel_index(torch.tensor(cell), result.shape)]
    place = _("result[{index}]", index=", ".join(map(str, index))) if index else _("result")
    arithmetic = arithmetic_of(operation, tensors, made_by, float(result.flatten()[cell]))
    st.markdown(f"##### {_('What made a cell of the result')}")
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, other in ((_("Previous cell"), "chevron_left", cell - 1), (_("Next cell"), "chevron_right", cell + 1)):
            button(label, f"tensors_{icon}", icon, link.update, {"cell": other % count}, enabled=count > 1)
        st.markdown(f"{place} = **{arithmetic}**")
    figure, rows = cells_picture(link["op"], operation, tensors, result, made_by, cell)
    alt = _("The operands and the result; {place} = {arithmetic}.", place=place, arithmetic=arithmetic)
    height = int(min(max(CELL_PX * rows + 10, LEAST_PX), MOST_PX))
    live_chart(figure, key="tensors_cells", height=height, alt=alt, on_click=partial(_choose_cell, link))
    st.caption(_("Click any cell of the result."))


def _choose_cell(link: LinkState, click: Click) -> None:
    if isinstance(click.data, int) and 0 <= click.data < MOST_CELLS:
        link["cell"] = click.data


def lineup_picture(lineup: Lineup, shapes: Sequence[tuple[int, ...]]) -> Figure:
    """The shapes, axis by axis; the result's row only where there is a result."""
    all_shapes = [*shapes, *([] if lineup.shape is None else [lineup.shape])]
    rows = [
        ShapeRow(_(row.name), tuple_text(shape), tuple(None if axis is None else AxisBox(axis.size, axis.role.value) for axis in row.axes))
        for row, shape in zip(lineup.rows, all_shapes, strict=True)
    ]
    return shape_lineup(rows, lineup.links)


def cells_picture(
    name: str, operation: Operation, tensors: Sequence[Tensor], result: Tensor, made_by: Sequence[Tensor], cell: int
) -> tuple[Figure, float]:
    """Operands and result, the cell at a place of the flattened result marked with what made it; with the height in cells."""
    chosen = torch.zeros(result.shape, dtype=torch.bool)
    chosen.view(-1)[cell] = True
    titles = [f"{letter} {tuple_text(tensor.shape)}" for letter, tensor in zip(NAMES, tensors, strict=False)]
    if operation.kind == "product" and result.ndim <= 2 and all(tensor.ndim <= 2 for tensor in tensors):
        a, b = tensors
        second = _grid(titles[1], b, made_by[1], column=b.ndim == 1)
        standing = a.ndim == 2 and b.ndim == 1  # a column below the column it came from
        return falk_scheme(_grid(titles[0], a, made_by[0]), second, _result(result, chosen, column=standing))
    if operation.kind == "cellwise":
        grids = [_stretched(title, tensor, made, result, chosen) for title, tensor, made in zip(titles, tensors, made_by, strict=True)]
    else:
        grids = [_grid(title, tensor, made) for title, tensor, made in zip(titles, tensors, made_by, strict=True)]
    signs = ["→"] if operation.kind == "one" else [SIGNS.get(name, "@"), "="]
    return tensor_equation(grids, _result(result, chosen), signs)


def _result(result: Tensor, chosen: Tensor, column: bool = False) -> CellGrid:
    order = torch.arange(result.numel()).reshape(result.shape)
    return replace(_grid(_("result {shape}", shape=tuple_text(result.shape)), result, chosen, column=column), order=_solid(order, column))


def _grid(title: str, tensor: Tensor, marked: Tensor, *, column: bool = False) -> CellGrid:
    return CellGrid(title, _texts(_solid(tensor, column)), _solid(marked, column))


def _stretched(title: str, tensor: Tensor, made: Tensor, result: Tensor, chosen: Tensor) -> CellGrid:
    """An operand as broadcasting sees it: repeated cells are ghosts, and the one that meets the chosen cell is marked with its origin."""
    own = (1,) * (result.ndim - tensor.ndim) + tuple(tensor.shape)
    real = torch.zeros(result.shape, dtype=torch.bool)
    real[tuple(slice(size) for size in own)] = True
    marked = chosen | (made.reshape(own).expand(result.shape) & real)
    return CellGrid(title, _texts(_solid(tensor.expand(result.shape))), _solid(marked), ~_solid(real))


def _solid(tensor: Tensor, column: bool = False) -> np.ndarray:
    """Any tensor of at most three axes as (matrices, rows, columns); a vector is one row, or one column."""
    if column and tensor.ndim == 1:
        tensor = tensor[:, None]
    return tensor.reshape((1,) * (3 - tensor.ndim) + tuple(tensor.shape)).numpy()


def _texts(values: np.ndarray) -> np.ndarray:
    return np.array([number(float(value)) for value in values.ravel()]).reshape(values.shape)
