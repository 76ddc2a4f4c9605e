"""What is said instead of a traceback where a page was sent what no browser sends: a wrong type, an option that does not exist."""

import logging
from traceback import walk_tb

import streamlit as st

from mlp_core.words import Message
from pages.language import _

UNREADABLE = Message("This page was sent something it cannot read. Load it again.")
OURS = ("pages", "mlp_core", "__main__")  # Streamlit runs a page as __main__
READING = "streamlit.runtime.state"  # where what was sent becomes a widget's value
ASKING = f"{READING}.session_state_proxy"  # by which a page asks for a key, which may be missing
VALUES = "pages.ui.widget_values"  # which looks a widget's value up among its options


def unreadable(error: BaseException) -> bool:
    """Whether this came of reading what a widget was sent; an error of the page's own code did not, nor did a key that is missing."""
    modules = [str(frame.f_globals.get("__name__", "")) for frame, _line in walk_tb(error.__traceback__)]
    own = max((place for place, module in enumerate(modules) if module.partition(".")[0] in OURS), default=-1)
    if own == len(modules) - 1:
        return bool(modules) and modules[-1] == VALUES
    missing = modules[own + 1] == ASKING and modules[-1].startswith(READING)
    return any(module.startswith(READING) for module in modules[own + 1 :]) and not missing


def answer(error: Exception) -> bool:
    """Say that what was sent cannot be read, in the place of Streamlit's box; False where the error is another, which keeps its box."""
    if not unreadable(error):
        return False
    st.error(_(UNREADABLE), icon=":material/error:")
    return True


class OneLine(logging.Filter):
    """Leaves of what cannot be read one line in the log: what a stranger sends fills no disk, and a defect's traceback stands out."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and unreadable(error):
            record.msg, record.args, record.exc_info = "A page was sent something it cannot read: %s", (type(error).__name__,), None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def guard_log() -> None:
    """Have Streamlit's log of uncaught errors keep to that."""
    logging.getLogger("streamlit.error_util").addFilter(OneLine())
