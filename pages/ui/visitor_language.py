"""The language of a session: what the address that it begins with says, else the browser's, else English; and the switch to another.

Once the address or the switch has said it, it stands in the address of every page and in every link. As with presenter mode only the
address that a session begins with counts: later ones may be those that the browser had before the last click.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.language import ENGLISH, Language, _, current, languages, session_language
from pages.ui.unbroken import unbroken

LANGUAGE = "lang"  # in the address
_CHOSEN, _LANGUAGE = "_language_was_chosen", "_language"  # in the session


def of_session() -> Language | None:
    """The language of the session in whose thread this is asked; None outside of all sessions."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    known = languages()
    if st.session_state.get(_LANGUAGE) not in known:
        asked, browsers = st.query_params.get(LANGUAGE), (st.context.locale or "").partition("-")[0].lower()
        st.session_state[_CHOSEN] = asked in known
        st.session_state[_LANGUAGE] = asked if asked in known else browsers if browsers in known else ENGLISH.short
    return known[st.session_state[_LANGUAGE]]


session_language(of_session)


def keep_in_address() -> None:
    """Have the address say the language that was chosen. To be called once in every run of the app."""
    language, asked = current().short, st.query_params.get(LANGUAGE)
    if st.session_state[_CHOSEN]:
        if asked != language:
            st.query_params[LANGUAGE] = language
    elif asked is not None:
        there = ", ".join(languages())
        st.warning(_("The link asks for a language that is not here: **lang** must be one of {languages}.", languages=there))


def in_link() -> dict[str, str]:
    """What a link has to say for whoever follows it to read the language that was chosen here."""
    return {LANGUAGE: current().short} if st.session_state.get(_CHOSEN) else {}


def language_switch() -> None:
    """A button for every other language, named as it calls itself. The page stays as it is, and so does a run in progress."""
    # The browser picks fonts, hyphens and a reader's voice by it.
    st.html(f"<script>document.documentElement.lang = {current().code!r}</script>", unsafe_allow_javascript=True)
    for short, language in languages().items():
        if language is not current():
            name = f"language_{short}"
            st.button(language.name, name, icon=":material/translate:", type="tertiary", on_click=unbroken(_choose), args=(short,))


def _choose(short: str) -> None:
    st.session_state[_LANGUAGE], st.session_state[_CHOSEN] = short, True
