#!/usr/bin/env bash
# streamlit 1.67.0, Python 3.11, through streamlit.testing.v1.AppTest.
#
# A widget bound to the address (bind="query-params") takes more than it would write there itself, and says nothing of what it changes: a
# whole number_input reads n=2.5 as 2 and n=1_0 as 10 (Python's own way to write digits), and a range slider takes its ends the wrong way
# round, as (7, 3), which no hand can set. What it cannot use at all, a value out of bounds or an option that is not there, is replaced by
# the default without a word: a page that wants to say "n must be at most 20" has to read st.query_params before the widget is drawn.
#
# Output seen:
#   {'n': '2.5'} -> 2
#   {'n': '1_0'} -> 10
#   {'n': '99'} -> 1
#   {'o': 'z'} -> 'a'
#   {'r': ['7', '3']} -> (7, 3)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0
cd "$folder"
cat > finding.py <<'PYTHON'
import logging

from streamlit.testing.v1 import AppTest

logging.disable(logging.CRITICAL)


def app():
    import streamlit as st

    st.number_input("n", 1, 20, 1, key="n", bind="query-params")
    st.selectbox("o", ["a", "b"], key="o", bind="query-params")
    st.slider("r", 0, 10, (2, 8), key="r", bind="query-params")


def opened(**query):
    page = AppTest.from_function(app)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    said = [*page.error, *page.warning, *page.info, *page.exception]
    assert not said, said
    return page.session_state


for query, name, value in (
    ({"n": "2.5"}, "n", 2),
    ({"n": "1_0"}, "n", 10),
    ({"n": "99"}, "n", 1),
    ({"o": "z"}, "o", "a"),
    ({"r": ["7", "3"]}, "r", (7, 3)),
):
    found = opened(**query)[name]
    print(query, "->", repr(found))
    assert found == value, found
PYTHON
"$folder/venv/bin/python" finding.py 2>/dev/null
