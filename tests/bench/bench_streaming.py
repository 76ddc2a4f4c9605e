"""What an update of a watched run costs: bytes and messages on the way, time in the server and in the browser. Prints; asserts no time.

python -m tests.bench.bench_streaming [--app /another/tree/app.py --app app.py]

An update is a moment at which the page tells another step and its loss curves have another shape, whichever way both came to it. With
several apps their servers take turns, so that whatever else the machine does meets all alike.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.bench.watching import chromium, fresh_server, press_train, reset, visit

APP = Path(__file__).parents[2] / "app.py"
DESIGN = "epochs=100"  # d2l's network, for longer than anybody looks
ROUNDS, SECONDS = 5, 8.0
FIRST_STEP = 1000  # the curves are thinned by then, and grow no longer
BATCH = 256

# Looks when texts or curves change: a timer that looked a hundred times a second would cost more than many an update.
WATCH = r"""() => {
  const reading = /Epoch ([\d,]+) of [\d,]+ · step ([\d,]+) of ([\d,]+)/;
  const seen = (window.watched = { updates: 0, steps: 0, first: null, last: null });
  let node, curve;
  const find = () => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (reading.test(texts.currentNode.data)) return texts.currentNode;
  };
  const look = () => {
    if (!node?.isConnected || !reading.test(node.data)) node = find();
    if (!node) return;
    const [epoch, step, length] = node.data.match(reading).slice(1).map((number) => Number(number.replaceAll(",", "")));
    const steps = (epoch - 1) * length + step;
    if (steps === seen.steps) return;
    const charts = [...document.querySelectorAll(".js-plotly-plot")];
    const loss = charts.find((chart) => chart.data?.some(({ name }) => name?.startsWith("train")));
    const drawn = [...(loss?.querySelectorAll(".scatterlayer path.js-line") ?? [])].map((path) => path.getAttribute("d")).join();
    if (!drawn || drawn === curve) return;
    curve = drawn;
    seen.steps = steps;
    seen.updates += 1;
    seen.last = [performance.now(), steps];
    seen.first ??= seen.last;
  };
  const changes = { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["d"] };
  new MutationObserver(look).observe(document.body, changes);
}"""


@dataclass(frozen=True, slots=True)
class Update:
    """What was measured over one round: updates and images of training a second, and what an update took."""

    per_second: float
    sent_bytes: float
    messages: float
    server_ms: float
    browser_ms: float
    images_per_second: float


MOST_BYTES, MOST_MESSAGES = 4096, 6
# Of what the last version took that sent whole figures with every update, on an AMD EPYC: 20 ms in the server and 120 ms in the browser.
MOST_SERVER_MS, MOST_BROWSER_MS = 20 / 4, 120 / 3


class Traffic:
    """What has come to the page since it was last asked: messages, events and answers to requests, with their bytes."""

    def __init__(self, page: Page) -> None:
        self.messages, self.sent_bytes = 0, 0.0
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.on("Network.webSocketFrameReceived", self._frame)
        self.devtools.on("Network.eventSourceMessageReceived", self._event)
        self.devtools.on("Network.responseReceived", self._event)
        self.devtools.on("Network.dataReceived", self._data)
        self.devtools.send("Network.enable")
        self.devtools.send("Performance.enable")

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        self.messages += 1
        self.sent_bytes += len(response["payloadData"]) * (1 if response["opcode"] == 1 else 3 / 4)  # what is not text comes as base64

    def _event(self, _: dict[str, Any]) -> None:
        self.messages += 1

    def _data(self, event: dict[str, Any]) -> None:
        self.sent_bytes += event["dataLength"]

    def main_thread_seconds(self) -> float:
        """Processor time that the page's main thread has had."""
        metrics = {metric["name"]: metric["value"] for metric in self.devtools.send("Performance.getMetrics")["metrics"]}
        seconds: float = metrics["ThreadTime"]
        return seconds


