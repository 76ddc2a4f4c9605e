"""Clicks on a live chart, as the browser sends them (static/live_chart.js)."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

_names = count()


def a_click(x: object = None, y: object = None, data: object = None) -> dict[str, Any]:
    """A click on a point at this place with this customdata, with a name of its own."""
    return {"id": f"click {next(_names)}", "x": x, "y": y, "data": data}


def send_clicks(page: AppTest, chart: str, *clicks: Any) -> None:
    """Have the page's next run be told that these are the last clicks on its chart with this key, the oldest first."""
    (element,) = (one for one in page.get("bidi_component") if one.proto.id.endswith(f"-{chart}"))
    send_state(page, element.proto.id, {"clicks": clicks})


def send_state(page: AppTest, component: str, state: dict[str, Any]) -> None:
    """Have the page's next run be told the state of a component, besides the values of all widgets."""
    tree, own = page._tree, page._tree.get_widget_states

    def told() -> WidgetStates:
        states = own()
        states.widgets.append(WidgetState(id=component, json_value=json.dumps(state)))
        return states

    tree.get_widget_states = told  # type: ignore[method-assign]
