"""From text to a syntax tree over the allow-list of `operations`, or to the character that is to blame.

Grammar, loosest first:

    comparison := sum [("<" | "<=" | ">" | ">=") sum]
    sum        := product (("+" | "-") product)*
    product    := sign (("*" | "/") sign)*
    sign       := ("+" | "-") sign | power
    power      := atom [("**" | "^") sign]
    atom       := number | "x" | "pi" | "e" | function "(" comparison ("," comparison)* ")" | "(" comparison ")"

Length, depth and exponent are bounded and every loop consumes a token, so neither parsing nor computing can take long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlp_core.expression.operations import (
    COMPARISONS,
    CONSTANTS,
    MAX_EXPONENT,
    NEGATE,
    POWERS,
    PRODUCT,
    PRODUCTS,
    SUMS,
    Call,
    Constant,
    Node,
    Operation,
    Variable,
    fold,
    functions,
)
from mlp_core.spec import MAX_EXPRESSION_LENGTH
from mlp_core.words import Message, count

LARGEST = 3.4028234663852886e38  # of float32, in which networks compute
MAX_DEPTH = 30  # of the tree, and of brackets, signs and powers in one another
TOO_DEEP = Message("the expression is nested more than {most} deep here", most=MAX_DEPTH)

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<symbol>\*\*|<=|>=|[-+*/^<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.ASCII,
)


class ExpressionError(ValueError):
    """Text that is no activation: the `rule` it breaks, and the `position` (from 0) of the character that breaks it."""

    def __init__(self, rule: str, position: int) -> None:
        self.rule, self.position = rule, position
        super().__init__(Message("character {place}: {rule}", place=position + 1, rule=rule))

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, int]]:
        return ExpressionError, (self.rule, self.position)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, symbol or end
    text: str
    position: int

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return Message("the end")
        return f"'{self.text}'" if len(self.text) <= 20 else f"'{self.text[:19]}…'"


def parse(text: str) -> Node:
    """The syntax tree of an expression; raises `ExpressionError`."""
    if len(text) > MAX_EXPRESSION_LENGTH:
        rule = Message("an expression has at most {most} characters, this one {all}", most=MAX_EXPRESSION_LENGTH, all=count(len(text)))
        raise ExpressionError(rule, MAX_EXPRESSION_LENGTH)
    return _Parser(_tokens(text)).expression()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, position)
        if match is None:
            bad = position + len(text[position:]) - len(text[position:].lstrip(" \t\r\n\f\v"))
            raise ExpressionError(_refusal(text[bad]), bad)
        kind = match.lastgroup or "end"
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens


def _refusal(character: str) -> str:
    if character == ".":
        return Message("'.' is allowed in numbers only")
    if character in "=!":
        return Message("'{character}' is not allowed; comparisons are <, <=, > and >=", character=character)
    if character.isascii():
        return Message("{character} is not allowed", character=repr(character))
    name = unicodedata.name(character, "unnamed").lower()
    return Message("{character} ({name}) is not allowed; names and signs are plain ASCII", character=repr(character), name=name)


class _Parser:
    """Recursive descent over the grammar above; one token of look-ahead."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._index, self._nesting = tokens, 0, 0
        self._functions = functions()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self) -> _Token:
        token = self._next
        self._index += 1
        return token

    def _expect(self, symbol: str, wanted: str) -> None:
        if self._next.text != symbol:
            raise _unexpected(wanted, self._next)
        self._take()

    def _build(self, operation: Operation, at: _Token, *operands: Node) -> Node:
        node = Call(operation, operands)
        if node.depth > MAX_DEPTH:
            raise ExpressionError(TOO_DEEP, at.position)
        return node

    def expression(self) -> Node:
        if self._next.kind == "end":
            raise ExpressionError(Message("the expression is empty"), 0)
        node = self._comparison()
        token = self._next
        if token.kind != "end":
            rule = Message("expected an operator before {found}", found=token.shown)
            if token.text in COMPARISONS:
                rule = Message("comparisons cannot be chained")
            if token.text == ")":
                rule = Message("')' has no matching '('")
            raise ExpressionError(rule, token.position)
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        if self._next.text in COMPARISONS:
            token = self._take()
            node = self._build(COMPARISONS[token.text], token, node, self._sum())
        return node

    def _sum(self) -> Node:
        return self._chain(SUMS, self._product)

    def _product(self) -> Node:
        return self._chain(PRODUCTS, self._sign)

    def _chain(self, operations: Mapping[str, Operation], operand: Callable[[], Node]) -> Node:
        node = operand()
        while self._next.text in operations:
            token = self._take()
            node = self._build(operations[token.text], token, node, operand())
        return node

    def _sign(self) -> Node:
        """Every way to nest passes here, so this is where the parser's own recursion is bounded."""
        token = self._next
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise ExpressionError(TOO_DEEP, token.position)
        if token.text in SUMS:
            self._take()
            operand = self._sign()
            node = self._build(NEGATE, token, operand) if token.text == "-" else operand
        else:
            node = self._power()
        self._nesting -= 1
        return node

    def _power(self) -> Node:
        base = self._atom()
        if self._next.text not in POWERS:
            return base
        token, first = self._take(), self._next
        exponent = self._sign()
        folded = fold(exponent)
        if not isinstance(folded, Constant) or not abs(folded.value) <= MAX_EXPONENT:
            rule = Message(
                "an exponent must be a number from −{most} to {most}; for a power with x in it write exp(…)", most=f"{MAX_EXPONENT:g}"
            )
            raise ExpressionError(rule, first.position)
        return self._build(POWERS[token.text], token, base, exponent)

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return _number(token)
        if token.kind == "name":
            return self._name(token)
        if token.text == "(":
            node = self._comparison()
            self._expect(")", Message("expected ')' to close the bracket"))
            return node
        raise _unexpected(Message("expected a number, x or a function"), token)

    def _name(self, token: _Token) -> Node:
        if token.text == "x":
            return Variable()
        if token.text in CONSTANTS:
            return CONSTANTS[token.text]
        if token.text not in self._functions:
            raise ExpressionError(Message("{name} is not x, pi, e or a known function", name=token.shown), token.position)
        operation = self._functions[token.text]
        self._expect("(", Message("expected '(' after {function}", function=token.text))
        operands = [self._comparison()]
        while self._next.text == ",":
            self._take()
            operands.append(self._comparison())
        self._expect(")", Message("expected ')' to end {function}", function=token.text))
        if len(operands) != operation.arity:
            rule = Message("{name} takes {arity} values, not {given}", name=token.text, arity=operation.arity, given=len(operands))
            raise ExpressionError(rule, token.position)
        return self._build(operation, token, *operands)


def _unexpected(wanted: str, token: _Token) -> ExpressionError:
    return ExpressionError(Message("{wanted}, found {found}", wanted=wanted, found=token.shown), token.position)


def _number(token: _Token) -> Constant:
    value = float(token.text)
    if value > LARGEST:
        rule = Message("{number} is beyond the largest number of float32, 3.4 × 10³⁸", number=token.shown)
        raise ExpressionError(rule, token.position)
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return Constant(value, rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT) if exponent else Constant(value, mantissa)
