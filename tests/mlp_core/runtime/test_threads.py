"""Every library that computes keeps to one thread in the whole process, however the app was started."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MULTIPLY = """
import json, threading, time
from pathlib import Path
import psutil

found = {}

def native_threads():
    return psutil.Process().num_threads() - threading.active_count()

def report():
    import numpy as np
    import torch
    square = np.ones((600, 600))
    square @ square
    np.linalg.solve(square + np.eye(600), square)
    torch.ones(2_000_000).sin()
    torch.ones(600, 600) @ torch.ones(600, 600)
    deadline = time.monotonic() + 10
    while native_threads() and time.monotonic() < deadline:  # Python's own take a moment to end
        time.sleep(0.05)
    found.update(torch=torch.get_num_threads(), native=native_threads())
"""
STARTS = {
    "in a test": """
from streamlit.testing.v1 import AppTest
AppTest.from_file(str(Path("app.py").resolve())).run(timeout=60)
thread = threading.Thread(target=report)
thread.start()
thread.join()
""",
    "streamlit run": """
import asyncio
from tests.bench.hosting import beside_server
from tests.load.student import Student

def work(url):
    async def visit():
        async with Student(url) as student:
            await student.open("generalization")
    asyncio.run(visit())
    report()

beside_server(Path("app.py").resolve(), work)
""",
}


@pytest.mark.parametrize(("start", "asked"), [("in a test", {}), ("streamlit run", {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"})])
def test_the_app_takes_one_thread_a_library(start: str, asked: dict[str, str]) -> None:
    program = f"{MULTIPLY}{STARTS[start]}\nprint('found', json.dumps(found))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=os.environ | asked, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert json.loads(result.stdout.rsplit("found", 1)[1]) == {"torch": 1, "native": 0}


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("*.py")), ids=lambda page: page.stem)
def test_a_page_imports_what_limits_threads_before_all_else_of_ours(page: Path) -> None:
    """The first link of a server's life may run a page without app.py."""
    imports = [node for node in ast.parse(page.read_text()).body if isinstance(node, ast.ImportFrom) and node.module]
    ours = [node.module for node in imports if str(node.module).split(".")[0] in ("pages", "mlp_core")]
    assert ours[0] == "pages.ui.navigation"
