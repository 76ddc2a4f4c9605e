"""A class at a lesson without a browser: who sees what and when, from the code to the figure of all runs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.labs.classes.classes import Classes
from mlp_core.labs.classes.classroom import NoClassError
from mlp_core.labs.classes.store import ClassStoreError
from pages.language import languages, spoken
from pages.ui.lessons import catalog, class_watch, classes, experiments, steps
from pages.ui.lessons.class_panels import join_address, qr_picture
from pages.ui.lessons.class_watch import RUNS_A_SECOND, ClassWatch
from tests.pages.test_lesson_page import LESSON, Experiment, experiment_of
from tests.states.seen import texts
from tests.support import pseudo
from tests.support.class_stores import Place, place_in_memory
from tests.support.pages.visit import address, again, numbers, opened, press, sent, traces, visit, widget, words

TEACHER, ANN, BEN = "a0" * 16, "b1" * 16, "c2" * 16
STUDENTS = 60
TEN_MINUTES, TWO_HOURS = 600, 7200

Open = Callable[..., AppTest]


class Run(Experiment):
    """One that trains for two epochs, of which every link has another seed."""

    epochs, trains = 2, True

    def measure(self, name: str, run: str = "", after: int | None = None) -> float | None:
        seed = int(self.link.partition("seed=")[2] or 0)
        return 0.5 + 0.0001 * seed + 0.1 * ((after or self.epochs) - 1)


def seeded(link: str) -> Experiment:
    stem = link.partition("?")[0]
    experiment_of(stem)
    return Run(link)


@pytest.fixture
def place() -> Place:
    """Where the classes of the test are kept, whose clock it can advance."""
    return place_in_memory()


@pytest.fixture
def store(place: Place, monkeypatch: pytest.MonkeyPatch) -> Classes:
    """The classes of the pages."""
    store = Classes(place.store)
    for module in (class_watch, classes):
        monkeypatch.setattr(module, "classes", lambda: store)
    monkeypatch.setattr(class_watch, "_turns", class_watch._Turns(math.inf))
    return store


@pytest.fixture
def browser(tmp_path: Path, store: Classes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """`browser(secret, **query)` opens the page of a lesson in a new tab of the browser with this secret."""
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    monkeypatch.setattr(experiments, "experiment_of", seeded)
    monkeypatch.setattr(steps, "TICK_SECONDS", 60)
    classes._seeded.cache_clear()
    (tmp_path / "far.toml").write_text(LESSON, "utf-8")
    Run.states.clear()
    with ExitStack() as stack:

        def open_(secret: str, **query: str) -> AppTest:
            page = stack.enter_context(visit("pages/lesson.py"))
            page.session_state["_browser"] = secret
            return opened(page, **query)

        yield open_
    classes._seeded.cache_clear()


def opened_class(browser: Open, step: int = 2) -> tuple[AppTest, str]:
    """A teacher's page, and the code of the class that was opened there."""
    teacher = press(browser(TEACHER, name="far", step=str(step)), "teach")
    return teacher, address(teacher)["class"]


def bet(page: AppTest, choice: int) -> AppTest:
    (radio,) = page.radio
    radio.set_value(choice)
    again(page)
    return press(page, str(radio.key).replace("_bet", "_place"))


def told(page: AppTest) -> dict[str, Any]:
    """What the script in the browser that follows the class is told."""
    (component,) = (element for element in page.get("bidi_component") if element.proto.id.endswith("-class_news"))
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def bars(page: AppTest) -> list[list[float]] | None:
    """Bets on each choice, one list a vote; None where there is no chart."""
    figure = sent(page, "class_votes")
    return None if figure is None else [numbers(trace["x"]) for trace in figure["data"]]


def figure_of(page: AppTest, chart: str) -> dict[str, Any]:
    figure = sent(page, chart)
    assert figure is not None
    return figure


def turn(page: AppTest, key: str) -> AppTest:
    switch = widget(page, key)
    switch.set_value(not switch.value)
    return again(page)


