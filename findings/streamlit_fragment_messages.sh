#!/usr/bin/env bash
# streamlit 1.67.0, websockets 17.4, Python 3.11.
#
# A fragment that runs again, as by st.fragment(run_every=...), sends more than what it draws. Each time the browser is first sent a
# `new_session` message, larger than all that the fragment drew here: with the custom theme ([theme], [theme.light], [theme.dark]: fonts,
# sizes, every color), all pages of st.navigation, the configuration and the versions of Streamlit and Python, though none of this can
# have changed. Then come the fragment's container and its elements, also those that are as before, the end of the run, and twice the
# status of the session. Where usage statistics are on, as they are by default, `page_profile` is added; it is longer with a theme, too.
#
# So the smallest tick, one st.text that stays the same, costs 0.8 kB in a plain app, 1.3 kB with a theme and seven pages, and 2 kB with
# usage statistics; the text itself is 9 bytes of it. WebSocket messages are not compressed unless server.enableWebsocketCompression is
# set. Many small ticks cost more than a few large ones: let one fragment draw what belongs together, and run it less often.
#
# Output seen (a few bytes more or less elsewhere: new_session holds the path of the app, page_profile how long things took):
#   one page: 6 messages, 756 bytes
#       1 new_session: 402
#       2 session_status_changed: 6
#       2 delta: 270
#       1 script_finished: 78
#   seven pages: 6 messages, 1084 bytes
#       1 new_session: 730
#       2 session_status_changed: 6
#       2 delta: 270
#       1 script_finished: 78
#   one page and a theme: 6 messages, 974 bytes
#       1 new_session: 620
#       2 session_status_changed: 6
#       2 delta: 270
#       1 script_finished: 78
#   seven pages and a theme: 6 messages, 1302 bytes
#       1 new_session: 948
#       2 session_status_changed: 6
#       2 delta: 270
#       1 script_finished: 78
#   the same with usage statistics, as by default: 7 messages, 1951 bytes
#       1 new_session: 970
#       2 session_status_changed: 6
#       2 delta: 270
#       1 page_profile: 627
#       1 script_finished: 78
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

ONE_PAGE = """
import streamlit as st

@st.fragment(run_every=1)
def tick():
    st.text("as before")

tick()
"""
SEVEN_PAGES = f"""
import streamlit as st

def first():
{"".join("    " + line for line in ONE_PAGE.splitlines(keepends=True))}

def other():
    st.text("another page")

pages = [st.Page(first, title="Page 1", default=True)]
pages += [st.Page(other, title=f"Page {{n}}", url_path=f"page-{{n}}") for n in range(2, 8)]
st.navigation(pages).run()
"""
NO_STATISTICS = """
[browser]
gatherUsageStats = false
"""
COLORS = """
primaryColor = "#0072B2"
backgroundColor = "#FFFFFF"
secondaryBackgroundColor = "#F1F4F8"
textColor = "#1B2430"
linkColor = "#005F96"
borderColor = "#D3DAE3"
"""
THEME = f"""
[theme]
font = "Inter, sans-serif"
headingFont = "Inter, sans-serif"
baseFontSize = 17
headingFontSizes = ["2.25rem", "1.75rem", "1.375rem", "1.125rem", "1rem", "1rem"]
[theme.light]{COLORS}
[theme.dark]{COLORS}
"""


def asked(server, fragment=""):
    """Have the page run, or one fragment of it as its run_every would: all messages of the answer, each with its size in bytes."""
    question = BackMsg()
    question.rerun_script.fragment_id = fragment
    question.rerun_script.is_auto_rerun = fragment != ""
    server.send(question.SerializeToString())
    answer = []
    while True:
        data = server.recv(timeout=30)
        message = ForwardMsg.FromString(data)
        answer.append((message, len(data)))
        if message.HasField("session_status_changed") and not message.session_status_changed.script_is_running:
            return answer


def bytes_of_one_tick(app, config):
    """Serve an app, open it, and have its fragment run a second time: {type of message: sizes in bytes}."""
    folder = Path("app").absolute()  # the same for all: its name is sent, too
    (folder / ".streamlit").mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(app)
    (folder / ".streamlit/config.toml").write_text(config)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}", "--logger.level=error"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    outside = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    process = subprocess.Popen(command, cwd=folder, env={**outside, "HOME": str(folder)}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                server = connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], proxy=None)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
                time.sleep(0.2)
        with server:
            assert not server.protocol.extensions, "compressed on the way"
            fragment = next(m.auto_rerun.fragment_id for m, _ in asked(server) if m.WhichOneof("type") == "auto_rerun")
            answer = asked(server, fragment)
    finally:
        process.terminate()
        process.wait()
    assert ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY in [m.script_finished for m, _ in answer if m.HasField("script_finished")]
    shown = [m.delta.new_element.text.body for m, _ in answer if m.delta.HasField("new_element")]
    assert shown == ["as before"], shown
    sizes = {}
    for message, size in answer:
        sizes.setdefault(message.WhichOneof("type"), []).append(size)
    return sizes


def report(name, app, config):
    sizes = bytes_of_one_tick(app, config)
    everything = [size for of_one_type in sizes.values() for size in of_one_type]
    print(f"{name}: {len(everything)} messages, {sum(everything)} bytes")
    for kind, of_one_type in sizes.items():
        print(f"    {len(of_one_type)} {kind}: {sum(of_one_type)}")
    assert len(everything) >= 5, everything
    assert len(sizes["new_session"]) == 1 and sizes["new_session"][0] == max(everything), sizes
    assert sizes["new_session"][0] > sum(sizes["delta"]), sizes
    return sizes["new_session"][0], sum(everything)


plain, _ = report("one page", ONE_PAGE, NO_STATISTICS)
paged, _ = report("seven pages", SEVEN_PAGES, NO_STATISTICS)
themed, _ = report("one page and a theme", ONE_PAGE, NO_STATISTICS + THEME)
both, total = report("seven pages and a theme", SEVEN_PAGES, NO_STATISTICS + THEME)
_, counted = report("the same with usage statistics, as by default", SEVEN_PAGES, THEME)
assert paged >= plain + 200, (plain, paged)
assert themed >= plain + 200, (plain, themed)
assert both >= max(paged, themed) + 200, (paged, themed, both)
assert both > total / 2, (both, total)
assert counted >= total + 200, (total, counted)
PYTHON
"$folder/venv/bin/python" finding.py
