#!/usr/bin/env bash
# pooch 1.9.0, requests 2.32.5, Python 3.11.
#
# A progress bar of one's own (HTTPDownloader(progressbar=...)) is not told how many bytes came. For each piece it is given the size of a
# full piece, the last and shorter one too, so the sum is larger than the file; then it is reset and given the whole size once more, all at
# once. A bar that adds up what it is given runs past its end, and one that reports fractions goes backwards.
#
# And pooch takes a ValueError that the bar raises (to end a download that is too slow, say) for a damaged file: it downloads again, as
# often as `retry_if_failed` says. Any other exception ends the download at once.
#
# Output seen:
#   file of 2500 bytes, pieces of 1024: updates [1024, 1024, 1024, 'reset', 2500]
#   ValueError in the bar: asked 3 times
#   RuntimeError in the bar: asked 1 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pooch==1.9.0 requests==2.32.5
cd "$folder"
cat > finding.py <<'PYTHON'
import hashlib
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch

BODY = bytes(range(250)) * 10
asked = []
pooch.get_logger().setLevel("ERROR")
time.sleep = lambda seconds: None  # pooch waits a second before it tries again


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *arguments):
        pass


class Bar:
    def __init__(self, error=None):
        self.error, self.updates = error, []

    def update(self, more):
        self.updates.append(more)
        if self.error is not None:
            raise self.error

    def reset(self):
        self.updates.append("reset")

    def close(self):
        pass


def fetch(bar):
    asked.clear()
    registry = {"file": "md5:" + hashlib.md5(BODY).hexdigest()}
    with tempfile.TemporaryDirectory() as folder:
        known = pooch.create(folder, f"http://127.0.0.1:{server.server_port}/", registry=registry, retry_if_failed=2)
        try:
            known.fetch("file", downloader=pooch.HTTPDownloader(progressbar=bar))
        except (ValueError, RuntimeError):
            pass
    return len(asked)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

bar = Bar()
fetch(bar)
print(f"file of {len(BODY)} bytes, pieces of 1024: updates {bar.updates}")
assert bar.updates == [1024, 1024, 1024, "reset", 2500], bar.updates
for error, times in ((ValueError("slow"), 3), (RuntimeError("slow"), 1)):
    found = fetch(Bar(error))
    print(f"{type(error).__name__} in the bar: asked {found} times")
    assert found == times, found
PYTHON
"$folder/venv/bin/python" finding.py
