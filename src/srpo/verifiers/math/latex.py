r"""One spelling for what LaTeX can write in many: the first step of every comparison.

After `normalise`, sets are in ⟬ ⟭, text is in double quotes, relations are single characters
(= ≠ < ≤ > ≥ ≈ ∈), and spacing, sizes, delimiters and currency signs are gone.
"""

from __future__ import annotations

import re

from srpo.verifiers.math.characters import to_latex
from srpo.verifiers.math.lines import join_lines
from srpo.verifiers.math.numbers import join_thousands

TEXT = (
    r"text|textbf|textit|textrm|textsf|texttt|textnormal|mbox|hbox|mathrm|mathbf|mathit"
    r"|operatorname|rm|bf"
)
_TEXT = re.compile(rf"\\(?:{TEXT})\s*\{{([^{{}}]*)\}}")
_FONT = re.compile(  # a variable or constant
    r"\\(?:(?:mathbf|mathit|operatorname)\s*\{\s*([a-zA-Z])|mathrm\s*\{\s*([eid]))\s*\}"
)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_LEAD = re.compile(  # the answer is, so, therefore
    r'\s*(?:"\s*(?:the\s)?(?:final\s)?answer(?:\sis)?\s*:?\s*"\s*:?'
    r"|(?:the\s)?(?:final\s)?answer(?:\sis\s|\s*:)"
    r'|"\s*(?:so|thus|hence|therefore)\s*,?\s*"\s*,?'
    r"|\\(?:therefore|Rightarrow|implies|Longrightarrow)(?![a-zA-Z]))",
    re.I,
)
_SECONDS = re.compile(r"((?:'|prime\s*\}?|\N{PRIME})\s*\d+(?:\.\d+)?\s*)\"")  # of an angle
_QUANTITY = re.compile(  # of a text: \text{12 apples}
    r"\s*((?:\\?\$)?-?\d[\d.,:/]*(?:\\?%)?)(?:\s+([a-zA-Z].*)|\s*)", re.S
)
_IN_PARENTHESES = re.compile(r"\s*\((-?\d[\d.,]*)\)\s*")  # \textbf{(113) }
_RM = re.compile(r"\{\\(?:rm|bf|it)\s+([^{}]*)\}")
_SILENT = {
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl",
    "biggr", "middle", "displaystyle", "textstyle", "limits", "nolimits", "noindent",
    "mathopen", "mathclose", "mathstrut", "boldsymbol", "underline", "bm",
}  # fmt: skip
_SPACE = {"quad", "qquad", "thinspace", "enspace", "space"}
_COMMANDS = {
    "dfrac": "\\frac", "tfrac": "\\frac", "cfrac": "\\frac",
    "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥",
    "ne": "≠", "neq": "≠", "lt": "<", "gt": ">", "in": "∈", "cup": "\N{UNION}", "approx": "≈",
    "simeq": "≈", "pm": "±", "colon": ":", "lbrace": "⟬", "rbrace": "⟭", "langle": "(",
    "rangle": ")", "lbrack": "[", "rbrack": "]", "vert": "|", "mid": "|", "times": "\\cdot ",
    "ast": "\\cdot ", "emptyset": "∅", "varnothing": "∅", "degree": "^\\circ ",
    "varepsilon": "\\epsilon ", "percent": "%", "lvert": "|", "rvert": "|",
    "dots": "\\ldots ", "cdots": "\\ldots ", "dotsc": "\\ldots ", "dotsb": "\\ldots ",
    "dotsm": "\\ldots ", "dotso": "\\ldots ", "hdots": "\\ldots ", "backslash": "\\setminus ",
    "smallsetminus": "\\setminus ", "arrowvert": "|", "varphi": "\\phi ", "vartheta": "\\theta ",
}  # fmt: skip
_CHARACTERS = {
    "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{MULTIPLICATION SIGN}": "\\cdot ",
    "·": "\\cdot ", "⋅": "\\cdot ", "*": "\\cdot ",
    "π": "\\pi ", "∞": "\\infty ", "°": "^\\circ ", "²": "^2", "³": "^3", "÷": "/",
    "<=": "≤", ">=": "≥", "!=": "≠", "**": "^", "€": " ", "£": " ", "¥": " ",
    "\N{FULLWIDTH COLON}": ":", "\N{FULLWIDTH COMMA}": ",",
    "...": "\\ldots ", "…": "\\ldots ",
    "~": " ", "\N{NO-BREAK SPACE}": " ", "$": " ", '"': "",
}  # fmt: skip
_TOKEN = re.compile(
    r"\\([a-zA-Z]+)\s*|\\(.)|"
    + "|".join(map(re.escape, sorted(_CHARACTERS, key=len, reverse=True))),
    re.S,
)
_SYMBOL = {"{": "⟬", "}": "⟭", "%": "%", "$": " ", "\\": "\\\\", "|": "|", "_": "_", "&": "&"}
_GREEK = (
    r"alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    r"|upsilon|phi|chi|psi|omega|cdot|ldots"
)
_ARGUMENT_NEXT = re.compile(rf"(?:[\^_}}\]\d]|\\(?!(?:{_GREEK})(?![a-z]))[a-zA-Z]+)\s*\Z", re.I)
_COMMAND_END = re.compile(r"\\[a-zA-Z]+\Z")


