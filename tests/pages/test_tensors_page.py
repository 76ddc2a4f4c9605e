"""The tensor warm-up as a person uses it, without a browser: results, refusals, edited cells, the right angle, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.labs.tensors.contour import SURFACES
from mlp_core.labs.tensors.operations import OPERATIONS
from tests.support.pages.visit import address, bare, opened, sent, traces, visit, widget, words

Cells = dict[int, dict[str, Any]]


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/tensors.py") as page:
        yield page


def code(page: AppTest) -> list[str]:
    return [str(block.value) for block in page.code]


def edit(page: AppTest, name: str, cells: Cells) -> AppTest:
    """Edit cells of the newest table of an operand: row -> column -> text."""
    (key,) = [table.key for table in page.data_editor if table.key and table.key.startswith(f"tensors_table_{name}_")]
    page.session_state[key] = {"edited_rows": cells, "added_rows": [], "deleted_rows": []}
    page.run()
    assert not page.exception
    return page


def boxes(page: AppTest) -> list[str]:
    """What stands in the picture of the shapes."""
    figure = sent(page, "tensors_lineup")
    assert figure is not None
    return [re.sub(r"</?b>", "", annotation["text"]) for annotation in figure["layout"]["annotations"]]


def test_it_opens_with_a_matrix_product(page: AppTest) -> None:
    opened(page)
    assert "result[0, 0] = **1·5 + 2·7 = 19**" in words(page)
    assert code(page)[0] == "torch.mm(A, B)"
    assert code(page)[-1].splitlines()[2:4] == ["torch.mm(A, B)", "# tensor([[19., 22.,  1.,  2.],"]
    assert "shape `(3, 4)`, `torch.float32`" in words(page)
    assert boxes(page)[:6] == ["A", "(3, 2)", "3", "stays", "2", "summed"]
    assert address(page) == {}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_comes_with_an_example_that_fits(page: AppTest, name: str) -> None:
    opened(page)
    widget(page, "tensors_op").set_value(name).run()
    assert not page.exception
    assert not page.error
    assert sent(page, "tensors_cells") is not None
    assert OPERATIONS[name].use in words(page)
    assert OPERATIONS[name].latex in page.latex[0].value
    assert len(page.data_editor) == OPERATIONS[name].arity


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.clashes])
def test_every_clash_is_shown_in_torch_s_words_and_in_plain_ones(page: AppTest, name: str) -> None:
    opened(page)
    widget(page, "tensors_op").set_value(name).run()
    clash = page.button[1]
    assert clash.label == "One that clashes"
    clash.click().run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("These shapes do not fit. ")
    assert re.match(r"(RuntimeError|IndexError): .", code(page)[1])
    assert "clash" in boxes(page)
    assert "result" not in boxes(page)
    assert sent(page, "tensors_cells") is None


def test_tensors_of_one_s_own_stay_when_the_operation_changes(page: AppTest) -> None:
    opened(page, a="7 8; 9 10", b="1 2; 3 4")
    widget(page, "tensors_op").set_value("hadamard").run()
    assert "result[0, 0] = **7·1 = 7**" in words(page)
    widget(page, "tensors_op").set_value("dot").run()
    assert "dot takes two vectors; A has 2 axes and B has 2 axes." in page.error[0].value


def test_a_cell_is_edited_and_the_link_follows(page: AppTest) -> None:
    opened(page)
    edit(page, "a", {0: {"1": "-2"}})
    assert "result[0, 0] = **1·5 + (−2)·7 = −9**" in words(page)
    assert widget(page, "tensors_a").value == "1 -2; 3 4; 5 6"
    assert address(page) == {"a": "1 -2; 3 4; 5 6"}
    assert page.data_editor[0].key == "tensors_table_a_0"  # the same one, or the browser would take the cell from under the hand
    edit(page, "a", {0: {"1": "-2"}, 2: {"0": "0.5"}})  # the editor sends all its edits every time
    assert address(page) == {"a": "1 -2; 3 4; 0.5 6"}


def test_text_takes_the_place_of_edited_cells(page: AppTest) -> None:
    opened(page)
    edit(page, "a", {0: {"0": "100"}})
    widget(page, "tensors_a").set_value("1 0; 0 1").run()
    assert page.data_editor[0].value.to_numpy().tolist() == [["A[0]", "1", "0"], ["A[1]", "0", "1"]]
    assert "result[0, 0] = **1·5 + 0·7 = 5**" in words(page)
    edit(page, "a", {1: {"1": "3"}})
    assert address(page)["a"] == "1 0; 0 3"


def test_edited_cells_stay_while_their_table_is_not_on_the_page(page: AppTest) -> None:
    opened(page)
    edit(page, "b", {0: {"0": "50"}})
    widget(page, "tensors_op").set_value("numel").run()
    widget(page, "tensors_op").set_value("mm").run()
    assert "result[0, 0] = **1·50 + 2·7 = 64**" in words(page)
    page.segmented_control(key="tensors_act").set_value("contour").run()
    page.segmented_control(key="tensors_act").set_value("operations").run()
    assert "result[0, 0] = **1·50 + 2·7 = 64**" in words(page)
    assert address(page) == {"b": "50 6 1 0; 7 8 0 1"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("abc", "**A**, row 1, column 0: `abc` is not a number."),
        (None, "**A**, row 1, column 0: is empty."),
        ("1,5", "`1,5` is not a number."),
        ("1e39", "`1e39` is beyond the largest number of float32, 3.4 × 10³⁸."),
        ("[x](http://example.org)", "is not a number; write rows like 1 2 3; 4 5 6."),
    ],
)
def test_a_bad_cell_gets_a_message_and_can_be_mended(page: AppTest, cell: str | None, message: str) -> None:
    opened(page)
    edit(page, "a", {1: {"0": cell}})
    assert message in page.error[0].value
    assert "http" not in bare(page.error[0].value)
    assert sent(page, "tensors_cells") is None
    assert address(page) == {}  # the last table that could be read
    edit(page, "a", {1: {"0": "30"}})
    assert not page.error
    assert address(page) == {"a": "1 2; 30 4; 5 6"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table: is empty"),
        ("1 2; 3", "row 1: has 1 number, the first row has 2"),
        ("1 2; 3 x", "`x` is not a number"),
        ("1 2 3 4 5 6 7 8 9", "has 9 columns; at most 8 are shown"),
        ("`$x$`<b>", "is not a number"),
    ],
)
def test_a_bad_text_gets_a_message(page: AppTest, text: str, message: str) -> None:
    opened(page)
    widget(page, "tensors_b").set_value(text).run()
    assert not page.exception
    assert message in page.error[0].value
    assert not set("$<") & set(bare(page.error[0].value))
    widget(page, "tensors_b").set_value("1; 1").run()
    assert not page.error


def test_the_shape_is_changed_and_the_numbers_stay(page: AppTest) -> None:
    opened(page, op="numel")
    widget(page, "tensors_a_Columns").set_value(3).run()
    assert address(page) == {"op": "numel", "a": "1 2 0; 3 4 0; 5 6 0"}
    widget(page, "tensors_a_axes").set_value(3).run()
    assert address(page)["a"] == "1 2 0; 3 4 0; 5 6 0 |"
    widget(page, "tensors_a_Matrices").set_value(2).run()
    assert "result = **2·3·3 = 18**" in words(page)
    widget(page, "tensors_a_axes").set_value(1).run()
    assert address(page)["a"] == "1 2 0"


def test_the_axis_and_keepdim_change_the_line(page: AppTest) -> None:
    opened(page, op="sum", a="1 2 3; 4 5 6")
    assert code(page)[0] == "A.sum(dim=0)"
    widget(page, "tensors_axes").set_value(["0", "1"]).run()
    page.segmented_control(key="tensors_keepdim").set_value("yes").run()
    assert code(page)[0] == "A.sum(dim=(0, 1), keepdim=True)"
    assert "result[0, 0] = **1 + 2 + 3 + 4 + 5 + 6 = 21**" in words(page)
    widget(page, "tensors_axes").set_value([]).run()
    assert code(page)[0] == "A.sum()"
    assert "result = **1 + 2 + 3 + 4 + 5 + 6 = 21**" in words(page)


def test_a_shape_that_is_none_gets_a_message(page: AppTest) -> None:
    opened(page, op="reshape", a="1 2 3; 4 5 6", shape="two three")
    assert page.error[0].value.startswith("**Reshape**, the new shape: `two three` is no shape")
    widget(page, "tensors_shape").set_value("-1 2").run()
    assert code(page)[0] == "A.reshape(-1, 2)"
    assert not page.error


def test_the_cells_are_walked_through(page: AppTest) -> None:
    opened(page, cell="11")
    assert "result[2, 3] = **5·0 + 6·1 = 6**" in words(page)
    next(button for button in page.button if button.label == "Next cell").click().run()
    assert "result[0, 0] = **" in words(page)
    next(button for button in page.button if button.label == "Previous cell").click().run()
    assert address(page) == {"cell": "11"}


def test_a_link_to_a_cell_that_is_not_there_shows_the_last(page: AppTest) -> None:
    assert "result[2, 3]" in words(opened(page, cell="4000"))


def test_overflow_is_named(page: AppTest) -> None:
    opened(page, op="hadamard", a="1e38 1", b="10 2")
    assert "result[0] = **(1 × 10³⁸)·10 = ∞**" in words(page)
    assert "the largest number of float32 is 3.4028 × 10³⁸" in page.warning[0].value


def test_the_gradient_stands_at_a_right_angle(page: AppTest) -> None:
    opened(page, act="contour", f="bowl", x="1.5", y="-1")
    assert "**(3, −2)**, length 3.6056" in words(page)
    assert "| angle | **90.0000°**" in words(page)
    drawn = traces(page, "tensors_contour")
    assert {"contour through the point", "its tangent", "gradient"} <= set(drawn)
    (tangent,) = [drawn["its tangent"]]
    assert (tangent["y"][1] - tangent["y"][0]) / (tangent["x"][1] - tangent["x"][0]) == pytest.approx(1.5)


@pytest.mark.parametrize("name", SURFACES)
def test_every_function_starts_at_a_regular_point(page: AppTest, name: str) -> None:
    opened(page, act="contour", f="saddle" if name == "valley" else "valley", x="0", y="0")
    widget(page, "tensors_f").set_value(name).run()
    assert not page.exception
    assert "**90.0000°**" in words(page)
    assert (widget(page, "tensors_x").value, widget(page, "tensors_y").value) == SURFACES[name].start


@pytest.mark.parametrize(
    ("name", "x", "y", "kind"),
    [
        ("bowl", "0", "0", "a **minimum**"),
        ("banana", "1", "1", "a **minimum**"),
        ("saddle", "0", "0", "a saddle"),
        ("waves", "1.5707963268", "0", "a **maximum**"),
    ],
)
def test_where_the_gradient_is_zero_the_page_says_why(page: AppTest, name: str, x: str, y: str, kind: str) -> None:
    opened(page, act="contour", f=name, x=x, y=y)
    assert "The gradient is (0, 0): no direction." in page.info[0].value
    assert kind in page.info[0].value
    assert "its tangent" not in traces(page, "tensors_contour")


def test_a_link_restores_both_acts(page: AppTest) -> None:
    link = {
        "act": "contour", "op": "reshape", "a": "1 2 3; 4 5 6", "b": "7;", "axes": "1,2", "keepdim": "yes", "axis": "1", "swap": "0,2",
        "shape": "2 3", "cell": "4", "f": "waves", "x": "0.5", "y": "-0.25",
    }  # fmt: skip
    opened(page, **link)
    assert address(page) == link
    page.segmented_control(key="tensors_act").set_value("operations").run()
    assert code(page)[0] == "A.reshape(2, 3)"
    assert address(page) == {name: value for name, value in link.items() if name != "act"}


def test_a_bad_link_is_named_and_the_page_stands(page: AppTest) -> None:
    opened(page, op="eval", axes="7", cell="-1", x="9", a="1 2; 3", keepdim="perhaps")
    named = " ".join(warning.value for warning in page.warning)
    assert all(f"**{field}**" in named for field in ("op", "axes", "cell", "x", "keepdim"))
    assert "row 1: has 1 number" in page.error[0].value