def has(page: AppTest, key: str) -> bool:
    return any(re.fullmatch(key, str(button.key)) for button in page.button)


CODE = re.compile(r"\b[2-9A-Z]{3} ?[2-9A-Z]{3}\b")  # of a class
RUN = r"lesson_far_\d_.*_run"


def run(page: AppTest) -> AppTest:
    (button,) = (button for button in page.button if re.fullmatch(RUN, str(button.key)))
    return press(page, str(button.key))


def finish(*pages: AppTest) -> None:
    for link in Run.states:
        Run.states[link] = "done"
    for page in pages:
        again(page)


def test_bets_arrive_without_names_and_are_seen_when_the_teacher_wants(browser: Open) -> None:
    teacher, code = opened_class(browser)
    ann, ben = (browser(secret, **{"class": code}) for secret in (ANN, BEN))
    assert address(ann) == {"name": "far", "step": "2", "class": code}, "the code is enough"
    assert not has(ann, RUN)
    bet(ann, 0)
    assert "Your bet is in." in words(ann)
    assert told(ann)["words"] == "2 students joined, 1 has bet."
    bet(ben, 1)
    again(teacher)
    assert told(teacher)["words"] == "2 students joined, 2 have bet."
    assert bars(teacher) is None, "who sees the bets before the vote is closed bets with the others"
    turn(teacher, "class_bets_2_1")
    assert bars(teacher) == [[1, 1]]
    for student in (again(ann), again(ben)):
        assert bars(student) is None
        assert not has(student, RUN)
        assert "How far?" in words(student)
    press(teacher, "class_reveal")
    assert has(teacher, RUN)
    for student in (again(ann), again(ben)):
        assert bars(student) == [[1, 1]]
        assert has(student, RUN)
    for page in (teacher, ann, ben):
        assert not any(secret in str(page.session_state["_values_lesson"]) + words(page) for secret in (TEACHER, ANN, BEN))


def test_how_to_join_is_shown_until_the_teacher_closes_it(browser: Open) -> None:
    teacher, code = opened_class(browser)
    assert f"##### {code[:3]} {code[3:]}" in words(teacher)
    browser(ANN, **{"class": code})
    assert f"##### {code[:3]} {code[3:]}" in words(again(teacher)), "others may want to join"
    turn(teacher, f"class_invitation_{code}")
    assert f"##### {code[:3]}" not in words(teacher)


def test_a_second_vote_stands_beside_the_first(browser: Open) -> None:
    teacher, code = opened_class(browser)
    ann, ben = (bet(browser(secret, **{"class": code}), 0) for secret in (ANN, BEN))
    press(teacher, "class_again")
    assert told(again(teacher))["words"] == "2 students joined, 0 have bet."
    assert bars(teacher) is None
    assert teacher.button(key="class_again").disabled
    bet(again(ann), 1)
    bet(again(ben), 1)
    press(teacher, "class_reveal")
    assert bars(teacher) == bars(again(ann)) == [[2, 0], [0, 2]]
    names = [trace["name"] for trace in traces(teacher, "class_votes").values()]
    assert names == ["First bets: 2", "Second bets: 2"]


def test_a_number_is_bet_on_by_a_class_too(browser: Open) -> None:
    teacher, code = opened_class(browser, 3)
    ann = browser(ANN, **{"class": code})
    (slider,) = ann.slider
    slider.set_value(75.0)
    press(again(ann), str(slider.key).replace("_bet", "_place"))
    press(again(teacher), "class_reveal")
    figure = figure_of(teacher, "class_votes")
    (counts,) = (numbers(trace["y"]) for trace in figure["data"])
    assert (counts[15], sum(counts)) == (1, 1), "75 % lies in the sixteenth of twenty intervals"


