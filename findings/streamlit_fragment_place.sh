#!/usr/bin/env bash
# streamlit 1.67.0, websockets 17.4, Python 3.11.
#
# A fragment is known by where it stands, also one that was given a key: whatever the page shows above it for a while makes it another
# one, although its widgets, by their keys, are the same. What a browser asks of the one before (a click while the page is being drawn
# anew, or a component's event: nothing hands it the new identity unless it is drawn again) gets no answer, and the click is lost.
#
# What comes and goes above a fragment wants a container of its own, which is there also when it is empty: then the place stays.
#
# Output seen:
#   a fragment with a key, a message above it comes: the fragment's id changes, its button's id stays
#       a click that names the fragment before: no message; clicks carried out: 0
#       a click that names the fragment now: an answer; clicks carried out: 1
#   the same with the message in a container of its own: the fragment's id stays, its button's id stays
#       a click that names the fragment before: an answer; clicks carried out: 1
#       a click that names the fragment now: an answer; clicks carried out: 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==17.4
cd "$folder"
cat > finding.py <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

APP = """
from contextlib import nullcontext

import streamlit as st


@st.fragment(key="part")
def part():
    if st.button("in the fragment", key="inside"):
        with open("clicks.txt", "a") as file:
            file.write("click\\n")


shows = st.button("show a message", key="outside")
with {place}:
    if shows:
        st.info("a message")
part()
"""


def session_of(port, process):
    deadline = time.monotonic() + 60
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], proxy=None)
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
            time.sleep(0.2)


def ask(server, fragment="", button=""):
    """Ask for the page or a fragment: the messages of the next four seconds."""
    question = BackMsg()
    question.rerun_script.fragment_id = fragment
    question.rerun_script.widget_states.SetInParent()
    if button:
        question.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
    server.send(question.SerializeToString())
    messages, until = [], time.monotonic() + 4
    while (left := until - time.monotonic()) > 0:
        try:
            messages.append(ForwardMsg.FromString(server.recv(timeout=left)))
        except TimeoutError:
            break
    return messages


def buttons(messages):
    """The id of every button by its label, and the id of the fragment in which it stands."""
    deltas = [message.delta for message in messages if message.delta.new_element.HasField("button")]
    return {delta.new_element.button.label: (delta.new_element.button.id, delta.fragment_id) for delta in deltas}


def shown(place, folder):
    """Whether the ids of the fragment and of its button stay, and how many clicks have been carried out after one on each of both."""
    Path(folder).mkdir()
    Path(folder, "app.py").write_text(APP.format(place=place))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    outside = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    home = {"HOME": str(Path(folder).absolute())}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    process = subprocess.Popen(command, cwd=folder, env={**outside, **home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with session_of(port, process) as server:
            first = buttons(ask(server))
            inside, before = first["in the fragment"]
            assert before, first
            again, now = buttons(ask(server, button=first["show a message"][0]))["in the fragment"]
            stays = {True: "stays", False: "changes"}
            print(f"the fragment's id {stays[now == before]}, its button's id {stays[again == inside]}")
            clicks = []
            for name, fragment in ("before", before), ("now", now):
                answer = "an answer" if ask(server, fragment, inside) else "no message"
                done = Path(folder, "clicks.txt")
                clicks.append((answer, len(done.read_text().splitlines()) if done.exists() else 0))
                print(f"    a click that names the fragment {name}: {answer}; clicks carried out: {clicks[-1][1]}")
            return now == before, again == inside, clicks
    finally:
        process.terminate()
        process.wait()


print("a fragment with a key, a message above it comes: ", end="", flush=True)
assert shown("nullcontext()", "bare") == (False, True, [("no message", 0), ("an answer", 1)])
print("the same with the message in a container of its own: ", end="", flush=True)
assert shown("st.container()", "contained") == (True, True, [("an answer", 1), ("an answer", 2)])
PYTHON
"$folder/venv/bin/python" finding.py