def _primes(match: re.Match[str]) -> str:
    return "'" * max(1, len(re.findall(r"\\prime|'", match[1] or "")))


def _bare(match: re.Match[str]) -> str:
    """{g} as g, where it is no command's argument."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    if _ARGUMENT_NEXT.search(before):
        return match[0]
    return " " * bool(_COMMAND_END.search(before)) + match[1] + " " * (len(match[1]) > 1)


_FIXES = [
    (re.compile(r"\\frac\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\frac\s*([0-9a-zA-Z])\s*\{"), r"\\frac{\1}{"),
    (re.compile(r"(\\frac\s*\{[^{}]*\})\s*([0-9a-zA-Z])"), r"\1{\2}"),
    (re.compile(r"\\frac\s*\\pi\s*([0-9a-zA-Z])"), r"\\frac{\\pi}{\1}"),
    (re.compile(r"\\sqrt\s*([0-9a-zA-Z])"), r"\\sqrt{\1}"),
    (re.compile(r"\\?\bsqrt\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(r"\^\s*\(([^()]*)\)"), r"^{\1}"),
    (re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])"), r"\\pi "),
    (re.compile(r"([\^_])\s*\{\s*([0-9a-zA-Z])\s*\}"), r"\1\2"),
    (re.compile(r"_\{?\"([^\"{}]*)\"\}?"), r"_{\1}"),
    (re.compile(r"_\{([0-9a-zA-Z])\}"), r"_\1"),
    (re.compile(r"\^\{\s*\\circ\s*\}"), r"^\\circ "),
    (re.compile(r"\^\{((?:\s*(?:\\prime(?![a-zA-Z])|'))+)\s*\}|\^\\prime\s*"), _primes),
    (re.compile(r"(\\(?:vec|bar|hat|tilde|overline)) ([a-zA-Z])"), r"\1{\2}"),
    (re.compile(rf"\{{\s*([a-zA-Z]|\\(?:{_GREEK}))\s*\}}"), _bare),
    (re.compile(r"(?<=\d)\s*\{\s*,\s*\}\s*(?=\d)"), ","),
    (re.compile(r"(?:\\mathbb\s*\{?R\}?|\u211d)(?![\^_a-zA-Z])"), r"(-\\infty,\\infty)"),
    (re.compile(r"\s+"), " "),
]
_IDLE_SPACE = re.compile(
    r"(?<![a-zA-Z\d]) | (?![a-zA-Z\d])|(?<=\d) (?=[a-zA-Z])|(?<=[a-zA-Z]) (?=\d)"
)
_ENVIRONMENT = re.compile(r"\\begin\{(?:[a-z]?matrix|array|cases|aligned)\}")


def normalise(text: str) -> str:
    """Linear in the length of `text`. What it does not know stays as it is."""
    text = to_latex(_SECONDS.sub(r"\1''", text.strip()).replace('"', ""))
    if bold := _BOLD.fullmatch(text):
        text = bold[1].strip()
    if not _ENVIRONMENT.search(text):
        text = re.sub(r"\\\\(?=[a-zA-Z]{2})", r"\\", text)  # a backslash escaped once too often
    text = re.sub(r"\\(?:left|right)\s*\.", "", join_lines(text))
    text = re.sub(r"(?<=\d),\\!\s*(?=\d)", "{,}", text)
    text = _TEXT.sub(_quote, _RM.sub(r'"\1"', join_thousands(_FONT.sub(r" {\1\2}", text))))
    text = _outside_quotes(_LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
    for pattern, replacement in _FIXES:
        text = pattern.sub(replacement, text)
    text = text.strip()
    while text[-1:] in (".", ",", ";", ":") and not text.endswith(".."):
        text = text[:-1].rstrip()
    return text


def _quote(match: re.Match[str]) -> str:
    content = match[1]
    if number := _IN_PARENTHESES.fullmatch(content):
        return number[1]
    if quantity := _QUANTITY.fullmatch(content):
        return quantity[1] + (f' "{quantity[2]}"' if quantity[2] else "")
    return f'"{content}"' if content.strip() else " "


def _outside_quotes(text: str) -> str:
    parts = text.split('"')
    parts[::2] = [_TOKEN.sub(_replace, part) for part in parts[::2]]
    return '"'.join(parts)


def _replace(match: re.Match[str]) -> str:
    command, symbol = match[1], match[2]
    if command is not None:
        if command in _SILENT or command in _SPACE:
            return " "
        return _COMMANDS.get(command) or match[0].rstrip() + " " * match[0][-1:].isspace()
    if symbol is not None:
        if symbol in "!,;:> ()[]":
            return " "
        return _SYMBOL.get(symbol, match[0])
    return _CHARACTERS[match[0]]


def canonical(text: str) -> str:
    """Normalised text without the spaces and quotes that change no meaning, for `==`.

    A space between two letters or two digits stays: \\pi r, and 2 1/2 is not 21/2."""
    text = text.replace('"', "").replace("\\cdot", "\\cdot ").replace("  ", " ")
    return _IDLE_SPACE.sub("", text)
