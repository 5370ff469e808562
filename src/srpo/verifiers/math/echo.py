"""What an answer takes from the question: a formula, an option, what was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from srpo.verifiers.math.answer import Answer, Kind, read, split
from srpo.verifiers.math.compare import value_of
from srpo.verifiers.math.latex import canonical, normalise
from srpo.verifiers.math.numbers import parse_number

MAX_FORMULA_CHARS = 2000  # an answer has half as many
_PIECES = re.compile(  # at mathematics' delimiters, at words, at the end of sentences and lines
    r"(?<!\\)\$+|\\[()\[\]]|\\(?:begin|end)\{(?:align|equation|gather|multline|eqnarray)(?:ed)?\*?\}"
    r"|(?<![^\s])[a-zA-Z]{2,}[,:]?(?=\s)|[.?!;](?!\S)|\n\n"
)
_BARE = r"[^\s$\\]{0,39}[^\s$\\.?,]"  # of a formula without dollars
_ASKED = re.compile(  # Find $z^3$. What is the value of $m+n$?
    r"\b(?:find|compute|evaluate|determine|calculate|simplify|factor|expand|what is|value of)\s+"
    r"(?:(?:the|all|exact|numerical|possible|real)\s+)*(?:values?\s+of\s+)?"
    r"(?:the\s+)?(?:(?:sum|product|difference|quotient|ratio|quantity|expression)\s+)?"
    r"(?:\$+([^$]{1,200})\$|\\\((.{1,200}?)\\\)|\\\[(.{1,200}?)\\\]"
    rf"|({_BARE}(?:\s[-+*/]\s{_BARE}){{0,9}})(?=[.?](?!\S)|\s*\Z))",
    re.I,
)
_CHOOSES = re.compile(
    r"\b(?:which|(?:closest|nearest)\s+to|(?:small|larg|great|bigg|high|low)(?:er|est)|least|most"
    r"|maximum|minimum|median|choose|select|options?|choices?)\b",
    re.I,
)
_CONVERTS = re.compile(
    r"\b(?:as|in|into|to)\s+(?:an?\s+|its\s+)?(?:\w+\s+)?(?:decimal|fraction|percent|simplest|lowest)",
    re.I,
)
_PLAIN = r"\$?(-?(?:\\[dt]?frac\{\d+\}\{\d+\}|\d+(?:\.\d+)?(?:/\d+)?|\.\d+))\$?"
_LISTED = re.compile(
    rf"{_PLAIN}(?:\s*(?:[,;]\s*(?:or|and)?|or\b|and\b)\s*{_PLAIN})+".replace("(-?", "(?:-?")
)
_LETTERED = re.compile(rf"(?<!\w)\(?[a-jA-J][).]\s*{_PLAIN}")
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
    if _is_option(prompt, given):
        return False
    if _is_simple(given, forms) or given.key in {part.key for part in own}:
        return False
    asked = {part.key for piece in set(_pieces(prompt)) for part in _parts(read(piece))}
    return given.key in asked and not any(
        part.key in asked and not _is_simple(part, forms) for part in own
    )


def without_asked(prompt: str, answer: str) -> str:
    """The answer without what the question asked for, and an equals sign, before it: z^3 = -1
    where that was to find z^3."""
    asked, *rest = split(answer, {"="})[0]
    if rest and read(asked).key in _asked(prompt):
        return answer[len(asked) + 1 :]
    return answer


@lru_cache(maxsize=256)
def _asked(prompt: str) -> frozenset[str]:
    formulas = (next(filter(None, match.groups())) for match in _ASKED.finditer(prompt))
    return frozenset(
        read(formula.rstrip("?. ")).key for formula in formulas if "=" not in formula
    ) - {""}


def _is_option(prompt: str, given: Answer) -> bool:
    """Whether the question has the answer to choose among numbers, of which it is one."""
    if parse_number(given.text) is None or not _CHOOSES.search(prompt) or _CONVERTS.search(prompt):
        return False
    listed = [match[0] for match in _LISTED.finditer(prompt)]
    numbers = {number for text in listed for number in re.findall(_PLAIN, text)}
    numbers |= {match[1] for match in _LETTERED.finditer(prompt)}
    return len(numbers) > 1 and given.key in {canonical(normalise(number)) for number in numbers}


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
