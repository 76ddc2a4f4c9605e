"""What a lesson asks of a run, as text: `test_accuracy after 5 epochs < 0.15`. Parsed to plain data, never evaluated as code.

condition  := comparison ("and" comparison)*
comparison := sum ("<" | "<=" | ">" | ">=" | "==" | "!=") sum
sum        := ["+" | "-"] term (("+" | "-") term)*
term       := number ["*" measure] | measure
measure    := name ["of" "label of a run"] ["after" N ("epoch" | "epochs")] ["in" "step" K]
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mlp_core.spec import MAX_EPOCHS
from mlp_core.words import Message

LONGEST = 300  # characters
MOST_STEPS = 15  # of a lesson

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<label>"[^"]*")
    | (?P<symbol><=|>=|==|!=|[-+*<>])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.ASCII,
)
_BLANKS = " \t\n\r\f\v"  # which may stand before a token
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORDS = ("and", "of", "after", "epoch", "epochs", "in", "step")


class ConditionError(ValueError):
    """Text that is no condition: the `rule` it breaks, and the `position` (from 0) of the character that breaks it."""

    def __init__(self, rule: str, position: int) -> None:
        self.rule, self.position = rule, position
        super().__init__(Message("character {position}: {rule}", position=position + 1, rule=rule))


@dataclass(frozen=True, slots=True)
class Reference:
    """One measured value.

    Args:
        name: of the measure.
        run: the label of the run it is taken of; empty where the experiment has one run.
        after: epochs after which it is taken; None for the end of the run.
        step: the earlier step of the lesson, from 1, whose experiment it is taken of; None for the step itself.
    """

    name: str
    run: str = ""
    after: int | None = None
    step: int | None = None


Parsed = TypeVar("Parsed")
Values = Callable[[Reference], float | None]  # what was measured; None where there is nothing


@dataclass(frozen=True, slots=True)
class Sum:
    """Numbers and measured values with their factors; of a plain number the reference is None."""

    terms: tuple[tuple[float, Reference | None], ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(reference for _, reference in self.terms if reference is not None)

    @property
    def single(self) -> Reference | None:
        """The measured value that the sum is, if it is nothing but that."""
        return self.terms[0][1] if len(self.terms) == 1 and self.terms[0][0] == 1 else None

    def value(self, values: Values) -> float | None:
        """What the sum comes to; None where a value is missing."""
        total = 0.0
        for factor, reference in self.terms:
            value = 1.0 if reference is None else values(reference)
            if value is None:
                return None
            total += factor * value
        return total


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that must all hold: left side, sign, right side."""

    comparisons: tuple[tuple[Sum, str, Sum], ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(one for left, _, right in self.comparisons for side in (left, right) for one in side.references)

    def holds(self, values: Values) -> bool | None:
        """Whether all comparisons hold; None where a value is missing. What is no number (NaN) is neither below nor above anything."""
        answers = []
        for left, sign, right in self.comparisons:
            one, other = left.value(values), right.value(values)
            if one is None or other is None:
                return None
            answers.append(_COMPARISONS[sign](one, other))
        return all(answers)


def parse_condition(text: str) -> Condition:
    """The condition that a text states.

    Raises:
        ConditionError: where the text leaves the grammar above, or is too long.
    """
    return _whole(text, _Parser.condition)


def parse_sum(text: str) -> Sum:
    """The measured value, or the sum of several, that a text names.

    Raises:
        ConditionError: where the text leaves the grammar above, or is too long.
    """
    return _whole(text, _Parser.sum)


def _whole(text: str, parse: Callable[[_Parser], Parsed]) -> Parsed:
    """What is parsed, with nothing after it."""
    parser = _Parser(text)
    parsed = parse(parser)
    parser.end()
    return parsed


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, label, symbol or end
    text: str
    position: int

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return Message("the end")
        return f"'{self.text}'" if len(self.text) <= 20 else f"'{self.text[:19]}…'"


class _Parser:
    """Recursive descent over the grammar above; one token of look-ahead."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            rule = Message("must have at most {most} characters, this one has {length}", most=LONGEST, length=f"{len(text):,}")
            raise ConditionError(rule, LONGEST)
        self._tokens, self._index = _tokens(text), 0

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._expected(Message("the end"))

    def condition(self) -> Condition:
        comparisons = [self._comparison()]
        while self._takes("and"):
            comparisons.append(self._comparison())
        return Condition(tuple(comparisons))

    def sum(self) -> Sum:
        sign = -1 if self._takes("-") else 1
        if sign == 1:
            self._takes("+")
        terms = [self._term(sign)]
        while self._next.text in ("+", "-"):
            terms.append(self._term(-1 if self._take().text == "-" else 1))
        return Sum(tuple(terms))

    def _comparison(self) -> tuple[Sum, str, Sum]:
        left = self.sum()
        if self._next.text not in _COMPARISONS:
            raise self._expected(Message("one of {signs}", signs=" ".join(_COMPARISONS)))
        sign = self._take().text
        return left, sign, self.sum()

    def _term(self, sign: int) -> tuple[float, Reference | None]:
        if self._next.kind != "number":
            return float(sign), self._reference()
        token = self._take()
        factor = sign * float(token.text)
        if not math.isfinite(factor):
            raise ConditionError(Message("{found} is beyond the largest number", found=token.shown), token.position)
        return factor, self._reference() if self._takes("*") else None

    def _reference(self) -> Reference:
        token = self._next
        if token.kind != "name" or token.text in _WORDS:
            raise self._expected(Message("a measure or a number"))
        self._take()
        run, after, step = "", None, None
        if self._takes("of"):
            run = self._expect("label", Message('the label of a run in "quotation marks"')).text[1:-1]
        if self._takes("after"):
            after = self._whole_number(Message("a number of epochs"), MAX_EPOCHS)
            if not (self._takes("epochs") or self._takes("epoch")):
                raise self._expected("'epochs'")
        if self._takes("in"):
            if not self._takes("step"):
                raise self._expected("'step'")
            step = self._whole_number(Message("the number of a step"), MOST_STEPS)
        return Reference(token.text, run, after, step)

    def _whole_number(self, what: str, most: int) -> int:
        token = self._expect("number", what)
        if not token.text.isdecimal() or not 1 <= int(token.text) <= most:
            rule = Message("must be a whole number from 1 to {most}, found {found}", most=f"{most:,}", found=token.shown)
            raise ConditionError(rule, token.position)
        return int(token.text)

    def _expect(self, kind: str, what: str) -> _Token:
        if self._next.kind != kind:
            raise self._expected(what)
        return self._take()

    def _expected(self, what: str) -> ConditionError:
        rule = Message("expected {what}, found {found}", what=what, found=self._next.shown)
        return ConditionError(rule, self._next.position)

    def _takes(self, text: str) -> bool:
        if self._next.text != text:
            return False
        self._take()
        return True

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self) -> _Token:
        token = self._next
        self._index += 1
        return token


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, position)
        if match is None:
            bad = len(text) - len(text[position:].lstrip(_BLANKS))
            raise ConditionError(Message("{letter} is not allowed here", letter=repr(text[bad])), bad)
        kind = match.lastgroup or "end"
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens
