#!/usr/bin/env bash
# streamlit 1.67.0, websockets 17.4, Python 3.11.
#
# A click outside all fragments that arrives while the callback of another button is being carried out ends that callback
# where it next touches st.session_state or draws; with runner.fastReruns = false too. Nothing shows it, on the page or in the server's
# log, and the click counts as done: its callback is not begun again in any later run. `except Exception` does not see what ends it.
#
# With fastReruns = true, the default, the run of the second click begins at once in a thread of its own, beside the callback, which goes
# on until it touches the state, or to its end if it never does. The page is told of the second run alone. What ends the callback is a
# StopException, and each later touch in that thread raises another: a callback that catches it and begins again gets no further.
#
# With fastReruns = false the second click waits until the callback has ended, so one that touches nothing is done whole and first. What
# ends the other is a RerunException, once, that holds the second click. A callback that catches it can do its work in peace, or anew, and
# must then raise it again: if it does not, the second click is never carried out.
#
# A click in a fragment waits in both settings, and ends nothing.
#
# Output seen (how many steps were done before the end depends on when the second click arrives):
#   fastReruns = true, as by default
#       touches session_state; second:
#           step 1 to 3, second click, ended by StopException
#           told: FINISHED_SUCCESSFULLY
#       draws; second:
#           step 1 to 3, second click, ended by StopException
#           told: FINISHED_SUCCESSFULLY
#       touches nothing; second:
#           step 1 to 3, second click, step 4 to 10, all ten done
#           told: FINISHED_SUCCESSFULLY
#       begins again, raises at the end; second:
#           step 1 to 3, second click, ended by StopException, step 1, ended by StopException, step 1, ended by StopException
#           told: FINISHED_SUCCESSFULLY
#       begins again, swallows; second:
#           step 1 to 3, second click, ended by StopException, step 1, ended by StopException, step 1, ended by StopException
#           told: FINISHED_SUCCESSFULLY
#       touches session_state; second in a fragment:
#           step 1 to 10, all ten done, second click
#           told: FINISHED_SUCCESSFULLY, FINISHED_FRAGMENT_RUN_SUCCESSFULLY
#   fastReruns = false
#       touches session_state; second:
#           step 1 to 3, ended by RerunException, second click
#           told: FINISHED_EARLY_FOR_RERUN, FINISHED_SUCCESSFULLY
#       draws; second:
#           step 1 to 3, ended by RerunException, second click
#           told: FINISHED_EARLY_FOR_RERUN, FINISHED_SUCCESSFULLY
#       touches nothing; second:
#           step 1 to 10, all ten done, second click
#           told: FINISHED_EARLY_FOR_RERUN, FINISHED_SUCCESSFULLY
#       begins again, raises at the end; second:
#           step 1 to 3, ended by RerunException, step 1 to 10, all ten done, second click
#           told: FINISHED_EARLY_FOR_RERUN, FINISHED_SUCCESSFULLY
#       begins again, swallows; second:
#           step 1 to 3, ended by RerunException, step 1 to 10, all ten done
#           told: FINISHED_SUCCESSFULLY
#       touches session_state; second in a fragment:
#           step 1 to 10, all ten done, second click
#           told: FINISHED_SUCCESSFULLY, FINISHED_FRAGMENT_RUN_SUCCESSFULLY
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
import time

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException


def note(event):
    with open("events.txt", "a") as file:
        file.write(event + "\\n")


def steps(touch):
    for step in range(1, 11):
        note(f"step {step}")
        time.sleep(0.3)
        if touch == "state":
            st.session_state["step"] = step
        elif touch == "draw":
            st.text(step)


def ten_steps(touch):
    try:
        steps(touch)
        note("all ten done")
    except Exception:
        note("seen by `except Exception`")
        raise
    except (RerunException, StopException) as end:
        note(f"ended by {type(end).__name__}")
        raise


def go_on(again):
    other = None
    for attempt in range(3):
        try:
            steps("state")
            note("all ten done")
            break
        except (RerunException, StopException) as end:
            note(f"ended by {type(end).__name__}")
            other = end
    if again and other:
        raise other


st.button("touches session_state", on_click=ten_steps, args=("state",))
st.button("draws", on_click=ten_steps, args=("draw",))
st.button("touches nothing", on_click=ten_steps, args=("nothing",))
st.button("begins again, raises at the end", on_click=go_on, args=(True,))
st.button("begins again, swallows", on_click=go_on, args=(False,))
st.button("second", on_click=note, args=("second click",))


@st.fragment
def part():
    st.button("second in a fragment", on_click=note, args=("second click",))


