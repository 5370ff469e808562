"""Blanks and line ends: sentences that were glued to others, `\\n` in letters, runs of blanks."""

from __future__ import annotations

import re

from srpo.data.curate.clean.texts import MathSpans, Mended, outside_verbatim, prompts

# Commands that begin with n, without it: `\neq` is no line end before `eq`.
_COMMANDS = (
    r"(?:abla|atural|e|earrow|eg|eq|eqq|eqslant|ewline|ewcommand|ewpage|exists|geq|geqq|geqslant|gtr"
    r"|gtrless|i|leftarrow|leftrightarrow|leq|leqq|leqslant|less|mid|obreak|oindent|olimits|onumber"
    r"|ormalsize|orm|ot|otag|otin|otni|parallel|prec|preceq|rightarrow|shortmid|shortparallel|sim"
    r"|subset|subseteq|succ|succeq|supset|supseteq|triangleleft|triangleright|u|ull|vdash|warrow"
    r"|cong|um)(?![A-Za-z])"
)
# `$\n$` may be of a macro; after a formula's end comes prose.
_WRITTEN = re.compile(
    rf"(?<!\\)\\n(?!{_COMMANDS})"
    r"(?:(?<=\$\\n)(?<!\$\$\\n)(?=[A-Z\u4e00-\u9fff]|\\n)|(?<![^$]\$\\n)(?=[^a-z]|[a-z][^A-Za-z]|\Z))"
)


def _written_newlines(text: str) -> Mended:
    r"""A backslash and an n that stand for a line end."""
    if r"\n" not in text:
        return text, ""
    mended = outside_verbatim(lambda part: _WRITTEN.sub("\n", part), text)
    return (mended, r"made written \n to line ends") if mended != text else (text, "")


_BEGINS = (
    r"(?:The|Find|What|Please|Given|If|How|Let|Express|Compute|Determine|Suppose|Provide|Note|For|In"
    r"|This|When|Write|Where|Here|Evaluate|Calculate|Simplify|Assume|Consider|Answer|Give|Solve|Show"
    r"|Prove|Round|Enter|Which|Who|Each|There|It|We|Then|Thus|As|At|On|From|Is|Are|Do|Does|Recall)"
    r"(?![A-Za-z])"
)
_AFTER_STOP = rf"(?<=[a-z0-9$)\]}}\"'][.?!])(?={_BEGINS})"
_AFTER_BLOCK = rf"(?<=\$|\]|\}})(?={_BEGINS})"
_GLUED = re.compile(rf"{_AFTER_STOP}|{_AFTER_BLOCK}")
_ENDS = re.compile(r"(?:\\\]|\[/asy\]|\[image\]|\$|\\end\{[a-z]{1,12}\*?\})\Z")


def _glued(text: str) -> Mended:
    spans = MathSpans(text)
    parts, end = [], 0
    for match in _GLUED.finditer(text):
        place = match.start()
        before = text[max(0, place - 24) : place]
        if spans.inside(place) or not (before[-1] in ".?!" or _ENDS.search(before)):
            continue
        parts.append(text[end:place])
        end = place
    return (" ".join([*parts, text[end:]]), "parted glued sentences") if parts else (text, "")


_TRAILING = re.compile(r"(?<![ \t])[ \t]+(?=\n|\Z)")
_RUN = re.compile(r"(?:(?<=[^\s\\])|\A)[ \t]{2,3}(?=\S)")  # longer ones may be a gap to be filled
_TAB = re.compile(r"(?<=\S)\t(?=\S)")
_LINES = re.compile(r"\n{3,}")


def _trailing(match: re.Match[str]) -> str:
    r"""One blank after a backslash is the command `\ `."""
    return " " if match.string[match.start() - 1 : match.start()] == "\\" else ""


def _whitespace(text: str) -> Mended:
    def mend(part: str) -> str:
        # a blank after a backslash is a command
        part = _TRAILING.sub(
            lambda m: " " if m.string[m.start() - 1 : m.start()] == "\\" else "", part
        )
        return _LINES.sub("\n\n", _TAB.sub(" ", _RUN.sub(" ", part)))

    mended = outside_verbatim(mend, text).strip("\n\t ")
    return (mended, "tidied blanks") if mended != text else (text, "")


_BLANK_ENDS = re.compile(r"\A(?:[ \t]*+\n)+")


def _ends_of_code(text: str) -> Mended:
    """Only blank lines at the start and at the end: all others may be of samples."""
    rest = _BLANK_ENDS.sub("", text)
    stripped = rest.rstrip()
    line = rest[len(stripped) :].partition("\n")[0]  # the last line keeps its blanks
    mended = stripped + line
    return (mended, "tidied blanks") if mended != text else (text, "")


written_newlines = prompts("written_newlines", _written_newlines)
glued = prompts("glued", _glued)
whitespace = prompts("whitespace", _whitespace, _ends_of_code)
