"""A hook of pytest: adds what failed to the file FAILED_TESTS.

`make test` runs the suite in parts and names all failures after the last one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    path = os.environ.get("FAILED_TESTS")
    if path is None or hasattr(terminalreporter.config, "workerinput"):  # a worker tells the process that started it, which comes here too
        return
    failed = [report.nodeid for outcome in ("failed", "error") for report in terminalreporter.stats.get(outcome, [])]
    with Path(path).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in dict.fromkeys(failed))
