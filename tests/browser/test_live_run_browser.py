"""The live panel in a real browser: its curves keep their place, all of it is in the window, what is streamed is what the server has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, Route, WebSocket, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_restart_browser import GONE, RETURN_MS, duplicate, tab_name
from tests.browser.test_train_browser import LONG, LOSS, button, press, started, step_of, until
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

ACCURACY = ".live-run .accuracy .live-chart"
BOOK = "/train?epochs=2&pace=full"  # the book's own design: it gets a badge
SLOW = "/train?hidden=512,512&epochs=100&pace=full"  # does not end while all this happens
ENDLESS = "/train?hidden=256,256&epochs=100&pace=full"
SIZES = {"laptop": (1440, 900), "projector": (1280, 720), "phone": (390, 844)}
DESKS = ("laptop", "projector")
WARM_UP, UPDATES = 5, 12
MOST_MESSAGES, MOST_BYTES = 6, 4096  # an update, on average
RERUN_SCRIPT = 0x5A  # first byte of a message that asks the server for a run
FLOAT32 = 1e-6  # relative; a point may be sent as float32 or as float64

# In every frame: where both curves and their axes lie in the document, so that scrolling does not count. Each new answer is kept.
RECORD = """([loss, accuracy]) => {
  window.places = [];
  const look = () => {
    const page = document.querySelector('[data-testid="stMainBlockContainer"]').getBoundingClientRect();
    const boxes = [loss, `${loss} .nsewdrag`, accuracy, `${accuracy} .nsewdrag`].map((selector) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box && [box.left - page.left, box.top - page.top, box.width, box.height].map((length) => Math.round(length));
    });
    const text = JSON.stringify(boxes);
    if (text !== window.places.at(-1)) window.places.push(text);
    window.looking = requestAnimationFrame(look);
  };
  look();
}"""
# Of some elements those that are not whole in the window, with where they are.
OUTSIDE = """(selectors) => selectors.flatMap((selector) => {
  const found = [...document.querySelectorAll(selector)].filter((element) => element.getClientRects().length);
  if (!found.length) return [`${selector} is not there`];
  const boxes = found.map((element) => element.getBoundingClientRect());
  const out = boxes.filter((box) => box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth);
  return out.map(({ top, bottom, left, right }) => `${selector}: y ${top} to ${bottom}, x ${left} to ${right}`);
})"""
CONTROLS = (".st-key-headline", ".st-key-run_buttons", ".live-run .progress")
CURVES = (LOSS, ACCURACY)
WORDS = (".live-run .reading", ".live-run .said")
BADGE = ".live-run .beside"
# The columns of all traces of both charts; JSON has no NaN, which becomes null.
COLUMNS = """([loss, accuracy]) => JSON.stringify([loss, accuracy].map((selector) =>
  document.querySelector(selector).data.map(({ name, x, y, customdata }) => ({ name, x, y, customdata: customdata ?? [] }))))"""


def sized(open_page: OpenPage, path: str, size: str) -> Page:
    width, height = SIZES[size]
    return open_page(path, width=width, height=height)


@pytest.mark.parametrize("size", SIZES)
def test_the_curves_stay_where_they_are_from_the_click_to_the_end_and_all_words_below_can_be_read(open_page: OpenPage, size: str) -> None:
    page = sized(open_page, BOOK, size)
    places: dict[str, list[str]] = {}
    press(page, "play")  # the network's drawing folds to a strip
    expect(button(page, "play")).to_contain_text("Pause")
    page.wait_for_selector(f"{LOSS} .js-line")
    for scheme in ("light", "dark"):
        page.evaluate(RECORD, CURVES)
        if scheme == "dark":
            press(page, "play")
            expect(button(page, "play")).to_contain_text("Pause")
        expect(button(page, "play")).to_contain_text("Train", timeout=60_000)
        settle(page)
        places[scheme] = page.evaluate("() => { cancelAnimationFrame(window.looking); return window.places; }")
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(300)  # ms, for the charts to take their new colors
    assert {scheme: len(seen) for scheme, seen in places.items()} == {"light": 1, "dark": 1}, places
    assert None not in json.loads(places["light"][0])
    if page.locator(BADGE).inner_text():  # which needs all 60,000 images
        assert page.locator(BADGE).evaluate("(badge) => badge.scrollWidth <= badge.clientWidth"), "the badge's words are cut off"


@pytest.mark.parametrize("size", DESKS)
def test_all_of_a_run_is_in_the_window_without_scrolling(open_page: OpenPage, size: str) -> None:
    page = sized(open_page, LONG, size)
    wanted = [*CONTROLS, *CURVES, *WORDS]
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    expect(page.locator(".st-key-run_buttons button").first).to_contain_text("Pause")
    outside = {"while it trains": page.evaluate(OUTSIDE, wanted)}
    press(page, "stop")
    expect(button(page, "stop")).to_be_disabled()
    settle(page)
    outside["at its end"] = page.evaluate(OUTSIDE, wanted)
    assert outside == {"while it trains": [], "at its end": []}


def test_a_phone_shows_the_loss_and_has_the_accuracy_one_swipe_away(open_page: OpenPage) -> None:
    page = sized(open_page, LONG, "phone")
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    assert page.evaluate(OUTSIDE, [".st-key-run_buttons button", ".live-run .progress", LOSS]) == []
    assert page.evaluate(OUTSIDE, [ACCURACY]) != []
    page.eval_on_selector(".live-run .curves", "(curves) => { curves.scrollLeft = curves.scrollWidth; }")
    page.wait_for_timeout(500)  # ms; it snaps
    assert page.evaluate(OUTSIDE, [ACCURACY]) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_before_the_first_run_network_button_and_the_curves_place_are_in_the_window(open_page: OpenPage) -> None:
    page = sized(open_page, "/train", "projector")
    assert page.evaluate(OUTSIDE, [".st-key-network", ".st-key-run_play button"]) == []
    assert page.locator(LOSS).evaluate("(chart) => chart.getBoundingClientRect().top < innerHeight")


def columns(page: Page) -> Any:
    return json.loads(page.evaluate(COLUMNS, CURVES))


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two such answers differ by more than how exactly a number is sent."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for name in one for found in differences(one[name], other[name], f"{where} {name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for index, pair in enumerate(zip(one, other, strict=True)) for found in differences(*pair, f"{where} {index}")]
    if isinstance(one, float) and isinstance(other, int | float) and one == pytest.approx(other, rel=FLOAT32):
        return []
    return [] if one == other else [f"{where}: {str(one)[:60]} is not {str(other)[:60]}"]


def rested(page: Page) -> Any:
    """Pause the run; the columns once they hold its newest step."""
    press(page, "play")
    expect(button(page, "play")).to_contain_text("Resume")
    settle(page)
    page.wait_for_timeout(1000)  # ms; the turn that was under way, and the answer after it
    settle(page)
    return columns(page)


def reloaded(page: Page) -> Any:
    """The columns of a page that was sent all of them in one message."""
    page.reload()
    page.wait_for_selector(f"{LOSS} .js-line")
    settle(page)
    return columns(page)


def hidden(page: Page, is_hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def caught_up(page: Page, before: int) -> None:
    until(lambda: step_of(page) > before + 20, "it shows the run as it is")


def test_the_curves_in_the_browser_are_the_servers(open_page: OpenPage, tolerated: list[str]) -> None:
    tolerated += (*GONE, "WebSocket is already in CLOSING or CLOSED state")
    page = started(open_page, SLOW)

    def hide() -> None:
        hidden(page, True)
        page.wait_for_timeout(4000)
        hidden(page, False)

    def lose_the_network() -> None:
        page.context.set_offline(True)
        page.evaluate("window.connection.close()")  # an open one survives being offline
        expect(page.get_by_test_id("stApp")).not_to_have_attribute("data-test-connection-state", "CONNECTED")
        page.context.set_offline(False)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=RETURN_MS)

    interludes: dict[str, Callable[[], None]] = {
        "watched": lambda: None,
        "hidden": hide,
        "offline": lose_the_network,
        "duplicated": lambda: copied(page),
    }
    wrong: dict[str, list[str]] = {}
    for name, interlude in interludes.items():
        before = step_of(page)
        interlude()
        caught_up(page, before)
        streamed = rested(page)
        assert len(streamed[0][0]["x"]) > 1
        wrong[name] = differences(streamed, reloaded(page))
        press(page, "play")
        expect(button(page, "play")).to_contain_text("Pause")
    assert wrong == {name: [] for name in interludes}


def copied(page: Page) -> None:
    """Duplicate the tab; the copy trains a run of its own, and goes."""
    name = tab_name(page)
    copy = duplicate(page)
    until(lambda: tab_name(copy) not in (None, name), "a name of its own")
    settle(copy)
    press(copy, "play")
    until(lambda: step_of(copy) > 5, "the copy trains")
    press(copy, "reset")
    settle(copy)
    copy.close()


class Traffic:
    """What comes over the wire, and how often something is asked for: of the page, or beside it."""

    def __init__(self, page: Page) -> None:
        self.begin()
        page.on("websocket", self._listen)
        page.on("response", self._answered)

    def begin(self) -> None:
        self.received: list[bytes] = []
        self.asked = self.answers = self.answered_bytes = 0

    @property
    def messages(self) -> int:
        return len(self.received) + self.answers

    @property
    def size(self) -> int:
        return sum(map(len, self.received)) + self.answered_bytes

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.received.append(frame if isinstance(frame, bytes) else frame.encode()))
        socket.on("framesent", self._sent)

    def _answered(self, response: Response) -> None:
        if "/updates/" in response.url:
            self.asked += 1
            self.answers += 1
            self.answered_bytes += int(response.headers.get("content-length", 0))

    def _sent(self, frame: str | bytes) -> None:
        self.asked += isinstance(frame, bytes) and frame[0] == RERUN_SCRIPT


def test_where_a_host_passes_no_updates_on_the_page_runs_instead(open_page: OpenPage) -> None:
    page = open_page(LONG)
    answered: list[str] = []

    def elsewhere(route: Route) -> None:
        answered.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<html>the app's own page</html>")

    page.route("**/updates/*", elsewhere)
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    before = step_of(page)
    until(lambda: step_of(page) > before + 50 and len(answered) > 3, "the curve grows")


def test_an_update_is_small_and_what_nobody_sees_is_not_drawn(open_page: OpenPage) -> None:
    page = sized(open_page, "/train", "projector")
    traffic = Traffic(page)
    page.goto(page.url.split("?", maxsplit=1)[0] + ENDLESS.removeprefix("/train"))
    settle(page)
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    until(lambda: step_of(page) > 240, "the first test of an epoch")
    page.wait_for_timeout(2000)  # ms; the first state of everything is larger than a change of it
    traffic.begin()
    epoch = epoch_of(page)
    until(lambda: pause_for(page) and traffic.asked >= UPDATES and epoch_of(page) >= epoch + 2, "updates, and two epochs")
    messages, size = traffic.messages / traffic.asked, traffic.size / traffic.asked
    assert not [frame for frame in traffic.received if b'"name": "grid"' in frame]
    page.get_by_test_id("stMain").evaluate("(main) => main.scrollTo(0, main.scrollHeight)")
    page.wait_for_selector(".st-key-grid .main-svg")
    until(lambda: said_step(page) >= 235 * (epoch + 2), "the predictions catch up")
    assert (messages <= MOST_MESSAGES, size <= MOST_BYTES) == (True, True), (messages, size)


def pause_for(page: Page) -> bool:
    page.wait_for_timeout(200)  # lets Playwright tell of the frames
    return True


def epoch_of(page: Page) -> int:
    return step_of(page) // 235


def said_step(page: Page) -> int:
    """The step of the predictions, as their caption says it."""
    caption = page.get_by_text(re.compile(r"After step [\d,]+:")).first.inner_text()
    found = re.search(r"After step ([\d,]+):", caption)
    assert found
    return int(found[1].replace(",", ""))