def test_the_runs_of_a_class_are_one_figure_of_as_many_seeds(browser: Open) -> None:
    teacher, code = opened_class(browser)
    students = [bet(browser(secret, **{"class": code}), 1) for secret in (ANN, BEN)]
    press(teacher, "class_reveal")
    for page in (*students, teacher):
        run(again(page))
    assert set(Run.states) == {"far", "far?seed=100", "far?seed=200"}
    finish(*students, teacher)
    assert "**You bet right.**" in words(students[0])
    assert "**2 runs of this class**" in words(again(teacher))
    low, high, _, mean = figure_of(teacher, "class_results")["data"]
    assert numbers(low["y"]) == pytest.approx([51, 61])
    assert numbers(high["y"]) == pytest.approx([52, 62])
    assert numbers(mean["y"]) == pytest.approx([51.5, 61.5])
    figure = figure_of(teacher, "class_votes")
    assert figure["layout"]["yaxis"]["ticktext"] == ["Nowhere", "<b>✓ Far</b>"]
    assert "**2 runs of this class**" in words(again(students[0]))


def test_students_see_the_step_that_the_teacher_is_at_or_go_by_themselves(browser: Open) -> None:
    teacher, code = opened_class(browser, 1)
    ann = browser(ANN, **{"class": code})
    assert "Step 1 of 5" in words(ann)
    assert not has(ann, "lesson_next")
    have = told(ann)["have"]
    press(teacher, "lesson_next")
    member: ClassWatch = ann.session_state["_class_watch"]
    assert member.answer(have) is None, "the page has to run"
    assert "Step 2 of 5" in words(again(ann))
    assert json.loads(member.answer(told(ann)["have"]) or b"")["words"] == "1 student joined, 0 have bet."
    turn(teacher, "class_together_True")
    press(bet(again(ann), 1), "lesson_next")
    assert "Step 3 of 5" in words(ann)
    press(ann, "lesson_back")
    assert has(ann, RUN), "who goes by himself has to wait for nobody"
    press(again(teacher), "lesson_next")
    assert "Step 2 of 5" in words(again(ann))
    turn(teacher, "class_together_False")
    assert "Step 3 of 5" in words(again(ann))


def test_who_reloads_or_opens_a_second_tab_is_one_student_with_one_bet(browser: Open) -> None:
    teacher, code = opened_class(browser)
    bet(browser(ANN, **{"class": code}), 0)
    for tab in (browser(ANN, name="far", step="2", **{"class": code}), browser(ANN, **{"class": f"{code[:3]} {code[3:]}".lower()})):
        assert "Nowhere :blue-badge[your bet]" in words(tab)
        assert told(tab)["words"] == "1 student joined, 1 has bet."
    press(again(teacher), "class_reveal")
    assert bars(teacher) == [[1, 0]]


def test_who_comes_late_sees_what_is_revealed_and_runs_it_without_a_bet(browser: Open) -> None:
    teacher, code = opened_class(browser)
    bet(browser(ANN, **{"class": code}), 0)
    press(again(teacher), "class_reveal")
    late = browser(BEN, **{"class": code})
    assert not late.radio
    assert bars(late) == [[1, 0]]
    run(late)
    finish(late)
    assert "**It came out:** Far" in words(late)


def test_a_teacher_who_reloads_or_whose_laptop_sleeps_is_still_the_teacher(browser: Open, place: Place) -> None:
    _, code = opened_class(browser)
    ann = browser(ANN, **{"class": code})
    place.let_pass(TEN_MINUTES)
    teacher = browser(TEACHER, name="far", step="1", **{"class": code})
    assert "Step 2 of 5" in words(teacher), "a reload does not turn the pages of a class"
    press(teacher, "class_reveal")
    assert bars(again(ann)) == [[0, 0]]
    assert not has(ann, "class_reveal|class_again|class_end")


def test_two_tabs_of_a_teacher_go_together(browser: Open) -> None:
    first, code = opened_class(browser, 1)
    second = browser(TEACHER, **{"class": code})
    press(first, "lesson_next")
    assert "Step 2 of 5" in words(again(second))
    assert "Step 2 of 5" in words(again(first))


