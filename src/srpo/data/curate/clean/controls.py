"""Control characters: LaTeX commands whose backslash and first letter were read as an escape are
restored, all others go."""

from __future__ import annotations

import re
from collections import Counter

from srpo.data.curate.clean.texts import MathSpans, Mended, all_texts

# By the control character: the letter it stands for, rests of commands that are no English words,
# and rests that are (or are short), which are believed within mathematics only.
_EATEN: dict[str, tuple[str, str, str]] = {
    "\x07": (
        "a",
        "lpha ngle pprox rctan rcsin rccos rccot leph malg symp bs",
        "st cute rg",
    ),
    "\x08": (
        "b",
        "egin eta inom oxed mod igl igr igcup igcap igwedge ullet oldsymbol ecause ackslash "
        "igoplus igotimes iggl iggr igg oxtimes",
        "ar ig f ot reve race eth old",
    ),
    "\t": (
        "t",
        "imes heta riangle extbf extit extrm exttt extstyle ilde herefore anh riangleq frac ext",
        "an au o op ag",
    ),
    "\n": ("n", "", "eq abla otin"),
    "\x0b": ("v", "ec arepsilon arphi artheta arnothing dots", "ee ert dash"),
    "\x0c": ("f", "rac orall", "lat rown box"),
    "\r": ("r", "ight ightarrow ceil", "floor brace angle vert ho m"),
}
_BRACED = {"ext", "extbf", "extit", "extrm", "exttt", "frac", "rac", "ilde"}
_CANDIDATE = re.compile("([\x07\x08\t\n\x0b\x0c\r])([A-Za-z]+)(?=([ \t]?)(.?))")
_SURE = {char: frozenset(sure.split()) for char, (_, sure, _) in _EATEN.items()}
_LIKELY = {char: frozenset(likely.split()) for char, (_, _, likely) in _EATEN.items()}
_BLANKS = "\t\n\r"  # may also be what they are
_PAGE = re.compile("(?<=\\w)[\x0c\x1c-\x1f\x85](?=\\w)")
_OTHER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Of Windows-1252: quotation marks, bullet and dashes.
_WINDOWS = dict(zip(range(0x91, 0x98), "‘’“”•–—", strict=True))  # noqa: RUF001


def _restored(text: str, whole: bool, prose: bool) -> Mended:
    """`whole`: all of it is mathematics, as answers are. `prose`: it is no program's statement,
    where a tab may be an indentation."""
    if not any(char in text for char in _EATEN):
        return text, ""
    spans: MathSpans | None = None
    found: Counter[str] = Counter()

    def mend(match: re.Match[str]) -> str:
        nonlocal spans
        char, rest = match[1], match[2]
        sure = rest in _SURE[char]
        if not sure and rest not in _LIKELY[char]:
            return match[0]
        if char in _BLANKS and rest in _BRACED and not (match[4] == "{" or match[4].isdigit()):
            return match[0]
        if not whole and not (sure and (prose or char not in _BLANKS)):
            spans = spans or MathSpans(text)
            if not spans.inside(match.start()):
                return match[0]
        command = "\\" + _EATEN[char][0] + rest
        found[command] += 1
        return command

    mended = _CANDIDATE.sub(mend, text)
    return mended, _done(found)


def _done(found: Counter[str]) -> str:
    shown = [f"{command} x{count}" for command, count in sorted(found.items())]
    return "restored " + ", ".join(shown) if shown else ""


# TeX's own codes of ligatures, from files made of its output; `ﬁ` may stand beside what it stands
# for. A form feed before a word is one only where the word needs it.
_OF_TEX = {"\x0b": "ff", "\x0c": "fi", "\x0e": "ffi", "\x0f": "ffl"}
_LIGATURE = re.compile("(?<=[a-z])[\x0b\x0c\x0e\x0f](?=[a-z])|(?<![^\\s(])\x0c(?=[a-z])")
_NEEDS_FI = re.compile(
    r"(?:nd|nds|nding|rst|ve|ves|gure|gures|ll|lls|lled|nal|nally|eld|elds|nite|nish|nished|xed|fth"
    r"|fteen|fty|lm|lms|sh|re|t|ts|tted|tting|nger|ngers)(?![a-z])"
)


def _with_ligatures(text: str) -> Mended:
    """The letters of TeX's ligatures in the place of their codes."""
    if not any(code in text for code in _OF_TEX):
        return text, ""
    found: Counter[str] = Counter()

    def mend(match: re.Match[str]) -> str:
        letters, start, end = _OF_TEX[match[0]], match.start(), match.end()
        if text.startswith(letters, end) or text.endswith(letters, max(0, start - 3), start):
            return ""
        if not text[start - 1 : start].isalpha() and not _NEEDS_FI.match(text, end):
            return match[0]
        found[letters] += 1
        return letters

    return _LIGATURE.sub(mend, text), _done(found)


def _plain(text: str) -> Mended:
    """Line ends are newlines; newlines and tabs stay."""
    text, ligatures = _with_ligatures(given := text)
    mended, done = _without_controls(text)
    done = ", ".join(filter(None, (ligatures, done)))
    return mended, done or ("removed control characters" if mended != given else "")


def _without_controls(text: str) -> Mended:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    mended = _PAGE.sub(" ", lines.translate(_WINDOWS)) if not lines.isascii() else lines
    mended = _OTHER.sub("", _PAGE.sub(" ", mended))
    if mended != lines:
        return mended, "removed control characters"
    return (lines, "line ends made newlines") if lines != text else (text, "")


eaten_commands = all_texts(
    "eaten_commands",
    math=lambda text: _restored(text, whole=False, prose=True),
    code=lambda text: _restored(text, whole=False, prose=False),
    answer=lambda text: _restored(text, whole=True, prose=True),
)
control_characters = all_texts("control_characters", math=_plain, code=_plain)
