"""The penalty for mixing languages: does a response change its natural language?

SRPO (arXiv 2504.14286) subtracts a penalty when a response mixes languages and leaves open how
that is found. Here: writing systems show languages with a script of their own, kana tells
Japanese from Chinese, function words (`function_words.py`) tell the languages of Latin and of
Cyrillic script from each other. It is deterministic, has no model and no state.

Code, LaTeX, addresses, single glosses in brackets or quotes, words that the prompt has too, Greek
letters, single letters, and names and terms in Latin script do not count. Limits:

- A response wholly in one language is not mixed, whatever the prompt's language is.
- Languages without a row of function words are seen by their script only; languages that share
  a script other than these (Arabic and Persian, Hindi and Marathi) are one.
- A foreign phrase in Latin script needs two function words: `Sumamos todo.` has none. Between
  near languages (Czech and Slovak, Danish and Norwegian) a change is not seen.
- A word or two are not mixing in a long response (MIXED_SHARE), and in a short one they are.
- Text inside \\text{...} of a formula and in code is never looked at.
"""

# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from srpo.verifiers.language.function_words import LANGUAGES_OF, NOT_EVIDENCE, WEAK_WORDS, count
from srpo.verifiers.language.prose import prose

MIXED_SHARE = 0.05  # more foreign writing than this is mixing ...
MIXED_LETTERS = 8  # ... if it is also at least this much (in letters; a Han one counts as four)
_DENSE = 4  # a Han, kana or hangul letter carries about as much as four alphabetic ones
# The prompt's script (language) is the main one unless another has so many times its letters
# (function words) in the response.
_SCRIPT_PRIOR, _LANGUAGE_PRIOR = 10, 4

_TOKEN = re.compile(
    r"(?P<LATIN>[a-zà-öø-ɏḀ-ỿ\u0300-\u036f]+)"
    r"|(?P<CJK>[\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"
    r"|(?P<HANGUL>[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]+)"
    r"|(?P<CYRILLIC>[\u0400-\u052f]+)"
    r"|(?P<OTHER>(?:[^\W\d_]|(?<=[\u0590-\u0eff])[\u0590-\u0eff])+)"
    r"|(?P<END>\n|[.!?;:](?=\s)|[。！？；：])"
)
_QUOTATION = re.compile(r"«[^»]*+»|“[^”]*+”|「[^」]*+」|\"[^\"\n]*+\"|'[^'\n]*+'")
KANA = re.compile(r"[\u3041-\u30ff]")
# Chinese that the Japanese character set has too, but no Japanese sentence.
_CHINESE_ONLY = frozenset("个么从两没這們麼嗎")
_SCRIPTS = {"ARABIC", "HEBREW", "DEVANAGARI", "THAI", "BENGALI", "TAMIL", "TELUGU", "GEORGIAN"}
_SCRIPTS |= {"ARMENIAN", "GUJARATI", "GURMUKHI", "KANNADA", "MALAYALAM", "KHMER", "ETHIOPIC"}

_LATIN_WORD = re.compile(r"[a-zà-öø-ɏḀ-ỿ\u0300-\u036f]+")
_NOT_LATIN = re.compile(
    r"[\u0400-\u1dff\u2c00-\ud7ff\uf900-\ufdff\ufe70-\ufeff\U00020000-\U0003ffff]"
)
_SHOWS_ANOTHER = (
    frozenset(word for word, languages in LANGUAGES_OF.items() if "en" not in languages)
    - NOT_EVIDENCE
)

Token = tuple[str, str]  # script (or END), and the word


def mixed(prompt: str, text: str) -> bool:
    """Whether more than MIXED_SHARE of the response, and MIXED_LETTERS at least, is foreign."""
    share, amount = foreign_share(prompt, text)
    return share > MIXED_SHARE and amount >= MIXED_LETTERS


def foreign_share(prompt: str, text: str) -> tuple[float, int]:
    """(share, amount) of the response's prose that is not in the response's main language.

    Share is 0..1, amount in letters. The prompt's language is preferred as the main one, and
    its words count for no other.
    """
    writing = prose(text).lower()
    if _plainly_english(writing):
        return 0.0, 0
    tokens = list(tokens_of(writing))
    asked = list(tokens_of(prose(_QUOTATION.sub(" ", prompt)).lower()))
    quoted = _Quoted(list(tokens_of(prose(prompt).lower())))
    own = [token for token in tokens if not quoted(*token)]
    main = _main_script(tokens, asked)
    foreign = sum(_letters(*token) for token in own if token[0] not in (main, "LATIN"))
    if main == "CJK":
        foreign += _chinese_or_japanese(own, tokens, asked)
    if main == "CYRILLIC":
        foreign += _foreign_runs(tokens, "CYRILLIC", _main_language(tokens, asked), quoted)
    language = _main_language(tokens, asked) if main == "LATIN" else ""
    foreign += _foreign_runs(tokens, "LATIN", language, quoted)
    total = sum(_letters(*token) for token in tokens)
    return (min(1.0, foreign / total) if total else 0.0), foreign


