"""What a visitor hands in stays in memory, small, and his own: no forged request, no large file, no name that becomes a path."""

from __future__ import annotations

import ast
import asyncio
import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.WidgetStates_pb2 import WidgetState

from mlp_core.data import load_sample
from mlp_core.spec import RunSpec
from mlp_core.sweep.plan import Axis, Plan
from pages.ui.sweep import running
from tests.faults.conftest import Server, goes_on, play, train
from tests.load.student import Student
from tests.support.architecture import source_files

MEGABYTE = 1 << 20
NAMES = ("../../escaped.csv", "..\\..\\escaped.csv", "/etc/escaped.csv", "C:\\escaped.csv", "escaped" * 60 + ".csv")
POINTS = b"x,y,label\n0,0,0\n1,0,1\n0,1,1\n"
BOUNDARY = "a-boundary"


class Client:
    """A browser's requests for files, with the token that the server gave it, or without."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        answer = self._ask("GET", "/_stcore/health", {})
        self._cookie = next((value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"), "")

    def put(self, session: str, file: str, name: str, content: bytes, *, with_token: bool = True, length: int | None = None) -> int:
        """The status that the server answers to a file."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length or len(body))}
        if with_token:
            headers |= {"Cookie": self._cookie, "X-Xsrftoken": self._cookie.partition("=")[2]}
        return self._ask("PUT", f"/_stcore/upload_file/{session}/{quote(file, safe='')}", headers, body).status

    def get(self, path: str) -> tuple[int, bytes]:
        answer = self._ask("GET", path, {})
        return answer.status, answer.content  # type: ignore[attr-defined]

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        if body:
            connection.send(body)
        answer = connection.getresponse()
        answer.content = answer.read()  # type: ignore[attr-defined]
        connection.close()
        return answer


async def uploader(server: Server, student: Student) -> Any:
    await student.open("nonlinearity", "act=playground&data=own")
    element = student.element("file_uploader")
    assert element is not None
    return element


def chosen(element: Any, file: str, name: str, size: int) -> WidgetState:
    """The browser's word that this file was chosen."""
    state = WidgetState(id=element.id)
    state.file_uploader_state_value.uploaded_file_info.append(UploadedFileInfo(name=name, size=size, file_id=file))
    return state


def files_around(server: Server) -> set[Path]:
    places = (server.folder, server.folder.parent, Path("/etc"), Path.home(), Path.cwd())
    return {path for place in places for path in place.iterdir() if path.suffix != ".log"}


def test_a_name_that_is_a_path_leads_nowhere(server: Server) -> None:
    client = Client(server.url)

    async def scene() -> None:
        async with Student(server.url) as student:
            element = await uploader(server, student)
            before = files_around(server)
            for number, name in enumerate(NAMES):
                status = await asyncio.to_thread(client.put, student.session, f"file-{number}", name, POINTS)
                assert status == 204, name
                await student.send(chosen(element, f"file-{number}", name, len(POINTS)))
                assert "3 points" in student.text
                assert student.exceptions == []
            assert files_around(server) == before
            assert not [path for path in server.folder.rglob("*") if "escaped" in path.name]

    play(scene())


def test_a_forged_request_is_refused(server: Server) -> None:
    client = Client(server.url)

    async def scene() -> None:
        async with Student(server.url) as student:
            await uploader(server, student)
            assert await asyncio.to_thread(lambda: client.put(student.session, "file", "a.csv", POINTS, with_token=False)) == 403
            assert await asyncio.to_thread(client.put, "no-session-of-ours", "file", "a.csv", POINTS) == 400
            assert await asyncio.to_thread(client.put, student.session, "file", "a.csv", POINTS) == 204

    play(scene())


def test_a_file_of_more_than_5_mb_is_refused_and_disturbs_nobody(server: Server) -> None:
    client = Client(server.url)

    async def scene() -> None:
        async with Student(server.url, "training") as training, Student(server.url, "uploading") as uploading:
            await train(training)
            await uploader(server, uploading)
            assert await asyncio.to_thread(client.put, uploading.session, "file", "a.csv", bytes(5 * MEGABYTE - 1000)) == 204
            for size in (5 * MEGABYTE + 1, 50 * MEGABYTE):
                assert await asyncio.to_thread(client.put, uploading.session, "file", "a.csv", bytes(size)) == 413
            await goes_on(training)

    play(scene())


@pytest.mark.parametrize(
    "path", ["app/static/../app.py", "app/static/..%2f..%2fapp.py", "media/../../etc/passwd", "app/static//etc/passwd"]
)
def test_an_address_that_is_a_path_reads_nothing(server: Server, path: str) -> None:
    status, content = Client(server.url).get(f"/{path}")
    assert status in (400, 403, 404) or b'<div id="root">' in content, "an error, or Streamlit's one page"
    assert b"root:" not in content
    assert b"run_app" not in content


def calls(tree: ast.AST) -> Iterator[str]:
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


# Parsed before any test has left a thread behind: Python 3.11 counts the depth of a tree once for all threads, and stumbles.
TREES = {path: ast.parse(path.read_text()) for path in source_files("app.py", "pages").values()}


SWEEPS = "pages.ui.sweep.running"


def test_the_file_of_a_sweep_is_named_by_a_hash_of_all_that_a_visitor_chose() -> None:
    for plan in (Plan(), Plan(RunSpec(activation="=x^2"), (Axis("lr", (0.1, 0.2)),))):
        assert re.fullmatch(r"sweep-[0-9a-f]{24}\.sqlite", running._path(plan, load_sample()).name)


def test_no_page_opens_a_file() -> None:
    """But the one that lays Plotly's own file out, once, below a name that is its own, the one that reads the app's catalogues, and the one
    that keeps sweeps in files that a hash names. What else is opened is a class.
    """
    opening = ("open", "Path", "write_text", "write_bytes", "mkstemp", "mkdir", "unlink")
    found = {
        (module, call)
        for module, path in source_files("app.py", "pages").items()
        for call in calls(TREES[path])
        if call.rpartition(".")[2] in opening
    }
    opened = {module for module, call in found if call not in ("Path", "classes().open")}
    assert opened <= {"pages.language.catalogs", "pages.ui.live_chart", SWEEPS}
    for module, path in source_files("pages").items():
        if module == SWEEPS:
            continue
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path":
                assert [ast.unparse(argument) for argument in node.args] == ["__file__"], f"{module}, line {node.lineno}"
