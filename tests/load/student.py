"""A student's tab without a browser: a real WebSocket session that speaks Streamlit's protocol, shows what is sent and presses buttons.

Knows the protocol and no page. A browser draws what arrives here only to be counted; the server cannot tell the two apart.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from tests.load.live_run import PATIENCE_SECONDS, LiveRun

LARGEST_MESSAGE = 64 * 2**20
ANSWER_SECONDS = 60.0  # after which a server counts as dead
WHOLE_RUN, FRAGMENT_RUN = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
PROGRESS = re.compile(r"Epoch (\d+) of \d+ · step ([\d,]+) of ([\d,]+)")


class NoAnswerError(RuntimeError):
    """The server did not answer, or hung up."""


class _Shown(NamedTuple):
    """An element on the page: of which fragment, and drawn by which run."""

    kind: str
    element: Any
    fragment: str
    run: int


class Student:
    """One tab. `async with Student(url) as student: await student.open("train", "hidden=64")`.

    Attributes:
        delays: seconds from each request to the end of what it caused, by kind: "page", "click", "tick" of a panel that runs
            by itself or asks for what is new, "class" of a question how the class stands.
        updates: when the page showed the run at another step, by `time.perf_counter`.
        exceptions: what boxes with an exception said.
        sent_bytes, messages: what the server has sent.
        session: the session's id, once the server has answered.
    """

    def __init__(self, url: str, name: str = "student") -> None:
        self.name = name
        self.delays: dict[str, list[float]] = {"page": [], "click": [], "tick": [], "class": []}
        self.updates: list[float] = []
        self.exceptions: list[str] = []
        self.session = ""
        self.sent_bytes = self.messages = 0
        self._url = re.sub("^http", "ws", url) + "/_stcore/stream"
        self._beside = {kind: HTTPConnection(urlsplit(url).netloc, timeout=ANSWER_SECONDS) for kind in ("tick", "class")}
        self._elements: dict[tuple[int, ...], _Shown] = {}
        self._run = 0
        self._fragments: frozenset[str] = frozenset()  # that the present run draws; none for the whole page
        self._widgets: dict[str, WidgetState] = {}
        self._page_hash, self._page, self._query = "", "", ""
        self._ticks: dict[str, asyncio.Task[None]] = {}  # by the fragment, or by the component that asks
        self._live: LiveRun | None = None
        self._steps_shown = 0
        self._asked: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Condition()
        self._finished = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Student:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, session: str = "") -> None:
        """Begin a session, or go on with the one of this id."""
        protocols = ["streamlit", "no-xsrf-token", session] if session else ["streamlit"]
        self._socket = await connect(self._url, subprotocols=protocols, max_size=LARGEST_MESSAGE, open_timeout=ANSWER_SECONDS)  # type: ignore[arg-type]
        self._reader = asyncio.create_task(self._read(self._socket))

    async def reconnect(self) -> None:
        """Lose the connection, and come back to the same session as a browser does: with what it knows of its widgets."""
        await self.close(politely=False)
        await self.connect(self.session)
        await self.refresh()

    async def refresh(self) -> None:
        """Have the whole page run again."""
        await self._ask("page")

    async def close(self, *, politely: bool = True) -> None:
        """Leave; `politely` as a closed tab does, otherwise as a lost connection does."""
        under_way = [*self._ticks.values(), *self._asked]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._ticks.clear()
        for connection in self._beside.values():
            connection.close()
        if self._socket is not None:
            if politely:
                await self._socket.close()
            else:
                self._socket.transport.abort()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._reader

    async def open(self, page: str, query: str = "") -> None:
        """Go to a page of the app and wait until it is there."""
        self._page, self._query, self._page_hash = page, query, ""
        self._elements.clear()
        self._widgets.clear()
        self._stop_ticks(list(self._ticks))
        self._live = None
        await self._ask("page")

    async def name_tab(self, name: str, browser: str = "") -> None:
        """Answer the page's question for the name of this tab, and for the secret of its browser."""
        asked = self.element("bidi_component", lambda component: component.component_name.endswith("tab_name"))
        if asked is None:
            raise LookupError(f"{self.name} is not asked for the name of its tab")
        await self.send(WidgetState(id=asked.id, json_value=json.dumps({"name": name} | ({"browser": browser} if browser else {}))))

    async def press(self, key: str) -> None:
        """Press the button with this key and wait for the answer."""
        button = self.element("button", lambda button: _key_of(button.id) == key)
        if button is None:
            raise LookupError(f"{self.name} sees no button {key!r}")
        if button.disabled:
            raise LookupError(f"the button {key!r} of {self.name} is disabled")
        await self.send(WidgetState(id=button.id, trigger_value=True))

    async def switch_on(self, key: str) -> None:
        """Switch the toggle with this key on."""
        toggle = self.element("checkbox", lambda toggle: _key_of(toggle.id) == key)
        if toggle is None:
            raise LookupError(f"{self.name} sees no toggle {key!r}")
        await self.send(WidgetState(id=toggle.id, bool_value=True))

    async def send(self, state: WidgetState) -> None:
        """Give a widget another value, as its browser would, and wait for the answer."""
        if not state.HasField("trigger_value"):
            self._widgets[state.id] = state
            await self._ask("click", fragment=self._fragment_of(state.id))
        else:
            await self._ask("click", state, fragment=self._fragment_of(state.id))

    def element(self, kind: str, which: Callable[[Any], bool] = lambda _: True) -> Any | None:
        """The first element of this kind on the page, as its protobuf message."""
        return next((found for found in self.elements(kind) if which(found)), None)

    def elements(self, kind: str) -> Iterator[Any]:
        for _, shown in sorted(self._elements.items(), key=lambda item: item[0]):
            if shown.kind == kind:
                yield shown.element

    @property
    def controls(self) -> list[tuple[str, Any]]:
        """Everything on the page that has a widget's id and is enabled, with its kind."""
        return [
            (shown.kind, shown.element)
            for shown in self._elements.values()
            if getattr(shown.element, "id", "") and not getattr(shown.element, "disabled", False)
        ]

    def button(self, key: str) -> Any | None:
        return self.element("button", lambda button: _key_of(button.id) == key)

    @property
    def query(self) -> str:
        """What the address of the page has after its question mark."""
        return self._query

    def seen(self, chart: str) -> str:
        """What a live chart tells those who cannot see it; nothing where the page has no such chart."""
        found = self.element("bidi_component", lambda component: _key_of(component.id) == chart)
        return "" if found is None else str(json.loads(found.bytes)["about"]["alt"])

    @property
    def text(self) -> str:
        """All Markdown and all boxes of the page, and what is said of its run."""
        live = [self._live.text] if self._live is not None else []
        return "\n".join([*(e.body for e in self.elements("markdown")), *(e.body for e in self.elements("alert")), *live])

    @property
    def progress(self) -> str:
        """How far the run on screen is, in words."""
        bars = [bar.text for bar in self.elements("progress")]
        return "\n".join([*bars, self._live.progress] if self._live is not None else bars)

    @property
    def steps(self) -> int:
        """Steps done by the run on screen, as its progress says."""
        if not (found := PROGRESS.search(self.progress)):
            return 0
        epoch, step, length = (int(part.replace(",", "")) for part in found.groups())
        return max(0, epoch - 1) * length + step

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = ANSWER_SECONDS) -> None:
        """Wait for something to be on the page."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise NoAnswerError(f"{self.name} waited in vain: {what}")
            await asyncio.sleep(0.01)

    async def _ask(self, kind: str, *changed: WidgetState, fragment: str = "", tick: str = "") -> None:
        """Ask for a script run and wait for its end.

        Args:
            tick: whose tick it is, if it is one.
        """
        if self._socket is None:
            raise NoAnswerError(f"{self.name} is not connected")
        started = time.perf_counter()
        async with self._turn:
            if tick and tick not in self._ticks:
                return  # stopped while it waited its turn; a browser sends no more of it, and the server may not answer
            message = BackMsg()
            rerun = message.rerun_script
            rerun.query_string, rerun.page_script_hash, rerun.fragment_id = self._query, self._page_hash, fragment
            rerun.page_name = "" if self._page_hash else self._page
            rerun.is_auto_rerun = tick == fragment != ""
            rerun.widget_states.widgets.extend([*self._widgets.values(), *changed])
            before = self._finished
            try:
                await self._socket.send(message.SerializeToString())
                async with asyncio.timeout(ANSWER_SECONDS), self._ended:
                    await self._ended.wait_for(lambda: self._finished > before)
            except TimeoutError as error:
                raise NoAnswerError(f"{self.name} got no answer to a {kind} in {ANSWER_SECONDS:.0f} s") from error
            self.delays[kind].append(time.perf_counter() - started)

    async def _read(self, socket: ClientConnection) -> None:
        async for data in socket:
            assert isinstance(data, bytes)
            self.sent_bytes += len(data)
            self.messages += 1
            await self._take(ForwardMsg.FromString(data))

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message)
        elif kind == "new_session":
            self._run += 1
            self.session = message.new_session.initialize.session_id or self.session
            self._fragments = frozenset(message.metadata.run.fragment_ids)
            if not self._fragments:  # a run of the whole page starts its own ticks again
                self._stop_ticks(list(self._ticks))
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._start_tick(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_ticks(list(message.stop_auto_rerun.fragment_ids))
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "script_finished" and message.script_finished in (WHOLE_RUN, FRAGMENT_RUN):
            self._clear_away()
            self._note_steps()
            async with self._ended:
                self._finished += 1
                self._ended.notify_all()

    def _draw(self, path: tuple[int, ...], message: ForwardMsg) -> None:
        kind = message.delta.new_element.WhichOneof("type")
        if kind is None:  # a block, whose children follow
            self._elements.pop(path, None)
            return
        element = getattr(message.delta.new_element, kind)
        self._elements[path] = _Shown(kind, element, message.delta.fragment_id, self._run)
        if kind == "exception":
            self.exceptions.append(f"{element.type}: {element.message}")
        elif kind == "bidi_component" and element.component_name.endswith("live_run"):
            self._follow(element, message.delta.fragment_id)
        elif kind == "bidi_component" and element.component_name.endswith("class_news"):
            self._stop_ticks([element.id])
            self._ticks[element.id] = asyncio.create_task(self._ask_for_class(element, message.delta.fragment_id))

    def _clear_away(self) -> None:
        """Take away what the run that has just ended did not draw again."""
        drawn = self._fragments
        self._elements = {
            path: shown for path, shown in self._elements.items() if shown.run == self._run or (drawn and shown.fragment not in drawn)
        }

    def _fragment_of(self, identity: str) -> str:
        return next((shown.fragment for shown in self._elements.values() if getattr(shown.element, "id", "") == identity), "")

    def _start_tick(self, fragment: str, seconds: float) -> None:
        self._stop_ticks([fragment])
        self._ticks[fragment] = asyncio.create_task(self._tick(fragment, seconds))

    def _stop_ticks(self, fragments: list[str]) -> None:
        for fragment in fragments:
            if (task := self._ticks.pop(fragment, None)) is not None:
                task.cancel()

    async def _tick(self, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._ask_on("tick", fragment=fragment, tick=fragment)

    def _follow(self, element: Any, fragment: str) -> None:
        """Take what the component of a live run was sent, and ask for more when it says so."""
        self._live = self._live or LiveRun()
        seconds = self._live.take(element.bytes)
        self._stop_ticks([element.id])
        if seconds is not None:
            self._ticks[element.id] = asyncio.create_task(self._ask_for_more(element.id, fragment, self._live, seconds))

    async def _ask_for_more(self, identity: str, fragment: str, live: LiveRun, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if (update := await asyncio.to_thread(self._fetched, "tick", live.address())) is None:  # the page has to run
                self._widgets[identity] = WidgetState(id=identity, json_value=live.question())
                await self._ask_on("tick", fragment=fragment, tick=identity)
                seconds = PATIENCE_SECONDS  # its answer puts another task in the place of this one
                continue
            self.sent_bytes += len(update)
            self.messages += 1
            wait = live.take(update)
            self._note_steps()
            if wait is None:
                return
            seconds = wait

    async def _ask_for_class(self, element: Any, fragment: str) -> None:
        """What static/class_news.js does: ask how the class stands, and have the page run where it has something else to show."""
        data = json.loads(element.json or element.mixed.json)
        address, seconds = f"/{data['updates']}?have={data['have']}", data["period"] / 1000
        while True:
            await asyncio.sleep(seconds * random.uniform(0.8, 1.2))
            if (answer := await asyncio.to_thread(self._fetched, "class", address)) is not None:
                seconds = json.loads(answer)["period"] / 1000
                continue
            news = WidgetState(
                id=f"$$STREAMLIT_INTERNAL_KEY_{element.id}__events", json_trigger_value=json.dumps([{"event": "news", "value": 1}])
            )
            await self._ask_on("click", news, fragment=fragment, tick=element.id)
            seconds = PATIENCE_SECONDS  # as above

    def _fetched(self, kind: str, address: str) -> bytes | None:
        """What is new, without a run of the page; None where the server has nothing to say there."""
        if not address:
            return None
        started, beside = time.perf_counter(), self._beside[kind]
        try:
            beside.request("GET", address)
            answer = beside.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            beside.close()
            return None
        if answer.status != HTTPStatus.OK or answer.headers["Content-Type"] != "application/octet-stream":
            return None  # also where another page stands at that address
        self.delays[kind].append(time.perf_counter() - started)
        return body

    def _note_steps(self) -> None:
        if (steps := self.steps) != self._steps_shown:
            self._steps_shown = steps
            self.updates.append(time.perf_counter())

    async def _ask_on(self, kind: str, *changed: WidgetState, fragment: str, tick: str = "") -> None:
        """Ask, also if whoever asks is stopped meanwhile: what was sent is still answered."""
        asked = asyncio.create_task(self._ask(kind, *changed, fragment=fragment, tick=tick))
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        await asyncio.shield(asked)


def _key_of(identity: str) -> str:
    """Streamlit's element ids end in the key that the page gave: `$$ID-<hash>-<key>`."""
    return identity.split("-", 2)[-1]