def measure(browser: Browser, url: str, server: psutil.Process, seconds: float) -> Update:
    """Train as fast as can be before a browser's eyes."""
    page = visit(browser, url, DESIGN)
    press_train(page)
    page.evaluate(WATCH)
    page.wait_for_function("(steps) => window.watched.steps >= steps", arg=FIRST_STEP)
    traffic = Traffic(page)
    page.evaluate("() => Object.assign(window.watched, { updates: 0, first: null })")
    traffic.messages, traffic.sent_bytes = 0, 0.0
    threads, drawn = _thread_seconds(server), traffic.main_thread_seconds()
    page.wait_for_timeout(1000 * seconds)
    served, drawn = served_seconds(threads, _thread_seconds(server)), traffic.main_thread_seconds() - drawn
    messages, sent_bytes = traffic.messages, traffic.sent_bytes
    seen = page.evaluate("() => window.watched")
    reset(page)
    page.context.close()
    updates, (first, steps_before), (last, steps) = seen["updates"], seen["first"], seen["last"]
    return Update(
        per_second=1000 * (updates - 1) / (last - first),
        sent_bytes=sent_bytes / updates,
        messages=messages / updates,
        server_ms=1000 * served / updates,
        browser_ms=1000 * drawn / updates,
        images_per_second=1000 * BATCH * (steps - steps_before) / (last - first),
    )


def _thread_seconds(server: psutil.Process) -> dict[int, float]:
    """Processor time of each thread of the server so far; under 0 that of all together, those that have ended included."""
    times = server.cpu_times()
    return {thread.id: thread.user_time + thread.system_time for thread in server.threads()} | {0: times.user + times.system}


def served_seconds(before: dict[int, float], after: dict[int, float]) -> float:
    """Seconds of all threads but the one that trained, which is the busiest. Python 3.11 tells the system no thread's name."""
    busiest = max(after[thread] - before.get(thread, 0.0) for thread in after if thread)
    return after[0] - before[0] - busiest


def medians(rounds: Sequence[Update]) -> Update:
    return Update(*map(median, zip(*map(astuple, rounds), strict=True)))


def table(measured: Sequence[Update]) -> str:
    """A column for each app, the goals beside them; of several, also the last over the first."""
    rows = (
        ("updates a second", "per_second", "{:.1f}", ""),
        ("bytes an update", "sent_bytes", "{:,.0f}", f"at most {MOST_BYTES:,}"),
        ("messages an update", "messages", "{:.1f}", f"at most {MOST_MESSAGES}"),
        ("server CPU an update, ms", "server_ms", "{:.1f}", f"at most {MOST_SERVER_MS:.0f}"),
        ("browser CPU an update, ms", "browser_ms", "{:.1f}", f"at most {MOST_BROWSER_MS:.0f}"),
        ("training meanwhile, images/s", "images_per_second", "{:,.0f}", ""),
    )
    lines = []
    for label, name, shape, goal in rows:
        values = [getattr(update, name) for update in measured]
        cells = "".join(f"{shape.format(value):>10}" for value in values)
        ratio = f"{values[-1] / values[0]:10.2f} x" if len(values) > 1 else ""
        lines.append(f"{label:30}{cells}{ratio}{f'  (goal: {goal})' if goal else ''}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--app", type=Path, action="append", help="the app.py to measure, this tree's if none; several take turns")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each round")
    options = parser.parse_args()
    apps = [path.resolve() for path in options.app or [APP]]
    rounds = list[list[Update]]([] for _ in apps)
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in apps]
        servers = [stack.enter_context(fresh_server(app, folder)) for app, folder in zip(apps, folders, strict=True)]
        browser = stack.enter_context(chromium())
        for turn in range(options.rounds):
            for number, (url, server) in enumerate(servers):
                update = measure(browser, url, server, options.seconds)
                rounds[number].append(update)
                print(f"round {turn + 1}: {apps[number].parent.name} {update}", file=sys.stderr)
    print(f"Streaming: d2l's network at full speed, one browser watching; medians of {options.rounds} rounds of {options.seconds:g} s")
    print(table([medians(measured) for measured in rounds]))


if __name__ == "__main__":
    main()
