#!/usr/bin/env bash
# streamlit 1.67.0, Python 3.11.
#
# A page that `AppTest` runs becomes `sys.modules["__main__"]`, as a page does in Streamlit's server, and stays it when the run is over. So
# every process that multiprocessing begins later in the same test run ("spawn" or "forkserver") first runs that page, as it runs the main
# module of a program, outside of any session: what the page prints is printed there, and where the page needs a session, the process ends
# before its work, with a BrokenProcessPool that says nothing of a page. A test that begins processes passes alone and fails after a test of
# a page. What helps is another `__main__` while processes are begun.
#
# Output seen:
#   __main__ after the page's test: page.py
#   a pool of processes then: BrokenProcessPool; the page was run once more
#   a pool with another __main__: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0
cd "$folder"
cat > page.py <<'PYTHON'
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

with Path("runs.txt").open("a") as runs:
    runs.write("x")
st.write(get_script_run_ctx().session_id)
PYTHON
cat > finding.py <<'PYTHON'
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType

from streamlit.testing.v1 import AppTest


def outcome():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return str(pool.submit(abs, -1).result(timeout=60))
        except Exception as error:
            return type(error).__name__


if __name__ == "__main__":
    page = AppTest.from_file("page.py").run()
    assert not page.exception
    main = Path(sys.modules["__main__"].__file__).name
    before = len(Path("runs.txt").read_text())
    after_page = outcome()
    again = len(Path("runs.txt").read_text()) - before
    sys.modules["__main__"] = ModuleType("__main__")
    with_another = outcome()
    print(f"__main__ after the page's test: {main}")
    print(f"a pool of processes then: {after_page}; the page was run {'once more' if again == 1 else f'{again} times more'}")
    print(f"a pool with another __main__: {with_another}")
    assert (main, after_page, again, with_another) == ("page.py", "BrokenProcessPool", 1, "1")
PYTHON
"$folder/venv/bin/python" finding.py 2>log.txt || { tail -5 log.txt >&2; exit 1; }
