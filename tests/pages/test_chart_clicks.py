"""A click on a live chart counts once, whatever interrupts the run that it causes, and is checked against what is there by then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.nonlinearity.plane import Points
from mlp_core.labs.nonlinearity.plane_points import LINK_POINTS, from_text, to_text
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.support.pages.clicking import a_click, send_clicks, send_state
from tests.support.pages.interruptions import interrupted
from tests.support.pages.visit import PATIENCE_SECONDS, address, again, opened, press, sent, visit, words

CHANCES = (1, 2, 4, 7, 12, 20, 40)  # to interrupt; at the first, Streamlit has not yet looked at what was sent
THREE = Points(np.array([[3.0, 3.0], [-3.0, -3.0], [3.0, -3.0]]), np.array([0, 0, 1]), 2)
FOUR = Points(np.vstack([THREE.xy, [-3.0, 3.0]]), np.append(THREE.labels, 0), 2)

CLICKS: dict[str, tuple[str, dict[str, str], str, dict[str, Any], dict[str, str]]] = {
    "a point of the map": (
        "tensors", {"act": "contour"}, "tensors_contour", a_click(0.512, -0.74), {"act": "contour", "x": "0.5", "y": "-0.75"},
    ),
    "a cell of a result": ("tensors", {}, "tensors_cells", a_click(0, 0, 3), {"cell": "3"}),
    "a point of the sigmoid": (
        "stability", {"act": "chain", "x": "1,2,3"}, "sigmoid_chain", a_click(-4.5, 0.1), {"act": "chain", "x": "-4.5,2,3"},
    ),
    "a unit": ("nonlinearity", {"act": "playground"}, "plane_network", a_click(data=[1, 4]), {"act": "playground", "shown": "1.4"}),
    "a place for a point": (
        "nonlinearity", {"act": "playground", "data": "own", "drawn": to_text(THREE)}, "plane", a_click(-3.0, 3.0),
        {"act": "playground", "data": "own", "drawn": to_text(FOUR)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLICKS)
def test_a_click_is_carried_out_whole_and_once(name: str) -> None:
    page_name, link, chart, click, expected = CLICKS[name]
    for at in CHANCES:
        with visit(f"pages/{page_name}.py") as page:
            send_clicks(opened(page, **link), chart, click)
            with interrupted(page, at):
                again(page)
            assert (at, address(page)) == (at, expected)
            send_clicks(page, chart, click)
            assert (at, address(again(page))) == (at, expected)


def test_clicks_that_overtake_each_other_all_count() -> None:
    with visit("pages/stability.py") as page:
        send_clicks(opened(page, act="chain", x="1,2,3"), "sigmoid_chain", a_click(-1, 0.2), a_click(-2, 0.1), a_click(-3, 0.05))
        assert address(again(page))["x"] == "-1,-2,-3"
    with visit("pages/nonlinearity.py") as page:
        opened(page, act="playground", data="own", drawn=to_text(THREE))
        first, second = a_click(-3.0, 3.0), a_click(1.0, 2.0)
        send_clicks(page, "plane", first)
        again(page)
        send_clicks(page, "plane", first, second)
        assert len(from_text(address(again(page))["drawn"])) == 5


def predictions() -> None:
    import streamlit as st  # noqa: PLC0415  the body runs as a script of its own

    from pages.ui.run.predictions import predictions_panel  # noqa: PLC0415
    from tests.support.pages.snapshots import snapshot_of  # noqa: PLC0415

    predictions_panel(snapshot_of(st.session_state["run"]))


@pytest.mark.parametrize("at", CHANCES)
def test_a_cell_shows_its_images_and_an_image_itself(at: int) -> None:
    run = Run(RunSpec(hidden=(8,), train_size=320, batch_size=32, epochs=1, device="cpu"), load_fashion_mnist())
    run.advance(steps=5)
    run.evaluate()
    assert run.evaluation is not None
    labels, predicted = run.evaluation.labels, run.evaluation.predicted
    label, taken_for = next((is_, said) for is_, said in zip(labels.tolist(), predicted.tolist(), strict=True) if is_ != said)
    images = np.flatnonzero((labels == label) & (predicted == taken_for))[:20].tolist()
    page = AppTest.from_function(predictions, default_timeout=PATIENCE_SECONDS)
    page.session_state["run"] = run

    def shown_after(chart: str, data: object) -> list[int]:
        send_clicks(page, chart, a_click(data=data))
        with interrupted(page, at):
            again(page)
        grid = sent(page, "grid")
        assert grid is not None
        indices: list[int] = grid["data"][-1]["customdata"]
        return indices

    again(page)
    for data in ([label, 10], [-1, taken_for], [label], "trouser", None):  # what no browser sends
        assert shown_after("confusion", data) == list(range(20))
    assert shown_after("confusion", [label, taken_for]) == images
    for image in (len(labels), -1, "0", None):
        shown_after("grid", image)
        assert "the network says" not in words(page)
    assert shown_after("grid", images[-1]) == images
    assert f"Test image {images[-1]}**" in words(page)
    page.button(key="leave_cell").click()
    again(page)
    assert sent(page, "grid")["data"][-1]["customdata"] == list(range(20))  # type: ignore[index]


def own_points() -> None:
    import streamlit as st  # noqa: PLC0415  the body runs as a script of its own

    from pages.ui.link import LinkState  # noqa: PLC0415
    from pages.ui.nonlinearity.own import add_point, drawn_points, own_panel  # noqa: PLC0415
    from pages.ui.nonlinearity.settings import FIELDS  # noqa: PLC0415
    from pages.ui.unbroken import unbroken  # noqa: PLC0415

    link = LinkState("own", FIELDS)
    own_panel(link)
    st.button("Add", "add", on_click=unbroken(add_point), args=(link, 1.0, 2.0))
    st.metric("points", len(drawn_points(link)[1]))
    link.write()


@pytest.mark.parametrize(
    ("linked", "before", "key", "expected"),
    [
        (3, [], "add", 4),
        (3, [], "plane_undo", 2),
        (LINK_POINTS, [], "add", LINK_POINTS + 1),  # no longer fit into the link
        (LINK_POINTS, ["add"], "plane_undo", LINK_POINTS),  # fit again
    ],
)
def test_a_point_is_added_or_undone_once(linked: int, before: list[str], key: str, expected: int) -> None:
    points = Points(np.zeros((linked, 2)), np.zeros(linked, np.int64), 2)
    for at in range(2, 10):
        page = opened(AppTest.from_function(own_points, default_timeout=PATIENCE_SECONDS), drawn=to_text(points))
        for one in before:
            press(page, one)
        page.button(key=key).click()
        with interrupted(page, at):
            again(page)
        assert (at, page.metric[0].value) == (at, str(expected))
        assert ("drawn" in address(page)) == (expected <= LINK_POINTS)


def test_clicks_that_a_tab_sends_to_a_new_server_were_taken_by_the_old_one() -> None:
    link = {"act": "playground", "data": "own", "drawn": to_text(FOUR)}
    before, after = a_click(-3.0, 3.0), a_click(1.0, 2.0)
    with visit("pages/nonlinearity.py") as page:
        (plane,) = (one.proto.id for one in opened(page, **link).get("bidi_component") if one.proto.id.endswith("-plane"))
    with visit("pages/nonlinearity.py") as page:
        send_state(page, plane, {"clicks": [before]})
        assert len(from_text(address(opened(page, **link))["drawn"])) == 4
        send_clicks(page, "plane", before, after)
        assert len(from_text(address(again(page))["drawn"])) == 5


@pytest.mark.parametrize("clicks", ["none", [7], [{"id": 1}], [a_click(10**400, float("nan"))], [a_click(None, True, {"x": [1e999]})]])
@pytest.mark.parametrize(
    ("page_name", "link", "chart"), [(page_name, link, chart) for page_name, link, chart, *_ in CLICKS.values()], ids=list(CLICKS)
)
def test_what_no_browser_sends_changes_nothing(page_name: str, link: dict[str, str], chart: str, clicks: Any) -> None:
    with visit(f"pages/{page_name}.py") as page:
        send_clicks(opened(page, **link), chart, *clicks)
        assert address(again(page)) == link
