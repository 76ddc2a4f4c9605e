"""A mirror of Fashion-MNIST on this machine, for the tests of the download: it counts what is asked of it, and can misbehave."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlp_core.data.download import Published
from tests.support.idx_files import Bytes, idx


def served(values: dict[str, Bytes]) -> dict[str, bytes]:
    """The compressed files, the same bytes at every call."""
    return {name: gzip.compress(idx(array), mtime=0) for name, array in values.items()}


def published(values: dict[str, Bytes]) -> dict[str, Published]:
    """What counts as published where these files do."""
    return {name: Published(len(body), hashlib.md5(body).hexdigest()) for name, body in served(values).items()}


class Mirror(ThreadingHTTPServer):
    """Serves `values` under the names of the published files.

    `fault` is what goes wrong with `faulty` (the end of a path): "" nothing; "missing" 404; "page" a web page; "short" half of the file
    and then the end; "silent" no answer; "drip" a few bytes now and then; "endless" bytes for ever; "other" another file's content.
    `faults_left` is how often.
    """

    daemon_threads = True

    def __init__(self, values: dict[str, Bytes]) -> None:
        self.content = {f"/{name}.gz": body for name, body in served(values).items()}
        self.published = published(values)
        self.asked: list[str] = []
        self.fault, self.faulty, self.faults_left = "", "", 1000
        self.delay_seconds = 0.0
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        mirror = self.server
        mirror.asked.append(self.path)
        fault = mirror.fault if self.path.endswith(mirror.faulty) and mirror.faults_left else ""
        if fault:
            mirror.faults_left -= 1
        time.sleep(mirror.delay_seconds)
        if fault == "silent":
            mirror.closing.wait()
            return
        body = mirror.content[self.path]
        if fault == "page":
            body = b"<html>Please log in</html>"
        if fault == "other":
            body = next(content for path, content in mirror.content.items() if path != self.path)
        self.send_response(404 if fault == "missing" else 200)
        if fault != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has seen enough
            self._send(body, fault)

    def _send(self, body: bytes, fault: str) -> None:
        if fault == "short":
            self.wfile.write(body[: len(body) // 2])
        elif fault == "drip":
            size = max(1, len(body) // 200)
            for position in range(0, len(body), size):
                self.wfile.write(body[position : position + size])
                if self.server.closing.wait(0.05):
                    return
        elif fault == "endless":
            while not self.server.closing.is_set():
                self.wfile.write(bytes(1 << 16))
        else:
            self.wfile.write(body)


@contextmanager
def mirror_of(values: dict[str, Bytes]) -> Iterator[Mirror]:
    mirror = Mirror(values)
    thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mirror
    finally:
        mirror.closing.set()
        mirror.shutdown()
        thread.join()
        mirror.server_close()
