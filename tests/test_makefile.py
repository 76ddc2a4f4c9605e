"""make installs the PyTorch that was chosen, and runs every part of the tests whatever becomes of the others."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one PyTorch only")

# Stands in for the environment's Python: writes down what it is asked to do. Only the choice of PyTorch is made by the real one.
PYTHON = f"""#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
scripts/choose_torch.py*) exec {sys.executable} "$@" ;;
*--ignore=tests/browser*) [ $REST != 1 ] || echo tests/test_rest.py::test_rest >> "$FAILED_TESTS"; exit $REST ;;
*tests/browser*) [ $BROWSER != 1 ] || echo tests/browser/test_page.py::test_page >> "$FAILED_TESTS"; exit $BROWSER ;;
esac
"""


class Make:
    """Calls make with an environment in tmp_path."""

    def __init__(self, folder: Path) -> None:
        self.venv = folder / "venv"
        self.venv.mkdir()
        self.python = folder / "python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)
        self.log = folder / "calls"
        self.log.touch()

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Args: arguments: make's. variables: the environment's."""
        # What a make that runs this test hands down must not decide here.
        inherited = {
            name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TORCH", "PYTEST_FLAGS"}
        }
        environment = {**inherited, "CALLS": str(self.log), "no_proxy": "*", **variables}
        command = ["make", f"VENV={self.venv}", f"PY={self.python}", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    (tmp_path / "cpu" / "torch").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cpu"
        server.shutdown()


@on_linux
@pytest.mark.parametrize("build", ["cpu", "cuda"])
def test_make_installs_what_torch_says(make: Make, index: str, build: str) -> None:
    done = make(str(make.venv / ".app"), f"TORCH={build}", f"TORCH_CPU_INDEX={index}")
    assert done.returncode == 0
    assert done.stderr.count("PyTorch, ") == 1
    more = f"--extra-index-url {index} " if build == "cpu" else ""
    assert make.calls == [f"scripts/choose_torch.py {build}", f"-m pip install --disable-pip-version-check {more}-r requirements.txt"]


def test_make_chooses_by_itself(make: Make) -> None:
    make(str(make.venv / ".app"), "TORCH_CPU_INDEX=nowhere")
    assert make.calls == ["scripts/choose_torch.py auto", "-m pip install --disable-pip-version-check -r requirements.txt"]


@on_linux
def test_make_installs_nothing_where_torch_cpu_is_out_of_reach(make: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = make(str(make.venv / ".app"), "TORCH=cpu", f"TORCH_CPU_INDEX=http://127.0.0.1:{unused.getsockname()[1]}")
    assert done.returncode != 0
    assert make.calls == ["scripts/choose_torch.py cpu"]
    assert not (make.venv / ".app").exists()


def test_make_refuses_another_torch(make: Make) -> None:
    done = make(str(make.venv / ".app"), "TORCH=gpu")
    assert done.returncode != 0
    assert "'auto', 'cpu', 'cuda'" in done.stderr
    assert make.calls == ["scripts/choose_torch.py gpu"]


@pytest.mark.parametrize(
    ("rest", "browser", "succeeds"),
    [(0, 0, True), (5, 0, True), (0, 5, True), (1, 0, False), (0, 1, False), (1, 1, False), (2, 0, False), (0, 3, False), (1, 5, False)],
)
def test_make_test_runs_every_part_and_names_all_failures_last(make: Make, rest: int, browser: int, succeeds: bool) -> None:
    for name in (".app", ".tools", ".data", ".chromium", ".redis"):
        (make.venv / name).touch()
    (make.venv / ".failed").write_text("tests/test_old.py::test_of_an_earlier_run\n")
    done = make("test", "PYTEST_FLAGS=-k spec", REST=str(rest), BROWSER=str(browser))
    assert (done.returncode == 0) == succeeds
    assert make.calls == [
        "-m pytest --ignore=tests/browser -n 3 --dist loadfile -k spec",
        "-m pytest tests/browser -n 3 --dist loadfile -k spec",
    ]
    failures = [
        *["tests/test_rest.py::test_rest"] * (rest == 1),
        *["pytest --ignore=tests/browser -n 3 --dist loadfile did not come to its end"] * (rest == 2),
        *["tests/browser/test_page.py::test_page"] * (browser == 1),
        *["pytest tests/browser -n 3 --dist loadfile did not come to its end"] * (browser == 3),
    ]
    assert done.stdout.splitlines() == (["", "Failed:", *failures] if failures else [])


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "with workers"])
def test_what_fails_is_left_in_a_file(workers: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.fixture\n"
        "def broken(): raise OSError\n"
        "def test_without_its_fixture(broken): pass\n"
    )
    (tmp_path / "test_unreadable.py").write_text("import a_module_that_nobody_has\n")
    options = ["-p", "tests.support.failures", "-p", "no:cacheprovider", "-c", os.devnull, "--continue-on-collection-errors", *workers]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FAILED_TESTS": str(tmp_path / "failed")}
    command = [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    names = sorted((tmp_path / "failed").read_text().splitlines())
    assert names == ["test_some.py::test_bad", "test_some.py::test_without_its_fixture", "test_unreadable.py"]