@pytest.mark.parametrize("end", ["button", "two hours"])
def test_a_class_that_has_ended_says_so_and_its_lesson_goes_on(browser: Open, place: Place, end: str) -> None:
    teacher, code = opened_class(browser)
    ann = browser(ANN, **{"class": code})
    have = told(ann)["have"]
    if end == "button":
        press(teacher, "class_end")
        assert "class" not in address(teacher)
        assert has(teacher, "teach")
    else:
        place.let_pass(TWO_HOURS)
    assert ann.session_state["_class_watch"].answer(have) is None, "the page has to run"
    again(ann)
    assert [warning.value for warning in ann.warning] == [classes.ENDED]
    run(bet(ann, 1))
    assert [warning.value for warning in ann.warning] == [classes.ENDED]
    finish(ann)
    assert "**You bet right.**" in words(ann)


def test_wrong_codes_are_refused_in_words_and_no_page_tries_again_by_itself(browser: Open, store: Classes) -> None:
    _, code = opened_class(browser)
    page = browser(ANN, name="far", **{"class": "hello"})
    assert "`hello` is not the code of a class, which must be 6 of the characters" in page.warning[0].value
    assert "Step 1 of 5" in words(page), "the lesson goes on"
    wrong = f"{code[:5]}{'2' if code[5] != '2' else '3'}"
    opened(page, name="far", **{"class": wrong})
    assert f"No class is open under the code `{wrong}`." in page.warning[0].value
    for _ in range(11):
        again(page)
    opened(page, name="far", **{"class": code})
    assert told(page)["words"].startswith("1 student joined"), "all runs of a page are one try"
    for _ in range(10):
        with pytest.raises(NoClassError):
            store.join(wrong, BEN)
    assert "Too many wrong codes were tried. Wait ten minutes" in browser(BEN, name="far", **{"class": code}).warning[0].value
    assert told(again(page))["words"].startswith("1 student joined"), "who is in stays in"


def test_who_has_mistyped_a_code_may_type_it_again(browser: Open) -> None:
    _, code = opened_class(browser)
    page = browser(ANN, **{"class": "hello"})
    assert not page.error, "the address names no lesson, as the class would have"
    page.text_input[0].set_value(code)
    (join,) = (button for button in page.button if button.label == "Join")
    join.click()
    again(page)
    assert told(page)["words"] == "1 student joined, 0 have bet."


def test_nothing_of_a_class_is_seen_in_another(browser: Open) -> None:
    (one, code), (other, second) = opened_class(browser), opened_class(browser)
    assert code != second
    bet(browser(ANN, **{"class": code}), 0)
    bet(browser(BEN, **{"class": second}), 1)
    for teacher, expected in ((one, [[1, 0]]), (other, [[0, 1]])):
        press(again(teacher), "class_reveal")
        assert told(teacher)["words"] == "1 student joined, 1 has bet."
        assert bars(teacher) == expected
    assert browser(TEACHER, **{"class": code}).session_state["_class_watch"].code == code


