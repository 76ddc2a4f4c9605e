#!/usr/bin/env bash
# streamlit 1.67.0, websockets 17.4, Python 3.11.
#
# server.disconnectedSessionTTL says how long a session can be found again after its connection has ended, not how long it is kept. When
# that time is over, nothing happens: the session, its st.session_state and all files that it has uploaded stay in memory until another
# session is disconnected (MemorySessionStorage drops what has expired only when it stores something) and then Python's garbage is
# collected, as after a run of a page. On a server to which nobody comes any more that is for ever. runtime.close_session() ends a session
# only before its time is over: afterwards it does not find it, though it is still there. Nor is there a bound for all files of a session:
# server.maxUploadSize is for each.
#
# Output seen:
#   connected: 20000000 bytes of uploads
#   disconnected for eight times disconnectedSessionTTL: 20000000 bytes of uploads
#   another session was disconnected, too: 20000000 bytes of uploads
#   a third one has run its page: 0 bytes of uploads
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==17.4
cd "$folder"
cat > finding.py <<'PYTHON'
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

TTL_SECONDS, FILES, FILE_BYTES = 1, 5, 4_000_000
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
Path("app.py").write_text("import streamlit as st\nst.file_uploader('A file')\n")
options = {
    "server.headless": "true", "server.address": "127.0.0.1", "server.port": port, "browser.gatherUsageStats": "false",
    "server.enableXsrfProtection": "false", "server.disconnectedSessionTTL": TTL_SECONDS, "logger.level": "error",
}
command = [sys.executable, "-m", "streamlit", "run", "app.py", *(f"--{name}={value}" for name, value in options.items())]
outside = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
process = subprocess.Popen(command, env={**outside, "HOME": os.getcwd()}, stdout=subprocess.DEVNULL)


def session():
    """A connection, and the id of its session, whose page has run once."""
    connection = connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], proxy=None)
    question = BackMsg()
    question.rerun_script.query_string = ""
    connection.send(question.SerializeToString())
    name = ""
    while True:
        message = ForwardMsg.FromString(connection.recv(timeout=30))
        if message.HasField("new_session"):
            name = message.new_session.initialize.session_id
        if message.HasField("session_status_changed") and not message.session_status_changed.script_is_running:
            return connection, name


def upload(name, file):
    head = 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    body = f"--border\r\n{head}".encode() + bytes(FILE_BYTES) + b"\r\n--border--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=border"}
    address = f"http://127.0.0.1:{port}/_stcore/upload_file/{name}/{file}"
    assert urlopen(Request(address, body, headers, method="PUT")).status == 204


def uploaded(when):
    metrics = urlopen(f"http://127.0.0.1:{port}/_stcore/metrics").read().decode()
    found = re.search(r'UploadedFileManager",cache=""\} (\d+)', metrics)
    size = int(found.group(1)) if found else 0
    print(f"{when}: {size} bytes of uploads")
    return size


try:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection, name = session()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
            time.sleep(0.2)
    for file in range(FILES):
        upload(name, f"file-{file}")
    everything = uploaded("connected")
    connection.close()
    time.sleep(8 * TTL_SECONDS)
    kept = uploaded("disconnected for eight times disconnectedSessionTTL")
    other, _ = session()
    other.close()
    time.sleep(2)
    dropped = uploaded("another session was disconnected, too")
    third, _ = session()
    time.sleep(2)
    left = uploaded("a third one has run its page")
    third.close()
finally:
    process.terminate()
    process.wait()
assert everything == kept == FILES * FILE_BYTES, (everything, kept)
assert dropped == everything, dropped
assert left == 0, left
PYTHON
"$folder/venv/bin/python" -W ignore::DeprecationWarning finding.py
