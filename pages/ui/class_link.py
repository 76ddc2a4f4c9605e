"""Copy link for a class: the address of what is on the page, with what a teacher wants to be locked, hidden, open or begun in it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from mlp_core.words import Message
from pages.language import _, said
from pages.ui.begun_by_link import RUN
from pages.ui.downloads import page_address
from pages.ui.link import EVERYWHERE, HIDE, LOCK
from pages.ui.parameter_names import parameter_name
from pages.ui.widget_values import WidgetValues

NOTHING = Message("Nothing")
KEY = "class_link"


@st.fragment
def class_link(
    page: str,
    parameters: Sequence[str],
    query: Mapping[str, str] | None = None,
    *,
    panels: Mapping[str, str] | None = None,
    changes: str = "",
) -> None:
    """A popover that makes the link; drawn by itself, so that a choice in it costs no run of the page.

    Args:
        page: the stem of its file.
        parameters: what can be locked or hidden.
        query: the experiment; by default what the address says.
        panels: name in the link -> title of panels of which one can be opened; the first is open where the link says nothing.
        changes: what `query` changes on the way, in words.
    """
    popover = st.popover(_("Copy link for a class"), icon=":material/school:", type="tertiary", on_change="rerun", key=KEY)
    if not popover.open:
        return
    with popover:
        given = st.query_params.to_dict()
        link = {name: value for name, value in (given if query is None else query).items() if name not in EVERYWHERE}
        st.caption(_("Who follows the link finds the page as it is here."))
        first, *others = panels or ("",)
        before = {one: [name for name in given.get(one, "").split(",") if name in parameters] for one in (LOCK, HIDE)}
        chosen = WidgetValues(KEY, before | {"panel": first}, f"{KEY}_", lasting=False)
        for restriction, title in ((LOCK, _("Cannot be changed")), (HIDE, _("Cannot be seen"))):
            st.multiselect(title, format_func=_name, placeholder=_(NOTHING), **chosen.default(restriction, parameters))
            if chosen[restriction]:
                link[restriction] = ",".join(chosen[restriction])
        if panels:
            st.selectbox(_("Panel that is open"), format_func=said(panels), **chosen.index("panel", (first, *others)))
            panel = chosen["panel"]
            link = {name: value for name, value in link.items() if name != "panel"} | ({"panel": panel} if panel in others else {})
        chosen.keep()
        if changes and not st.toggle(_("With what changed on the way: {changes}", changes=changes), value=True, key=f"{KEY}_changes"):
            link.pop("changes", None)
        if st.toggle(_("Begins by itself, once"), key=f"{KEY}_run", help=_("What Train, Play or the button of several runs begins.")):
            link[RUN] = "yes"
        st.code(page_address(link, page), language=None, wrap_lines=True)


def _name(parameter: str) -> str:
    return _(parameter_name(parameter))
