"""Images that vanish, break off or cannot be fetched: a person reads what was tried and trains on the sample; others do not notice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.faults.conftest import LONG, Server, goes_on, play, train
from tests.load.student import Student
from tests.support.idx_files import TRAIN_IMAGES, small_set
from tests.support.mirror import Mirror, mirror_of

SAMPLE = "This trains on a sample"


@pytest.fixture
def mirror(server: Server) -> Iterator[Mirror]:
    """The only one that the server knows."""
    with mirror_of(small_set()) as running:
        server.switch("mirror", content=running.url)
        yield running


def vanish(server: Server) -> None:
    shutil.rmtree(server.data)


def truncate(server: Server) -> None:
    path = server.data / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:100_000])


async def look_again(student: Student) -> None:
    """Have the server forget what it has read: as it is between its start and the first use."""
    button = student.element("button", lambda button: button.label == "Look again")
    assert button is not None
    await student.send(WidgetState(id=button.id, trigger_value=True))


async def read_anew(server: Server, student: Student) -> None:
    """Bring the server to read its data with the faults that there are by now."""
    server.switch("forget")
    await student.open("train", LONG)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(vanish, "expected a folder, found none"), (truncate, "expected a complete gzip file, found one that breaks off")],
)
def test_a_data_folder_that_breaks_between_start_and_use(server: Server, fault: Callable[[Server], None], reason: str) -> None:
    async def scene() -> None:
        async with Student(server.url, "before") as before, Student(server.url, "after") as after:
            await train(before)
            assert SAMPLE not in before.text
            fault(server)
            await goes_on(before)
            await read_anew(server, after)
            assert SAMPLE in after.text
            assert f"MLP_DATA_DIR: {server.data}" in after.text
            assert reason in after.text
            await goes_on(before)
            await after.press("run_play")
            await goes_on(after)
            await goes_on(before)
            server.restore_data()
            await look_again(after)
            assert SAMPLE not in after.text
            await asyncio.gather(goes_on(before), goes_on(after))

    play(scene())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("unreachable", "expected an answer, found Connection refused"),
        ("missing", "expected an answer, found status 404"),
        ("page", "expected the published file, found MD5 hash of downloaded file"),
        ("short", "expected an answer, found IncompleteRead"),
        ("silent", "expected an answer within 1 seconds, found silence"),
        ("full", "expected a folder to write downloads to, found No space left on device"),
    ],
)
def test_a_download_that_fails(server: Server, mirror: Mirror, fault: str, reason: str) -> None:
    mirror.fault, mirror.faulty = fault, ".gz"
    if fault == "unreachable":
        server.switch("mirror", on=False)
    server.cache.mkdir(parents=True, exist_ok=True)
    server.switch("full", on=fault == "full")

    async def scene() -> None:
        async with Student(server.url, "before") as before, Student(server.url, "after") as after:
            await train(before)
            vanish(server)
            await read_anew(server, after)
            assert SAMPLE in after.text
            assert reason in after.text
            await after.press("run_play")
            await asyncio.gather(goes_on(before), goes_on(after))
            assert not list(server.cache.glob("*.gz"))

    play(scene())


def test_a_slow_download_is_shown_and_holds_nobody_else_up(server: Server, mirror: Mirror) -> None:
    mirror.fault, mirror.faulty = "drip", ".gz"

    async def scene() -> None:
        async with Student(server.url, "before") as before, Student(server.url, "after") as after:
            await train(before)
            vanish(server)
            arriving = asyncio.create_task(read_anew(server, after))
            await after.until(lambda: any("Downloading" in bar.text for bar in after.elements("progress")), "a bar")
            assert not arriving.done()
            await goes_on(before)
            async with Student(server.url, "elsewhere") as elsewhere:
                await elsewhere.open("activations")
                assert elsewhere.exceptions == []
            assert not arriving.done(), "all that happened while the download went on"
            mirror.closing.set()  # it breaks off
            await arriving
            await before.press("run_stop")
            assert SAMPLE in after.text
            assert f"a download: {mirror.url}{TRAIN_IMAGES}.gz: expected" in after.text
            await after.press("run_play")
            await goes_on(after)

    play(scene())
