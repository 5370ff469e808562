"""What books, contests and forums put around a problem: at its start or end, and in exact shapes
only. A number, a year or a name within the problem belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from srpo.data.adapters.wrappers import unwrapped
from srpo.data.curate.clean.texts import Mended, prompts, substitute

_CONTEST = (
    r"(?:HMMT|AIME|AMC|AJHSME|AHSME|USAMO|USAJMO|USAMTS|IMO|ISL|APMO|BMO|EGMO|CMIMC|PUMaC|ARML|BMT"
    r"|SMT|CHMMC|NIMO|OMO|Math ?Prize|MATHCOUNTS|Putnam|Purple Comet|Tournament of Towns"
    r"|[A-Z][a-z]+ (?:Math(?:ematical)? )?(?:Olympiad|Competition|Contest))"
)
_POINTS = (
    r"[(\[（【]\s?(?:本?(?:小|大)?题)?\s?(?:满分|共)?\s?\d{1,3}\s?"  # noqa: RUF001
    r"(?:points?|pts?\.?|marks?|分)\s?[)\]）】]"  # noqa: RUF001
)
_OF_CONTEST = rf"[(\[](?:(?:19|20)\d\d,? )?{_CONTEST}\b[^\n()\[\]$]{{0,40}}[)\]]"
_OF_CHINA = (
    r"[(（【](?:19|20)\d\d[^()（）【】\n$]{0,30}(?:竞赛|联赛|高考|试题|试卷|预赛|模拟|奥林匹克|中考)"  # noqa: RUF001
    r"[^()（）【】\n$]{0,12}[)）】]"  # noqa: RUF001
)
_NUMBER = r"(?:No\.? ?|# ?)?[A-Z]?\d{1,3}(?:[-.]\d{1,2})?[a-z]?"
_WORD = r"(?:Problem|Exercise|Example|Question|Task)"
_OPEN, _CLOSE = r"(?:\*\*|#{1,4} ?|\\textbf ?\{ ?)", r"(?:\*\*|\}|:)"
_PREFIXES = [
    # Problem 3.  **Problem 3.**  \textbf{Problem 5.}  Problem 7-1 (40 points)  Example 5 Find
    re.compile(
        rf"\A{_OPEN}?{_WORD} {_NUMBER}"
        rf"(?: ?{_POINTS}[.:]?| ?[.:](?!\d)| ?{_CLOSE}[.:]?|(?=\n)|(?= [A-Z][a-z]+ ))"
        rf"{_CLOSE}?\s*"
    ),
    re.compile(rf"\A{_OPEN}?{_WORD}(?: Statement)?(?::\*\*|:\}}|\*\*:?|:|(?=\n))\s*", re.I),
    re.compile(r"\A[【\[]?(?:例|练习|问题)\s?\d{1,3}\s?(?:[】\]]|[.．:：、]|\s)\s*"),  # noqa: RUF001
    re.compile(r"\A第\s?\d{1,3}\s?题\s?[.．:：、]\s*"),  # noqa: RUF001
    re.compile(r"\A(?:题目|问题|题)\s?[:：]\s*"),  # noqa: RUF001
    re.compile(
        r"\A[一二三四五六七八九十]{1,3}\s?[、.．]\s*"  # noqa: RUF001
        r"(?=[（(【$]|设|已知|若|在|求|如图|给定|对)"  # noqa: RUF001
    ),
    re.compile(rf"\A(?:{_POINTS}|{_OF_CONTEST}|{_OF_CHINA})[.:]?\s*"),
    # (MON 1) of the shortlists, [10A] of the AMC
    re.compile(
        r"\A(?:\([A-Z]{3} ?\d{1,2}\)|\[(?:8|10|12)[AB]?\])(?:\$?\^\{?IMO\d?\}?\$?)? (?=[A-Z])"
    ),
    re.compile(
        rf"\A(?:19|20)\d\d {_CONTEST}[^\n.$?]{{0,30}}(?:Problem|#) ?\d{{1,2}}[.:]?[ ]?\n\s*"
    ),
]
# 12. In a rectangle
_COUNTED = re.compile(r"\A(\d{1,3}) ?(?:\.|\)|．|、)\s?(?=[A-Z$\\(（\[【\u4e00-\u9fff])")  # noqa: RUF001
_SUFFIXES = [
    re.compile(rf"(?<=[.?!。？\]\n])[ \n]?(?:{_POINTS}|{_OF_CONTEST}|{_OF_CHINA})\Z"),  # noqa: RUF001
]
_POINTS_OF_FORMULA = re.compile(
    r" ?\\(?:qquad|quad) ?[\[(] ?\d{1,3} ?\\text ?\{ ?points? ?\} ?[\])]"
    r"(?=\s{0,3}(?:\$\$|\\\])\s*\Z)"
)


_PEELS = 6  # headings one after the other


def _headings(text: str) -> Mended:
    rest, removed = text.strip(), []
    for _ in range(_PEELS):
        found = next(_edges(rest), None)
        if found is None:
            break
        start, end = found
        if not (shorter := (rest[:start] + rest[end:]).strip()):
            break
        removed.append(" ".join(rest[start:end].split()))
        rest = shorter
    return (rest, f"removed heading {', '.join(map(repr, removed))}") if removed else (text, "")


def _edges(text: str) -> Iterator[tuple[int, int]]:
    head = text[:200]  # prefixes are short, and nothing may be searched twice in a long text
    for pattern in _PREFIXES:
        if match := pattern.match(head):
            yield match.span()
    match = _COUNTED.match(head)
    if match and not _is_list(int(match[1]), text):
        yield match.span()
    tail = max(0, len(text) - 200)
    for pattern in (*_SUFFIXES, _POINTS_OF_FORMULA):
        if match := pattern.search(text, tail):
            yield match.span()


def _is_list(number: int, text: str) -> bool:
    """Whether the text goes on with the next number: then it is a list, not a problem's number."""
    return re.search(rf"(?:^|\s){number + 1} ?[.)．、]", text) is not None  # noqa: RUF001


