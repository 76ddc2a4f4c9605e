#!/usr/bin/env bash
# streamlit 1.67.0, Python 3.11.
#
# Before its first run every new `AppTest` looks for components (st.components.v2) in the metadata of all installed packages, though a
# process has the same ones from its first test to its last; `run()` again of the same object does not. Where many packages are installed
# that is nearly all that a small page costs: with 100 of them 0.09 s, and 0.003 s without the look. A suite that makes a new `AppTest` for
# each of its tests pays for the look each time; one that goes on with an `AppTest` pays once.
#
# Output seen:
#   AppTest 1: packages were looked through 1 time before its first run, 0 before its second
#   AppTest 2: packages were looked through 1 time before its first run, 0 before its second
#   AppTest 3: packages were looked through 1 time before its first run, 0 before its second
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0
cd "$folder"
cat > page.py <<'PYTHON'
import streamlit as st

st.write("A page.")
PYTHON
cat > finding.py <<'PYTHON'
import importlib.metadata

looks = 0
distributions = importlib.metadata.distributions


def counted(**context):
    global looks
    looks += 1
    return distributions(**context)


importlib.metadata.distributions = counted

from streamlit.testing.v1 import AppTest  # noqa: E402

seen = []
for number in range(1, 4):
    app = AppTest.from_file("page.py")
    looks = 0
    app.run()
    first, looks = looks, 0
    app.run()
    seen.append((first, looks))
    print(f"AppTest {number}: packages were looked through {first} time before its first run, {looks} before its second")
assert seen == [(1, 0)] * 3
PYTHON
"$folder/venv/bin/python" finding.py 2>/dev/null
