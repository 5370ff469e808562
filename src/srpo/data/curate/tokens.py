r"""A question as tokens in which spelling no longer shows: what comparisons of texts work on.

`$\dfrac{1}{2}$`, `\(\frac 1 2\)` and `\frac{1}{2}` have the same tokens; a number, a command, a
variable, an operator or a word less is another text.
"""

# ruff: noqa: RUF001, SIM905 (signs that look alike are the point; tables of words)

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"\\[a-zA-Z]+|\d+(?:\.\d+)?|[^\W\d_]+|[^\s\w]|_")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # written without spaces
_GROUPED = re.compile(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))")
_MARKUP = re.compile(r"\\[()\[\]]|\[/?(?:i|b|u|center|hide|quote|list)\]|\*\*")
_FUNCTION = re.compile(
    r"\\(?=(?:arc)?(?:sin|cos|tan|cot|sec|csc)|gcd|lcm|max|min|log|ln|lg|exp|lim|sup|inf|det|mod)"
)
# LaTeX takes one digit where there are no braces: \\frac14 is a quarter, \\log_82 is \\log_8 2.
_BARE = re.compile(r"(\\(?:[dtc]?frac|binom) ?\d|(?<!\d)[_^]\d)(?=\d)")
_BULLET = re.compile(r"^[ \t]{0,8}(?:[-•*]|\\item)[ \t]", re.M)
_REQUEST = re.compile(
    r"\b(?:please )?(?:provide|give|express|enter|write|state) (?:your|the) (?:final )?answers?"
    r" as an? (?:whole number|integer)\b|\bthe (?:length|value|measure|total number|number) of\b",
    re.I,
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end) ?\{[^{}]{1,20}\}(?:\{[lcr| ]{1,20}\})?")
_DRAWN = re.compile(r"\[asy\][^\[]{0,20000}(?:\[(?!/asy\])[^\[]{0,2000}){0,500}\[/asy\]")
# Commands and signs that say how something looks.
_LOOKS = frozenset(
    """
    \\left \\right \\big \\Big \\bigg \\Bigg \\bigl \\bigr \\Bigl \\Bigr \\displaystyle \\textstyle
    \\quad \\qquad \\text \\textbf \\textit \\textrm \\emph \\underline \\mathrm \\mathbf \\mathbb
    \\mathcal \\mbox \\hbox \\operatorname \\rm \\bf \\it \\ensuremath \\limits \\nolimits
    \\cal \\noindent \\par \\boldsymbol \\bm \\lbrace \\rbrace
    """.split()
)
_SIGNS = frozenset("$\\{}.,;:!?\"'`~#_[]、。，；：！？（）“”‘’…·&")
_BRACKETS = frozenset("( ) | / ^ × a A \\frac \\ldots \\parallel \\overline \\item".split())
_SPELLINGS: dict[str, str] = {
    "\\dfrac": "\\frac", "\\df": "\\frac", "\\minus": "-", "\\equal": "=", "\\plus": "+",
    "\\Z": "Z", "\\N": "N", "\\R": "R",
    "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\le": "≤", "\\leq": "≤",
    "\\leqslant": "≤", "\\ge": "≥", "\\geq": "≥", "\\geqslant": "≥", "\\ne": "≠", "\\neq": "≠",
    "\\cdot": "×", "\\times": "×", "*": "×", "·": "×", "\\dots": "\\ldots", "\\cdots": "\\ldots",
    "\\lt": "<", "\\gt": ">", "−": "-", "–": "-", "—": "-", "\\degree": "\\circ", "°": "\\circ",
    "\\lvert": "|", "\\rvert": "|", "\\vert": "|", "\\mid": "|",
    "\\pi": "π", "\\infty": "∞", "\\sqrt": "√", "\\triangle": "△", "\\angle": "∠",
    "\\varnothing": "∅", "\\emptyset": "∅", "\\pmod": "mod", "\\ds": "\\sum",
    "\\bigcup": "\\cup", "\\bigcap": "\\cap", "与": "和", "及": "和",
    "\\bigtriangleup": "△", "\\vartriangle": "△",
}  # fmt: skip


def drawing_of(text: str) -> str:
    """The code of the figures in it, without blanks; empty where there is none."""
    return "".join("".join(_DRAWN.findall(text)).split())


def tokens_of(text: str) -> list[str]:
    """Numbers, commands, single letters, signs and words of several letters, these in small
    letters; a Chinese or Japanese character each by itself. Drawings are left out, see
    `drawing_of`."""
    text = _BULLET.sub(" ", _DRAWN.sub(" ", unicodedata.normalize("NFKC", text)))
    text = _FUNCTION.sub("", _MARKUP.sub(" ", _ENVIRONMENT.sub(" ", text)))
    text = _BARE.sub(r"\1 ", _REQUEST.sub(" ", _GROUPED.sub("", text)))
    found: list[str] = []
    tokens: list[str] = _TOKEN.findall(text)
    for token in tokens:
        if token in _LOOKS or token in _SIGNS:
            continue
        if len(token) > 1 and token[0] != "\\" and not token[0].isdigit():
            found += _words(token)
        else:
            found.append(_SPELLINGS.get(token, token))
    return found


def _words(token: str) -> list[str]:
    if not _WIDE.search(token):
        return [token.lower()]
    parts = re.split(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])", token)
    return [part.lower() if len(part) > 1 else _SPELLINGS.get(part, part) for part in parts if part]


def is_hard(token: str) -> bool:
    """Whether it is a number, variable, operator or command: what a formula says. Brackets and
    signs of products are written in too many ways, and "a" is a word more often."""
    return not is_word(token) and token not in _BRACKETS


def is_number(token: str) -> bool:
    """Whether it is digits."""
    return token[0].isdigit()


def is_word(token: str) -> bool:
    """Whether it is prose: no number, no command, no single letter, no sign."""
    return (len(token) > 1 or bool(_WIDE.match(token))) and token[0].isalpha()
