"""How much memory a piece of work has at once, by what PyTorch itself reports of every tensor that comes and goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], object], folder: Path) -> int:
    """The most bytes that tensors made by `work` hold at one moment; what was there before does not count."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    trace = folder / "trace.json"
    profiled.export_chrome_trace(str(trace))
    events = [event for event in json.loads(trace.read_text())["traceEvents"] if event.get("name") == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: float(event["ts"])):
        held += event["args"]["Bytes"]
        most = max(most, held)
    return most
