"""Which of a response's fenced blocks is the program.

Fences are Markdown's: three or more backticks or tildes, in a list or a quotation too. The first
word of what follows an opening one is the language (`python`, `py title="a.py"`, `{.python}`).
A fence inside a text of three quotes of a Python block does not close the block.

Of the blocks after the thinking, the candidates are those marked as Python; where none is, those
without a language: what a program prints is often shown in one. The program is the last of them
that does what the tests ask for: that defines their names, all or at least one, or that reads
standard input. Where none does, it is the last one. A block that is still open at the end was cut
off: such a response has no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Block = tuple[str, str]  # language, content

_OPENS = re.compile(r"((?:[ \t>])*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}(?!.*`)|~{3,})([^\n]*)")
_CLOSES = re.compile(r"([ \t>]*)(`{3,}|~{3,})[ \t]*")
_LANGUAGE = re.compile(r"[\s{.]*([^\s{},:=]*)")
_IS_PYTHON = re.compile(r"(?:i?python|py)[\d.]*")
# A text that ends with its line at the latest: one way to match, linear on any line.
_TOKEN = re.compile(r"""\"{3}|'{3}|"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)|\#""")
_READS_INPUT = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\s*\(\s*0\b|\bfileinput\b")


def extract_code(text: str, names: Iterable[str] = (), reads: bool = False) -> str | None:
    """The program in a response, None when there is none.

    names   what the tests ask for
    reads   whether they give it standard input
    """
    after = text.rpartition("</think>")[2]
    blocks, unclosed = fenced_blocks(after)
    if unclosed:
        return None
    if not (programs := _programs(blocks)) and after != text:
        blocks, unclosed = fenced_blocks(text)
        programs = [] if unclosed else _programs(blocks)
    if reads:
        asked = [code for code in programs if _READS_INPUT.search(code)]
    else:
        defines = [re.compile(_DEFINES.format(re.escape(name)), re.M) for name in names]
        counts = [sum(bool(d.search(code)) for d in defines) for code in programs]
        most = [c for c, n in zip(programs, counts, strict=True) if n and n == len(defines)]
        asked = most or [code for code, n in zip(programs, counts, strict=True) if n]
    return next(reversed(asked or programs), None)


_DEFINES = r"^(?:async[ \t]+)?(?:def|class)[ \t]+{0}\b|^{0}[ \t]*(?::[^=\n]*)?=(?!=)"


def is_python(language: str) -> bool:
    """Whether a block's language says that it is Python."""
    return _IS_PYTHON.fullmatch(language) is not None


def _programs(blocks: list[Block]) -> list[str]:
    marked = [content for language, content in blocks if is_python(language)]
    return marked or [content for language, content in blocks if not language]


def fenced_blocks(text: str) -> tuple[list[Block], bool]:
    """All closed blocks as (language, content), and whether the last fence stays open."""
    blocks, unclosed = _read(text, knows_texts=True)
    # A text of three quotes that is never closed is an error in the program: it ends nothing.
    return _read(text, knows_texts=False) if unclosed else (blocks, False)


def _read(text: str, knows_texts: bool) -> tuple[list[Block], bool]:
    blocks: list[Block] = []
    fence, indent, language, content, quotes, in_quotation = "", 0, "", [], "", False
    for line in text.split("\n"):
        bare = line.rstrip("\r")
        if not fence:
            if ("```" in line or "~~~" in line) and (opens := _OPENS.fullmatch(bare)):
                indent, fence, language = len(opens[1]), opens[2], _language(opens[3])
                content, quotes, in_quotation = [], "", ">" in opens[1]
        elif not quotes and _closes(bare, fence, indent):
            blocks.append((language, _dedented(content, indent)))
            fence = ""
        else:
            line = line.lstrip(" \t").removeprefix(">").removeprefix(" ") if in_quotation else line
            content.append(line)
            if knows_texts and is_python(language):
                quotes = _open_quotes(bare, quotes)
    return blocks, bool(fence)


def _language(words: str) -> str:
    found = _LANGUAGE.match(words)
    return found[1].lower() if found else ""


def _closes(line: str, fence: str, indent: int) -> bool:
    found = _CLOSES.fullmatch(line)
    if found is None or found[2][0] != fence[0] or len(found[2]) < len(fence):
        return False
    return len(found[1]) <= indent + 3  # deeper, it is part of what the block says


def _dedented(lines: list[str], indent: int) -> str:
    """Without the indentation of the fence, as far as the first line has it."""
    first = next((line for line in lines if line.strip()), "")
    most = min(indent, len(first) - len(first.lstrip(" \t")))
    cut = [line[min(most, len(line) - len(line.lstrip(" \t"))) :] for line in lines]
    return "\n".join(cut) + "\n"


def _open_quotes(line: str, quotes: str) -> str:
    """The three quotes that are open at the end of a line of Python, if any."""
    at = 0
    while True:
        if quotes:
            end = line.find(quotes, at)
            if end < 0:
                return quotes
            at, quotes = end + 3, ""
        found = _TOKEN.search(line, at)
        if found is None or found[0] == "#":
            return ""
        at = found.end()
        quotes = found[0] if len(found[0]) == 3 and found[0] in ('"""', "'''") else ""