def test_a_store_that_does_not_answer_is_said_and_the_lesson_goes_on(browser: Open, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, code = opened_class(browser)
    ann = browser(ANN, **{"class": code})
    have = told(ann)["have"]

    def silent(*_: object, **__: object) -> None:
        raise ClassStoreError("The class store does not answer.")

    with monkeypatch.context() as away:
        for method in ("get", "put", "change", "keep", "fields"):
            away.setattr(place.store, method, silent)
        assert json.loads(ann.session_state["_class_watch"].answer(have))["words"] == "The class store does not answer."
        for page in (again(ann), again(teacher)):
            assert page.warning[0].value == "The class store does not answer. The lesson goes on without the class."
        assert bet(ann, 0).session_state["_lessons"]["far"].bets == {2: "a"}
    assert told(again(ann))["words"] == "1 student joined, 0 have bet."
    bet(ann, 1)
    press(again(teacher), "class_reveal")
    assert bars(teacher) == [[0, 1]]


def test_a_bet_that_comes_too_late_is_said_to(browser: Open) -> None:
    teacher, code = opened_class(browser)
    ann = browser(ANN, **{"class": code})
    (radio,) = ann.radio
    radio.set_value(0)
    again(ann)
    press(teacher, "class_reveal")
    press(ann, str(radio.key).replace("_bet", "_place"))
    assert ann.warning[0].value == "Your bet came too late."
    assert bars(ann) == [[0, 0]]
    assert 2 not in ann.session_state["_lessons"]["far"].bets


def test_a_class_of_200_bets_in_one_chart(browser: Open, store: Classes) -> None:
    teacher, code = opened_class(browser)
    for number in range(199):
        store.join(code, f"{number:032x}")
        store.vote(code, f"{number:032x}", 2, number % 2)
    ann = bet(browser(ANN, **{"class": code}), 1)
    assert told(ann)["words"] == "200 students joined, 200 have bet."
    assert told(ann)["period"] > 2 * 1000, "in a large class each asks less often"
    press(again(teacher), "class_reveal")
    assert bars(teacher) == [[100, 100]]
    assert told(teacher)["period"] < 1000, "bets are seen within a second"


def test_pages_of_students_run_a_few_at_a_time(store: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    """All hear at once that there is something new; the server has each run its page when it is its turn."""
    now = 0.0
    monkeypatch.setattr(class_watch, "_turns", class_watch._Turns(RUNS_A_SECOND, lambda: now))
    opened = store.open("far", 5, TEACHER)
    waiting = []
    for number in range(STUDENTS):
        store.join(opened.code, f"{number:032x}")
        waiting.append(ClassWatch(opened.code, opened.code, f"{number:032x}"))
        waiting[-1].step = 1
    have = waiting[0].version(waiting[0].look())
    assert all(one.answer(have) for one in waiting), "nothing is new"
    store.move(opened.code, TEACHER, 2)
    seconds: list[float] = []
    while waiting:
        waiting = [one for one in waiting if one.answer(have)]
        seconds += [now] * (STUDENTS - len(seconds) - len(waiting))
        now += 0.01
    assert max(sum(begin <= second < begin + 1 for second in seconds) for begin in (0, 1)) <= RUNS_A_SECOND + 1
    assert STUDENTS / RUNS_A_SECOND - 1 < seconds[-1] < STUDENTS / RUNS_A_SECOND + 1


def test_a_place_in_a_class_asks_nothing_of_the_session(store: Classes) -> None:
    """The server answers a browser from threads that have none."""
    opened = store.open("far", 5, TEACHER)
    teacher = ClassWatch(opened.code, opened.code, TEACHER)
    teacher.step, teacher.asks = 1, True
    store.join(opened.code, ANN)
    have = teacher.version(teacher.look())
    store.vote(opened.code, ANN, 1, 0)
    assert json.loads(teacher.answer(have) or b"") == {"words": "1 student joined, 1 has bet.", "period": 600}
    teacher.every_change = True
    have = teacher.version(teacher.look())
    assert teacher.answer(have)
    store.vote(opened.code, ANN, 1, 1)
    assert teacher.answer(have) is None


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("train?hidden=16&epochs=2", "train?hidden=16&epochs=2&seed=700"),
        ("train?seed=3&hidden=16", "train?seed=703&hidden=16"),
        ("tensors?act=operations", "tensors?act=operations"),
        ("", ""),
    ],
)
def test_each_student_has_a_seed_where_an_experiment_has_one(link: str, own: str) -> None:
    classes._seeded.cache_clear()
    assert classes._seeded(link, 7) == own
    assert classes._seeded(link, 0) == link


