"""A machine without an NVIDIA driver gets PyTorch without CUDA where that can be had, and never waits for it where it cannot."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import choose_torch

ROOT = Path(__file__).parents[1]
PYTORCH_INDEX = "https://download.pytorch.org/whl/cpu"
# What a busy machine may add to the two seconds; pip's retries take minutes.
SLACK_SECONDS = 5.0


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def wheel(index: Path, name: str, version: str) -> None:
    """A wheel that holds nothing but its name, on an index of folders."""
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a server with two indexes: /registry and /cpu."""
    wheel(tmp_path / "registry", "torch", "2.15.0")
    wheel(tmp_path / "cpu", "torch", "2.15.0+cpu")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def linux_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(choose_torch, "has_nvidia_driver", lambda: False)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound, so that nobody else takes it, and refuses connections."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def never_asked(index: str, limit_seconds: float) -> bool:
    raise AssertionError(f"{index} was asked")


def test_without_a_driver_the_cpu_index_is_taken(served: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", f"{served}/cpu/")
    assert choose_torch.main([]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"--extra-index-url {served}/cpu\n"
    assert "without CUDA, 0.2 GB" in printed.err


def assert_registry_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    start = time.monotonic()
    assert choose_torch.main(["auto"]) == 0
    assert time.monotonic() - start < choose_torch.PROBE_SECONDS + SLACK_SECONDS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "with CUDA, 3 GB" in printed.err
    assert "does not answer" in printed.err
    assert printed.err.count("\n") == 1


def test_a_refused_connection_means_the_registry(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", f"http://127.0.0.1:{closed_port}")
    assert_registry_at_once(capsys)


def test_a_server_that_never_answers_means_the_registry(
    silent_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", f"http://127.0.0.1:{silent_port}")
    assert_registry_at_once(capsys)


@pytest.mark.parametrize("path", ["missing", "not a path"])
def test_an_index_without_torch_means_the_registry(
    path: str, served: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", f"{served}/{path}")
    assert_registry_at_once(capsys)


def test_an_address_that_is_none_means_the_registry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", "nowhere")
    assert_registry_at_once(capsys)


def test_a_name_that_nobody_resolves_holds_up_neither_the_choice_nor_its_process() -> None:
    hanging = "import socket, sys, time; socket.getaddrinfo = lambda *_, **__: time.sleep(60)"
    program = (
        f"{hanging}; from scripts import choose_torch; choose_torch.has_nvidia_driver = lambda: False; sys.exit(choose_torch.main([]))"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True)
    assert time.monotonic() - start < choose_torch.PROBE_SECONDS + SLACK_SECONDS
    assert done.stdout == ""
    assert f"{PYTORCH_INDEX} does not answer" in done.stderr


def test_with_a_driver_no_index_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(choose_torch, "has_nvidia_driver", lambda: True)
    monkeypatch.setattr(choose_torch, "answers", never_asked)
    assert choose_torch.main([]) == 0
    assert capsys.readouterr().out == ""


def test_torch_cuda_asks_no_index(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(choose_torch, "answers", never_asked)
    assert choose_torch.main(["cuda"]) == 0
    assert capsys.readouterr().out == ""


def test_torch_cpu_overrules_a_driver(served: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(choose_torch, "has_nvidia_driver", lambda: True)
    monkeypatch.setenv("TORCH_CPU_INDEX", f"{served}/cpu")
    assert choose_torch.main(["cpu"]) == 0
    assert capsys.readouterr().out == f"--extra-index-url {served}/cpu\n"


def test_torch_cpu_never_takes_the_other_build(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_CPU_INDEX", f"http://127.0.0.1:{closed_port}")
    assert choose_torch.main(["cpu"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "TORCH=cuda" in printed.err


@pytest.mark.parametrize("platform", ["darwin", "win32"])
@pytest.mark.parametrize("build", ["auto", "cpu", "cuda"])
def test_elsewhere_than_on_linux_there_is_nothing_to_choose(
    platform: str, build: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(choose_torch, "answers", never_asked)
    assert choose_torch.main([build]) == 0
    assert capsys.readouterr().out == ""


def test_pip_prefers_the_build_without_cuda(served: str) -> None:
    options = ["--isolated", "--dry-run", "--quiet", "--no-cache-dir", "--report=-", f"--index-url={served}/registry"]
    command = [sys.executable, "-m", "pip", "install", "--ignore-installed", "--no-deps", *options, "torch>=2.13,<3"]
    environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull}

    def chosen(*more: str) -> str:
        done = subprocess.run([*command, *more], env=environment, capture_output=True, text=True, timeout=120, check=True)
        version: str = json.loads(done.stdout)["install"][0]["metadata"]["version"]
        return version

    assert chosen() == "2.15.0"
    assert chosen("--extra-index-url", f"{served}/cpu") == "2.15.0+cpu"


def test_the_index_is_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_CPU_INDEX", raising=False)
    assert choose_torch.cpu_index() == PYTORCH_INDEX


def test_pip_asks_no_second_index_for_the_requirements() -> None:
    assert not re.search(r"^\s*--", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def test_streamlit_cloud_takes_requirements_txt() -> None:
    """It takes the first that it finds of these and requirements.txt; only the last one is kept here."""
    assert not [name for name in ("uv.lock", "Pipfile", "environment.yml") if (ROOT / name).exists()]