_CREDIT = re.compile(
    r"\n[ \t]*+(?:\[i\]|[*_(（]{1,2}|\\(?:textit|emph)\{)?(?:Proposed|Posed|Suggested) by "  # noqa: RUF001
    r"[A-Z][^\n$\\\d?!\[\]]{1,120}(?:\[/i\]|\})?[ \t]*+(?=\n|\Z)",
    re.I,
)


def _credits(text: str) -> Mended:
    return substitute(_CREDIT, "", text, "removed a credit")


_TRANSLATION = re.compile(
    r"(?:Please )?\btranslate (?:the )?(?:above|following|given)"
    r"(?: (?:text|problem|question|content))? (?:in)?to English(?:,? (?:and )?(?:please )?"
    r"(?:keep|retain|maintain|preserv)(?:e|ing)? the (?:original|source) [^.\n]{0,140})?[.:] ?"
    r"|(?:Please )?\btranslate the text above into English[^.\n]{0,140}\. ?"
    r"|(?:Here is|The following is) the (?:English )?translation(?: of the (?:above )?text)?[^.:\n]"
    r"{0,60}[.:]\s?|The translation of the above text into English is as follows:\s?"
    r"|(?:请)?将(?:上面|上述|以上)的?文本翻译成英文[^。\n]{0,60}。?"
    r"|^Note: The (?:translation|translated text)[^\n]{0,200}(?:format|line breaks)[^\n]{0,60}$",
    re.I | re.M,
)
_MARK = re.compile(r"#\*(?=[\u4e00-\u9fff]|The |\s*\Z)")  # where the question was appended to


def _remarks(text: str) -> Mended:
    mended, what = substitute(_TRANSLATION, "", text, "removed a remark on translation")
    mended, mark = substitute(_MARK, "", mended, "removed the mark '#*'")
    return (mended, ", ".join(filter(None, (what, mark)))) if mended.strip() else (text, "")


def _instructions(text: str) -> Mended:
    rest = unwrapped(text)
    return (rest, "removed an instruction") if rest != text and rest.strip() else (text, "")


_DOLLARS = re.compile(r"\$+")


def _dollars(text: str) -> Mended:
    """Codeforces writes all its formulas between `$$$`. Where other runs stand, `$$$` is `$$` that
    touches `$`."""
    if "$$$" not in text:
        return text, ""
    runs = [len(run) for run in _DOLLARS.findall(text)]
    threes = sum(run // 3 for run in runs)
    if threes % 2 or any(run not in (3, 6) for run in runs):
        return text, ""
    return text.replace("$$$$$$", "$ $").replace("$$$", "$"), "made $$$ to $"


_TAGS = re.compile(r"\n\s{0,4}Tags:\s{0,3}\[(?![^\]\n]{0,400}interactive)[^\]\n]{0,400}\](?=\s|\Z)")
_HACKS = re.compile(
    r" ?\bYou (?:can|may) (?:only )?(?:make hacks?|hack)\b[^.\n]{0,120}\."
    r"| ?\bYou must solve [^.\n]{0,60} to be able to (?:make hacks?|hack)\.",
)


def _contest_boilerplate(text: str) -> Mended:
    """Tags give the solution away; those of interactive problems stay, for the rule that drops
    them."""
    mended, tags = substitute(_TAGS, "", text, "removed tags")
    mended, hacks = substitute(_HACKS, "", mended, "removed a sentence on hacks")
    return mended, ", ".join(filter(None, (tags, hacks)))


headings = prompts("headings", _headings)
credits_ = prompts("credits", _credits)
remarks = prompts("remarks", _remarks)
instructions = prompts("instructions", _instructions, _instructions)
dollars = prompts("dollars", _dollars, _dollars)
contest_boilerplate = prompts("contest_boilerplate", None, _contest_boilerplate)
