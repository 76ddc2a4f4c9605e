#!/usr/bin/env bash
# streamlit 1.67.0, playwright 1.65.2 with Debian's Chromium (CHROMIUM=/usr/bin/chromium), Python 3.11.
#
# A browser sends the choice of a selectbox, radio, select_slider or multiselect back by its label, the text that format_func made, and not
# by its place. Where the labels change from one run to the next while options and key stay, as with a switch of language, the run of the
# switch still shows what was chosen; the click after it brings the old labels, which are none any more, and without a word the choices
# fall back to their defaults, those of a multiselect to none. segmented_control keeps its choice. So a key has to change with the labels,
# and the choice to be carried over to it.
#
# Output seen:
#   chosen:                    selectbox a, radio a, segmented_control a, select_slider a, multiselect b a
#   labels changed:            selectbox a, radio a, segmented_control a, select_slider a, multiselect b a
#   another button clicked:    selectbox b, radio b, segmented_control a, select_slider b, multiselect
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 playwright==1.65.2
cd "$folder"
cat > app.py <<'PYTHON'
import streamlit as st

WORDS = {"en": {"a": "one", "b": "two"}, "fr": {"a": "un", "b": "deux"}}
st.session_state.setdefault("language", "en")


def switch():
    st.session_state.language = "fr"


words = WORDS[st.session_state.language]
look = {"options": ["a", "b"], "format_func": lambda value: words.get(value, value)}
values = {
    "selectbox": st.selectbox("selectbox", key="selectbox", index=1, **look),
    "radio": st.radio("radio", key="radio", index=1, **look),
    "segmented_control": st.segmented_control("segmented_control", key="segmented_control", default="b", **look),
    "select_slider": st.select_slider("select_slider", key="select_slider", value="b", **look),
    "multiselect": " ".join(st.multiselect("multiselect", key="multiselect", default=["b"], **look)),
}
st.button("switch", on_click=switch)
st.button("another")
st.code(", ".join(f"{name} {value}".rstrip() for name, value in values.items()))
PYTHON
cat > finding.py <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
SECONDS = 1.5  # for a run of the page

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(
    [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true", "--browser.gatherUsageStats=false"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health")
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        page = browser.new_page()
        page.goto(url)
        page.get_by_role("button", name="another").wait_for(timeout=60_000)

        def after(act):
            act()
            time.sleep(SECONDS)
            return page.get_by_test_id("stCode").inner_text().strip()

        def click(place, choice):
            page.get_by_test_id(place).locator("input").first.click()
            page.get_by_role("option", name=choice).click()
            page.keyboard.press("Escape")

        after(lambda: page.get_by_test_id("stRadio").get_by_text("one").click())
        after(lambda: page.get_by_test_id("stButtonGroup").get_by_text("one").click())
        after(lambda: click("stSelectbox", "one"))
        after(lambda: click("stMultiSelect", "one"))
        chosen = after(lambda: page.get_by_role("slider").press("ArrowLeft"))
        switched = after(page.get_by_role("button", name="switch").click)
        later = after(page.get_by_role("button", name="another").click)
        browser.close()
finally:
    server.terminate()
print(f"chosen:                    {chosen}")
print(f"labels changed:            {switched}")
print(f"another button clicked:    {later}")
assert chosen == switched == "selectbox a, radio a, segmented_control a, select_slider a, multiselect b a"
assert later == "selectbox b, radio b, segmented_control a, select_slider b, multiselect"
PYTHON
"$folder/venv/bin/python" finding.py
