"""What the cleaners share: which texts they mend, where mathematics stands, what is left alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from srpo.data.candidate import Candidate
from srpo.data.curate.rule import Cleaner

# The mended text, and what was done in a few words; "" where nothing was.
Mended = tuple[str, str]
Mend = Callable[[str], Mended]

# Drawings and listings mean what they are, to the blank.
_VERBATIM = re.compile(
    r"\[asy\].*?(?:\[/asy\]|\Z)|```.*?(?:```|\Z)|\\begin\{verbatim\}.*?(?:\\end\{verbatim\}|\Z)",
    re.S,
)
_MATH = re.compile(
    r"\\\\|\\(?P<escape>[\[\]()$])|(?P<dollar>\$\$?)|\\(?P<block>begin|end)\{"
    r"|(?P<blank>\n[ \t]*+\n)"
)


def prompts(name: str, math: Mend | None, code: Mend | None = None) -> Cleaner:
    """The cleaner of that name, which mends the prompts of each domain by its own function."""

    def cleaner(candidate: Candidate) -> Candidate:
        mend = math if candidate.domain == "math" else code
        if mend is None:
            return candidate
        text, done = mend(candidate.prompt)
        return (
            replace(candidate, prompt=text, changes=_with(candidate, done)) if done else candidate
        )

    cleaner.__name__ = name
    return cleaner


def all_texts(name: str, math: Mend, code: Mend, answer: Mend | None = None) -> Cleaner:
    """As `prompts`, and for answers, solutions and system messages too; never for tests or
    programs. `answer` is for answers, where they take something else."""

    def cleaner(candidate: Candidate) -> Candidate:
        mend = math if candidate.domain == "math" else code
        for field in ("prompt", "solution", "system"):
            text = getattr(candidate, field)
            if text is not None:
                mended, done = mend(text)
                if done:
                    done = done if field == "prompt" else f"{field}: {done}"
                    changes = _with(candidate, done)
                    candidate = replace(candidate, **{field: mended}, changes=changes)
        golds = [(answer or mend)(gold) for gold in candidate.answer]
        for _, done in golds:
            if done:
                candidate = replace(candidate, changes=_with(candidate, f"answer: {done}"))
        if any(done for _, done in golds):
            candidate = replace(candidate, answer=tuple(gold for gold, _ in golds))
        return candidate

    cleaner.__name__ = name
    return cleaner


def _with(candidate: Candidate, done: str) -> tuple[str, ...]:
    return candidate.changes if done in candidate.changes else (*candidate.changes, done)


def times(count: int, thing: str) -> str:
    """`a link`, `2 links`."""
    article = "an" if thing[0] in "aeiou" else "a"
    return f"{article} {thing}" if count == 1 else f"{count} {thing}s"


def substitute(pattern: re.Pattern[str], new: str, text: str, done: str) -> Mended:
    """`new`, as `re` writes replacements, in the place of what matches."""
    mended, count = pattern.subn(new, text)
    return (mended, done) if count and mended != text else (text, "")


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text in parts; True for drawings and listings, which are left alone."""
    end = 0
    for match in _VERBATIM.finditer(text):
        yield False, text[end : match.start()]
        yield True, match[0]
        end = match.end()
    yield False, text[end:]


def outside_verbatim(mend: Callable[[str], str], text: str) -> str:
    """`mend` for all but drawings and listings."""
    return "".join(part if verbatim else mend(part) for verbatim, part in pieces(text))


class MathSpans:
    """Where in a text mathematics stands: between dollars, brackets, and in environments.

    A single dollar's ends at the next blank line, for it may be one of money.
    """

    def __init__(self, text: str) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        state, start, depth = "", 0, 0
        for match in _MATH.finditer(text):
            token = match["escape"] or match["dollar"] or match["block"]
            if match["blank"]:
                if state == "$":
                    state = ""
            elif token is None or match[0] == r"\$":
                continue
            elif not state:
                closing = {"[": "]", "(": ")", "$": "$", "$$": "$$", "begin": "end"}.get(token)
                if closing:
                    state, start, depth = closing, match.end(), 1
            elif state == "end" and token == "begin":
                depth += 1
            elif token == state or (state == "$" and token == "$$"):
                depth -= 1
                if depth == 0:
                    self.starts.append(start)
                    self.ends.append(match.start())
                    start, depth = match.end(), 1
                    state = "$" if (state, token) == ("$", "$$") else ""

    def inside(self, place: int) -> bool:
        """Whether the character at `place` is within mathematics."""
        index = bisect_right(self.starts, place) - 1
        return index >= 0 and place < self.ends[index]
