"""Starting the app and driving a page: what the browser tests share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

ROOT = Path(__file__).parents[3]
QUIET = ("--server.headless=true", "--server.fileWatcherType=none")  # a file that is edited meanwhile asks no page to rerun
START_SECONDS = 90
PATIENCE_MS = 60_000  # the machines that run this are small and shared
REST_MS = 100  # longer than between two runs, where a run was asked for during another

# In every document, before its own scripts: is a run under way by what went over the wire? Between a click and the first word of its run,
# and for some time after that, a page looks as it does at rest.
LISTEN = """
{
  const RERUN_SCRIPT = 0x5a, STATUS = 0x4a; // first bytes: of a message that asks for a run, of one that says whether a run is under way
  const send = WebSocket.prototype.send, heard = new WeakSet();
  const hear = ({ data }) => {
    if (data.byteLength === 2 && new Uint8Array(data)[0] === STATUS) window.awaitsRun = false; // where it is, the message is longer
  };
  WebSocket.prototype.send = function (message) {
    if (message[0] === RERUN_SCRIPT) window.awaitsRun = true;
    window.connection = this; // for a test that cuts it
    if (!heard.has(this)) {
      heard.add(this);
      this.addEventListener("message", hear);
    }
    return send.call(this, message);
  };
}
"""

# What keeps a page from being at rest for `REST_MS`: it is not connected, a run is asked for or under way, something is stale, or a live
# chart that can be seen has neither drawn nor said why it cannot. What listens for news of a run draws nothing.
UNREST = """() => {
  if (window.awaitsRun) return "a run is asked for";
  const app = document.querySelector('[data-testid="stApp"]');
  if (!app) return "no app";
  if (app.dataset.testScriptState !== "notRunning") return `the script: ${app.dataset.testScriptState}`;
  if (app.dataset.testConnectionState !== "CONNECTED") return `the connection: ${app.dataset.testConnectionState}`;
  const stale = document.querySelector('[data-stale="true"], [data-testid="stAppSkeleton"], [data-testid="stSkeleton"]');
  if (stale) return `stale: ${stale.outerHTML.slice(0, 300)}`;
  const charts = [...document.querySelectorAll('[data-testid="stBidiComponentRegular"]')].filter((one) => !one.closest(".st-key-news"));
  const empty = charts.find((chart) => chart.clientWidth && !chart.querySelector(".main-svg") && !chart.textContent.trim());
  return empty ? `not drawn: ${empty.parentElement.outerHTML.slice(0, 300)}` : "";
}"""
AT_REST = f"""(restMs) => {{
  window.restsSince = ({UNREST})() ? undefined : window.restsSince ?? performance.now();
  return performance.now() - window.restsSince > restMs;
}}"""


@contextmanager
def streamlit(script: Path, workdir: Path, *, prefix: str = "") -> Iterator[str]:
    """Run `streamlit run script` from `workdir`, below the path `prefix`, and give its address; its log lies in `workdir`."""
    for attempt in range(3):  # somebody else may take the free port first
        port = _free_port()
        url = f"http://localhost:{port}{prefix}"
        log = workdir / f"streamlit-{attempt}.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", f"--server.baseUrlPath={prefix}", *QUIET],
                cwd=workdir,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            if _is_up(server, f"{url}/_stcore/health"):
                yield url
                return
        finally:
            server.kill()  # it has nothing to put in order, and would take a second and more for that
            server.wait()
    raise RuntimeError(f"{script.name} did not start: {log.read_text()[-2000:]}")


def project(script: Path, folder: Path) -> Path:
    """Lay a script out as an app of its own, with this repository's settings and static files: Streamlit looks for both beside it."""
    for name in (".streamlit", "static"):
        (folder / name).symlink_to(ROOT / name)
    return Path(shutil.copy(script, folder / script.name))


def settle(page: Page) -> None:
    """Wait until the page has come to rest. A fragment that runs by itself rests between two runs."""
    page.evaluate("window.restsSince = undefined")
    try:
        page.wait_for_function(AT_REST, arg=REST_MS, timeout=PATIENCE_MS)
    except PlaywrightTimeout as timeout:
        raise AssertionError(f"the page does not come to rest: {page.evaluate(UNREST)}") from timeout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_up(server: subprocess.Popen[bytes], health: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(health, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            time.sleep(0.2)
    return False
