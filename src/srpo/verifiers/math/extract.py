"""Find the answer that a mathematical response commits to. Linear time, no backtracking."""

from __future__ import annotations

import json
import re

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BARE_BOX = re.compile(r"\\boxed\s{0,3}([0-9a-zA-Z])")
_BRACE = re.compile(r"\\.|[{}]", re.S)
_TAG_OPEN, _TAG_CLOSE = "<answer>", "</answer>"
_HASHES = re.compile(r"####[ \t]*(\S[^\n]*)")
_KEY = re.compile(r'"(?:final_)?answer"\s*:\s*')
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

    Marks are \\boxed{}, <answer></answer>, "answer" in JSON, ####, "the answer is". A box that
    stays open at the end means that the response was cut off in its answer: None. `prose`
    takes, where nothing is marked, the last formula or number of the text: for grading models
    that were never told to mark their answer, not for training.
    """
    spans, unclosed = boxed_spans(text)
    if unclosed:
        return None
    marked = [
        found
        for found in (_boxes(text, spans), _tag(text), _json(text), _hashes(text))
        if found is not None
    ]
    phrase = _phrase(text, overrides=bool(marked))
    if phrase is not None:
        marked.append(phrase)
    answer = max(marked, key=lambda found: found[0])[1] if marked else None
    loose = answer is not None and phrase is not None and answer == phrase[1]
    if prose and (answer is None or (loose and not _short(answer))):
        answer = _from_prose(answer or text)
    return answer.strip() or None if answer else None


def _boxes(text: str, spans: list[tuple[int, int, int]]) -> tuple[int, str] | None:
    """The last box, with those right before it that only commas, "and" or "or" keep apart."""
    if not spans:
        bare = list(_BARE_BOX.finditer(text))
        return (bare[-1].start(), bare[-1][1]) if bare else None
    parts = [text[spans[-1][1] : spans[-1][2]]]
    for (_, start, end), (after, _, _) in zip(reversed(spans[:-1]), reversed(spans), strict=False):
        between = text[end + 1 : after]
        if len(between) > MAX_JOINT or "\n\n" in between or not _JOINT.fullmatch(between):
            break
        parts.append(text[start:end])
    return spans[-1][0], ", ".join(reversed(parts))


def _tag(text: str) -> tuple[int, str] | None:
    close = text.rfind(_TAG_CLOSE)
    start = text.rfind(_TAG_OPEN, 0, close) if close >= 0 else -1
    if start < 0:
        return None
    content = text[start + len(_TAG_OPEN) : close]
    boxes = _boxes(content, boxed_spans(content)[0])
    found = boxes or _json(content)
    return close, found[1] if found else content


def _hashes(text: str) -> tuple[int, str] | None:
    at = text.rfind("####")
    match = _HASHES.match(text, at) if at >= 0 else None
    return (at, match[1]) if match else None


def _json(text: str) -> tuple[int, str] | None:
    at = max(text.rfind('"answer"'), text.rfind('"final_answer"'))
    match = _KEY.match(text, at) if at >= 0 else None
    if not match or "{" not in text[:at]:
        return None
    # Half of the models do not escape LaTeX's backslashes: \frac is not a form feed.
    raw = re.sub(r'(?<!\\)\\(?![\\"/])', r"\\\\", text[match.end() : match.end() + 2000])
    try:
        value, _ = json.JSONDecoder().raw_decode(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return None if isinstance(value, dict) or value is None else (at, str(value))


def _phrase(text: str, overrides: bool) -> tuple[int, str] | None:
    """What follows the last "the answer is". Once something else is marked only "final answer"
    counts, and only with a number or formula: "so the answer is correct" is no answer."""
    best = None
    for match in _PHRASE.finditer(text):
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
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return brace.start()
    return None
