"""The app inside this very process, as `streamlit run` starts it, while work of our own goes on beside it."""

from __future__ import annotations

import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from click.exceptions import Abort
from streamlit.web import cli

START_SECONDS = 60
QUIET = ("--server.address=localhost", "--server.headless=true", "--logger.level=error")


def beside_server(script: Path, work: Callable[[str], None]) -> None:
    """Serve `script` on this thread, which must be the main one, until `work(url)` is done on another.

    Raises:
        RuntimeError: from whatever `work` raises, with the server's own words; or the server did not start.
    """
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    failures: list[BaseException] = []
    ended, said = threading.Event(), io.StringIO()

    def guarded() -> None:
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", ended)
            work(f"http://localhost:{port}")
        except BaseException as error:
            failures.append(error)
        finally:
            if not ended.is_set():
                os.kill(os.getpid(), signal.SIGINT)  # what Ctrl-C does to a server

    worker = threading.Thread(target=guarded, name="beside-server")
    worker.start()
    with redirect_stdout(said), suppress(KeyboardInterrupt, SystemExit, Abort):
        cli.main(["run", str(script), f"--server.port={port}", *QUIET], standalone_mode=False)
    ended.set()
    worker.join()
    if failures:
        raise RuntimeError(f"beside the server, which said: {said.getvalue()}") from failures[0]


def _wait_for(health: str, ended: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not ended.is_set():
        try:
            with urlopen(health, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"no answer from {health}")
