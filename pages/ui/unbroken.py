"""Callbacks that are carried out to their end."""

from collections.abc import Callable
from typing import Any, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

P = ParamSpec("P")


def unbroken(callback: Callable[P, None]) -> Callable[P, None]:
    """`callback`, carried out whole even when another click arrives meanwhile.

    Streamlit would end it where it next touches `st.session_state`, and take the click for done. Here it begins again, so its beginning
    may be done twice; the other click is served afterwards. Needs Streamlit's `fastReruns` off: with it on, the thread itself is ended.
    """

    def carried_out(*args: P.args, **kwargs: P.kwargs) -> None:
        other: RerunException | None = None
        while True:
            try:
                callback(*args, **kwargs)
                break
            except RerunException as interruption:
                other = interruption
        if other is not None:
            raise other

    return carried_out


def button(label: str, key: str, icon: str, action: Callable[..., None], *args: object, enabled: bool = True, **look: Any) -> None:
    """A button whose click does `action(*args)`, to its end.

    Args:
        icon: the name of a Material symbol.
        look: other arguments of `st.button`.
    """
    st.button(label, key, icon=f":material/{icon}:", on_click=unbroken(action), args=args, disabled=not enabled, **look)
