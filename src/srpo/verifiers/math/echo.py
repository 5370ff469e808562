"""Whether an answer is a formula of the question, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from srpo.verifiers.math.answer import Answer, Kind, read
from srpo.verifiers.math.compare import value_of
from srpo.verifiers.math.numbers import parse_number

MAX_FORMULA_CHARS = 2000  # an answer has half as many
_PIECES = re.compile(  # at mathematics' delimiters, at words, at the end of sentences and lines
    r"(?<!\\)\$+|\\[()\[\]]|\\(?:begin|end)\{(?:align|equation|gather|multline|eqnarray)(?:ed)?\*?\}"
    r"|(?<![^\s])[a-zA-Z]{2,}[,:]?(?=\s)|[.?!;](?!\S)|\n\n"
)
_NAME = re.compile(r"[+-]?\s*\\?[a-zA-Z]+")


def repeats(prompt: str, golds: Iterable[str], answer: str) -> bool:
    """Whether `answer` is a formula of the prompt, or a side of one, that is left to work out.

    Numbers (in the form of a gold answer), names, words, and lists of these may be in a prompt
    by chance: they never count. Nor does anything when a gold answer that is more than these
    is in the prompt itself. Linear in the prompt's length.
    """
    given = value_of(read(answer))
    own = [part for gold in golds for part in _parts(read(gold))]
    forms = {_form(part.text) for part in own} | {"whole"}
    if _is_simple(given, forms) or given.key in {part.key for part in own}:
        return False
    asked = {part.key for piece in set(_pieces(prompt)) for part in _parts(read(piece))}
    return given.key in asked and not any(
        part.key in asked and not _is_simple(part, forms) for part in own
    )


def _pieces(prompt: str) -> Iterator[str]:
    for piece in _PIECES.split(prompt):
        if piece.strip() and len(piece) <= MAX_FORMULA_CHARS:
            yield piece
            if "&" in piece and "\\begin" not in piece:
                yield from re.split(r"\\\\", piece.replace("&", ""))


def _parts(answer: Answer) -> Iterator[Answer]:
    """The whole and, of lists and relations, the parts."""
    yield answer
    if answer.kind in (Kind.LIST, Kind.RELATION):
        for item in answer.items:
            yield from _parts(item)


def _is_simple(answer: Answer, forms: set[str]) -> bool:
    if answer.items:
        return all(_is_simple(item, forms) for item in answer.items)
    if answer.kind is Kind.WORDS or _NAME.fullmatch(answer.text):
        return True
    return parse_number(answer.text) is not None and _form(answer.text) in forms


def _form(number: str) -> str:
    """How a plain number is written: 3/20 asks for nothing where the gold answer is 1/4, but is
    the question where it is 0.15."""
    if "\\overline" in number:
        return "repeating"
    return "decimal" if "." in number else "fraction" if re.search("/|frac", number) else "whole"