@pytest.mark.parametrize(
    ("page", "joins"),
    [
        ("http://localhost:8501/lesson", "http://localhost:8501/lesson?class=23CFGH"),
        ("https://example.org/mlp/play/lesson/", "https://example.org/mlp/play/lesson?class=23CFGH"),
        ("https://example.org/lesson?name=far&class=OLD", "https://example.org/lesson?class=23CFGH"),
        (None, None),
    ],
)
def test_a_class_is_joined_at_the_address_that_the_browser_knows(page: str | None, joins: str | None) -> None:
    assert join_address("23CFGH", page) == joins
    assert join_address("23CFGH", page, {"lang": "zh"}) == (joins and f"{joins}&lang=zh")


def test_the_picture_of_an_address_is_black_on_white_with_its_quiet_zone() -> None:
    picture = qr_picture("https://example.org/lesson?class=23CFGH")
    assert picture.startswith("<svg ")
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', picture)[1])  # type: ignore[index]
    assert side - 8 in range(21, 178, 4), "a code of 17 + 4 v modules, with four free on every side (ISO/IEC 18004)"
    assert 'fill="#fff"' in picture
    assert picture != qr_picture("https://example.org/lesson?class=23CFGJ")


def test_a_code_is_typed_on_the_page_of_lessons(browser: Open) -> None:
    _, code = opened_class(browser)
    with visit("app.py") as app:
        again(app)
        app.session_state["_browser"] = ANN
        app.switch_page("pages/lessons.py")
        again(app)
        app.text_input[0].set_value(code.lower())
        (join,) = (button for button in app.button if button.label == "Join")
        join.click()
        again(app)
        assert told(app)["words"] == "1 student joined, 0 have bet."
        assert address(app)["class"] == code.lower()


def test_a_class_is_read_by_everybody_in_a_language_of_their_own(browser: Open) -> None:
    teacher, code = opened_class(browser)
    ann, ben = browser(ANN, lang="zh", **{"class": code}), browser(BEN, **{"class": code})

    def answered(page: AppTest) -> str:
        """What the server tells the page's browser, in no session's thread."""
        with ThreadPoolExecutor(1) as beside:
            answer = beside.submit(page.session_state["_class_watch"].answer, told(page)["have"]).result()
        return str(json.loads(answer or b"")["words"])

    assert answered(ann) == told(again(ann))["words"] == "已有2\u2060名学生加入，其中0\u2060人已押注。"
    assert answered(ben) == "2 students joined, 0 have bet."
    bet(ann, 1)
    bet(ben, 0)
    press(again(teacher), "class_reveal")
    for page, bets, axis in ((ann, "押注", "押注数"), (ben, "Bets", "bets")):
        assert f"**{bets}**" in words(again(page))
        assert bars(page) == [[1, 1]]
        assert figure_of(page, "class_votes")["layout"]["xaxis"]["title"]["text"] == axis


def test_nothing_of_a_class_is_said_outside_of_the_catalogues(browser: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pseudo.use(pseudo.write_catalogue(tmp_path / "locale"), monkeypatch)
    seen = dict[str, list[str]]()  # what stands outside of the brackets, but for words of the test's own lesson

    def look(*pages: AppTest) -> None:
        for page in pages:
            for text in texts(again(page)):
                if left := [word for word in pseudo.unsaid(CODE.sub("", text)) if word not in own]:
                    seen[text] = left

    own = frozenset(pseudo.WORD.findall(LESSON)) | {"far"}
    with spoken(languages()[pseudo.SHORT]):  # AppTest asks for the words of choices outside of the session
        teacher = press(browser(TEACHER, name="far", step="2", lang=pseudo.SHORT), "teach")
        ann, late = (browser(secret, lang=pseudo.SHORT, **{"class": address(teacher)["class"]}) for secret in (ANN, BEN))
        look(teacher, ann, late)
        look(bet(ann, 1), teacher)
        look(press(teacher, "class_reveal"), ann, late)
        look(browser(BEN, lang=pseudo.SHORT, **{"class": "222222"}))
    assert seen == {}
