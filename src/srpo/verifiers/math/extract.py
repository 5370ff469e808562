"""Find the answer that a mathematical response commits to. Linear time, no backtracking."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BARE_BOX = re.compile(  # \\boxed 42, to the end of the formula or to the next word
    r"\\boxed\s{0,3}(?=-?\.?\d|\\(?:d?frac|sqrt|pi)(?![a-zA-Z])|[a-zA-Z](?![a-zA-Z]))"
    r"((?:(?!\\[)\]]|\\boxed|,?\s{1,9}(?!(?:or|and)\b)[^\W\d_]{2}|[.;]+(?:\s|\Z))[^$\n]){1,100})"
)
_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.S)
_TAG_OPEN, _TAG_CLOSE = "<answer>", "</answer>"
_HASHES = re.compile(r"(?<!#)#{4,}[ \t]*([^\s#][^\n]*)")
_VALUE = re.compile(r"[-+]?\s*(?:[$\\(\[]|\.?\d)")  # how a number or formula starts
_NUMBERED = re.compile(r"\d+(?:[.):]\s+[A-Za-z]|\s+[A-Z])")  # 2. Verification
_HEADING = re.compile(  # "Final Answer" on a line of its own
    r"^[ \t]*(?:#{1,6}[ \t]*|\*\*)(?:the[ \t])?(?:final[ \t])?answer:?(?:\*\*)?:?[ \t]*\n"
    r"\s*(\$\$[^$]{1,300}\$\$|\\\[.{1,300}?\\\]|[^\n]{1,300})",
    re.I | re.M | re.S,
)
_SENTENCE = re.compile(
    r"[A-Z](?:(?!\s(?:is|are|equals)\s)[^\d$\\=])*\s(?:is|are|equals)\s(?!not\b)"
    r"((?:(?!\s(?:is|are|equals|or|not)\s).)+)",
    re.S,
)
_KEY = re.compile(r'"(?:final_)?answer"\s*:\s*')
_UNESCAPED = re.compile(  # no JSON escape: \\u03c0, \\n and \\t where no command starts so
    r'(?<!\\)\\(?![\\"/]|u[0-9a-fA-F]{4}|n(?![a-zA-Z]{2}|[eiu])|t(?![a-zA-Z]{2}|o)'
    r"|r(?![a-zA-Z]{2}|m)|[bf](?![a-zA-Z]))"
)
_PHRASE = re.compile(r"[Aa](?:nswer|NSWER)(?:\s{1,3}(?:is|are|IS|ARE)\b|\s{0,3}[:=]|\*{1,2}:)")
_FINAL = re.compile(r"(?:[Ff]inal|FINAL)\s{1,3}\Z")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$|\\?[\"*])|\n|<\|")
_NEWS = re.compile(r"\$|\\[(\[]|\d")
_JOINT = re.compile(  # what may stand between two boxes of one and the same answer
    r"(?:[\s,;$&}]|\\[()\[\],;!: ]|\\quad|\\qquad|\\text\s{0,3}\{|for part \([a-z]\)|(?:and|or)\b"
    r"|[A-Za-z](?:_\{?[0-9a-z]\}?)?\s{0,3}=)*"
)
_FORMULA = re.compile(
    r"(?<!\\)\$([^$]{1,400})(?<!\\)\$|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.S
)
_NUMBER = re.compile(r"(?<![A-Za-z])-?(?:\d[\d,]*(?:\.\d+)?(?:/\d+)?|\.\d+)%?")
_WORD = re.compile(r"[^\W\d_]{2,}")
MAX_JOINT = 60
MAX_WHOLE = 200
MAX_TAIL = 4000
MAX_OPENED = 2000  # twice what an answer may have


def boxed_spans(text: str) -> tuple[list[tuple[int, int, int]], bool]:
    """Every outermost box as (start of the command, start and end of the content), and
    whether one stays open at the end. Escaped braces (\\{ \\}) do not count."""
    spans: list[tuple[int, int, int]] = []
    at = 0
    while match := _BOX.search(text, at):
        end = _closing(text, match.end())
        if end is None:
            return spans, True
        spans.append((match.start(), match.end(), end))
        at = end + 1
    return spans, False


def extract_answer(text: str, prose: bool = False) -> str | None:
    """The last answer that the response marks as one; None when there is none.

    Marks are \\boxed{}, <answer></answer>, "answer" in JSON, ####, "the answer is". A box, or a
    <think>, that stays open at the end means that the response was cut off: None. `prose`
    takes, where nothing is marked, the last formula or number of the text: for grading models
    that were never told to mark their answer, not for training.
    """
    spans, unclosed = boxed_spans(text)
    if unclosed or text.rfind("<think>") > text.rfind("</think>"):
        return None
    phrases = list(_outside(spans, _PHRASE.finditer(text)))
    marked = [
        found
        for found in (_boxes(text, spans), _tag(text, spans), _json(text), _heading(text, spans))
        if found is not None
    ]
    hashes = _hashes(text, spans, overrides=bool(marked or phrases))
    marked += [hashes] if hashes else []
    phrase = _phrase(text, phrases, overrides=bool(marked))
    if phrase is not None:
        marked.append(phrase)
    answer = max(marked, key=lambda found: found[0])[1] if marked else None
    loose = answer is not None and phrase is not None and answer == phrase[1]
    if prose and (answer is None or (loose and not _short(answer))):
        answer = _from_prose(answer or text)
    return answer.strip() or None if answer else None


def _outside(
    spans: list[tuple[int, int, int]], matches: Iterator[re.Match[str]]
) -> Iterator[re.Match[str]]:
    """Those that do not start inside a box: what is there is part of its answer."""
    starts = [start for start, _, _ in spans]
    for match in matches:
        before = bisect_right(starts, match.start()) - 1
        if before < 0 or match.start() >= spans[before][2]:
            yield match


def _boxes(text: str, spans: list[tuple[int, int, int]]) -> tuple[int, str] | None:
    """The last box, with those right before it that only commas, "and" or "or" keep apart."""
    bare = list(_BARE_BOX.finditer(text, spans[-1][2] if spans else 0))
    if bare and not (spans and bare[-1][1][0].isalpha()):
        content = bare[-1][1]
        return bare[-1].start(), content[: _closing(content, 0)].rstrip(" ,;.")
    if not spans:
        return None
    parts = [_opened(text[spans[-1][1] : spans[-1][2]])]
    for (_, start, end), (after, _, _) in zip(reversed(spans[:-1]), reversed(spans), strict=False):
        between = text[end + 1 : after]
        if len(between) > MAX_JOINT or "\n\n" in between or not _JOINT.fullmatch(between):
            break
        parts.append(_opened(text[start:end]))
    return spans[-1][0], ", ".join(reversed(parts))


def _opened(content: str) -> str:
    """What a box holds, without further marks around it: \\boxed{n = \\boxed{5}} is n = 5."""
    if found := _tag(content, []):
        return found[1]
    content = re.sub(r"\A\s*#{4,}\s*", "", content)
    if len(content) > MAX_OPENED or not _BOX.search(content):
        return content
    pieces: list[str] = []
    boxes: list[bool] = []
    at = 0
    for brace in _BRACE.finditer(content):
        opens, is_box = brace[0].endswith("{") and brace[0] != "\\{", len(brace[0]) > 2
        closes_box = brace[0] == "}" and bool(boxes) and boxes.pop()
        if opens:
            boxes.append(is_box)
        if (opens and is_box) or closes_box:
            pieces += [content[at : brace.start()], " "]  # not glued to what stands beside it
            at = brace.end()
    return re.sub(r"\s+", " ", "".join([*pieces, content[at:]])).strip()


def _tag(text: str, spans: list[tuple[int, int, int]]) -> tuple[int, str] | None:
    close = text.rfind(_TAG_CLOSE)
    start = text.rfind(_TAG_OPEN, 0, close) if close >= 0 else -1
    if start < 0 or any(box < close < end for box, _, end in spans):
        return None
    content = text[start + len(_TAG_OPEN) : close]
    boxes = _boxes(content, boxed_spans(content)[0])
    if found := boxes or _json(content):
        return close, found[1]
    sentence = _SENTENCE.fullmatch(content.strip().removesuffix(".")[:MAX_WHOLE])
    return close, sentence[1] if sentence else content


def _heading(text: str, spans: list[tuple[int, int, int]]) -> tuple[int, str] | None:
    """What stands under the heading "Final Answer", where that is nothing but an answer."""
    found = [match for match in _outside(spans, _HEADING.finditer(text)) if _short(match[1])]
    return (found[-1].start(), found[-1][1].strip(" *")) if found else None


def _hashes(
    text: str, spans: list[tuple[int, int, int]], overrides: bool
) -> tuple[int, str] | None:
    """What follows the last ####. Beside another mark, words and "2. Verification" are a
    heading."""
    found = list(_outside(spans, _HASHES.finditer(text)))
    values = [m for m in found if _VALUE.match(m[1]) and not _NUMBERED.match(m[1])]
    last = values[-1] if values else found[-1] if found and not overrides else None
    return (last.start(), last[1]) if last else None


def _json(text: str) -> tuple[int, str] | None:
    at = max(text.rfind('"answer"'), text.rfind('"final_answer"'))
    match = _KEY.match(text, at) if at >= 0 else None
    if not match or "{" not in text[:at]:
        return None
    # Half of the models do not escape LaTeX's backslashes: \frac is not a form feed.
    raw = _UNESCAPED.sub(r"\\\\", text[match.end() : match.end() + 2000])
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return None if isinstance(value, dict) or value is None else (at, str(value))


def _phrase(text: str, phrases: list[re.Match[str]], overrides: bool) -> tuple[int, str] | None:
    """What follows the last "the answer is". Once something else is marked only "final answer"
    counts, and only with a number or formula: "so the answer is correct" is no answer."""
    best = None
    for match in phrases:
        if not overrides or _FINAL.search(text, max(0, match.start() - 8), match.start()):
            best = match
    if best is None:
        return None
    at = best.end()
    while at < len(text) and (text[at].isspace() or text[at] in ":*"):
        at += 1
    end = _SENTENCE_END.search(text, at)
    sentence = text[at : end.start() if end else len(text)].strip().strip("*").rstrip(".")
    if overrides and not _NEWS.search(sentence):
        return None
    for verb in (" is ", " are "):
        sentence = sentence.rpartition(verb)[2]
    sentence = sentence.replace('\\"', " ").strip()
    return (best.start(), sentence) if sentence else None


def _short(answer: str) -> bool:
    words = _WORD.findall(re.sub(r"\\[a-zA-Z]+", " ", answer))
    words = [word for word in words if word not in ("and", "or")]
    first = bool(words) and answer.startswith(words[0]) and answer != words[0]
    return len(answer) <= MAX_WHOLE and len(words) < 2 and not first


def _from_prose(text: str) -> str | None:
    """The whole text when it is nothing but an answer, else its last formula or number."""
    text = text.strip()
    if _short(text):
        return text
    text = text[-MAX_TAIL:]
    formulas = list(_FORMULA.finditer(text))
    numbers = list(_NUMBER.finditer(text, formulas[-1].end() if formulas else 0))
    if numbers:
        return numbers[-1][0].strip(",")
    return next(group for group in formulas[-1].groups() if group) if formulas else None


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += -1 if brace[0] == "}" else brace[0].endswith("{") and brace[0] != "\\{"
        if not depth:
            return brace.start()
    return None