part()
"""
STATUS = ForwardMsg.ScriptFinishedStatus


class Tab:
    """What a browser knows of one open page."""

    def __init__(self, server):
        self.server = server
        self.buttons = {}  # label: (id, fragment)
        self.ask()
        while not self.heard(30)[-1:] == ["FINISHED_SUCCESSFULLY"]:
            pass

    def ask(self, label=""):
        """Click a button, or ask for the page."""
        question = BackMsg()
        question.rerun_script.widget_states.SetInParent()
        if label:
            widget, question.rerun_script.fragment_id = self.buttons[label]
            question.rerun_script.widget_states.widgets.add(id=widget, trigger_value=True)
        self.server.send(question.SerializeToString())

    def heard(self, seconds):
        """The next message, if one comes in time: how a run ended, or an exception that is shown."""
        try:
            message = ForwardMsg.FromString(self.server.recv(timeout=seconds))
        except TimeoutError:
            return []
        element = message.delta.new_element
        if element.HasField("button"):
            self.buttons[element.button.label] = (element.button.id, message.delta.fragment_id)
        if element.HasField("exception"):
            return [f"exception: {element.exception.type}"]
        return [STATUS.Name(message.script_finished)] if message.HasField("script_finished") else []


def events():
    file = Path("app/events.txt")
    return file.read_text().splitlines() if file.exists() else []


def clicked_twice(port, first, second):
    """Click a button, and another one once the first one's callback has come to its third step: all that happens."""
    Path("app/events.txt").unlink(missing_ok=True)
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], proxy=None) as server:
        tab = Tab(server)
        tab.ask(first)
        while "step 3" not in events():
            time.sleep(0.02)
        tab.ask(second)
        told, before, quiet = [], events(), time.monotonic()
        while time.monotonic() < quiet + 2:
            told += tab.heard(0.1)
            if events() != before:
                before, quiet = events(), time.monotonic()
        tab.ask()  # the page once more: would it make up for what was not done?
        until = time.monotonic() + 1
        while time.monotonic() < until:
            tab.heard(0.1)
    assert events() == before, events()
    return before, told


def report(options):
    """Do this in all cases at one server: {(first click, second click): what happened and what the browser was told}."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true", *options]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--browser.gatherUsageStats=false", *options]
    outside = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    with open("log.txt", "w") as log:
        home = {"HOME": str(Path("app").absolute())}
        process = subprocess.Popen(command, cwd="app", env={**outside, **home}, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
                time.sleep(0.2)
        seen = {}
        for first, second in CASES:
            happened, told = seen[first, second] = clicked_twice(port, first, second)
            print(f"    {first}; {second}:")
            print(f"        {', '.join(in_short(happened))}")
            print(f"        told: {', '.join(told)}")
    finally:
        process.terminate()
        process.wait()
    log = Path("log.txt").read_text()
    assert not any(word in log for word in ("Exception", "Traceback", "rror")), log
    return seen


def in_short(events):
    """The same with successive steps as one."""
    short = []
    for event in events:
        if event.startswith("step") and event != "step 1" and short and short[-1].startswith("step"):
            short[-1] = f"{short[-1].partition(' to')[0]} to {event.removeprefix('step ')}"
        else:
            short.append(event)
    return short


TOUCHES, DRAWS, NOTHING = "touches session_state", "draws", "touches nothing"
ANEW, SWALLOWS = "begins again, raises at the end", "begins again, swallows"
SECOND, IN_FRAGMENT = "second", "second in a fragment"
CASES = [(TOUCHES, SECOND), (DRAWS, SECOND), (NOTHING, SECOND), (ANEW, SECOND), (SWALLOWS, SECOND), (TOUCHES, IN_FRAGMENT)]
ALL_STEPS = [f"step {step}" for step in range(1, 11)] + ["all ten done"]
ONE_AFTER_THE_OTHER = [*ALL_STEPS, "second click"]
WHOLE = "FINISHED_SUCCESSFULLY"
EARLY = ["FINISHED_EARLY_FOR_RERUN", WHOLE]
Path("app").mkdir()
Path("app/app.py").write_text(APP)

print("fastReruns = true, as by default")
fast = report([])
for ended in (TOUCHES, DRAWS):
    happened, told = fast[ended, SECOND]
    assert happened.index("second click") < happened.index("ended by StopException") == len(happened) - 1, happened
    assert "all ten done" not in happened and told == [WHOLE], (happened, told)
happened, told = fast[NOTHING, SECOND]
assert [event for event in happened if event != "second click"] == ALL_STEPS, happened
assert happened.index("second click") < happened.index("all ten done") and told == [WHOLE], (happened, told)
for catches in (ANEW, SWALLOWS):
    happened, told = fast[catches, SECOND]
    assert happened[-5:] == ["ended by StopException", "step 1"] * 2 + ["ended by StopException"], happened
    assert "second click" in happened[:-5] and told == [WHOLE], (happened, told)

print("fastReruns = false")
slow = report(["--runner.fastReruns=false"])
for ended in (TOUCHES, DRAWS):
    happened, told = slow[ended, SECOND]
    assert happened[-2:] == ["ended by RerunException", "second click"] and "all ten done" not in happened, happened
    assert told == EARLY, told
assert slow[NOTHING, SECOND] == (ONE_AFTER_THE_OTHER, EARLY), slow[NOTHING, SECOND]
happened, told = slow[ANEW, SECOND]
assert happened[-13:] == ["ended by RerunException", *ONE_AFTER_THE_OTHER] and told == EARLY, (happened, told)
happened, told = slow[SWALLOWS, SECOND]
assert happened[-12:] == ["ended by RerunException", *ALL_STEPS] and "second click" not in happened and told == [WHOLE], (happened, told)

for seen in (fast, slow):
    assert seen[TOUCHES, IN_FRAGMENT] == (ONE_AFTER_THE_OTHER, [WHOLE, "FINISHED_FRAGMENT_RUN_SUCCESSFULLY"]), seen[TOUCHES, IN_FRAGMENT]
PYTHON
"$folder/venv/bin/python" finding.py