def _plainly_english(writing: str) -> bool:
    """A short cut for the usual case: no other script, and every function word is English."""
    if _NOT_LATIN.search(writing):
        return False
    words = set(_LATIN_WORD.findall(writing))
    return _SHOWS_ANOTHER.isdisjoint(words)


def tokens_of(writing: str) -> Iterator[Token]:
    """The words of prose in small letters, with their scripts, and the ends of sentences."""
    for match in _TOKEN.finditer(writing):
        script, word = match.lastgroup or "", match[0]
        if script == "OTHER":
            script = _script(word[0])
        if script:
            yield script, word


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Of a letter beyond the common scripts; "" for Greek, symbols and what is not told apart."""
    first = unicodedata.name(letter, "").split(" ")[0]
    return first if first in _SCRIPTS else ""


def _letters(script: str, word: str) -> int:
    if script in ("CJK", "HANGUL"):
        return len(word) * _DENSE
    return len(word) if len(word) > 1 and script != "END" else 0


class _Quoted:
    """What the prompt says too. Chinese and Japanese have no word boundaries: pairs of letters."""

    def __init__(self, prompt: list[Token]) -> None:
        self._words = {word for _, word in prompt}
        self._pairs = {p for s, w in prompt if s == "CJK" for p in pairwise(w)}

    def __call__(self, script: str, word: str) -> bool:
        if word in self._words:
            return True
        pairs = pairwise(word)
        return script == "CJK" and len(word) > 1 and all(p in self._pairs for p in pairs)


def letters_by_script(tokens: list[Token]) -> Counter[str]:
    """Letters by script."""
    amounts = Counter[str]()
    for script, word in tokens:
        amounts[script] += _letters(script, word)
    return +amounts


def largest(amounts: Counter[str], preferred: str = "", prior: int = 1) -> str:
    """Ties go to English, then by name, so that it is always the same; "" for no amounts."""
    weighed = {k: n * (prior if k == preferred else 1) for k, n in amounts.items()}
    return max(sorted(weighed), key=lambda k: (weighed[k], k == "en"), default="")


def _main_script(tokens: list[Token], prompt: list[Token]) -> str:
    amounts = letters_by_script(tokens)
    if not count(word for script, word in tokens if script == "LATIN"):
        amounts["LATIN"] = 0  # no function word at all: names and terms
    return largest(+amounts, largest(letters_by_script(prompt)), _SCRIPT_PRIOR)


def _main_language(tokens: list[Token], prompt: list[Token]) -> str:
    """The language with the most function words."""
    asked = largest(count(word for _, word in prompt))
    return largest(count(word for _, word in tokens), asked, _LANGUAGE_PRIOR)


def _foreign_runs(tokens: list[Token], among: str, main: str, quoted: _Quoted) -> int:
    """Letters in stretches of one foreign language of the script `among`.

    A stretch goes from a foreign function word to the next one of the main language or to the
    sentence's end; see `_convincing` for what it needs.
    """
    letters = foreign = 0
    run: dict[str, frozenset[str]] = {}
    for script, word in [*tokens, ("END", "")]:
        if script not in (among, "END"):
            continue
        tags = LANGUAGES_OF.get(word, frozenset())
        if script == "END" or main in tags:
            foreign += letters if _convincing(run) else 0
            letters, run = 0, {}
            continue
        if tags and word not in NOT_EVIDENCE and not quoted(script, word):
            run[word] = tags
        letters += _letters(script, word) if run else 0
    return foreign


def _convincing(run: dict[str, frozenset[str]]) -> bool:
    """Two different words of one language, not both weak; or four weak ones."""
    counts = Counter(language for tags in run.values() for language in tags)
    strong = any(word not in WEAK_WORDS for word in run)
    return max(counts.values(), default=0) >= (2 if strong else 4)


def _chinese_or_japanese(own: list[Token], tokens: list[Token], prompt: list[Token]) -> int:
    """Letters of the one that is not the main one. Kana shows Japanese; Han letters alone may be
    either, unless Japanese does not have them."""
    main = largest(_east_asian(tokens), largest(_east_asian(prompt)), _SCRIPT_PRIOR)
    amounts = _east_asian(own)
    return amounts.total() - amounts[main]


def _east_asian(tokens: list[Token]) -> Counter[str]:
    amounts = Counter[str]()
    for script, word in tokens:
        if script == "CJK" and KANA.search(word):
            amounts["ja"] += _letters(script, word)
        elif script == "CJK" and not _japanese(word):
            amounts["zh"] += _letters(script, word)
    return amounts


def _japanese(word: str) -> bool:
    """Whether Japanese has all the letters: its character set has few simplified Chinese ones."""
    try:
        word.encode("cp932")
    except UnicodeEncodeError:
        return False
    return _CHINESE_ONLY.isdisjoint(word)
