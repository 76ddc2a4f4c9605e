#!/usr/bin/env bash
# streamlit 1.67.0, playwright 1.65.2 with Debian's Chromium (CHROMIUM=/usr/bin/chromium), Python 3.11.
#
# Whether the sidebar was collapsed by hand is kept in the browser's localStorage, under one key for an address of a server, not one for an app
# or a page: from then on it wins over `initial_sidebar_state="expanded"`, in new tabs, in windows of any width, and in another app that
# is served at the same port later. In a window narrower than 768 px, a click beside the open sidebar counts as collapsing it by hand; that the
# window became narrow, which collapses it too, does not. Tests that share a browser context hand it on to each other.
#
# Output seen (whether the sidebar is open in a new tab of 1440 px, after …):
#   nothing:                                   open
#   a window made narrow:                      open
#   opened and clicked beside, in 390 px:      collapsed
#   the same, another app at the same port:    collapsed
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 playwright==1.65.2
cd "$folder"
for app in one two; do
    cat > "$app.py" <<PYTHON
import streamlit as st

st.set_page_config(page_title="$app", initial_sidebar_state="expanded")
st.sidebar.write("In the sidebar of $app.")
st.write("The page of $app.")
PYTHON
done
cat > finding.py <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
SECONDS = 1.5  # for the page to follow a click or a new size

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
URL = f"http://127.0.0.1:{port}"


@contextmanager
def serve(app):
    options = [f"--server.port={port}", "--server.headless=true", "--browser.gatherUsageStats=false"]
    server = subprocess.Popen([sys.executable, "-m", "streamlit", "run", f"{app}.py", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{URL}/_stcore/health")
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait()


def opened(context, app, width):
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(URL)
    page.get_by_text(f"The page of {app}.").wait_for(timeout=60_000)
    time.sleep(SECONDS)
    return page


def in_a_new_tab(context, app="one"):
    page = opened(context, app, 1440)
    collapsed = page.get_by_test_id("stSidebar").get_attribute("data-collapsed") == "true"
    page.close()
    return "collapsed" if collapsed else "open"


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
    context = browser.new_context()
    seen = {}
    with serve("one"):
        seen["nothing"] = in_a_new_tab(context)
        page = opened(context, "one", 1440)
        page.set_viewport_size({"width": 390, "height": 800})
        time.sleep(SECONDS)
        assert page.get_by_test_id("stSidebar").get_attribute("data-collapsed") == "true"
        page.close()
        seen["a window made narrow"] = in_a_new_tab(context)
        page = opened(context, "one", 390)
        if page.get_by_test_id("stSidebar").get_attribute("data-collapsed") == "true":
            page.get_by_test_id("stExpandSidebarButton").click()
        time.sleep(SECONDS)
        page.mouse.click(385, 700)
        time.sleep(SECONDS)
        page.close()
        seen["opened and clicked beside, in 390 px"] = in_a_new_tab(context)
    with serve("two"):
        seen["the same, another app at the same port"] = in_a_new_tab(context, "two")
    browser.close()
for after, state in seen.items():
    print(f"{after + ':':42} {state}")
assert list(seen.values()) == ["open", "open", "collapsed", "collapsed"]
PYTHON
"$folder/venv/bin/python" finding.py
