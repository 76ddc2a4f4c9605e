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

LARGEST = 3.4028234663852886e38  # of float32, in which networks compute
MAX_DEPTH = 30  # of the tree, and of brackets, signs and powers in one another

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
        super().__init__(f"character {position + 1}: {rule}")

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
            return "the end"
        return f"'{self.text}'" if len(self.text) <= 20 else f"'{self.text[:19]}…'"


def parse(text: str) -> Node:
    """The syntax tree of an expression; raises `ExpressionError`."""
    if len(text) > MAX_EXPRESSION_LENGTH:
        raise ExpressionError(
            f"an expression has at most {MAX_EXPRESSION_LENGTH} characters, this one {len(text):,}", MAX_EXPRESSION_LENGTH
        )
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
        return "'.' is allowed in numbers only"
    if character in "=!":
        return f"'{character}' is not allowed; comparisons are <, <=, > and >="
    if character.isascii():
        return f"{character!r} is not allowed"
    return f"{character!r} ({unicodedata.name(character, 'unnamed').lower()}) is not allowed; names and signs are plain ASCII"


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

    def _expect(self, symbol: str, after: str) -> None:
        if self._next.text != symbol:
            raise ExpressionError(f"expected '{symbol}' {after}, found {self._next.shown}", self._next.position)
        self._take()

    def _build(self, operation: Operation, at: _Token, *operands: Node) -> Node:
        node = Call(operation, operands)
        if node.depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep here", at.position)
        return node

    def expression(self) -> Node:
        if self._next.kind == "end":
            raise ExpressionError("the expression is empty", 0)
        node = self._comparison()
        token = self._next
        if token.kind != "end":
            rule = "comparisons cannot be chained" if token.text in COMPARISONS else f"expected an operator before {token.shown}"
            raise ExpressionError("')' has no matching '('" if token.text == ")" else rule, token.position)
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
            raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep here", token.position)
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
            rule = f"an exponent must be a number from −{MAX_EXPONENT:g} to {MAX_EXPONENT:g}; for a power with x in it write exp(…)"
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
            self._expect(")", "to close the bracket")
            return node
        raise ExpressionError(f"expected a number, x or a function, found {token.shown}", token.position)

    def _name(self, token: _Token) -> Node:
        if token.text == "x":
            return Variable()
        if token.text in CONSTANTS:
            return CONSTANTS[token.text]
        if token.text not in self._functions:
            raise ExpressionError(f"{token.shown} is not x, pi, e or a known function", token.position)
        operation = self._functions[token.text]
        self._expect("(", f"after {token.text}")
        operands = [self._comparison()]
        while self._next.text == ",":
            self._take()
            operands.append(self._comparison())
        self._expect(")", f"to end {token.text}")
        if len(operands) != operation.arity:
            raise ExpressionError(f"{token.text} takes {operation.arity} values, not {len(operands)}", token.position)
        return self._build(operation, token, *operands)


def _number(token: _Token) -> Constant:
    value = float(token.text)
    if value > LARGEST:
        raise ExpressionError(f"{token.shown} is beyond the largest number of float32, 3.4 × 10³⁸", token.position)
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return Constant(value, rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT) if exponent else Constant(value, mantissa)
