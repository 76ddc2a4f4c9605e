"""Opening, joining, voting, revealing, ending: the same in both stores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from mlp_core.labs.classes.classes import Classes, Opened
from mlp_core.labs.classes.classroom import MAX_CLASSES, MAX_STUDENTS, ClassError, NoClassError, TooManyTriesError
from mlp_core.labs.classes.store import ClassStore
from tests.support.class_stores import Place

HOUR = 3600
ANN, BEN = "a" * 22, "b" * 22


def student(number: int) -> str:
    return f"secret of browser {number:04}"


@pytest.fixture
def opened(classes: Classes) -> Opened:
    return classes.open("vanishing", 5)


def test_a_code_has_six_characters_that_none_takes_for_another(classes: Classes) -> None:
    codes = {classes.open("vanishing", 5).code for _ in range(MAX_CLASSES)}
    assert len(codes) == MAX_CLASSES
    assert all(len(code) == 6 for code in codes)
    assert not set("".join(codes)) & set("01OILSBZUAEY")


def test_who_joins_sees_what_the_teacher_has_set(classes: Classes, opened: Opened) -> None:
    code = classes.join(f" {opened.code[:3]}-{opened.code[3:]} ".lower(), ANN)
    assert code == opened.code
    view = classes.look(code, ANN)
    assert (view.classroom.lesson, view.classroom.steps, view.step, view.classroom.together) == ("vanishing", 5, 1, True)
    assert (view.is_teacher, view.students, view.own, view.votes, view.results) == (False, 1, (None, None), (), ())
    assert classes.look(code, opened.secret).is_teacher


def test_votes_are_for_the_teacher_alone_until_the_step_is_revealed(classes: Classes, opened: Opened) -> None:
    for who, vote in ((ANN, 2), (BEN, 0)):
        classes.join(opened.code, who)
        classes.vote(opened.code, who, 1, vote)
    assert classes.look(opened.code, opened.secret).votes == ((0, 2),)
    assert classes.look(opened.code, ANN).votes == ()
    assert classes.look(opened.code, ANN).own == (2, None)
    classes.reveal(opened.code, opened.secret, 1)
    assert classes.look(opened.code, ANN).votes == ((0, 2),)
    assert classes.look(opened.code, ANN, step=2).votes == ()


def test_a_vote_can_be_changed_until_the_step_is_revealed(classes: Classes, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    for vote in (0, 0.25, -3e5):
        classes.vote(opened.code, ANN, 2, vote)
        assert classes.look(opened.code, opened.secret, 2).votes == ((vote,),)
    classes.reveal(opened.code, opened.secret, 2)
    with pytest.raises(ClassError, match="step: must be one that is not revealed yet, got 2"):
        classes.vote(opened.code, ANN, 2, 1)
    assert classes.look(opened.code, ANN, 2).votes == ((-3e5,),)
    classes.vote(opened.code, ANN, 3, 1)  # elsewhere one still may


def test_a_second_vote_stands_beside_the_first(classes: Classes, opened: Opened) -> None:
    for who in (ANN, BEN):
        classes.join(opened.code, who)
        classes.vote(opened.code, who, 1, 0)
    classes.vote_again(opened.code, opened.secret, 1)
    assert classes.look(opened.code, opened.secret).votes == ((0, 0), ())
    classes.vote(opened.code, ANN, 1, 1)
    assert classes.look(opened.code, opened.secret).votes == ((0, 0), (1,))
    assert classes.look(opened.code, ANN).own == (0, 1)
    assert classes.look(opened.code, BEN).own == (0, None)
    assert classes.look(opened.code, opened.secret, 2).votes == ((),)
    classes.reveal(opened.code, opened.secret, 1)
    with pytest.raises(ClassError, match="not revealed"):
        classes.vote_again(opened.code, opened.secret, 1)


def test_who_joins_twice_or_reloads_is_one_student(classes: Classes, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    classes.vote(opened.code, ANN, 1, 1)
    before = classes.status(opened.code, opened.secret, 1).version
    classes.join(opened.code, ANN)
    view = classes.look(opened.code, opened.secret)
    assert (view.students, view.votes, view.version) == (1, ((1,),), before)
    assert classes.look(opened.code, ANN).own == (1, None)


def test_who_comes_late_sees_the_present_step(classes: Classes, opened: Opened) -> None:
    classes.reveal(opened.code, opened.secret, 1)
    classes.move(opened.code, opened.secret, 3)
    classes.pace(opened.code, opened.secret, together=False)
    classes.join(opened.code, ANN)
    view = classes.look(opened.code, ANN)
    assert (view.step, view.classroom.together, view.classroom.revealed) == (3, False, (1,))


def test_results_of_runs_come_without_names_and_after_the_reveal(classes: Classes, opened: Opened) -> None:
    histories = {student(number): [number / 7, math.inf, -1.5] for number in range(5)}
    for who, history in histories.items():
        classes.join(opened.code, who)
        classes.hand_in(opened.code, who, 4, [0.0])
        classes.hand_in(opened.code, who, 4, history)
    assert classes.look(opened.code, student(0), 4).results == ()
    assert Counter(classes.look(opened.code, opened.secret, 4).results) == Counter(map(tuple, histories.values()))
    classes.reveal(opened.code, opened.secret, 4)
    assert len(classes.look(opened.code, student(0), 4).results) == 5
    classes.join(opened.code, ANN)
    classes.hand_in(opened.code, ANN, 4, [math.nan])
    assert sum(math.isnan(history[0]) for history in classes.look(opened.code, opened.secret, 4).results) == 1


def test_the_version_grows_with_what_there_is_to_see(classes: Classes, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    classes.join(opened.code, BEN)

    def versions() -> tuple[int, int]:
        return classes.status(opened.code, opened.secret, 1).version, classes.status(opened.code, ANN, 1).version

    teacher, students = versions()
    for of_students in (partial(classes.vote, opened.code, BEN, 1, 1), partial(classes.hand_in, opened.code, BEN, 1, [0.5])):
        of_students()
        assert versions() == (teacher + 1, students)  # a class of 200 that votes does not have 200 pages drawn 200 times
        of_students()  # the same again is nothing new
        assert versions() == (teacher + 1, students)
        teacher += 1
    changes = [
        partial(classes.move, opened.code, opened.secret, 2),
        partial(classes.pace, opened.code, opened.secret, together=False),
        partial(classes.vote_again, opened.code, opened.secret, 2),
        partial(classes.reveal, opened.code, opened.secret, 2),
    ]
    for change in changes:
        change()
        assert versions() == (teacher + 1, students + 1)
        teacher, students = versions()
    for change in (*changes[:2], changes[3]):
        change()
        assert versions() == (teacher, students)
    view = classes.look(opened.code, ANN)
    assert view.version == students


def test_only_the_teacher_changes_the_class(classes: Classes, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    other = classes.open("vanishing", 5)
    for secret in (ANN, BEN, other.secret):
        error = ClassError if secret == ANN else NoClassError
        for change in (
            partial(classes.move, step=2),
            partial(classes.pace, together=False),
            partial(classes.reveal, step=1),
            partial(classes.vote_again, step=1),
            classes.end,
        ):
            with pytest.raises(error):
                change(opened.code, secret)
    assert classes.look(opened.code, opened.secret).classroom.changes == 1


def test_students_are_numbered_in_the_order_in_which_they_join_and_the_teacher_is_none(classes: Classes, opened: Opened) -> None:
    for who in (ANN, BEN, ANN):
        classes.join(opened.code, who)
    assert [classes.look(opened.code, who).number for who in (ANN, BEN, opened.secret)] == [1, 2, 0]
    other = classes.open("vanishing", 5)
    classes.join(other.code, BEN)
    assert classes.look(other.code, BEN).number == 1


def test_the_status_tells_how_many_have_bet_in_the_vote_that_is_on_and_not_on_what(classes: Classes, opened: Opened) -> None:
    for who in (ANN, BEN):
        classes.join(opened.code, who)
        classes.vote(opened.code, who, 1, 1)

    def voted(step: int) -> set[tuple[int, int]]:
        statuses = [classes.status(opened.code, who, step) for who in (ANN, opened.secret)]
        return {(status.voted, status.students) for status in statuses}

    assert (voted(1), voted(2)) == ({(2, 2)}, {(0, 2)})
    classes.vote_again(opened.code, opened.secret, 1)
    classes.vote(opened.code, ANN, 1, 0)
    assert voted(1) == {(1, 2)}


def test_the_browser_that_opens_a_class_is_its_teacher(classes: Classes) -> None:
    opened = classes.open("vanishing", 5, ANN)
    assert opened.secret == ANN
    assert classes.look(opened.code, ANN).is_teacher


def test_nothing_of_a_class_is_seen_in_another(classes: Classes) -> None:
    one, two = classes.open("vanishing", 5), classes.open("dropout", 4)
    classes.join(one.code, ANN)
    classes.vote(one.code, ANN, 1, 3)
    classes.hand_in(one.code, ANN, 1, [1.0])
    classes.reveal(one.code, one.secret, 1)
    before = classes.look(two.code, two.secret)
    assert (before.students, before.votes, before.results, before.classroom.revealed, before.version) == (0, ((),), (), (), 1)
    asks: list[Callable[[], object]] = [
        lambda: classes.look(two.code, ANN),
        lambda: classes.status(two.code, ANN, 1).version,
        lambda: classes.vote(two.code, ANN, 1, 0),
        lambda: classes.hand_in(two.code, ANN, 1, [0.0]),
        lambda: classes.look(two.code, one.secret),
    ]
    for ask in asks:
        with pytest.raises(NoClassError):
            ask()
    classes.end(two.code, two.secret)
    assert classes.look(one.code, ANN).votes == ((3,),)


def test_a_class_ends_two_hours_after_the_teacher_was_last_there(classes: Classes, place: Place, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    place.let_pass(1.9 * HOUR)
    classes.status(opened.code, opened.secret, 1)
    place.let_pass(1.9 * HOUR)
    classes.vote(opened.code, ANN, 1, 1)  # a student does not keep it
    place.let_pass(0.2 * HOUR)
    for secret in (ANN, opened.secret):
        with pytest.raises(NoClassError):
            classes.look(opened.code, secret)
    with pytest.raises(NoClassError):
        classes.vote(opened.code, ANN, 1, 1)
    assert place.weighs_nothing


def test_a_laptop_that_sleeps_for_ten_minutes_changes_nothing(classes: Classes, place: Place, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    classes.vote(opened.code, ANN, 1, 1)
    before = classes.look(opened.code, opened.secret), classes.look(opened.code, ANN)
    place.let_pass(600)
    assert (classes.look(opened.code, opened.secret), classes.look(opened.code, ANN)) == before


def test_a_class_that_the_teacher_ends_weighs_nothing(classes: Classes, place: Place, opened: Opened) -> None:
    classes.join(opened.code, ANN)
    classes.vote(opened.code, ANN, 1, 1)
    classes.hand_in(opened.code, ANN, 1, [0.5])
    classes.end(opened.code, opened.secret)
    assert place.weighs_nothing
    with pytest.raises(NoClassError, match=f"code: must be that of a class that is open, got '{opened.code}'"):
        classes.look(opened.code, ANN)


def test_there_are_as_many_classes_as_places(classes: Classes, place: Place) -> None:
    first = classes.open("vanishing", 5)
    for _ in range(MAX_CLASSES - 1):
        classes.open("vanishing", 5)
    with pytest.raises(ClassError, match=f"classes: must be at most {MAX_CLASSES} at the same time"):
        classes.open("vanishing", 5)
    classes.end(first.code, first.secret)
    last = classes.open("vanishing", 5)
    place.let_pass(2.1 * HOUR)
    classes.open("vanishing", 5)
    with pytest.raises(NoClassError):
        classes.look(last.code, last.secret)


def test_a_class_takes_300_students(classes: Classes, opened: Opened) -> None:
    for number in range(MAX_STUDENTS):
        classes.join(opened.code, student(number))
    with pytest.raises(ClassError, match="students: must be at most 300 in a class"):
        classes.join(opened.code, student(MAX_STUDENTS))
    classes.join(opened.code, student(0))
    assert classes.look(opened.code, opened.secret).students == MAX_STUDENTS


def wrong(code: str) -> str:
    return code[:-1] + ("2" if code[-1] != "2" else "3")


def test_a_browser_may_be_wrong_ten_times_in_ten_minutes(classes: Classes, place: Place, opened: Opened) -> None:
    for _ in range(10):
        with pytest.raises(NoClassError):
            classes.join(wrong(opened.code), ANN)
    for code in (wrong(opened.code), opened.code):
        with pytest.raises(TooManyTriesError, match="more than 10 times in ten minutes from one browser"):
            classes.join(code, ANN)
    classes.join(opened.code, BEN)
    place.let_pass(601)
    classes.join(opened.code, ANN)


def test_all_browsers_together_may_be_wrong_300_times_in_ten_minutes(classes: Classes, place: Place, opened: Opened) -> None:
    classes.join(opened.code, BEN)
    for number in range(300):
        with pytest.raises(NoClassError):
            classes.join(wrong(opened.code), student(number))
    with pytest.raises(TooManyTriesError, match="more than 300 times in ten minutes in total"):
        classes.join(opened.code, ANN)
    classes.join(opened.code, BEN)  # who is in it already
    classes.vote(opened.code, BEN, 1, 1)
    place.let_pass(601)
    classes.join(opened.code, ANN)


def test_a_right_code_uses_up_nothing(classes: Classes) -> None:
    for _ in range(30):
        opened = classes.open("vanishing", 5)
        classes.join(opened.code, ANN)
    for number in range(MAX_STUDENTS - 1):  # with those before more than all together may be wrong
        classes.join(opened.code, student(number))


@pytest.mark.parametrize("code", ["", "CFG", "CFG234X", "CFG23O", "CFG23É", "CFG 23", None, 7, "C" * 10**6])
def test_what_cannot_be_a_code_is_refused(classes: Classes, code: object) -> None:
    with pytest.raises(ClassError, match="code: must be 6 of the characters 23456789CFGHJMPQRVWX, got"):
        classes.join(code, ANN)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", ["", "short", "x" * 129, "é" * 20, None, 5])
def test_what_cannot_be_a_secret_is_refused_and_not_repeated(classes: Classes, opened: Opened, secret: object) -> None:
    with pytest.raises(ClassError, match=r"secret: must have 16 to 128 ASCII characters, got '(\d+ characters|\w+)'$"):
        classes.join(opened.code, secret)  # type: ignore[arg-type]


@pytest.mark.parametrize("vote", [math.nan, math.inf, 1e13, "1", None, True, 10**400])
def test_what_cannot_be_a_vote_is_refused(classes: Classes, opened: Opened, vote: object) -> None:
    classes.join(opened.code, ANN)
    with pytest.raises(ClassError, match="vote: must be a number from"):
        classes.vote(opened.code, ANN, 1, vote)  # type: ignore[arg-type]
    assert classes.look(opened.code, ANN).own == (None, None)


@pytest.mark.parametrize("step", [0, 6, -1, 1.0, True, "1", None, 10**30])
def test_a_step_that_the_lesson_does_not_have_is_refused(classes: Classes, opened: Opened, step: object) -> None:
    classes.join(opened.code, ANN)
    given: Any = step
    asks: list[Callable[[], object]] = [
        lambda: classes.vote(opened.code, ANN, given, 1),
        lambda: classes.hand_in(opened.code, ANN, given, [1.0]),
        lambda: classes.move(opened.code, opened.secret, given),
        lambda: classes.reveal(opened.code, opened.secret, given),
        lambda: classes.vote_again(opened.code, opened.secret, given),
    ]
    for ask in asks:
        with pytest.raises(ClassError, match="step: must be a whole number from 1 to 5, got"):
            ask()


@pytest.mark.parametrize("history", [[], [0.5] * 51, "0.5", None, [None], [True], ["1"], [10**400]])
def test_what_cannot_be_a_history_is_refused(classes: Classes, opened: Opened, history: object) -> None:
    classes.join(opened.code, ANN)
    with pytest.raises(ClassError, match="history: must be a list of 1 to 50 numbers, got"):
        classes.hand_in(opened.code, ANN, 1, history)  # type: ignore[arg-type]


@pytest.mark.parametrize(("lesson", "steps"), [("", 5), ("Ann Smith", 5), ("a" * 41, 5), (None, 5), ("xor", 0), ("xor", 21), ("xor", True)])
def test_a_lesson_that_no_class_can_have_is_refused(classes: Classes, place: Place, lesson: object, steps: object) -> None:
    with pytest.raises(ClassError, match=r"(lesson: must be the name of a lesson|steps: must be a whole number from 1 to 20)"):
        classes.open(lesson, steps)  # type: ignore[arg-type]
    assert place.weighs_nothing


def test_200_students_who_vote_at_once_are_counted_once_each(classes: Classes, place: Place, opened: Opened) -> None:
    """Each joins and votes twice, from two tabs at once; the teacher moves on meanwhile."""
    replicas: list[ClassStore] = [place.store]
    if place.server is not None:
        replicas.append(type(place.store)(place.server.address))  # type: ignore[call-arg]

    def take_part(number: int) -> None:
        here = Classes(replicas[number % len(replicas)])
        here.join(opened.code, student(number // 2))
        here.vote(opened.code, student(number // 2), 1, number // 2)
        if number % 40 == 0:
            here.move(opened.code, opened.secret, 1 + number // 40 % 5)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(take_part, range(400)))
    view = classes.look(opened.code, opened.secret, 1)
    assert view.votes == (tuple(range(200)),)
    assert view.students == classes.status(opened.code, opened.secret, 1).voted == 200
    assert sorted(classes.look(opened.code, student(number)).number for number in range(200)) == list(range(1, 201))


def test_a_vote_that_meets_the_reveal_is_counted_before_it_or_refused(classes: Classes, opened: Opened) -> None:
    """What is shown at the reveal is what stays: no vote comes in after it."""
    for number in range(20):
        classes.join(opened.code, student(number))

    def take_part(number: int) -> tuple[float, ...] | bool:
        if number == 10:
            classes.reveal(opened.code, opened.secret, 1)
            return classes.look(opened.code, opened.secret, 1).votes[0]
        try:
            classes.vote(opened.code, student(number), 1, number)
        except ClassError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(take_part, range(20)))
    assert classes.look(opened.code, opened.secret, 1).votes == (done[10],)
    assert done[10] == tuple(number for number in range(20) if done[number] is True)


def test_a_hash_does_not_tell_who_was_in_two_classes(classes: Classes, place: Place) -> None:
    codes = [classes.open("vanishing", 5).code for _ in range(2)]
    for code in codes:
        classes.join(code, ANN)
    stored = [place.store.fields(code, "students") for code in codes]
    assert stored[0] != stored[1]
    assert all(ANN.encode() not in field for fields in stored for field in fields)
