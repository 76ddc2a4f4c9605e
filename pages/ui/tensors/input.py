"""An operand that a visitor edits: in a table, as a line of text, in another shape."""

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from mlp_core.labs.tensors.table import MOST, Shape, TableError, from_cells, number_text, read, resized, write
from mlp_core.words import Message
from pages.language import _
from pages.ui.link import LinkState
from pages.ui.text import plain
from pages.ui.unbroken import unbroken
from pages.ui.widget_values import WidgetValues

KINDS = {1: Message("vector"), 2: Message("matrix"), 3: Message("batch")}
AXIS_NAMES = (Message("Matrices"), Message("Rows"), Message("Columns"))


@dataclass(slots=True)
class _Table:
    """What an editor was last built from, and what its edits have come to.

    Streamlit keeps edits apart from the table they were made in. So an editor keeps its first table while cells are edited, and a new
    editor begins, with a number of its own, when the tensor changes by any other way, or when the edits are gone because the editor was
    not on the page for a while.
    """

    base: Tensor
    number: int
    text: str  # the link's, as it was after the last edit


def show_table_error(name: str, error: TableError) -> None:
    """Say which cell breaks which rule."""
    if error.value is None:
        said = _("**{name}**, {place}: {rule}.", name=name, place=error.place, rule=error.rule)
    else:
        value = plain(error.value, 40)
        said = _("**{name}**, {place}: {value} {rule}.", name=name, place=error.place, value=value, rule=error.rule)
    st.error(said, icon=":material/error:")


def operand(link: LinkState, name: str) -> Tensor | None:
    """Draw the editors of the link's field `name`, headed by its capital; the tensor, or None where it says why there is none."""
    with st.container(border=True):
        tensor, refused = None, None
        try:
            written = read(link[name])
        except TableError as error:
            refused = error
            st.markdown(f"**{name.upper()}**")
        else:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                shape = _("shape `{shape}`", shape=str(tuple(written.shape)))
                st.markdown(f"**{name.upper()}** &nbsp; {shape}")
                with st.popover(_("Shape"), icon=":material/grid_on:", type="tertiary", disabled=name in link.fixed):
                    _shape(link, name, written)
            try:
                tensor = _edited(link, name, written)
            except TableError as error:
                refused = error
        help = _("Spaces between numbers, `;` between rows, `|` between matrices. `1 2 3` is a vector, `1 2 3;` a matrix of one row.")
        st.text_input(_("As text"), placeholder="1 2 3; 4 5 6", **link.value(name, help=help))
        if refused is not None:
            show_table_error(name.upper(), refused)
        return tensor


def _edited(link: LinkState, name: str, tensor: Tensor) -> Tensor:
    """Draw the table; what its cells say now, which the link then says too."""
    key = f"_tensors_table_{name}"
    table: _Table | None = st.session_state.get(key)
    if table is None or table.text != link[name] or _editor_key(name, table) not in st.session_state:
        table = _Table(tensor, 0 if table is None else table.number + 1, link[name])
        st.session_state[key] = table
    cells = _editor(name, table, locked=name in link.fixed)
    edited = from_cells(cells, tuple(table.base.shape))
    if not edited.equal(tensor):
        link[name] = table.text = write(edited)
    return edited


def _editor_key(name: str, table: _Table) -> str:
    return f"tensors_table_{name}_{table.number}"


def _editor(name: str, table: _Table, *, locked: bool) -> list[list[object]]:
    """The rows of all matrices below one another, each led by its index; cells take any text, so that a wrong one can be named."""
    shape = tuple(table.base.shape)
    columns = [str(column) for column in range(shape[-1])]
    rows = table.base.reshape(-1, shape[-1]).tolist()
    data = {"": [_row_label(name, index, shape) for index in range(len(rows))]}
    data |= {column: [number_text(row[index]) for row in rows] for index, column in enumerate(columns)}
    config = {"": st.column_config.TextColumn(width=70, disabled=True, pinned=True)}
    config |= {column: st.column_config.TextColumn(f"[{column}]", width=64, alignment="center", max_chars=20) for column in columns}
    edited = st.data_editor(
        data, key=_editor_key(name, table), hide_index=True, width="content", height="content", column_config=config,
        alt=_("The numbers of {name}", name=name.upper()), disabled=locked,
    )  # fmt: skip
    return [[edited[column][index] for column in columns] for index in range(len(rows))]


def _row_label(name: str, index: int, shape: Shape) -> str:
    if len(shape) == 1:
        return name.upper()
    place = f"{index}" if len(shape) == 2 else f"{index // shape[1]}, {index % shape[1]}"
    return f"{name.upper()}[{place}]"


def _shape(link: LinkState, name: str, tensor: Tensor) -> None:
    """How many axes, and how long: numbers in both shapes stay."""
    shape = tuple(tensor.shape)
    sizes = WidgetValues(f"tensors_shape_{name}", {"axes": len(shape)} | dict.fromkeys(AXIS_NAMES, 1), prefix=f"tensors_{name}_")
    sizes["axes"] = len(shape)
    st.segmented_control(
        _("Axes"), format_func=lambda axes: _("{axes}: {kind}", axes=axes, kind=KINDS[axes]), required=True,
        on_change=unbroken(_change_axes), args=(link, name, sizes), **sizes.default("axes", tuple(KINDS)),
    )  # fmt: skip
    with st.container(horizontal=True):
        for axis, size in enumerate(shape):
            most, label = MOST[axis - len(shape)], AXIS_NAMES[axis - len(shape)]
            sizes[label] = size
            st.number_input(
                _(label), width=130, on_change=unbroken(_change_size), args=(link, name, axis, sizes),
                **sizes.value(label, min_value=1, max_value=most),
            )  # fmt: skip
    sizes.keep()


def _change_axes(link: LinkState, name: str, sizes: WidgetValues) -> None:
    if (tensor := _readable(link[name])) is None:
        return
    axes, shape = int(sizes["axes"]), tuple(tensor.shape)
    link[name] = write(resized(tensor, ((1,) * (axes - len(shape)) + shape)[-axes:]))


def _change_size(link: LinkState, name: str, axis: int, sizes: WidgetValues) -> None:
    tensor = _readable(link[name])
    if tensor is None or axis >= tensor.dim():  # a click on the axes of a moment ago
        return
    shape = list(tensor.shape)
    shape[axis] = int(sizes[AXIS_NAMES[axis - len(shape)]])
    link[name] = write(resized(tensor, tuple(shape)))


def _readable(text: str) -> Tensor | None:
    """The tensor, or None where the text is none any more: then the page says why, and a click that was on its way changes nothing."""
    try:
        return read(text)
    except TableError:
        return None
