#!/usr/bin/env bash
# streamlit 1.67.0, playwright 1.65.2 with Debian's Chromium (CHROMIUM=/usr/bin/chromium), Python 3.11.
#
# A page that writes its address in another form than that of the link which led to it (a default left out, 04 as 4) adds an entry to the
# browser's history, so that the first Back leads to no other page. Where the page is quick its parameters reach the browser before the
# path has changed: then the entry is the path of the page that was left with the parameters of the one that was entered, an address
# that belongs to no page. st.query_params has no way to replace an entry; where the link says just what the page would write, and the
# page leaves equal parameters alone, there is one entry, as one would expect. So links inside an app want to be written by what reads them.
#
# Output seen, the first line in either of two forms:
#   a link to n=04, which the page writes as n=4: entries added /other?n=04, /other?n=4; Back leads to /other?n=04
#   a link to n=04, which the page writes as n=4: entries added /?n=4, /other?n=4; Back leads to /?n=4
#   a link to n=4: entries added /other?n=4; Back leads to /
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 playwright==1.65.2
cd "$folder"
cat > app.py <<'PYTHON'
import streamlit as st


def first():
    st.title("first")
    for n in ("04", "4"):
        st.page_link(other_page, label=f"to {n}", query_params={"n": n})


def other():
    st.title("other")
    written = str(int(st.query_params["n"]))
    if st.query_params["n"] != written:
        st.query_params["n"] = written


other_page = st.Page(other, url_path="other")
st.navigation([st.Page(first, default=True), other_page]).run()
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
LOG = "window.pushed = []; const push = history.pushState.bind(history); history.pushState = (...x) => { pushed.push(x[2]); push(...x); };"
SECONDS = 2  # for the page to write its address


def tried(browser, url, n):
    page = browser.new_page()
    page.add_init_script(LOG)
    page.goto(url)
    link = page.get_by_role("link", name=f"to {n}", exact=True)
    link.wait_for(timeout=60_000)
    link.click()
    page.get_by_role("heading", name="other").wait_for()
    time.sleep(SECONDS)
    added = page.evaluate("pushed")
    page.go_back()
    time.sleep(SECONDS)
    left = page.url.removeprefix(url)
    page.close()
    return added, left


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
        other_form, same_form = tried(browser, url, "04"), tried(browser, url, "4")
        browser.close()
finally:
    server.terminate()
print(f"a link to n=04, which the page writes as n=4: entries added {', '.join(other_form[0])}; Back leads to {other_form[1]}")
print(f"a link to n=4: entries added {', '.join(same_form[0])}; Back leads to {same_form[1]}")
first = other_form[1]
assert other_form[0] == [first, "/other?n=4"] and first in ("/other?n=04", "/?n=4"), other_form
assert same_form == (["/other?n=4"], "/"), same_form
PYTHON
"$folder/venv/bin/python" finding.py
