#!/usr/bin/env bash
# streamlit 1.67.0, websockets 17.4, Python 3.11.
#
# A request for the run of a fragment that the session does not know gets no answer: no message at all, no end of a run, no error. A click
# in the fragment that came with it is lost. The server's log has a line about it, at level info.
#
# A server that was started anew under an open tab knows no fragment until it is asked for the whole page. Streamlit's browser side asks
# for that by itself when it has connected anew only if the last run was that of a fragment, a run was under way, or a fragment has
# run_every. (Seen in Chromium: after a run of the whole page, and without run_every, the page stays as it was, and a click in a fragment
# does nothing, until something outside the fragment is clicked.) A client of one's own has to ask for the whole page first.
#
# Output seen:
#   the first server
#       the page: new_session, session_status_changed, delta, delta, script_finished, session_status_changed; clicks carried out: 0
#       a click in the fragment: new_session, session_status_changed, delta, delta, script_finished, session_status_changed; clicks carried out: 1
#   the server that was started in its place
#       a run of the fragment: no message; clicks carried out: 1
#       a click in the fragment: no message; clicks carried out: 1
#       the page: new_session, session_status_changed, delta, delta, script_finished, session_status_changed; clicks carried out: 1
#       a click in the fragment: new_session, session_status_changed, delta, delta, script_finished, session_status_changed; clicks carried out: 2
#   in its log: 2 times "The fragment with id aa70fe291fe84d48b89a76094c55051a does not exist anymore - it might have been removed during a preceding full-app rerun."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==17.4
cd "$folder"
cat > finding.py <<'PYTHON'
import contextlib
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
import streamlit as st


def note():
    with open("clicks.txt", "a") as file:
        file.write("click\\n")


@st.fragment
def part():
    st.button("in the fragment", on_click=note)


part()
"""
CLICKS = Path("app/clicks.txt")


@contextlib.contextmanager
def connected(port, session=None):
    """Start the server, connect as a browser does, with the session that it had, and stop the server."""
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    outside = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    home = {"HOME": str(Path("app").absolute())}
    with open("log.txt", "w") as log:
        process = subprocess.Popen(command, cwd="app", env={**outside, **home}, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                known = ["streamlit", "no-token", *([session] if session else [])]
                server = connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=known, proxy=None)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
                time.sleep(0.2)
        with server:
            yield server
    finally:
        process.terminate()
        process.wait()


def answer(server, name, fragment="", button=""):
    """Ask for the page or for a fragment: all messages of the first five seconds."""
    question = BackMsg()
    question.rerun_script.fragment_id = fragment
    question.rerun_script.widget_states.SetInParent()
    if button:
        question.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
    server.send(question.SerializeToString())
    messages, until = [], time.monotonic() + 5
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            messages.append(ForwardMsg.FromString(server.recv(timeout=max(0, until - time.monotonic()))))
    kinds = [message.WhichOneof("type") for message in messages]
    clicks = len(CLICKS.read_text().splitlines()) if CLICKS.exists() else 0
    print(f"    {name}: {', '.join(kinds) or 'no message'}; clicks carried out: {clicks}")
    return messages, kinds, clicks


Path("app").mkdir()
Path("app/app.py").write_text(APP)
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]

print("the first server")
with connected(port) as server:
    messages, whole, clicks = answer(server, "the page")
    assert whole[0] == "new_session" and "script_finished" in whole and clicks == 0, (whole, clicks)
    session = next(m.new_session.initialize.session_id for m in messages if m.HasField("new_session"))
    shown = next(m.delta for m in messages if m.delta.new_element.HasField("button"))
    fragment, button = shown.fragment_id, shown.new_element.button.id
    assert fragment, shown
    _, known, clicks = answer(server, "a click in the fragment", fragment, button)
    assert known[0] == "new_session" and "script_finished" in known and clicks == 1, (known, clicks)
print("the server that was started in its place")
with connected(port, session) as server:
    _, kinds, clicks = answer(server, "a run of the fragment", fragment)
    assert not kinds, kinds
    _, kinds, clicks = answer(server, "a click in the fragment", fragment, button)
    assert not kinds and clicks == 1, (kinds, clicks)
    _, kinds, clicks = answer(server, "the page")
    assert kinds == whole and clicks == 1, (kinds, clicks)
    _, kinds, clicks = answer(server, "a click in the fragment", fragment, button)
    assert kinds == known and clicks == 2, (kinds, clicks)
told = [line.partition("The fragment")[2] for line in Path("log.txt").read_text().splitlines() if fragment in line]
print(f'in its log: {len(told)} times "The fragment{told[0]}"')
assert len(told) == 2 and "does not exist anymore" in told[0], told
PYTHON
"$folder/venv/bin/python" finding.py
